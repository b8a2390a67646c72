"""What an account is worth: expected spend, its rank in the book, the segment, and the account's priority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.records import MONEY
from scoring.columns import numbers, whole
from scoring.counts import money_bin, rank_of
from scoring.deals import BestDeals, Deals, best_deals, deals
from scoring.growth import Growth, basket, growth
from scoring.likelihood import likelihood, usual_gap
from scoring.points import Card, Sum

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.features import Features

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ITEMS = ("expected_spend", "growth")
PRIORITIZE, NURTURE, MONITOR, REDUCE = range(4)  # places in `config.outputs.SEGMENTS`


@dataclass(frozen=True, slots=True)
class Assessed:
    """One bucket in all dimensions but rank: `expected` spend is in cents."""

    features: Features
    deals: Deals
    best: BestDeals
    likelihood: Card
    growth: Growth
    expected: Floats

    @property
    def scored(self) -> Flags:
        """Accounts about which there is anything to go by."""
        accounts = self.features.accounts
        known = ~accounts["peer"].combine_chunks().is_null().to_numpy(zero_copy_only=False)
        scored: Flags = (whole(accounts, "opportunities") > 0) | known
        return scored


@dataclass(frozen=True, slots=True)
class Scored:
    """One bucket, scored: everything but what depends on the order within each owner's book.

    Per account: `rank` of expected spend, 0-100, `segment` (a place in SEGMENTS), `value` the sum of ITEMS, `score`
    the priority, `by_deal` where a deal decided it, `scored` where there is anything to go by.
    """

    features: Features
    deals: Deals
    best: BestDeals
    likelihood: Card
    growth: Growth
    expected: Floats
    rank: Ints
    segment: Ints
    value: Sum
    score: Ints
    by_deal: Flags
    scored: Flags


def expected_spend(features: Features, best: BestDeals, likely: Card, book: Book) -> Floats:
    """Cents expected within the horizon: the chance times a usual basket (as often as usual), or a live deal's.

    A prospect's basket is that of its live deal, else the book's.
    """
    accounts = features.accounts
    purchases = numbers(accounts, "purchases")
    gap = usual_gap(purchases, numbers(accounts, "first_day"), numbers(accounts, "last_day"), book)
    often = np.nan_to_num(np.maximum(book.horizon / gap, 1.0), nan=1.0)
    by_history = likely.chance / 100 * basket(accounts, book) * often
    expected: Floats = np.maximum(by_history, best.expected)
    return expected


def assess(features: Features, book: Book, rules: Rules, today: date) -> Assessed:
    """All dimensions of one bucket that need no rank in the book."""
    found = deals(features, book, rules, today)
    best = best_deals(features, found, book)
    likely = likelihood(features.accounts, best, book, rules, today)
    growing = growth(features.accounts, book, rules, today)
    return Assessed(features, found, best, likely, growing, expected_spend(features, best, likely, book))


def settle(assessed: Assessed, book: Book, rules: Rules) -> Scored:
    """Rank, segment and priority of the accounts of one bucket."""
    best, growing = assessed.best, assessed.growth.card.score
    rank = rank_of(money_bin(assessed.expected), book.spend_ranks)
    spends, grows = rank >= rules.segments.expected_spend, growing >= rules.segments.growth
    segment = np.where(spends, np.where(grows, PRIORITIZE, NURTURE), np.where(grows, MONITOR, REDUCE))
    value = _value(rank, growing, rules)
    by_deal = (best.row >= 0) & (best.score >= value.score)
    return Scored(
        assessed.features, assessed.deals, best, assessed.likelihood, assessed.growth, assessed.expected,
        rank, segment, value, np.where(by_deal, best.score, value.score), by_deal, assessed.scored,
    )  # fmt: skip


def _value(rank: Ints, growing: Ints, rules: Rules) -> Sum:
    """The weighted mean of rank and growth."""
    weights = rules.account_value
    total = weights.expected_spend + weights.growth
    return Sum(np.stack([rank * (weights.expected_spend / total), growing * (weights.growth / total)]))


def money_of_cents(cents: Floats) -> pa.Array:
    """Cents as the canonical decimal; NaN becomes null."""
    whole_cents = pa.array(np.rint(np.nan_to_num(cents)).astype(np.int64), mask=np.isnan(cents))
    return pc.divide(whole_cents.cast(pa.decimal128(20, 0)), pa.scalar(100, pa.decimal128(3, 0))).cast(MONEY)
