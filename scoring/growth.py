"""Growth potential: where an account could be, by a points card on trend, promises, headroom and fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.columns import looked_up, numbers, whole
from scoring.features import day_number
from scoring.points import Card, in_bands

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

ITEMS = ("base", "trend", "promise", "kept", "headroom", "fit")
HALF_YEAR, YEAR = 182, 365
_EVIDENCE = 2  # purchases' worth of the account's usual basket that a change must outweigh
_PLANS = 2  # plans' worth of the book's mean that one plan's outcome is drawn towards


@dataclass(frozen=True, slots=True)
class Growth:
    """Per account: the card (its items are `ITEMS`), and the inputs that texts show, NaN where unknown."""

    card: Card
    trend: Floats
    headroom: Floats
    kept: Floats


def growth(accounts: pa.Table, book: Book, rules: Rules, today: date) -> Growth:
    """Score the accounts of a bucket. Size alone gives no points: peers share it."""
    card, now = rules.growth, day_number(today)
    customer = whole(accounts, "purchases") > 0
    trend, headroom = season_trend(accounts, book, now), _headroom(accounts, book)
    kept = kept_share(accounts, now)
    drawn = (100 * kept + _PLANS * book.kept_percent) / (1 + _PLANS)
    fit = looked_up(accounts["peer"], {peer: found.fits for peer, found in book.peers.items()}, 0.0)
    points = np.stack(
        [
            in_bands(trend, card.trend),
            (in_bands(_promised_rise(accounts, book, now), card.promise) * book.kept_percent) // 100,
            in_bands(drawn / 100, card.kept),
            in_bands(headroom, card.headroom),
            np.where(customer, 0, np.clip(fit, -card.fit, card.fit)).astype(np.int64),
        ]
    )
    return Growth(Card(np.full(points.shape[1], card.base), points), trend, headroom, kept)


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


def _headroom(accounts: pa.Table, book: Book) -> Floats:
    """A customer's spend of the last year ÷ its peers' median; NaN without enough peers, and for prospects."""
    medians = {peer: found.median for peer, found in book.peers.items() if found.median > 0}
    median = looked_up(accounts["peer"], medians, np.nan)
    return np.where(whole(accounts, "purchases") > 0, whole(accounts, "year_spend") / median, np.nan)


def _promised_rise(accounts: pa.Table, book: Book, now: int) -> Floats:
    """A growth plan that is not yet due ÷ spend of the last year (at least one usual basket)."""
    plan, due = numbers(accounts, "plan"), numbers(accounts, "plan_day")
    running = (plan > 0) & ~(due < now)
    return np.where(running, plan, np.nan) / np.maximum(
        whole(accounts, "year_spend"), basket(accounts, book) + 1.0
    )


def kept_share(accounts: pa.Table, now: int) -> Floats:
    """How much of a plan that fell due within the last year came true, 0 to 1; NaN without one."""
    plan, due = numbers(accounts, "plan"), numbers(accounts, "plan_day")
    fallen_due = (plan > 0) & (due < now) & (due >= now - YEAR)
    return np.minimum(whole(accounts, "year_spend") / np.where(fallen_due, plan, np.nan), 1.0)
