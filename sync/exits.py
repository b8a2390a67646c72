"""What went wrong → exit code. One table, walked through by a test."""

from __future__ import annotations

from config.problems import ConfigProblem
from connectors.contract import RetryLater, Truncated
from sync.exit_codes import (
    BUG,
    DONE,
    FIX_CONFIGURATION,
    INCOMPLETE,
    INTERRUPTED,
    PARKED,
    STOPPED,
    UNAVAILABLE,
)
from sync.ledger.away import HistoryAway
from sync.stopping import LeaseLost, Parked
from sync.store.away import StoreAway


class Guarded(Exception):  # noqa: N818  # named after what happened
    """A limit stopped the run before its first write: exit 4."""


def exit_code(error: BaseException | None, *, incomplete: bool = False) -> int:  # noqa: PLR0911  # one line for each code
    """The exit code of a run that ended with an error (or none), some of whose records may not be done."""
    match error:
        case None:
            return INCOMPLETE if incomplete else DONE
        case ConfigProblem():
            return FIX_CONFIGURATION
        case Guarded():
            return STOPPED
        case RetryLater(quota=True) | LeaseLost() | Parked():
            return PARKED
        case RetryLater() | Truncated() | StoreAway() | HistoryAway():
            return UNAVAILABLE
        case KeyboardInterrupt():
            return INTERRUPTED
        case _:
            return BUG
