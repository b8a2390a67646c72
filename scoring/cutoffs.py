"""Where the tiers of an owner's book begin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.rules import Tiers

NEVER = 101
EVERYBODY = "*"  # stands for the whole company, for an owner that the book does not know


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The lowest score of each tier; 101 where nothing in the book reaches it."""

    A: int = NEVER
    B: int = NEVER
    C: int = NEVER


def cutoffs(scores: Mapping[int, int], tiers: Tiers) -> Cutoffs:
    """The cut-offs of one owner's book, from how often each score occurs in it.

    A record's place is the mean place of those that tie with it, counted from 0: so the best of five is in the
    top 15 %, and a large tie is in or out as a whole.
    """
    size, above = sum(scores.values()), 0
    places = {}
    for score in sorted(scores, reverse=True):
        places[score] = above + (scores[score] - 1) / 2
        above += scores[score]

    def lowest(share: float) -> int:
        return min((score for score, place in places.items() if 100 * place < share * size), default=NEVER)

    a = max(lowest(tiers.A), math.ceil(tiers.a_at_least))
    return Cutoffs(a, min(lowest(tiers.A + tiers.B), a), min(lowest(tiers.A + tiers.B + tiers.C), a))
