"""From score to tier: cut-offs of the owner's book, caps, and the calm that keeps tags from flapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from config.outputs import TIERS
from scoring.columns import coded
from scoring.cutoffs import EVERYBODY, Cutoffs
from scoring.value import PRIORITIZE, REDUCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.state import Kept
    from scoring.value import Scored

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

A, B, C, D = range(4)  # places in `config.outputs.TIERS`


def by_cutoff(score: Ints, owner_id: pa.ChunkedArray, cutoffs: Mapping[str, Cutoffs]) -> Ints:
    """The tier of each score in its owner's book."""
    owners, codes = coded(owner_id)
    everybody = cutoffs.get(EVERYBODY, Cutoffs())
    found = [cutoffs.get(owner, everybody) for owner in (*owners, "")]
    bounds = np.array([(cut.A, cut.B, cut.C) for cut in found], dtype=np.int64).T
    tier = np.zeros(len(score), dtype=np.int64)
    for bound in bounds:
        tier += score < bound[codes]
    return tier


def account_limits(scored: Scored, rules: Rules) -> tuple[Ints, Ints]:
    """Best and worst tier that the segment allows each account; a live deal lifts both limits."""
    idle = scored.best.row < 0
    best = np.where(idle & (scored.segment == REDUCE), TIERS.index(rules.tiers.reduce_at_most), A)
    worst = np.where(idle & (scored.segment == PRIORITIZE), TIERS.index(rules.tiers.prioritize_at_least), D)
    return best, worst


def deal_limits(scored: Scored, rules: Rules) -> tuple[Ints, Ints]:
    """Best and worst tier of each deal: one of too little margin is at most B."""
    margin, wanted = scored.deals.margin, rules.tiers.min_margin
    thin = margin < wanted if wanted is not None else np.zeros(len(margin), dtype=np.bool_)
    return np.where(thin, B, A), np.full(len(margin), D)


def calm(wanted: Ints, relaxed: Ints, kept: Kept, rules: Rules, today: int) -> Ints:
    """The tier to give: up at once; down only after the dwell, and once the exit margin is passed.

    `relaxed` is the tier that a score higher by the exit margin would have.
    """
    falls = (kept.tier >= 0) & (wanted > kept.tier)
    dwelling = today - kept.since < rules.tiers.dwell_days
    return np.where(falls & (dwelling | (relaxed <= kept.tier)), kept.tier, wanted)
