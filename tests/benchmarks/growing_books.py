"""Purchase histories of new customers, some of whom will grow, by several mechanisms: to choose defaults by all.

What is planted is only how customers buy; who grows is counted afterwards, from what they bought.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.purchase_books import Purchases

_AHEAD = 365
_MOST = 400  # purchases of one customer
_STEEPEST = 2.5  # of a climb, as a power of e


@dataclass(frozen=True, slots=True)
class Kind:
    """How the customers of one kind of business go on after their first purchase.

    `often` purchases a year, gamma distributed with shape `alike`, `regular` the shape of the gaps; `leave` is the
    chance to leave after each purchase. A share `growers` buys ever more often (`climb`, log per year) or ever more
    (`swell`). `once` never buy again. `trial` makes the first order smaller, the larger later ones will be;
    below 0 it makes it larger. `season` is how much of the year's buying a wave moves. `months` is the oldest age.
    """

    often: float = 4.0
    alike: float = 1.2
    regular: float = 1.0
    leave: float = 0.08
    growers: float = 0.2
    climb: float = 0.0
    swell: float = 0.0
    once: float = 0.0
    trial: float = 0.0
    differ: float = 0.6
    season: float = 0.0
    months: tuple[int, int] = (0, 12)


KINDS = {
    "nobody grows": Kind(alike=2.0, leave=0.0),
    "at random": Kind(alike=0.4, often=2.5, leave=0.25),
    "more often": Kind(climb=1.0),
    "larger orders": Kind(swell=1.0, alike=2.0),
    "trial first": Kind(trial=1.0, leave=0.12),
    "large first": Kind(trial=-0.6, leave=0.12),
    "some get hooked": Kind(once=0.6, often=7.0, alike=3.0, climb=0.5, growers=0.5, leave=0.03),
    "seasonal": Kind(climb=0.8, season=0.8),
    "few and large": Kind(often=3.5, alike=3.0, regular=3.0, differ=1.0, climb=0.5, swell=0.5),
    "one cohort": Kind(alike=0.4, often=2.0, leave=0.25, months=(3, 6)),
    "one cohort, hooked": Kind(once=0.6, often=6.0, alike=2.0, climb=0.6, leave=0.05, months=(3, 6)),
}


def young_book(name: str, seed: int, size: int = 3000) -> Purchases:
    """Customers in their first months, and what they buy in the year after today."""
    kind, rng = KINDS[name], np.random.default_rng([seed, *name.encode()])
    youngest, oldest = (int(30.4 * months) for months in kind.months)
    today = oldest
    first = today - rng.integers(youngest, oldest, size)
    grows = rng.random(size) < kind.growers
    times = _times(kind, first, grows, today + 1 + _AHEAD, rng)
    row, column = np.nonzero(times < today + 1 + _AHEAD)
    after = times[row, column] - first[row]
    usual = kind.differ * rng.normal(size=size)
    first_order = 7 + np.where(column == 0, usual[row] * (1 - kind.trial), usual[row])
    value = first_order + kind.swell * grows[row] * after / 365 + 0.4 * rng.normal(size=len(row))
    cents = np.rint(100 * np.exp(value)).astype(np.int64)
    return Purchases(row, times[row, column].astype(np.int64), cents, today, _AHEAD)


def _times(kind: Kind, first: Any, grows: Any, end: int, rng: Any) -> Any:
    """The days of each customer's purchases, one row each; those that never take place lie after the end."""
    size = len(first)
    rate = kind.often / 365 * rng.gamma(kind.alike, 1 / kind.alike, size) + 1e-6
    # Time as a customer feels it runs faster and faster for growers, up to a limit: gaps are drawn in it.
    gaps = rng.gamma(kind.regular, 1 / kind.regular, (size, _MOST)) / rate[:, None]
    felt = np.hstack([np.zeros((size, 1)), np.cumsum(gaps, axis=1)])
    run = _calendar(felt, kind.climb / 365 * grows[:, None])
    times = first[:, None] + run
    stays = (rng.random(times.shape) >= kind.leave) & (rng.random((size, 1)) >= kind.once)
    there = np.cumprod(np.hstack([np.ones((size, 1), dtype=bool), stays[:, 1:]]), axis=1).astype(bool)
    if kind.season:
        wave = 1 - kind.season * (1 - np.cos(2 * np.pi * times / 365)) / 2
        there &= (rng.random(times.shape) < wave) | (np.arange(times.shape[1]) == 0)
    return np.where(there, times, float(end + 1))


def _calendar(felt: Any, climb: Any) -> Any:
    """Days after which so much time is felt, by who feels e^(climb x day) in a day, e^`_STEEPEST` at the most."""
    steady = np.maximum(climb, 1e-9)
    most = np.expm1(_STEEPEST) / steady
    bent = np.log1p(np.minimum(felt, most) * steady) / steady
    return np.where(climb > 0, bent + np.maximum(felt - most, 0.0) / np.exp(_STEEPEST), felt)
