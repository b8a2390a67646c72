"""Growth potential: where an account could be, by a points card on demand, silence, promises, headroom and fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import numbers, whole
from scoring.arithmetic.counts import rank_of
from scoring.arithmetic.points import Card, in_bands
from scoring.buying.habits import usual_gap
from scoring.growing.growth_book import fit_points, outlook_bin
from scoring.growing.headroom import bought, missing, spend_share
from scoring.growing.outlook import outlook
from scoring.growing.promises import Promises, promises
from scoring.reading.features import day_number

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ITEMS = (
    "base", "trend", "outlook", "quiet", "pipeline", "promise", "kept", "headroom", "products", "business", "fit",
)  # fmt: skip
HALF_YEAR, YEAR = 182, 365
_SEASON = YEAR + HALF_YEAR // 2  # days as a customer from which on there is a season to compare with
_EVIDENCE = 2  # purchases' worth of the account's usual basket that a change must outweigh
_DEALS = 4  # deals that a change in their number must outweigh: one more or less is chance
_QUARTER = 91  # days: a shorter silence is no news for the year ahead


@dataclass(frozen=True, slots=True)
class Growth:
    """Per account: the card (its items are `ITEMS`), and the inputs that texts show, NaN where unknown.

    `outlook` is a rank, 0 to 100; `quiet` counts usual gaps since the last purchase, `pipeline` usual purchases;
    `missing` are the usual products not yet bought, a bit for each (0: none, or nothing is known).
    """

    card: Card
    trend: Floats
    outlook: Floats
    quiet: Floats
    pipeline: Floats
    headroom: Floats
    missing: Ints
    promises: Promises

    @property
    def kept(self) -> Floats:
        """How much of the plans that fell due came true, 0 to 1; NaN without one."""
        return self.promises.kept


def growth(accounts: pa.Table, from_deals: Floats, book: Book, rules: Rules, today: date) -> Growth:
    """Score the accounts of a bucket; `from_deals` are the cents that their live deals let expect.

    Size alone gives no points: peers share it.
    """
    card, now = rules.growth, day_number(today)
    trend, ahead = demand_trend(accounts, book, now), outlook_rank(accounts, book, now)
    silent, usual = silence(accounts, book, now), basket(accounts, book)
    pipeline = from_deals / np.maximum(usual, 1.0)
    room = spend_room(accounts, book, now)
    lacking, lacks = _lacking(accounts, book)
    plans = promises(accounts, usual, book.kept_percent)
    points = np.stack([
        in_bands(trend, card.trend),
        np.rint(np.nan_to_num(card.outlook * (ahead - 50) / 50)),
        in_bands(silent, card.quiet),
        in_bands(pipeline, card.pipeline),
        in_bands(plans.rise, card.promise) * plans.believed // 100,
        in_bands(np.where(np.isnan(plans.kept), np.nan, plans.trusted / 100), card.kept),
        in_bands(room, card.headroom),
        in_bands(lacks, card.products),
        in_bands(numbers(accounts, "company_growth"), card.business),
        np.where(is_customer(accounts), 0, np.clip(fit_points(accounts, book.growth.fits), -card.fit, card.fit)),
    ]).astype(np.int64)  # fmt: skip
    base = np.full(points.shape[1], card.base)
    return Growth(Card(base, points), trend, ahead, silent, pipeline, room, lacking, plans)


def is_customer(accounts: pa.Table) -> Flags:
    """Who has bought."""
    bought_once: Flags = whole(accounts, "purchases") > 0
    return bought_once


def basket(accounts: pa.Table, book: Book) -> Floats:
    """Cents of a usual purchase, drawn towards the book's mean as if by two purchases."""
    return (whole(accounts, "spend") + 2 * book.basket) / (whole(accounts, "purchases") + 2)


def season_trend(accounts: pa.Table, book: Book, now: int) -> Floats:
    """Spend of the last half-year ÷ the same half-year a year before, drawn towards 1 by two baskets.

    NaN unless the account was a customer for at least half of that earlier half-year.
    """
    seen = np.clip((now - YEAR - numbers(accounts, "first_day")) / HALF_YEAR, 0, 1)
    seen = np.where(seen >= 0.5, seen, np.nan)
    steady = _EVIDENCE * np.maximum(basket(accounts, book), 1.0)
    trend: Floats = (whole(accounts, "half_spend") + steady) / (
        whole(accounts, "half_before") / seen + steady
    )
    return trend


def demand_trend(accounts: pa.Table, book: Book, now: int) -> Floats:
    """The trend of spend and that of deals begun, won or not, halfway between them; NaN as `season_trend`.

    Spend alone swings with the luck of single deals, and a lucky year is followed by an ordinary one.
    """
    begun, before = whole(accounts, "half_deals"), whole(accounts, "half_deals_before")
    return np.sqrt(season_trend(accounts, book, now) * (begun + _DEALS) / (before + _DEALS))


def silence(accounts: pa.Table, book: Book, now: int) -> Floats:
    """Time since the last purchase ÷ the account's usual gap, a quarter at least; NaN without a purchase."""
    silent: Floats = (now - numbers(accounts, "last_day")) / np.maximum(usual_gap(accounts, book), _QUARTER)
    return silent


def outlooks(accounts: pa.Table, book: Book, now: int) -> Floats:
    """What customers have ahead that are too young for `season_trend` (`growing.outlook`); NaN for all others."""
    young = is_customer(accounts) & ~(now - numbers(accounts, "first_day") >= _SEASON)
    return outlook(accounts, book.buying.model, max(book.basket, 1.0), now, young)


def outlook_rank(accounts: pa.Table, book: Book, now: int) -> Floats:
    """The rank of an outlook among all of the book, 0 to 100; NaN without one."""
    found = outlooks(accounts, book, now)
    return np.where(np.isnan(found), np.nan, rank_of(outlook_bin(found), book.growth.outlook_ranks))


def spend_room(accounts: pa.Table, book: Book, now: int) -> Floats:
    """A customer's spend a year ÷ its peers' median; NaN without enough peers, or without a purchase for a year."""
    medians = {peer: found.median for peer, found in book.peers.items() if found.median > 0}
    return np.where(whole(accounts, "year_spend") > 0, spend_share(accounts, medians, now), np.nan)


def _lacking(accounts: pa.Table, book: Book) -> tuple[Ints, Floats]:
    """The usual products that an account does not buy yet, and their number; NaN where no product of it is known."""
    if not book.growth.products:
        return np.zeros(accounts.num_rows, dtype=np.int64), np.full(accounts.num_rows, np.nan)
    buys = bought(accounts, book.growth.products)
    lacking = np.where(buys > 0, missing(accounts, buys, book.growth.usual), 0)
    return lacking, np.where(buys > 0, np.bitwise_count(lacking), np.nan)
