"""Integer points learned from what happened: weights of evidence, drawn towards the card that one started from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.points import DOUBLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_STEPS = 30  # Newton's method on a concave function: a handful is enough
_LIMIT = 200  # points, as in the rules file
_UNIT = np.log(2) / DOUBLE  # natural log-odds of one point


def fitted_points(hits: Ints, misses: Ints, prior: Ints, *, weight: float) -> Ints:
    """Points for each band of one input: its odds against the whole's, where 20 points double the odds.

    `hits`, `misses` and `prior` (the points one started from) have one number per band. Each band is drawn towards
    its prior as if by `weight` more observations that behaved as the prior says; without observations the prior
    comes back. A band with at least `weight` observations that surely contradict its points counts as the whole.
    Points are level with the prior's: their mean over the observations stays about the same.
    """
    seen = hits + misses
    if not seen.sum():
        return prior.copy()
    whole = (hits.sum() + 0.5) / (misses.sum() + 0.5)
    level = float((seen * prior).sum() / seen.sum())
    wanted = whole * np.exp((prior - level) * _UNIT)
    rate = wanted / (1 + wanted)
    odds = (hits + weight * rate) / (misses + weight * (1 - rate))
    return _readable(level + np.log(odds / whole) / _UNIT, hits, misses, level, weight)


def fitted_card(
    bands: Ints, hits: Ints, misses: Ints, priors: Sequence[Ints], *, weight: float
) -> tuple[Ints, ...]:
    """Points for the bands of several inputs at once, so that inputs that say the same are not counted twice.

    `bands` has one row per input and one column per cell (a combination of bands): the band's number in the input's
    prior; `hits` and `misses` count each cell. It is a logistic regression on the bands, by Newton's method, with a
    penalty that draws each band towards its prior by the information of `weight` observations. Bands whose points
    surely contradict their own observations count as the whole, as in `fitted_points`.
    """
    if not (hits.sum() and misses.sum()):
        return tuple(prior.copy() for prior in priors)
    found = _regressed(bands, hits, misses, priors, weight)
    return tuple(
        _readable(points, *_per_band(row, hits, misses, len(prior)), None, weight)
        for row, points, prior in zip(bands, found, priors, strict=True)
    )


def _regressed(bands: Ints, hits: Ints, misses: Ints, priors: Sequence[Ints], weight: float) -> list[Floats]:
    sizes = [len(prior) for prior in priors]
    starts = np.cumsum([1, *sizes])
    design = np.zeros((bands.shape[1], starts[-1]))
    design[:, 0] = 1.0
    for row, start in zip(bands, starts, strict=False):
        design[np.arange(len(row)), start + row] = 1.0
    seen = (hits + misses).astype(np.float64)
    overall = hits.sum() / seen.sum()
    centre = np.concatenate([[0.0], *priors]) * _UNIT
    pull = np.full(len(centre), weight * overall * (1 - overall))
    pull[0] = 1e-9  # the base is free
    found = centre.copy()
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        slope = design.T @ (hits - seen * chance) - pull * (found - centre)
        bend = (design.T * (seen * chance * (1 - chance))) @ design + np.diag(pull)
        found += np.clip(np.linalg.solve(bend, slope), -2, 2)
    return [found[start : start + size] / _UNIT for start, size in zip(starts, sizes, strict=False)]


def _per_band(row: Ints, hits: Ints, misses: Ints, size: int) -> tuple[Ints, Ints]:
    return (
        np.bincount(row, weights=hits, minlength=size).astype(np.int64),
        np.bincount(row, weights=misses, minlength=size).astype(np.int64),
    )


def _readable(points: Floats, hits: Ints, misses: Ints, level: float | None, weight: float) -> Ints:
    """Whole points within bounds; nearer to the whole's, the surer a band's own outcomes say the opposite.

    Outcomes that are one standard error on the other side leave nothing. In between it goes by degrees, so that one
    more purchase in the book does not throw a band's points from one day to the next.
    """
    seen = hits + misses
    whole = (hits.sum() + 0.5) / (misses.sum() + 0.5)
    level = float((seen * points).sum() / seen.sum()) if level is None else level
    evidence = np.log((hits + 0.5) / (misses + 0.5) / whole)
    backwards = (seen >= max(weight, 1)) & ((points - level) * evidence < 0)
    error = np.sqrt(1 / (hits + 0.5) + 1 / (misses + 0.5))
    left = np.where(backwards, np.clip(1 - np.abs(evidence) / error, 0, 1), 1.0)
    readable: Ints = np.rint(np.clip(level + (points - level) * left, -_LIMIT, _LIMIT)).astype(np.int64)
    return readable
