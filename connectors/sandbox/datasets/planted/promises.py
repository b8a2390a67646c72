"""Growth plans that customers and reps wrote together, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.sandbox.datasets.planted.days import PAST, YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets.planted.companies import Companies, Flags
    from connectors.sandbox.datasets.planted.days import Days
    from connectors.sandbox.datasets.planted.deals import Deals

KEPT = 0.9  # share of a plan that must have been won for it to count as kept
_PLANS = 3  # two that have fallen due, one that runs
_LOOKED_BACK = 2  # years whose mean both sides take for usual


@dataclass(frozen=True, slots=True)
class Promises:
    """One row per plan, by account and then by day. `reached` is what was (or will be) won in the year before `due`."""

    account: NDArray[np.int64]
    made: Days
    due: Days
    amount: NDArray[np.float64]
    reached: NDArray[np.float64]

    @property
    def kept(self) -> Flags:
        """Plans of which nine tenths came true."""
        found: Flags = self.reached >= KEPT * self.amount
        return found


class Sales:
    """What was and will be won, to be asked for spans of days: deals sorted by account and day of winning."""

    def __init__(self, done: Deals, accounts: int) -> None:
        rows = np.flatnonzero(done.won)
        rows = rows[np.lexsort((done.decided[rows], done.account[rows]))]
        self._span = 4096  # more days than a book has
        self._keys = done.account[rows] * self._span + done.decided[rows] + self._span // 2
        self._sums = np.append(0.0, np.cumsum(done.amount[rows], dtype=np.float64))
        self._count = accounts

    def won(self, account: Any, after: Any, until: Any) -> NDArray[np.float64]:
        """Money that each account spent after one day, up to and with another."""
        base = account * self._span + self._span // 2
        ends = (np.searchsorted(self._keys, base + day, side="right") for day in (after, until))
        first, last = ends
        found: NDArray[np.float64] = self._sums[last] - self._sums[first]
        return found


@dataclass(frozen=True, slots=True)
class Intentions:
    """Who writes plans, and what they mean by them, before anything has come of it.

    `due` (days) and `lift` (log, of what they order; those whose word counts little order hardly more) have one row
    per account of `account`, and one column per plan, a year apart.
    """

    account: NDArray[np.int64]
    due: NDArray[np.int64]
    lift: NDArray[np.float64]

    def lifted(self, rows: Any, day: Any) -> NDArray[np.float64]:
        """The log of what the plans add by a day, for rows of these: each comes true during its year, and stays."""
        come = np.clip((np.asarray(day)[..., None] - self.due[rows]) / YEAR + 1, 0, 1)
        found: NDArray[np.float64] = (self.lift[rows] * come).sum(axis=1)
        return found

    def places(self, accounts: int) -> NDArray[np.int64]:
        """The row of each account here, -1 for one without plans."""
        found = np.full(accounts, -1, dtype=np.int64)
        found[self.account] = np.arange(len(self.account))
        return found


def intentions(rng: np.random.Generator, who: Companies, opportunities: int) -> Intentions:
    """Up to three plans with one company in six: those who call off orders each quarter (at most a third of all)."""
    able = np.flatnonzero((who.role == 0) & ~who.contract & (rng.random(who.count) < 1 / 5))
    rows = able[: opportunities // (3 * PAST)]
    last_due = rng.integers(60, 330, len(rows))
    due = last_due[:, None] + (np.arange(_PLANS) - _PLANS + 1) * YEAR
    # Nobody can give us more than goes elsewhere.
    return Intentions(rows, due, (who.word * who.room)[rows, None] * rng.uniform(0.2, 0.9, due.shape))


def promises(rng: np.random.Generator, who: Companies, meant: Intentions, sales: Sales) -> Promises:
    """What is written down: who means it writes a little less than that, the others what sounds well."""
    account, due = np.repeat(meant.account, _PLANS), meant.due.ravel()
    made = due - YEAR + rng.integers(-20, 10, len(due))
    years = np.clip((made - who.born[account]) / YEAR, 0.5, _LOOKED_BACK)
    usual = sales.won(account, made - _LOOKED_BACK * YEAR, made) / years
    word = np.clip(who.word[account] + rng.normal(0, 0.1, len(due)), 0, 1)
    honest = np.exp(meant.lift.ravel()) * rng.uniform(0.75, 1.0, len(due))
    loud = rng.uniform(1.2, 1.7, len(due))
    amount = np.round(usual * honest**word * loud ** (1 - word) / 1000) * 1000
    written = (amount > 0) & (made < np.minimum(who.ends[account], 0)) & (rng.random(len(due)) < 0.9)
    return Promises(
        account[written],
        made[written].astype(np.int32),
        due[written].astype(np.int32),
        amount[written],
        sales.won(account[written], due[written] - YEAR, due[written]),
    )
