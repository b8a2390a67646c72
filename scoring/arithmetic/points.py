"""Points: bands, curves and odds by table, and shares that add up exactly."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from config.sections.cards import Bands

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

DOUBLE = 20  # points that double the odds
_LIMIT = 600
TENTHS = 10
# Chance in percent for every tenth of a point, made once: a table gives every row the same digits.
_CHANCE = 100.0 / (1.0 + np.exp2(-np.arange(-_LIMIT * TENTHS, _LIMIT * TENTHS + 1) / (DOUBLE * TENTHS)))
_PERCENT = np.clip(np.arange(101), 1, 99) / 100.0
_POINTS = np.rint(DOUBLE * np.log2(_PERCENT / (1.0 - _PERCENT))).astype(np.int64)


def chance(points: Ints, parts: int = 1) -> Floats:
    """Percent for sums of points, or of tenths if `parts` is 10: 0 points are 50, 20 are 66.7, -20 are 33.3."""
    tenths = np.clip(points * (TENTHS // parts), -_LIMIT * TENTHS, _LIMIT * TENTHS)
    return _CHANCE[tenths + _LIMIT * TENTHS]


def mean_chance(sums: Mapping[int, int], more: int = 0, parts: int = 1) -> float:
    """The mean of the chances of sums of points, in percent: `sums` tells how often each occurs, `more` is added."""
    keys, times = np.array(list(sums), dtype=np.int64), np.array(list(sums.values()))
    return float((chance(keys + more * parts, parts) * times).sum() / times.sum())


def level_for(sums: Mapping[int, int], percent: float, most: int, parts: int = 1) -> int:
    """The lowest whole points, from -most to most, that bring the mean chance of sums of points to what is wanted."""
    levels = range(-most, most + 1)
    place = bisect_left(levels, percent, key=lambda more: mean_chance(sums, more, parts))
    return levels[min(place, 2 * most)]


def points_of(percent: Ints) -> Ints:
    """The nearest whole points for whole percents; 0 and 100 count as 1 and 99."""
    points: Ints = _POINTS[np.clip(percent, 0, 100)]
    return points


def in_bands(values: Floats, bands: Bands) -> Ints:
    """Points of each value's band; NaN falls in the band `none`."""
    return np.array([*bands.points, bands.none], dtype=np.int64)[band_of(values, bands)]


def band_of(values: Floats, bands: Bands) -> Ints:
    """The place of each value's band, in order of the ranges; NaN falls in the last, `none`."""
    # Comparing with a few bounds is several times quicker than a binary search among them.
    places = np.zeros(len(values), dtype=np.int64)
    for bound in bands.bounds:
        places += values > bound
    return np.where(np.isnan(values), len(bands.points), places)


def on_curve(values: Floats, curve: Mapping[float, float]) -> Floats:
    """The curve's value, 0-100, on straight lines between its points; NaN stays NaN."""
    heights: Floats = np.interp(values, np.array(list(curve)), np.array(list(curve.values())))
    return heights


def whole_shares(parts: Floats, totals: Ints) -> Ints:
    """Parts as integers that add up exactly to their row's total, by largest remainders (first one on ties).

    `parts` has one row per item and one column per record; a record's parts add up to its total to within one.
    """
    whole = np.floor(parts)
    missing = totals - whole.sum(axis=0).astype(np.int64)
    shares: Ints = whole.astype(np.int64) + (descending(parts - whole) < missing)
    return shares


def descending(values: NDArray[Any]) -> NDArray[np.int8]:
    """The place of each item among the items of its record, largest first, the earlier item first on ties.

    Comparing all pairs of a few long rows is several times quicker than sorting many short ones.
    """
    place = np.zeros(values.shape, dtype=np.int8)
    for later in range(len(values)):
        for earlier in range(later):
            first = values[earlier] >= values[later]
            place[later] += first
            place[earlier] += ~first
    return place


@dataclass(frozen=True)
class Card:
    """A points card applied to records: `base` has one number of points per record, `points` one row per item.

    Both are in points, or in tenths of a point if `parts` is 10.
    `score` is 1-99 (never certain). `shares` are what the base and each item gave to it, in whole numbers that add
    up exactly: the chance is followed from the base through the items in their fixed order; each gets its step.
    """

    base: Ints
    points: Ints
    parts: int = 1

    @cached_property
    def chance(self) -> Floats:
        """Percent, exact."""
        return chance(self.base + self.points.sum(axis=0), self.parts)

    @cached_property
    def score(self) -> Ints:
        """The chance as it is shown."""
        return np.clip(np.rint(self.chance).astype(np.int64), 1, 99)

    @cached_property
    def shares(self) -> Ints:
        """One row for the base, then one for each item; one column per record."""
        sums = np.vstack([self.base, self.points]).cumsum(axis=0)
        return whole_shares(np.diff(chance(sums, self.parts), axis=0, prepend=0.0), self.score)


@dataclass(frozen=True)
class Sum:
    """Exact parts that add up to a score, one row per item; `shares` are whole numbers that still do."""

    parts: Floats

    @cached_property
    def score(self) -> Ints:
        """The sum, rounded once."""
        score: Ints = np.rint(self.parts.sum(axis=0)).astype(np.int64)
        return score

    @cached_property
    def shares(self) -> Ints:
        """One row per item, one column per record."""
        return whole_shares(self.parts, self.score)
