"""What happens in a worker, for those who count it or tell it: metrics, notifications, the dead man's switch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from config.sections.schedule import JobName


@dataclass(frozen=True, slots=True)
class Ended:
    """Scheduled work came to an end, well or not. Times are UTC.

    `report` is the run's, as `sync.report.Report` has it; empty if the process left none. `took_too_long`: its worker
    told it to stop for that.
    """

    connection: str
    job: JobName
    zone: str
    due: datetime
    started: datetime
    finished: datetime
    exit_code: int
    report: Mapping[str, Any] = field(default_factory=dict)
    took_too_long: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """Scheduled work did not take place, and why: too late, or within a blackout that outlasts it."""

    connection: str
    job: JobName
    zone: str
    due: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """The settings or a connection's rules cannot be used: problems in words, without values."""

    connection: str
    problems: tuple[str, ...]


Event = Ended | Missed | Unusable


class Listener(Protocol):
    """Is told of each event, in the worker's main thread; takes no time there and raises nothing."""

    def __call__(self, event: Event, /) -> None:
        """Take note."""
