"""What an account is worth: expected spend, its rank in the book, the segment, and the account's priority."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.records import MONEY
from scoring.arithmetic.columns import whole
from scoring.arithmetic.counts import money_bin, rank_of
from scoring.arithmetic.points import Card, Sum
from scoring.buying.likelihood import expected_days, likelihood, purchase_value
from scoring.conditions.boosts import Boosts, boosted
from scoring.conditions.exclusions import Excluded, excluded
from scoring.conditions.inputs import account_inputs
from scoring.conditions.variants import Variants, account_variants, deal_variants
from scoring.growing.growth import Growth, growth
from scoring.winning.deals import BestDeals, Deals, best_deals, deals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.reading.features import Features

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Behind them come the boosts of the rules, and the limit that keeps scores within 0 to 100: `Scored.items`.
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
    excluded: Excluded
    today: date

    @property
    def scored(self) -> Flags:
        """Accounts about which there is anything to go by, and that sales may have to do with."""
        accounts = self.features.accounts
        known = ~accounts["peer"].combine_chunks().is_null().to_numpy(zero_copy_only=False)
        scored: Flags = ((whole(accounts, "opportunities") > 0) | known) & (self.excluded.accounts.codes < 0)
        return scored


@dataclass(frozen=True, slots=True)
class Scored:
    """One bucket, scored: everything but what depends on the order within each owner's book.

    Per account: `rank` of expected spend, 0-100, `segment` (a place in SEGMENTS), `value` the sum of `items`, `score`
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
    excluded: Excluded
    boosts: Boosts
    labels: Mapping[str, str] = field(default_factory=dict)  # what the CRM calls `object.column`

    @property
    def items(self) -> tuple[str, ...]:
        """The items of `value`, in the order of its parts."""
        return (*ITEMS, *self.boosts.items, "limit") if self.boosts.items else ITEMS


def expected_of_deals(best: BestDeals, likely: Card) -> Floats:
    """Cents that the live deals let expect within the horizon: 0 without one.

    No account is likelier to win us a deal than to buy at all: where its deals no longer move, likelihood says so.
    """
    share = np.minimum(likely.chance / np.fmax(best.chance, 1.0), 1.0)
    found: Floats = best.expected * share
    return found


def expected_spend(features: Features, from_deals: Floats, likely: Card, book: Book, today: date) -> Floats:
    """Cents expected within the horizon: purchases times the value of one, or what live deals let expect.

    The larger of both: a live deal is one of the purchases that the history lets expect.
    """
    accounts = features.accounts
    by_history = expected_days(likely, accounts, book, today) * purchase_value(accounts, book)
    expected: Floats = np.maximum(by_history, from_deals)
    return expected


def assess(features: Features, book: Book, rules: Rules, today: date) -> Assessed:
    """All dimensions of one bucket that need no rank in the book."""
    left_out = excluded(features, book, rules, today)
    found = deal_variants(features.deals, rules).apply(
        lambda own, rows: deals(_with_deals(features, rows), book, own, today)
    )
    open_to_us = left_out.deals.codes < 0
    found = replace(found, scored=found.scored & open_to_us, live=found.live & open_to_us)
    best = best_deals(features, found, book)
    likely = likelihood(features.accounts, best, book, rules, today)
    from_deals = expected_of_deals(best, likely)
    growing = account_variants(features.accounts, rules).apply(
        lambda own, rows: (
            growth(features.accounts, from_deals, book, own, today)
            if rows is None
            else growth(features.accounts.take(rows), from_deals[rows.to_numpy()], book, own, today)
        )
    )
    expected = expected_spend(features, from_deals, likely, book, today)
    return Assessed(features, found, best, likely, growing, expected, left_out, today)


def _with_deals(features: Features, rows: pa.Array | None) -> Features:
    """The bucket with some of its deals."""
    return features if rows is None else replace(features, deals=features.deals.take(rows))


def settle(assessed: Assessed, book: Book, rules: Rules) -> Scored:
    """Rank, segment and priority of the accounts of one bucket."""
    best, growing = assessed.best, assessed.growth.card.score
    variants = account_variants(assessed.features.accounts, rules)
    rank = rank_of(money_bin(assessed.expected), book.spend_ranks)
    spends = rank >= variants.each(lambda own: own.segments.expected_spend)
    grows = growing >= variants.each(lambda own: own.segments.growth)
    segment = np.where(spends, np.where(grows, PRIORITIZE, NURTURE), np.where(grows, MONITOR, REDUCE))
    value = _value(rank, growing, variants)
    by_deal = (best.row >= 0) & (best.score >= value.score)
    none = Boosts((), np.zeros((0, len(rank))), [])
    scored = Scored(
        assessed.features, assessed.deals, best, assessed.likelihood, assessed.growth, assessed.expected,
        rank, segment, value, np.where(by_deal, best.score, value.score), by_deal, assessed.scored,
        assessed.excluded, none,
    )  # fmt: skip
    return _boosted(scored, variants, book, assessed.today) if rules.boost_names("account") else scored


def _boosted(scored: Scored, variants: Variants, book: Book, today: date) -> Scored:
    """With the points of the boosts on accounts, and the limit that keeps their value within 0 to 100."""
    rows = len(scored.score)
    inputs = account_inputs(scored, np.zeros(rows, dtype=np.int64), book, variants.rules[0], today)
    boosts = boosted(variants, "account", inputs, rows)
    parts = np.vstack([scored.value.parts, boosts.parts])
    total = parts.sum(axis=0)
    value = Sum(np.vstack([parts, np.clip(total, 0.0, 100.0) - total]))
    by_deal = (scored.best.row >= 0) & (scored.best.score >= value.score)
    score = np.where(by_deal, scored.best.score, value.score)
    return replace(scored, value=value, boosts=boosts, by_deal=by_deal, score=score)


def _value(rank: Ints, growing: Ints, variants: Variants) -> Sum:
    """The weighted mean of rank and growth."""
    by_spend = variants.each(lambda own: own.account_value.expected_spend)
    by_growth = variants.each(lambda own: own.account_value.growth)
    total = by_spend + by_growth
    return Sum(np.stack([rank * (by_spend / total), growing * (by_growth / total)]))


def money_of_cents(cents: Floats) -> pa.Array:
    """Cents as the canonical decimal; NaN becomes null."""
    whole_cents = pa.array(np.rint(np.nan_to_num(cents)).astype(np.int64), mask=np.isnan(cents))
    return pc.divide(whole_cents.cast(pa.decimal128(20, 0)), pa.scalar(100, pa.decimal128(3, 0))).cast(MONEY)
