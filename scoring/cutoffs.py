"""Where the tiers of an owner's book begin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.tiers import Tiers

NEVER = 101
EVERYBODY = "*"  # stands for the whole company, for an owner that the book does not know


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The lowest score of each tier; 101 where nothing in the book reaches it."""

    A: int = NEVER
    B: int = NEVER
    C: int = NEVER


def cutoffs(scores: NDArray[np.int64], tiers: Tiers) -> Cutoffs:
    """The cut-offs of one owner's book, from how often each score from 0 to 100 occurs in it.

    A record's place is the mean place of those that tie with it, counted from 0: so the best of five is in the
    top 15 %, and a large tie is in or out as a whole.
    """
    size = int(scores.sum())
    above = np.cumsum(scores[::-1])[::-1] - scores
    place = above + (scores - 1) / 2

    def lowest(share: float) -> int:
        fits = np.flatnonzero((scores > 0) & (100 * place < share * size))
        return int(fits[0]) if len(fits) else NEVER

    a = max(lowest(tiers.A), math.ceil(tiers.a_at_least))
    return Cutoffs(a, min(lowest(tiers.A + tiers.B), a), min(lowest(tiers.A + tiers.B + tiers.C), a))
