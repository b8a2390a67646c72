"""Priority of open deals: how soon, how profitable, how much, as parts that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.columns import flags, looked_up, numbers, whole
from scoring.counts import money_bin, rank_of
from scoring.features import day_number
from scoring.points import Sum, chance, on_curve, points_of

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.features import Features

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ITEMS = ("close_date", "pushed", "idle", "chance", "margin", "amount", "need_by", "pain", "limit")
_OWN_RECORD = 10  # closed deals' worth of the book's win rate that an account's own is drawn towards
_ONE_UNIT = (0.4, 1.1)  # share of the list price that an amount may be to be a price of one unit


@dataclass(frozen=True, slots=True)
class Deals:
    """Per row of `Features.deals`: what its priority is made of.

    `priority` (its parts are `ITEMS`) counts only where `scored`. `live` deals are scored and not
    long overdue. `margin` and `discount` are percent, NaN if unknown; `size` is
    the amount's rank, `profit` is the curve's value behind them.
    """

    scored: Flags
    live: Flags
    priority: Sum
    size: Floats
    chance: Ints
    days_to_close: Floats
    idle: Floats
    margin: Floats
    discount: Floats
    profit: Floats


@dataclass(frozen=True, slots=True)
class BestDeals:
    """Per account: its live deals. `row` is the best one's in `Features.deals`, -1 without a live deal."""

    row: Ints
    score: Ints
    count: Ints
    chance: Floats
    idle: Floats
    expected: Floats


def deals(features: Features, book: Book, rules: Rules, today: date) -> Deals:
    """Score the open deals of a bucket."""
    table, now = features.deals, day_number(today)
    days = numbers(table, "close_day") - now
    idle = np.maximum(now - numbers(table, "moved_day"), 0)
    margin, discount, profit = _profit(features, rules)
    winning = _chance(features, book)
    size = _size(features, book)
    parts = _parts(table, days, idle / book.cycle, winning, profit, size, rules, now)
    parts = np.vstack([parts, np.minimum(100 - parts.sum(axis=0), 0.0)])
    scored = ~flags(table, "closed") & ~np.isnan(days)
    live = scored & (days >= -rules.priority.live_days_overdue)
    return Deals(scored, live, Sum(parts), size, winning, days, idle, margin, discount, profit)


def _parts(  # what a priority is made of, no more
    table: pa.Table,
    days: Floats,
    idle: Floats,
    winning: Ints,
    profit: Floats,
    size: Floats,
    rules: Rules,
    now: int,
) -> Floats:
    """The exact parts of each deal's priority, one row for each of `ITEMS` but the last."""
    card = rules.priority
    # What is not known spreads its weight over what is.
    known = (
        card.weights.soon + card.weights.profitable * ~np.isnan(profit) + card.weights.much * ~np.isnan(size)
    )
    weight = np.divide(100.0, known, out=np.zeros(len(known)), where=known > 0) / 100
    soon = card.weights.soon * weight
    by_date = (100 - card.chance_share) / 100
    curve = np.where(days >= 0, on_curve(days, card.close_date), on_curve(-days, card.overdue))
    dated = soon * by_date * np.nan_to_num(curve)
    pushed = on_curve(numbers(table, "pushes"), card.pushes) / 100
    moving = np.nan_to_num(on_curve(idle, card.idle), nan=100.0) / 100
    need = np.maximum(numbers(table, "need_day") - now, 0)
    return np.stack(
        [
            dated,
            dated * (pushed - 1),
            dated * pushed * (moving - 1),
            soon * (1 - by_date) * winning,
            card.weights.profitable * weight * np.nan_to_num(profit),
            card.weights.much * weight * np.nan_to_num(size),
            np.nan_to_num(on_curve(need, rules.needs.need_by)),
            np.where(flags(table, "pain"), float(rules.needs.pain), 0.0),
        ]
    )


def _size(features: Features, book: Book) -> Floats:
    """The rank of each amount among the book's open deals, 0-100; NaN without an amount."""
    cents = numbers(features.deals, "cents")
    rank = rank_of(money_bin(np.nan_to_num(cents)), book.amount_ranks)
    return np.where(np.isnan(cents), np.nan, rank)


def _chance(features: Features, book: Book) -> Ints:
    """Percent: the CRM's chance for the stage, moved by how the account's earlier deals ended."""
    accounts, rows = features.accounts, whole(features.deals, "account_row")
    won, closed = whole(accounts, "purchases"), whole(accounts, "closed")
    record = (100 * won + _OWN_RECORD * book.win_percent) // (closed + _OWN_RECORD)
    moved = np.append(points_of(record) - points_of(np.array([book.win_percent])), 0)
    stage = numbers(features.deals, "probability")
    known = np.where(np.isnan(stage), book.win_percent, stage).astype(np.int64)
    return np.rint(chance(points_of(known) + moved[rows])).astype(np.int64)


def _profit(features: Features, rules: Rules) -> tuple[Floats, Floats, Floats]:
    """Margin, discount and their value on the curve: the field, else the product table, else the list price."""
    table, products = features.deals, rules.products
    margin = numbers(table, "margin")
    typical = {name: product.margin for name, product in products.items() if product.margin is not None}
    margin = np.where(np.isnan(margin), looked_up(table["product"], typical, np.nan), margin)
    prices = {
        name: product.list_price for name, product in products.items() if product.list_price is not None
    }
    paid = numbers(table, "cents") / 100 / looked_up(table["product"], prices, np.nan)
    one_unit = (paid >= _ONE_UNIT[0]) & (paid <= _ONE_UNIT[1]) & np.isnan(margin)
    discount = np.where(one_unit, np.maximum(100 * (1 - paid), 0), np.nan)
    by_margin = on_curve(margin, rules.priority.margin)
    return (
        margin,
        discount,
        np.where(np.isnan(margin), on_curve(discount, rules.priority.discount), by_margin),
    )


def best_deals(features: Features, found: Deals, book: Book) -> BestDeals:
    """The live deals of each account; the best one has the highest score, the first id among equals."""
    accounts = features.accounts.num_rows
    rows = whole(features.deals, "account_row")
    live = np.flatnonzero(found.live & (rows >= 0))
    owner = rows[live]
    count = np.bincount(owner, minlength=accounts)
    best_row, score = np.full(accounts, -1), np.full(accounts, -1)
    # Written in rising order of score and falling order of row: what stays is the best, first one.
    order = live[np.lexsort((-live, found.priority.score[live]))]
    best_row[rows[order]] = order
    score[rows[order]] = found.priority.score[order]
    chances, idle = np.full(accounts, -1.0), np.full(accounts, np.inf)
    np.maximum.at(chances, owner, found.chance[live].astype(np.float64))
    np.minimum.at(idle, owner, np.nan_to_num(found.idle[live], nan=np.inf))
    within = found.days_to_close[live] <= book.horizon
    money = np.nan_to_num(numbers(features.deals, "cents")[live]) * found.chance[live] / 100 * within
    expected = np.zeros(accounts)
    np.maximum.at(expected, owner, money)
    return BestDeals(
        best_row,
        score,
        count,
        np.where(count > 0, chances, np.nan),
        np.where(np.isinf(idle), np.nan, idle),
        expected,
    )
