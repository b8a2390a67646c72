"""Growth plans that customers and reps wrote together, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.sandbox.datasets.planted.days import AHEAD, PAST, YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets.planted.companies import Companies, Flags
    from connectors.sandbox.datasets.planted.days import Days
    from connectors.sandbox.datasets.planted.deals import Deals
    from connectors.sandbox.datasets.planted.demand import Demand

KEPT = 0.9  # share of a plan that must have been won for it to count as kept
_PLANS = 3  # two that have fallen due, one that runs
_STEADY = 2  # deals a year


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


def promises(rng: np.random.Generator, who: Companies, work: Demand, sales: Sales) -> Promises:
    """Up to three plans, a year apart, with most of the companies with which there is steady business."""
    steady = work.rate[:, PAST - 2 * AHEAD : PAST].sum(axis=1) > _STEADY * 2
    rows = np.flatnonzero(steady & (rng.random(who.count) < 0.75) & (who.role == 0))
    last_due = rng.integers(60, 330, len(rows))
    account = np.repeat(rows, _PLANS)
    due = (last_due[:, None] + (np.arange(_PLANS) - _PLANS + 1) * YEAR).ravel()
    made = due - YEAR + rng.integers(-20, 10, len(due))
    before = sales.won(account, made - YEAR, made)
    does = sales.won(account, due - YEAR, due)
    # Who keeps their word knows what they will do, and says a little less; the others say what sounds well.
    word = np.repeat(who.word[rows], _PLANS)
    knows = np.maximum(does, 0.3 * before) * rng.uniform(0.75, 1.05, len(due))
    usual = np.maximum(before, sales.won(account, made - 2 * YEAR, made) / 2)
    says = np.maximum(usual * rng.uniform(1.4, 2.5, len(due)), 1)
    share = np.clip(word + rng.normal(0, 0.1, len(due)), 0, 1)
    amount = np.round(np.maximum(knows, 1) ** share * says ** (1 - share) / 1000) * 1000
    written = (before > 0) & (amount > 0) & (rng.random(len(due)) < 0.85) & (made < 0)
    return Promises(
        account[written],
        made[written].astype(np.int32),
        due[written].astype(np.int32),
        amount[written],
        does[written],
    )
