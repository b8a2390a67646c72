"""Told to stop: SIGTERM and Ctrl-C end a run at once, and stay what they are in whatever error they come out as.

A signal's exception rises wherever the program happens to be. Inside a library's callback it may come out wrapped as
an error of that library, or not at all; so what was asked is also remembered.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class Parked(Exception):  # noqa: N818  # named after what happened
    """Told to stop (SIGTERM): what is open is resumed by the next run, exit 75."""


class GateShut(Parked):
    """A person must open the way first: a pause, rules not approved, what an undo took back. Exit 75."""


class LeaseLost(Exception):  # noqa: N818  # named after what happened
    """Another run is working on this connection: stop without writing, exit 75."""


# Signals belong to the process, and so does what they asked for.
_asked: list[BaseException] = []


def listen() -> None:
    """From now on SIGTERM raises `Parked`, and Ctrl-C `KeyboardInterrupt`."""
    signal.signal(signal.SIGTERM, _park)
    signal.signal(signal.SIGINT, _interrupt)


def cause(error: BaseException) -> BaseException:
    """What really ended a run: what it was told, if it was told to stop; else the error."""
    return _asked[0] if _asked else error


def stop_if_told() -> None:
    """Called where stopping is safe: a stop that a library swallowed is not lost."""
    if _asked:
        raise _asked[0]


def _park(_signal: int, _frame: FrameType | None) -> None:
    _tell(Parked("Told to stop; the next run takes up what is open"))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    _tell(KeyboardInterrupt())


def _tell(what: BaseException) -> None:
    _asked.append(what)
    raise what
