"""What stands around the items of a reason: tier and score in front, and behind, why the tier is not another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import TIERS
from scoring.arithmetic.columns import taken
from scoring.arithmetic.texts import Texts
from scoring.placing.overrides import sentences
from scoring.saying.reasons import BETWEEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scoring.placing.places import Placed

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

URGENT = "Open urgent case: help first"
_HEADS = [f"{tier} {score}" for score in range(101) for tier in TIERS]
_SCORES = [f"{BETWEEN}score {score}" for score in range(101)]


def heads(placed: Placed, today: int) -> pa.Array:
    """`A 82`; or `Set to B by a person until 14 Mar 2027: REASON · score 82`."""
    scored = placed.valid & (placed.tier >= 0)
    usual = taken(_HEADS, np.where(scored, placed.score * len(TIERS) + placed.tier, -1))
    if not placed.pins.pinned.any():
        return usual
    score = taken(_SCORES, np.where(placed.valid, placed.score, -1))
    said = pc.binary_join_element_wise(
        sentences(placed.table, placed.pins, today), pc.fill_null(score, ""), ""
    )
    return pc.coalesce(said, usual)


def limit_notes(placed: Placed, why_best: str, why_worst: str) -> list[pa.Array]:
    """Why the tier is lower or higher than the score alone would give, or than it will be."""
    capped = np.where(placed.free & (placed.by_score < placed.best), placed.best, -1)
    lifted = np.where(placed.free & (placed.by_score > placed.worst), placed.worst, -1)
    held = placed.free & placed.valid & (placed.tier < placed.limited)
    return [
        taken([f"{BETWEEN}at most {tier}: {why_best}" for tier in TIERS], capped),
        taken([f"{BETWEEN}at least {tier}: {why_worst}" for tier in TIERS], lifted),
        note("tier held for now", held),
    ]


def not_scored_because(why: Texts) -> pa.Array:
    """`Not scored: fill in Close Date`."""
    return Texts([f"Not scored: {text}" for text in why.table], why.codes).array()


def note(text: str, where: Flags) -> pa.Array:
    """A note behind some reasons."""
    return taken([BETWEEN + text], np.where(where, 0, -1))
