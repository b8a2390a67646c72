"""From score to tier: cut-offs of the owner's book, caps, and the calm that keeps tags from flapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from config.outputs import TIERS
from scoring.conditions.variants import account_variants, deal_variants
from scoring.value import PRIORITIZE, REDUCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.conditions.variants import Variants
    from scoring.placing.state import Kept
    from scoring.value import Scored

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

A, B, C, D = range(4)  # places in `config.outputs.TIERS`


def by_cutoff(score: Ints, bounds: Ints) -> Ints:
    """The tier of each score; `bounds` has the lowest score of each tier but the last, one column per record."""
    tier = np.zeros(len(score), dtype=np.int64)
    for bound in bounds:
        tier += score < bound
    return tier


def account_limits(scored: Scored, rules: Rules) -> tuple[Ints, Ints]:
    """Best and worst tier that the segment allows each account; a live deal lifts both limits."""
    idle, variants = scored.best.row < 0, account_variants(scored.features.accounts, rules)
    at_most = variants.each(lambda own: TIERS.index(own.tiers.reduce_at_most))
    at_least = variants.each(lambda own: TIERS.index(own.tiers.prioritize_at_least))
    best = np.where(idle & (scored.segment == REDUCE), at_most, A)
    worst = np.where(idle & (scored.segment == PRIORITIZE), at_least, D)
    return best, worst


def deal_limits(scored: Scored, rules: Rules) -> tuple[Ints, Ints]:
    """Best and worst tier of each deal: one of too little margin is at most B."""
    margin, variants = scored.deals.margin, deal_variants(scored.features.deals, rules)
    wanted = variants.each(lambda own: -np.inf if own.tiers.min_margin is None else own.tiers.min_margin)
    return np.where(margin < wanted, B, A), np.full(len(margin), D)


def calm(wanted: Ints, relaxed: Ints, kept: Kept, variants: Variants, today: int) -> Ints:
    """The tier to give: up at once; down only after the dwell, and once the score is too low to stay.

    `relaxed` is the best tier that the score may stay in.
    """
    falls = (kept.tier >= 0) & (wanted > kept.tier)
    dwelling = today - kept.since < variants.each(lambda own: own.tiers.dwell_days)
    return np.where(falls & (dwelling | (relaxed <= kept.tier)), kept.tier, wanted)
