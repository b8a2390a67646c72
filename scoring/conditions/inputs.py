"""The columns behind the names that conditions may use, once tiers and scores are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from config.outputs import LEVELS, SEGMENTS, TIERS
from scoring.arithmetic.columns import taken, whole
from scoring.conditions.facts import Inputs, account_facts, deal_facts
from scoring.conditions.variants import account_variants

__all__ = ["Inputs", "account_inputs", "deal_inputs", "level"]

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.value import Scored

    Ints = NDArray[np.int64]


def level(scored: Scored, rules: Rules) -> Ints:
    """Growth potential as a place in LEVELS."""
    found, variants = scored.growth.card.score, account_variants(scored.features.accounts, rules)
    high, medium = variants.each(lambda own: own.growth.high), variants.each(lambda own: own.growth.medium)
    return np.where(found >= high, 0, np.where(found >= medium, 1, 2))


def account_inputs(scored: Scored, tier: Ints, book: Book, rules: Rules, today: date) -> Inputs:
    """What conditions on accounts may name (`config.language.vocabulary.ACCOUNT_NAMES`)."""
    best = scored.best
    return Inputs(
        {
            **account_facts(scored.features, book, rules, today),
            "tier": lambda: taken(TIERS, tier),
            "score": lambda: scored.score,
            "segment": lambda: taken(SEGMENTS, scored.segment),
            "growth_potential": lambda: taken(LEVELS, level(scored, rules)),
            "growth_score": lambda: scored.growth.card.score,
            "likelihood": lambda: scored.likelihood.score,
            "expected_spend": lambda: scored.expected / 100,
            "expected_spend_rank": lambda: scored.rank,
            "open_deals": lambda: best.count,
            "best_deal_score": lambda: np.where(best.row >= 0, best.score, np.nan),
        }
    )


def deal_inputs(scored: Scored, tier: Ints, book: Book, rules: Rules, today: date) -> Inputs:
    """What conditions on opportunities may name (`config.language.vocabulary.OPPORTUNITY_NAMES`)."""
    deals, segment = scored.deals, np.append(scored.segment, -1)
    return Inputs(
        {
            **deal_facts(scored.features, book, rules, today),
            "tier": lambda: taken(TIERS, tier),
            "score": lambda: np.where(deals.scored, deals.priority.score, np.nan),
            "chance": lambda: deals.chance,
            "margin": lambda: deals.margin,
            "account_segment": lambda: taken(SEGMENTS, segment[whole(scored.features.deals, "account_row")]),
        }
    )
