"""How deals that were still open at an age ended: what is lost drags on, so the chance falls as a deal grows old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scoring.arithmetic.columns import numbers
from scoring.arithmetic.points import DOUBLE
from scoring.reading.past_deals import OLDEST
from scoring.winning.pace import bands_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_WEIGHT = 1024
_PRIOR = 30.0  # deals' worth of the book's win rate that a band's is drawn towards


@dataclass(frozen=True, slots=True)
class Lasting:
    """`ages` are the days at which each band but the first begins, `points` those of each band against all deals.

    `percent` is how many of all closed deals were won, the latest counting most; `deals` how many there are.
    """

    ages: tuple[int, ...] = ()
    points: tuple[int, ...] = ()
    percent: int = 0
    deals: int = 0

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """As it was kept in JSON."""
        return cls(tuple(kept["ages"]), tuple(kept["points"]), kept["percent"], kept["deals"])


def lasting(outcomes: pa.Table) -> Lasting:
    """The table from `PastDeals.outcomes` (of the whole book, sorted).

    A deal that ended at an age was open on each day before: a band's win rate is that over all such days within it.
    """
    won, seen, deals = np.zeros((3, OLDEST + 1), dtype=np.int64)
    for counts, name in ((won, "won"), (seen, "seen"), (deals, "deals")):
        counts[np.asarray(outcomes["age"])] = np.asarray(outcomes[name])
    if not 0 < won.sum() < seen.sum():
        return Lasting()
    ages = bands_of(deals, int(deals.sum()))
    starts = np.array([0, *ages])
    # Open at an age are those that ended later; of the last band, which nobody outlived, those that ended in it.
    won_open, seen_open = (counts[::-1].cumsum()[::-1] for counts in (won, seen))
    won_in, seen_in = (np.add.reduceat(counts, starts) for counts in (won_open, seen_open))
    days = np.diff([*starts, OLDEST + 1])
    rate = won.sum() / seen.sum()
    size = seen_in / days / _WEIGHT  # deals that were open, on a usual day of the band
    share = (won_in / np.maximum(seen_in, 1) * size + _PRIOR * rate) / (size + _PRIOR)
    odds = (share / (1 - share)) / (rate / (1 - rate))
    points = np.rint(DOUBLE * np.log2(odds)).astype(np.int64)
    return Lasting(tuple(ages), tuple(points.tolist()), round(100 * rate), int(deals.sum()))


def lasting_points(deals: pa.Table, table: Lasting, most: int, now: int) -> Ints:
    """Points of each open deal for its age, at most so many up or down."""
    if not table.points:
        return np.zeros(deals.num_rows, dtype=np.int64)
    age = now - numbers(deals, "created_day")
    band = np.searchsorted(np.array(table.ages), np.nan_to_num(age), side="right")
    found = np.clip(np.array(table.points), -most, most)[band]
    return np.where(np.isnan(age), 0, found)
