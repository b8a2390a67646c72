"""The reps of a planted book: teams, territories, skill, care and load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEAMS = ("Enterprise", "Mid-Market", "Small Business")
TERRITORIES = ("Nordics", "DACH", "UK & Ireland", "North America", "Asia-Pacific")
MANAGERS = len(TEAMS)


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
    moved = np.where(rng.random(count) < 0.05, rng.integers(0, len(TERRITORIES), count), territory)
    cell = desk(staff, team, moved)
    within = (reps - cell + desks(staff) - 1) // desks(staff)
    # Some collect accounts.
    nth = (within * rng.random(count) ** 1.5).astype(np.int64)
    return _handed_over(rng, staff, MANAGERS + cell + desks(staff) * nth)


def desks(staff: People) -> int:
    """How many different ones there are; where there are few reps, one serves several territories."""
    return min(len(TEAMS) * len(TERRITORIES), staff.count - MANAGERS)


def desk(staff: People, team: Any, territory: Any) -> Any:
    """The desk that serves a team's accounts in a territory; rep number n sits at desk n modulo their number."""
    return (territory.astype(np.int64) * MANAGERS + team) % desks(staff)


def _handed_over(rng: np.random.Generator, staff: People, owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """When a rep leaves, a colleague gets most of the accounts; one in six is overlooked."""
    here = np.flatnonzero(staff.active)
    here = here[here >= MANAGERS]
    heir = here[np.searchsorted(here, owner) % len(here)]
    stays = staff.active[owner] | (rng.random(len(owner)) < 1 / 6)
    return np.where(stays, owner, heir)
