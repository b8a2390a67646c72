"""Purchase histories of many kinds of business, made from a seed, to choose defaults by more than one data set.

Each book is drawn anew from its kind: size, length of history, horizon, rhythm, spread of customers and of amounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_MOST = 600  # purchases of one customer
_LONGEST = 5 * 365


@dataclass(frozen=True, slots=True)
class Kind:
    """How customers of one kind of business behave; times in days.

    `gap` is the median time between purchases, `spread` how much it differs (sigma of its logarithm); `regular` is
    the shape of the gaps (1: at random, 20: nearly by the calendar); customers leave after a purchase with
    probability `leave`, or after about `life` days; `burst` is how often a purchase follows within days; `season` how
    much stronger the peak is than the trough; `fade` slows customers down with every purchase; `cohort`: all came
    in the first part of the history; `rise`: ever more new ones.
    """

    gap: float = 60.0
    spread: float = 0.8
    regular: float = 1.0
    leave: float = 0.1
    life: float = 1500.0
    burst: float = 0.0
    season: float = 1.0
    fade: float = 0.0
    cohort: bool = False
    rise: float = 1.0
    once: float = 0.0
    calendar: bool = False
    customers: tuple[int, int] = (800, 5000)


KINDS = {
    "at random": Kind(),
    "many once": Kind(once=0.6, leave=0.25, gap=90),
    "one cohort": Kind(once=0.4, leave=0.2, gap=80, cohort=True, customers=(2000, 8000)),
    "replenished": Kind(regular=6, gap=45, spread=0.5),
    "renewed yearly": Kind(calendar=True, leave=0.12, spread=0.0),
    "in bursts": Kind(burst=0.4, gap=120),
    "after the peak": Kind(season=5.0, gap=70),
    "before the peak": Kind(season=5.0, gap=70),
    "rising": Kind(rise=4.0, gap=60, season=1.5),
    "fading": Kind(fade=0.15, gap=40, leave=0.02),
    "projects": Kind(gap=300, spread=1.0, regular=1.5, leave=0.05),
    "small": Kind(gap=60, customers=(60, 250)),
    "regular and small": Kind(regular=5, gap=60, spread=0.6, customers=(60, 250)),
}


@dataclass(frozen=True, slots=True)
class Purchases:
    """One book: customer, day (from 0) and cents of each purchase; known up to `today`, foreseen for `horizon`."""

    customer: Any
    day: Any
    cents: Any
    today: int
    horizon: int


def made(name: str, seed: int) -> Purchases:
    """A book of this kind."""
    kind = KINDS[name]
    rng = np.random.default_rng([seed, *name.encode()])
    size = int(rng.integers(*kind.customers))
    today = int(rng.integers(500, 1400))
    horizon = int(rng.choice([30, 60, 90, 180]))
    first = _starts(kind, size, today, rng)
    times = first[:, None] + np.cumsum(_gaps(kind, size, rng), axis=1)
    times = np.hstack([first[:, None], times])
    kept = _alive(kind, times, first, rng) & _in_season(kind, name, times, today, rng)
    kept[:, 0] = True
    kept &= times < today + horizon
    row, column = np.nonzero(kept)
    return Purchases(row, times[row, column].astype(np.int64), _cents(size, row, rng), today, horizon)


def _starts(kind: Kind, size: int, today: int, rng: Any) -> Any:
    share = rng.random(size) ** (1 / kind.rise)
    return share * today * (0.3 if kind.cohort else 1.0)


def _gaps(kind: Kind, size: int, rng: Any) -> Any:
    own = kind.gap * np.exp(kind.spread * rng.normal(size=(size, 1))) * np.exp(0.3 * rng.normal())
    if kind.calendar:
        own = rng.choice([30.4, 91.3, 365.0], size=(size, 1), p=[0.15, 0.25, 0.6])
        return np.maximum(own + rng.normal(size=(size, 60)) * np.minimum(own * 0.15, 12), 1)
    number = min(_MOST, int(3 * _LONGEST / kind.gap) + 20)
    gaps = own * rng.gamma(kind.regular, 1 / kind.regular, size=(size, number))
    gaps *= np.where(rng.random(gaps.shape) < kind.burst, 0.03, 1.0)
    return np.maximum(gaps * (1 + kind.fade) ** np.arange(number), 0.2)


def _alive(kind: Kind, times: Any, first: Any, rng: Any) -> Any:
    leave = rng.beta(2 * kind.leave + 1e-3, 2 * (1 - kind.leave), size=(len(first), 1))
    stays = rng.random(times.shape) >= leave
    stays &= np.repeat(rng.random((len(first), 1)) >= kind.once, times.shape[1], axis=1)
    here = np.cumprod(np.roll(stays, 1, axis=1)[:, 1:], axis=1).astype(bool)
    lasts = times - first[:, None] < rng.exponential(kind.life, size=(len(first), 1))
    return np.hstack([np.ones((len(first), 1), dtype=bool), here]) & lasts


def _in_season(kind: Kind, name: str, times: Any, today: int, rng: Any) -> Any:
    """Purchases out of season fall away; the peak lies just behind today, or just ahead, if the kind says so."""
    if kind.season <= 1:
        return np.ones(times.shape, dtype=bool)
    shift = {"after the peak": -30, "before the peak": 45}.get(name, int(rng.integers(365)))
    wave = (1 + np.cos(2 * np.pi * (times - today - shift) / 365)) / 2
    low = 1 / kind.season
    return rng.random(times.shape) < low + (1 - low) * wave**2


def _cents(size: int, row: Any, rng: Any) -> Any:
    usual = np.exp(rng.normal(7, rng.uniform(0.3, 1.2), size=size))
    noise = np.exp(rng.normal(0, rng.uniform(0.1, 0.8), size=len(row)))
    return np.rint(100 * usual[row] * noise).astype(np.int64)
