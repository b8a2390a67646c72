"""How deals that were still open at an age ended: what is lost drags on, so the chance falls as a deal grows old."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scoring.arithmetic.columns import numbers
from scoring.arithmetic.points import DOUBLE
from scoring.reading.past_deals import MONTH, OLDEST
from scoring.winning.pace import bands_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_PRIOR = 30.0  # deals' worth of what is known without it that a band's win rate is drawn towards


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


def lasting(outcomes: pa.Table, half_life: int) -> Lasting:
    """The table from `PastDeals.outcomes` (of the whole book, sorted).

    A deal that ended at an age was open on each day before: a band's win rate is that over all such days within it.
    Deals are compared with those that ended in the same month: else a good month would speak for the ages that ended
    in it. Ages that few deals reached have the points of those before them.
    """
    month, age, won, deals = (
        np.asarray(outcomes[name], dtype=np.int64) for name in ("month", "age", "won", "deals")
    )
    if not 0 < won.sum() < deals.sum():
        return Lasting()
    ages = bands_of(np.bincount(age, deals, minlength=OLDEST + 1).astype(np.int64), int(deals.sum()))
    weight = np.exp2(-MONTH * month / half_life)
    surplus = won - _expected(month, won, deals)
    rate, level = (float((weight * counts).sum() / (weight * deals).sum()) for counts in (won, surplus))
    seen, more = (_open_on_a_day(age, weight * counts, ages) for counts in (deals, surplus - level * deals))
    trust = _evidence(np.searchsorted(ages, age, side="right"), won, surplus, deals)
    shares = rate + trust * _drawn(seen, more)
    kept = np.clip(shares, min(0.01, rate), max(0.99, rate))  # a rate beyond them is the whole book's
    points = np.rint(DOUBLE * np.log2(kept / (1 - kept) * (1 - rate) / rate)).astype(np.int64)
    return Lasting(tuple(ages), tuple(points.tolist()), round(100 * rate), int(deals.sum()))


def _expected(month: Ints, won: Ints, deals: Ints) -> Floats:
    """How many would be won at the win rate of their month, as far as months differ by more than chance.

    By moments, as in `winning.like_deals`.
    """
    won_in, seen_in = (np.bincount(month, counts) for counts in (won, deals))
    rate = won.sum() / deals.sum()
    unit = rate * (1 - rate)
    more = won_in - rate * seen_in
    error = unit * math.sqrt(2 * float((seen_in**2).sum()))
    spread = max(float((more**2 - unit * seen_in).sum()) - error, 0.0) / float((seen_in**2).sum())
    found: Floats = deals * (rate + spread * more / (unit + spread * seen_in))[month]
    return found


def _open_on_a_day(age: Ints, counts: NDArray[Any], ages: list[int]) -> Floats:
    """How many deals were open on a usual day of each band, of those that ended later."""
    starts = np.array([0, *ages])
    later = np.bincount(age, counts, minlength=OLDEST + 1)[::-1].cumsum()[::-1]
    found: Floats = np.add.reduceat(later, starts) / np.diff([*starts, OLDEST + 1])
    return found


def _drawn(seen: Floats, more: Floats) -> Floats:
    """By how much each band's win rate is above all deals', drawn towards that of the band before it."""
    effects, effect = [], 0.0
    for deals, surplus in zip(seen.tolist(), more.tolist(), strict=True):
        effect = (surplus + _PRIOR * effect) / (deals + _PRIOR)
        effects.append(effect)
    return np.array(effects)


def _evidence(band: Ints, won: Ints, surplus: Floats, deals: Ints) -> float:
    """From 0, where win rates differ between ages by no more than chance, to 1, where that cannot be chance.

    A rise or fall with age is one thing that may be chance; any other pattern, one fewer than there are bands.
    """
    rate = won.sum() / deals.sum()
    unit = rate * (1 - rate)
    place = band - (band * deals).sum() / deals.sum()
    trend = (place * surplus).sum() ** 2 / max(unit * (place**2 * deals).sum(), 1e-9)
    more, seen = (np.bincount(band, counts) for counts in (surplus, deals))
    reached = seen > 0
    pattern = (more[reached] ** 2 / (unit * seen[reached])).sum()
    free = int(reached.sum()) - 1
    surest = max(1 - 1 / max(trend, 1e-9), 1 - (free + math.sqrt(2 * free)) / max(pattern, 1e-9))
    return max(float(surest), 0.0)


def lasting_points(deals: pa.Table, table: Lasting, most: int, now: int) -> Ints:
    """Points of each open deal for its age, at most so many up or down."""
    if not table.points:
        return np.zeros(deals.num_rows, dtype=np.int64)
    age = now - numbers(deals, "created_day")
    band = np.searchsorted(np.array(table.ages), np.nan_to_num(age), side="right")
    found = np.clip(np.array(table.points), -most, most)[band]
    return np.where(np.isnan(age), 0, found)
