"""The chance of winning an open deal: a points card on top of the CRM's chance for its stage, in log-odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import flags, numbers, whole
from scoring.arithmetic.counts import as_integers, count, fifth_of, money_bin
from scoring.arithmetic.points import Card, band_of, in_bands, level_for, mean_chance, points_of
from scoring.reading.features import day_number
from scoring.reading.past_deals import cell_of
from scoring.reading.roundness import roundness
from scoring.winning.deal_history import age_of
from scoring.winning.lasting import lasting_points
from scoring.winning.like_deals import like_points

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.arithmetic.counts import Summary
    from scoring.book import Book
    from scoring.reading.features import Features
    from scoring.winning.lasting import Lasting

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

ITEMS = ("base", "level", "record", "like_deals", "age", "roundness", "idle", "touches", "past_revenue")
_OPEN, _CLOSED = 50, 200  # deals from which on the book's own level counts more than half
_MOST_LEVEL = 100  # points


def win(features: Features, book: Book, rules: Rules, today: date) -> Card:
    """The chance of winning each open deal; its items are `ITEMS`."""
    card, deals, now = rules.win, features.deals, day_number(today)
    stage = numbers(deals, "probability")
    base = points_of(np.where(np.isnan(stage), book.win_percent, stage).astype(np.int64))
    rows = whole(deals, "account_row")
    age, history = age_of(deals, now), book.history
    usual = age * history.touches_each_day
    touches = np.divide(numbers(deals, "touches"), usual, out=np.full(len(age), np.nan), where=usual > 0)
    points = [
        np.full(deals.num_rows, history.level),
        np.append(_record(features.accounts, book, card.record), 0)[rows],
        like_points(features, history.like, card.like_deals.most),
        lasting_points(deals, history.lasting, card.age, now),
        roundness_points(numbers(deals, "cents"), book, rules),
        in_bands(_idle(deals, now) / age, card.idle),
        in_bands(touches, card.touches),
        _past_revenue(features.accounts, book, rules)[rows],
    ]
    return Card(base, np.stack(points))


def level_counts(part: Features, book: Book, rules: Rules, today: date) -> Summary:
    """How often each chance occurs among the open deals of a bucket: as `given`, and as `wanted` for their ages.

    In points. `book` has no level yet.
    """
    table = book.history.lasting
    open_ = ~flags(part.deals, "closed")
    card = win(part, book, rules, today)
    aged = lasting_points(part.deals, table, _MOST_LEVEL, day_number(today)) + points_of(
        np.array([table.percent])
    )
    return {"given": count((card.base + card.points.sum(axis=0))[open_]), "wanted": count(aged[open_])}


def level(found: Mapping[str, Counter[str]], table: Lasting) -> int:
    """Points that bring the mean chance of all open deals to the share of such deals, of their ages, that was won.

    Stages' chances are guesses, and cards add up what deals have in common. Drawn towards none where few deals are
    open or have closed.
    """
    given, wanted = (as_integers(found.get(name, {})) for name in ("given", "wanted"))
    deals = sum(given.values())
    if not deals or not table.deals:
        return 0
    points = level_for(given, mean_chance(wanted), _MOST_LEVEL)
    trust = deals / (deals + _OPEN) * table.deals / (table.deals + _CLOSED)
    return round(points * trust)


def _record(accounts: pa.Table, book: Book, most: int) -> Ints:
    """How the account's own deals ended, against the book's, drawn towards them as far as accounts are alike."""
    won, closed = whole(accounts, "purchases"), whole(accounts, "closed")
    prior = book.history.record
    record = (100 * won + prior * book.win_percent) // (closed + prior)
    moved: Ints = points_of(record) - points_of(np.array([book.win_percent]))
    return np.clip(moved, -most, most).astype(np.int64)


def _idle(deals: pa.Table, now: int) -> Floats:
    """Days since a deal moved; NaN where nothing is known but when it was made."""
    moved = numbers(deals, "moved_day")
    return np.where(moved > numbers(deals, "created_day"), np.maximum(now - moved, 0), np.nan)


def _past_revenue(accounts: pa.Table, book: Book, rules: Rules) -> Ints:
    """Points for what each account has spent, and behind them those of no account."""
    fifth = fifth_of(money_bin(whole(accounts, "spend")), book.spend_fifths).astype(np.float64)
    known = np.where(whole(accounts, "purchases") > 0, fifth, np.nan)
    bands = rules.win.past_revenue
    learned = book.history.points.get("past_revenue", ()) if rules.win.points == "from_book" else ()
    if len(learned) != len(bands.points) + 1:  # nothing was taught, or a variant has ranges of its own
        learned = (*bands.points, bands.none)
    return np.array(learned, dtype=np.int64)[band_of(np.append(known, np.nan), bands)]


def roundness_points(cents: Floats, book: Book, rules: Rules) -> Ints:
    """Points for how round an amount is; an amount that many deals share is a list price, no quote."""
    points = in_bands(roundness(cents), rules.win.roundness)
    listed = np.isin(cell_of(cents), np.array(book.history.list_prices, dtype=np.int64))
    return np.where(listed, np.minimum(points, rules.win.list_price), points)
