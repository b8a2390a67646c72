"""Calls, e-mails and meetings on deals: the more interest, the more of them; on what is lost they peter out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from connectors.sandbox.datasets.planted.days import YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets.planted.days import Days
    from connectors.sandbox.datasets.planted.deals import Deals
    from connectors.sandbox.datasets.planted.people import People

KINDS = ("email", "call", "meeting")
_KEPT = YEAR  # older activities lie in the CRM's archive
_MOST = 25


@dataclass(frozen=True, slots=True)
class Activities:
    """One row per contact; `deal` is a row of the deals that were handed in."""

    kind: NDArray[np.int8]
    deal: NDArray[np.int64]
    day: Days


def activities(rng: np.random.Generator, staff: People, known: Deals) -> Activities:
    """What took place within the last year on deals that were open within the last half of it."""
    rows = np.flatnonzero(known.open | (known.decided > -YEAR // 2))
    begun, engaged = known.begun[rows], known.engaged[rows]
    # Losing deals fall silent before anybody says that they are lost.
    lost = ~known.won[rows]
    length = known.decided[rows] - begun
    silent = begun + length * np.where(lost, rng.beta(2.5, 1.2, len(rows)), 1.0)
    last = np.clip(np.minimum(silent, -1), begun, -1).astype(np.int32)
    weeks = (last - begun + 7) / 7
    often = 0.45 * np.exp(0.35 * engaged + 0.25 * staff.care[known.owner[rows]])
    number = np.minimum(rng.poisson(weeks * often), _MOST)
    deal = np.repeat(rows, number)
    early, late = np.repeat(begun, number), np.repeat(last, number)
    # More towards the end, where there is something to agree.
    day = early + (late - early) * np.sqrt(rng.random(len(deal)))
    kind = rng.choice(3, len(deal), p=(0.5, 0.35, 0.15))
    fresh = day >= -_KEPT
    return Activities(kind[fresh].astype(np.int8), deal[fresh], np.rint(day[fresh]).astype(np.int32))
