"""Who a portal deals with: its callers, the switched-on faults, the journal; and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

Clock = Callable[[], datetime]
# Where a value came from, in HubSpot's words for its history. CALCULATED is the portal itself.
Source = Literal["INTEGRATION", "IMPORT", "CRM_UI", "CALCULATED", "MERGE_OBJECTS"]


class Caller(Protocol):
    """Whoever a request comes from."""

    @property
    def username(self) -> str:
        """The name that the journal keeps."""
        ...

    @property
    def app_id(self) -> str:
        """The app, as `sourceId` in the history of what it writes."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """A caller: an app, or somebody who works in the portal's pages."""

    username: str
    app_id: str


class Faults(Protocol):
    """What the portal asks of the switched-on faults while it acts on data."""

    def lock_row(self, record_id: str) -> bool:
        """Whether this write of this record meets a lock (423 for the whole call)."""
        ...

    def read_only_fields(self, object_name: str) -> frozenset[str]:
        """Properties that suddenly cannot be written, though visible."""
        ...

    def commit_delay(self, object_name: str) -> timedelta:
        """How long after its stamp a write can be found by search (zero: at once)."""
        ...


class Journal(Protocol):
    """Where effective writes are recorded: one call per object type and operation of a request."""

    def write(
        self,
        user: Caller,
        operation: str,
        object_name: str,
        record_ids: Sequence[str],
        fields: Sequence[str],
        changed: int,
    ) -> None:
        """Note that `record_ids` were written: `fields` were sent, `changed` property values really differ now."""
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """One page: wire dicts, and where the next page begins (None: this is the last)."""

    results: list[dict[str, Any]]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's `results` and `errors` as wire dicts; with errors the wire says 207."""

    results: list[dict[str, Any]]
    errors: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of a search; `total` counts what matches, not what is shown."""

    total: int
    results: list[dict[str, Any]]
    after: str | None = None
