"""Service requests: the more a customer owns, the more of them; a few are urgent, a few ask for more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from connectors.sandbox.datasets.planted.days import PAST, QUARTER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets.planted.companies import Companies, Flags
    from connectors.sandbox.datasets.planted.days import Days
    from connectors.sandbox.datasets.planted.deals import Deals

TYPES = ("Problem", "Question", "Feature Request", "Expansion request")
PRIORITIES = ("High", "Medium", "Low")
_ASKS_FOR_MORE = 3


@dataclass(frozen=True, slots=True)
class Cases:
    """One row per request; `closed` is the day of the answer, where it is not `open`."""

    account: NDArray[np.int64]
    type: NDArray[np.int8]
    priority: NDArray[np.int8]
    made: Days
    closed: Days
    open: Flags


def cases(rng: np.random.Generator, who: Companies, done: Deals) -> Cases:
    """About one request for three purchases, and the ones that matter now."""
    bought = np.flatnonzero(done.won & (done.decided < -7) & (rng.random(done.count) < 0.33))
    made = done.decided[bought] + rng.exponential(150, len(bought)).astype(np.int32)
    bought, made = bought[made < 0], made[made < 0]
    asks, troubled = np.flatnonzero(who.asks), np.flatnonzero(who.troubled)
    account = np.concatenate([done.account[bought], asks, troubled])
    usual = len(bought)
    kind = rng.choice(4, len(account), p=(0.5, 0.35, 0.12, 0.03))
    kind[usual : usual + len(asks)] = _ASKS_FOR_MORE
    kind[usual + len(asks) :] = 0
    priority = rng.choice(3, len(account), p=(0.05, 0.6, 0.35))
    priority[usual + len(asks) :] = 0
    day = np.concatenate([made, -rng.integers(1, 21, len(account) - usual)])
    closed = day + 1 + rng.exponential(9, len(account)).astype(np.int64)
    is_open = closed >= 0
    is_open[usual:] = True
    day = np.maximum(day, -PAST * QUARTER)
    return Cases(
        account, kind.astype(np.int8), priority.astype(np.int8), day.astype(np.int32), closed.astype(np.int32), is_open
    )  # fmt: skip
