"""Priority of open deals: how soon, how profitable, how much, and signs of need, as parts that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import flags, looked_up, numbers, whole
from scoring.arithmetic.counts import money_bin, rank_of
from scoring.arithmetic.points import Card, Sum, on_curve
from scoring.conditions.boosts import boost_parts
from scoring.conditions.facts import Inputs, deal_facts
from scoring.reading.features import day_number
from scoring.winning.pace import pace
from scoring.winning.win import win

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.conditions.boosts import Boosts
    from scoring.reading.features import Features

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Behind them come the boosts of the rules, and the limit that keeps scores within 0 to 100: `Deals.items`.
ITEMS = (
    "close_date", "pushed", "idle", "pace", "chance", "margin", "amount", "need_by", "pain", "need_case",
)  # fmt: skip
_ONE_UNIT = (0.4, 1.1)  # share of the list price that an amount may be to be a price of one unit


@dataclass(frozen=True, slots=True)
class Deals:
    """Per row of `Features.deals`: what its priority is made of.

    `priority` (its parts are `items`) counts only where `scored`. `live` deals are scored and not
    long overdue. `margin` and `discount` are percent, NaN if unknown; `size` is
    the amount's rank, `profit` is the curve's value behind them. `win` is the card behind `chance` (percent);
    `pace` is the percent of deals of that age that closed within 30 days, NaN if unknown. `moving` is how far a deal
    still moves, 0 to 1: less the longer it stands still, and the longer its date has passed.
    """

    scored: Flags
    live: Flags
    priority: Sum
    size: Floats
    chance: Ints
    days_to_close: Floats
    idle: Floats
    moving: Floats
    margin: Floats
    discount: Floats
    profit: Floats
    win: Card
    pace: Floats
    boosts: Boosts

    @property
    def items(self) -> tuple[str, ...]:
        """The items of `priority`, in the order of its parts."""
        return (*ITEMS, *self.boosts.items, "limit")


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
    winning = win(features, book, rules, today)
    moving = _still(idle, rules, book) * np.where(
        days < 0, on_curve(-days, rules.priority.overdue) / 100, 1.0
    )
    within = pace(table, book.history.pace, now)
    size = _size(features, book)
    boosts = _boosts(features, winning.score, margin, book, rules, today)
    parts = np.vstack(
        [
            _soon(table, days, idle, within, winning.score, _spread(profit, size, rules), book, rules),
            _worth(profit, size, _spread(profit, size, rules), rules),
            _need(table, rules, now),
            boosts.parts,
        ]
    )
    total = parts.sum(axis=0)
    scored = ~flags(table, "closed") & ~np.isnan(days)
    live = scored & (days >= -rules.priority.live_days_overdue)
    priority = Sum(np.vstack([parts, np.clip(total, 0.0, 100.0) - total]))
    return Deals(
        scored,
        live,
        priority,
        size,
        winning.score,
        days,
        idle,
        moving,
        margin,
        discount,
        profit,
        winning,
        within,
        boosts,
    )


def _spread(profit: Floats, size: Floats, rules: Rules) -> Floats:
    """What is not known spreads its weight over what is: points for each unit of a weight."""
    weights = rules.priority.weights
    known = weights.soon + weights.profitable * ~np.isnan(profit) + weights.much * ~np.isnan(size)
    return np.divide(100.0, known, out=np.zeros(len(known)), where=known > 0) / 100


def _soon(  # what "soon" is made of, no more
    table: pa.Table, days: Floats, idle: Floats, within: Floats, winning: Ints, weight: Floats,
    book: Book, rules: Rules,
) -> Floats:  # fmt: skip
    """Parts of close date, pushes, idleness, pace and chance; without a pace the date has its share.

    Dates that are kept speak for themselves: the pace has its share as far as those of the book are not.
    """
    card = rules.priority
    soon = card.weights.soon * weight
    by_chance = card.chance_share / 100
    doubt = min(2 * book.history.overdue, 1.0)
    by_pace = np.where(np.isnan(within), 0.0, (1 - by_chance) * doubt * card.pace_share / 100)
    curve = np.where(days >= 0, on_curve(days, card.close_date), on_curve(-days, card.overdue))
    dated = soon * (1 - by_chance - by_pace) * np.nan_to_num(curve)
    pushed = on_curve(numbers(table, "pushes"), card.pushes) / 100
    moving = _still(idle, rules, book)
    return np.stack(
        [
            dated,
            dated * (pushed - 1),
            dated * pushed * (moving - 1),
            soon * by_pace * np.nan_to_num(on_curve(within, card.pace)),
            soon * by_chance * winning,
        ]
    )


def _still(idle: Floats, rules: Rules, book: Book) -> Floats:
    """What standing still leaves of a deal, 0 to 1."""
    left: Floats = np.nan_to_num(on_curve(idle / book.cycle, rules.priority.idle), nan=100.0) / 100
    return left


def _worth(profit: Floats, size: Floats, weight: Floats, rules: Rules) -> Floats:
    """Parts of margin and amount."""
    weights = rules.priority.weights
    return np.stack([
        weights.profitable * weight * np.nan_to_num(profit), weights.much * weight * np.nan_to_num(size)
    ])  # fmt: skip


def _need(table: pa.Table, rules: Rules, now: int) -> Floats:
    """Parts of the signs of need."""
    until = numbers(table, "need_day") - now
    left = np.where(until < 0, on_curve(-until, rules.needs.overdue) / 100, 1.0)
    return np.stack(
        [
            np.nan_to_num(on_curve(np.maximum(until, 0), rules.needs.need_by) * left),
            np.where(flags(table, "pain"), float(rules.needs.pain), 0.0),
            np.where(flags(table, "need_case"), float(rules.needs.case), 0.0),
        ]
    )


def _boosts(
    features: Features, winning: Ints, margin: Floats, book: Book, rules: Rules, today: date
) -> Boosts:
    """What the rules' own conditions add or take; they may name all that is known before tier and score."""
    facts = deal_facts(features, book, rules, today) if rules.boosts else {}
    inputs = Inputs({**facts, "chance": lambda: winning, "margin": lambda: margin})
    return boost_parts(rules, "opportunity", inputs, features.deals.num_rows)


def _size(features: Features, book: Book) -> Floats:
    """The rank of each amount among the book's open deals, 0-100; NaN without an amount."""
    cents = numbers(features.deals, "cents")
    rank = rank_of(money_bin(np.nan_to_num(cents)), book.amount_ranks)
    return np.where(np.isnan(cents), np.nan, rank)


def _profit(features: Features, rules: Rules) -> tuple[Floats, Floats, Floats]:
    """Margin, discount and their value on the curve: the field, line items, product table, or the list price."""
    table, products = features.deals, rules.products
    margin = numbers(table, "margin")
    margin = np.where(np.isnan(margin), numbers(table, "items_margin"), margin)
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
    within = (found.days_to_close[live] <= book.horizon) * found.moving[live]
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
