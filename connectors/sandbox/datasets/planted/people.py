"""The reps of a planted book: teams, territories, skill, care and load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEAMS = ("Enterprise", "Mid-Market", "Small Business")
TERRITORIES = ("Nordics", "DACH", "UK & Ireland", "North America", "Asia-Pacific")
MANAGERS = len(TEAMS)
_CELLS = len(TEAMS) * len(TERRITORIES)


@dataclass(frozen=True, slots=True)
class People:
    """Owners by row: one manager for each team, then reps. `skill` and `care` are hidden, about normal around 0."""

    manager: NDArray[np.int64]
    team: NDArray[np.int8]
    territory: NDArray[np.int8]
    active: NDArray[np.bool_]
    skill: NDArray[np.float32]
    care: NDArray[np.float32]

    @property
    def count(self) -> int:
        """Managers and reps."""
        return len(self.team)


def people(rng: np.random.Generator, accounts: int) -> People:
    """One rep for each 150 accounts (at least 6, at most 2,000); about one in twenty has left."""
    reps = int(np.clip(accounts // 150, 6, 2000))
    place = np.arange(reps)
    team = np.append(np.arange(MANAGERS), place % MANAGERS).astype(np.int8)
    gone = rng.random(reps) < 0.05
    gone[reps - 1] = True  # always one, and never all
    gone[0] = False
    return People(
        np.append(np.full(MANAGERS, -1), place % MANAGERS),
        team,
        np.append(np.zeros(MANAGERS), place // MANAGERS % len(TERRITORIES)).astype(np.int8),
        np.append(np.ones(MANAGERS, dtype=np.bool_), ~gone),
        rng.normal(0, 0.5, reps + MANAGERS).astype(np.float32),
        rng.normal(0, 1, reps + MANAGERS).astype(np.float32),
    )


def assigned(
    rng: np.random.Generator, staff: People, team: NDArray[np.int8], territory: NDArray[np.int8]
) -> NDArray[np.int64]:
    """A rep for each account: of its team and, but for one account in twenty, its territory; the load is uneven."""
    reps, count = staff.count - MANAGERS, len(team)
    cells = min(_CELLS, reps)
    moved = np.where(rng.random(count) < 0.05, rng.integers(0, len(TERRITORIES), count), territory)
    cell = (moved * MANAGERS + team) % cells
    within = (reps - cell + cells - 1) // cells
    # Some desks collect accounts.
    nth = (within * rng.random(count) ** 1.5).astype(np.int64)
    return MANAGERS + cell + cells * nth
