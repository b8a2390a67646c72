"""The companies of a planted book: what the CRM shows of them, and what only their future will show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.sandbox.datasets.planted.days import NEVER, PAST, QUARTER, YEAR, Days
from connectors.sandbox.datasets.planted.people import TERRITORIES, People, assigned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Flags = NDArray[np.bool_]

INDUSTRIES = (
    "Construction", "Energy", "Food & Beverage", "Healthcare", "Logistics", "Manufacturing", "Retail", "Technology",
)  # fmt: skip
# Country and its territory.
COUNTRIES = (
    ("Sweden", "Nordics"), ("Norway", "Nordics"), ("Denmark", "Nordics"), ("Finland", "Nordics"),
    ("Germany", "DACH"), ("Austria", "DACH"), ("Switzerland", "DACH"),
    ("United Kingdom", "UK & Ireland"), ("Ireland", "UK & Ireland"),
    ("United States", "North America"), ("Canada", "North America"),
    ("Japan", "Asia-Pacific"), ("Australia", "Asia-Pacific"),
)  # fmt: skip
DIRECT, PARTNER, COMPETITOR = range(3)
_START = -PAST * QUARTER
_CHAMPION_DAYS = 550  # how long a new champion goes on finding us work


@dataclass(frozen=True, slots=True)
class Companies:
    """One row per account. Hidden are all from `need` on.

    `born` is the day of first contact; `need` how much work there is for us, `room` the share of what they spend on
    such things that goes elsewhere, `scale` how much is ordered at a time;
    `own_growth` the growth of its business per year (log); `champion` the day one begins, `lift` what comes of it
    (log); `ends` the day the relation ends; `word` how far its plans can be believed, 0 to 1.
    """

    industry: NDArray[np.int8]
    country: NDArray[np.int8]
    territory: NDArray[np.int8]
    employees: NDArray[np.int64]
    parent: NDArray[np.int64]
    owner: NDArray[np.int64]
    role: NDArray[np.int8]
    opted_out: Flags
    born: Days
    contract: Flags
    need: Floats
    room: Floats
    scale: Floats
    fit: Floats
    own_growth: Floats
    champion: Days
    lift: Floats
    ends: Days
    word: Floats
    asks: Flags
    troubled: Flags

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.industry)


def companies(rng: np.random.Generator, count: int, staff: People) -> Companies:
    """So many companies, with the reps who own them."""
    country = rng.integers(0, len(COUNTRIES), count).astype(np.int8)
    territory = np.array([TERRITORIES.index(one[1]) for one in COUNTRIES], dtype=np.int8)[country]
    employees = np.exp(rng.normal(5, 1.4, count)).astype(np.int64) + 3
    team = np.where(employees > 1000, 0, np.where(employees > 120, 1, 2)).astype(np.int8)
    industry, parent = _families(rng, count)
    # Some industries boom, and some have more use for us than others.
    booms, uses = rng.normal(0, 0.06, len(INDUSTRIES)), np.exp(rng.normal(0, 0.4, len(INDUSTRIES)))
    own_growth = booms[industry] + rng.normal(0.04, 0.15, count)
    grouped = parent >= 0
    own_growth[grouped] = (own_growth[grouped] + own_growth[parent[grouped]]) / 2
    wallet = rng.beta(0.8, 1.6, count)  # our share of what they spend on such things
    size = np.log(employees) - 5
    born = np.maximum(rng.integers(_START - YEAR, -14, count), _START)
    champion, lift = _champions(rng, wallet)
    return Companies(
        industry, country, territory, employees, parent,
        assigned(rng, staff, team, territory),
        rng.choice(3, count, p=(0.955, 0.035, 0.01)).astype(np.int8),
        rng.random(count) < 0.015,
        born.astype(np.int32),
        rng.random(count) < 0.2,
        _floats(rng.gamma(2.5, 1.0, count) * uses[industry] * np.exp(0.35 * size) * (0.1 + wallet)),
        _floats(1 - wallet),
        _floats(0.3 * size + rng.normal(0, 0.5, count)),
        _floats(rng.normal(0, 0.6, count)),
        _floats(own_growth), champion, lift,
        _ends(rng, born),
        _floats(rng.beta(0.45, 0.5, count)),
        rng.random(count) < 0.04,
        rng.random(count) < 0.03,
    )  # fmt: skip


def _floats(values: Any) -> Floats:
    found: Floats = values.astype(np.float32)
    return found


def _families(rng: np.random.Generator, count: int) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Industries, and parents: only ever upwards in the list, so that no company owns itself in a circle."""
    industry = rng.integers(0, len(INDUSTRIES), count).astype(np.int8)
    above = rng.integers(0, count, count)
    parent = np.where((rng.random(count) < 0.12) & (above < np.arange(count)), above, -1)
    child = parent >= 0
    industry[child] = industry[parent[child]]
    return industry, parent


def _champions(rng: np.random.Generator, wallet: Any) -> tuple[Days, Floats]:
    """A company in three gets a champion sometime, the more easily and with the more effect the more room there is."""
    count = len(wallet)
    comes = rng.random(count) < 0.5 * (1 - wallet)
    first = np.where(comes, rng.integers(_START // 2, YEAR // 2, count), NEVER).astype(np.int32)
    return first, _floats(np.where(comes, (1 - wallet) * rng.uniform(0.7, 2.0, count), 0))


def _ends(rng: np.random.Generator, born: Any) -> Days:
    """About one relation in nine ends each year."""
    ends: Days = np.minimum(born + 60 + rng.exponential(9 * YEAR, len(born)), NEVER).astype(np.int32)
    return ends


def climbed(who: Companies, rows: Any, day: Any) -> Any:
    """The log of a company's demand at a day, against what it would be today without a champion."""
    grown = who.own_growth[rows] * (day / YEAR)
    climb = np.clip((day - who.champion[rows]) / _CHAMPION_DAYS, 0, 1)
    return grown + who.lift[rows] * climb
