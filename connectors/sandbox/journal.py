"""The sandbox's own account of what was asked of it and what really changed, for tests and people."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime


class Person(Protocol):
    """Whoever wrote: only the user name is kept."""

    @property
    def username(self) -> str:
        """The name by which the user logs in."""
        ...


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One HTTP request. `counted` calls use up the API allowance; `status` 0 means that no reply was sent."""

    number: int
    at: str
    method: str
    path: str
    user: str
    status: int
    counted: bool
    sent: int
    faults: tuple[str, ...] = ()
    kind: str = field(default="request", init=False)


@dataclass(frozen=True, slots=True)
class WriteEntry:
    """Effective writes of one operation: `fields` of these records; `changed` values differ now."""

    number: int
    at: str
    user: str
    operation: str
    object: str
    ids: tuple[str, ...]
    fields: tuple[str, ...]
    changed: int
    kind: str = field(default="write", init=False)


class Journal:
    """A list that only grows; every entry has a number, so that `since` picks what is new. Thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._entries: list[RequestEntry | WriteEntry] = []
        self._lock = threading.Lock()

    def request(  # one argument for each column of the entry
        self,
        *,
        method: str,
        path: str,
        user: str,
        status: int,
        counted: bool,
        sent: int,
        faults: Sequence[str] = (),
    ) -> None:
        """Note a request that was answered, or cut."""
        with self._lock:
            self._entries.append(
                RequestEntry(
                    len(self._entries) + 1,
                    self._now(),
                    method,
                    path,
                    user,
                    status,
                    counted,
                    sent,
                    tuple(faults),
                )
            )

    def write(  # the org's seam
        self,
        user: Person,
        operation: str,
        object_name: str,
        record_ids: Sequence[str],
        fields: Sequence[str],
        changed: int,
    ) -> None:
        """Note records that an operation wrote."""
        with self._lock:
            self._entries.append(
                WriteEntry(
                    len(self._entries) + 1,
                    self._now(),
                    user.username,
                    operation,
                    object_name,
                    tuple(record_ids),
                    tuple(fields),
                    changed,
                )
            )

    @property
    def position(self) -> int:
        """The number of the last entry: pass it as `since` later."""
        with self._lock:
            return len(self._entries)

    def entries(self, since: int = 0) -> list[RequestEntry | WriteEntry]:
        """The entries after a number, oldest first."""
        with self._lock:
            return self._entries[max(since, 0) :]

    def requests(self, since: int = 0) -> list[RequestEntry]:
        """The requests after a number."""
        return [entry for entry in self.entries(since) if isinstance(entry, RequestEntry)]

    def writes(self, since: int = 0) -> list[WriteEntry]:
        """The effective writes after a number."""
        return [entry for entry in self.entries(since) if isinstance(entry, WriteEntry)]

    def totals(self, since: int = 0) -> dict[str, Any]:
        """Counts after a number: requests, API calls, records written, by object and operation."""
        requests, writes = self.requests(since), self.writes(since)
        by_object: Counter[str] = Counter()
        for entry in writes:
            by_object[f"{entry.object}.{entry.operation}"] += len(entry.ids)
        return {
            "requests": len(requests),
            "api_calls": sum(entry.counted for entry in requests),
            "records_written": sum(len(entry.ids) for entry in writes),
            "values_changed": sum(entry.changed for entry in writes),
            "written": dict(by_object),
        }

    def as_json(self, since: int = 0) -> dict[str, Any]:
        """The wire form of `GET /sandbox/journal`."""
        entries = self.entries(since)
        last = entries[-1].number if entries else self.position
        return {"last": last, "totals": self.totals(since), "entries": [asdict(entry) for entry in entries]}

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
