"""One Salesforce org in memory: its data, schema, users and rules, without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from connectors.sandbox.salesforce.errors import SaveError, SaveResult

if TYPE_CHECKING:
    import pyarrow as pa

    from connectors.sandbox.datasets import Dataset

Operation = Literal["insert", "update", "upsert", "delete", "hardDelete", "undelete", "merge"]
Clock = Callable[[], datetime]
Row = Mapping[str, Any]

__all__ = ["Clock", "Faults", "Journal", "Operation", "Org", "QueryResult", "SaveError", "SaveResult", "SaveTable", "User"]


class Faults(Protocol):
    """What the org asks of the switched-on faults while it acts on data."""

    def lock_row(self, record_id: str) -> bool:
        """Whether this write of this record ends with UNABLE_TO_LOCK_ROW (asked once per record and write)."""
        ...

    def read_only_fields(self, object_name: str) -> frozenset[str]:
        """Fields that suddenly cannot be written, though visible."""
        ...

    def hidden_fields(self, object_name: str) -> frozenset[str]:
        """Fields whose field-level security is taken away from everybody."""
        ...

    def validation_rules(self, object_name: str) -> Sequence[tuple[str, str]]:
        """(formula that is true for a bad record, error message) pairs in force besides the org's own."""
        ...

    def commit_delay(self, object_name: str) -> timedelta:
        """How long after its stamp a save becomes visible (zero: at once)."""
        ...


class Journal(Protocol):
    """Where effective writes are recorded: one call per object and operation of a save, bulk or not."""

    def write(
        self, user: User, operation: str, object_name: str, record_ids: Sequence[str], fields: Sequence[str], changed: int
    ) -> None:
        """Note that `record_ids` were written: `fields` were sent, `changed` field values really differ now."""
        ...


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in."""

    id: str
    username: str
    name: str
    profile: Literal["System Administrator", "Integration"]
    is_admin: bool


class QueryResult(Protocol):
    """A snapshot of what a SOQL query found."""

    object_name: str
    total_size: int
    num_rows: int  # rows in records(); 0 for a bare COUNT(), whose number is total_size

    @property
    def columns(self) -> Sequence[Any]:
        """The selected columns: each has `header` (dotted path or expr0), `type` and `aggregate`."""
        ...

    def records(self, start: int, stop: int, version: str) -> list[dict[str, Any]]:
        """Rows [start, stop) as wire JSON with attributes, nested parents and subqueries; version like "62.0"."""
        ...

    def csv_table(self, start: int, stop: int) -> pa.Table:
        """Rows [start, stop) as strings in Bulk CSV form, columns in SELECT order, dotted headers."""
        ...

    def column_metadata(self) -> dict[str, Any]:
        """The reply to ?columns=true."""
        ...


@dataclass(frozen=True, slots=True)
class SaveTable:
    """Outcomes of a columnar save: one entry per input row, in order; `errors[i]` is None where it succeeded."""

    ids: list[str | None]
    created: list[bool]
    errors: list[str | None]


class Org:
    """The org. All methods are thread-safe; a refusal of the whole request raises `SalesforceError`.

    Attributes: id (00D..., 18 characters), name, is_sandbox, clock, admin, worker (bundled `User`s),
    users (by id and by username, lower case), faults, journal.
    """

    is_sandbox = True

    def __init__(
        self, dataset: Dataset, clock: Clock, *, faults: Faults | None = None, journal: Journal | None = None
    ) -> None:
        """Load a data set. `clock` is the org's own time (UTC, aware); every stamp comes from it."""

    def describe_global(self, user: User) -> list[dict[str, Any]]:
        """The `sobjects` list of GET /sobjects; URLs begin with /services/data/v{version} left as `{base}`."""
        raise NotImplementedError

    def describe(self, user: User, object_name: str, version: str = "62.0") -> dict[str, Any]:
        """GET /sobjects/T/describe. Fields without field-level security are absent. INVALID_TYPE is a NOT_FOUND."""
        raise NotImplementedError

    def query(self, soql: str, user: User, *, include_deleted: bool = False, bulk: bool = False) -> QueryResult:
        """Run SOQL. `include_deleted` is queryAll; `bulk` refuses what Bulk API refuses."""
        raise NotImplementedError

    def retrieve(
        self, user: User, object_name: str, record_id: str, fields: Sequence[str] | None = None, version: str = "62.0"
    ) -> dict[str, Any]:
        """GET /sobjects/T/{id}: all readable fields, or those asked for. NOT_FOUND, ENTITY_IS_DELETED."""
        raise NotImplementedError

    def insert(
        self, user: User, object_name: str, rows: Sequence[Row], *, all_or_none: bool = False
    ) -> list[SaveResult]:
        """Create records from wire JSON; one outcome each, in order."""
        raise NotImplementedError

    def update(
        self, user: User, object_name: str, rows: Sequence[Row], *, all_or_none: bool = False
    ) -> list[SaveResult]:
        """Set fields of records; each row carries "Id" (any case)."""
        raise NotImplementedError

    def upsert(
        self, user: User, object_name: str, external_id: str, rows: Sequence[Row], *, all_or_none: bool = False
    ) -> list[SaveResult]:
        """Create or set by an external id field (or "Id") that each row carries."""
        raise NotImplementedError

    def delete(
        self, user: User, object_name: str | None, ids: Sequence[str], *, all_or_none: bool = False, hard: bool = False
    ) -> list[SaveResult]:
        """Move records to the recycle bin (hard: out of the org). Without an object name it is taken from the ids."""
        raise NotImplementedError

    def undelete(self, user: User, ids: Sequence[str]) -> list[SaveResult]:
        """Take records out of the recycle bin."""
        raise NotImplementedError

    def merge(self, user: User, object_name: str, winner_id: str, loser_ids: Sequence[str]) -> SaveResult:
        """Losers are deleted with MasterRecordId; their children now belong to the winner."""
        raise NotImplementedError

    def updated(self, user: User, object_name: str, start: datetime, end: datetime) -> dict[str, Any]:
        """GET /sobjects/T/updated: {"ids", "latestDateCovered"}."""
        raise NotImplementedError

    def deleted(self, user: User, object_name: str, start: datetime, end: datetime) -> dict[str, Any]:
        """GET /sobjects/T/deleted: {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}."""
        raise NotImplementedError

    def save_table(
        self, user: User, object_name: str, operation: Operation, table: pa.Table, *, external_id: str | None = None
    ) -> SaveTable:
        """Bulk ingest of string columns: "" leaves a field as it is, "#N/A" empties it; `Account.Ext__c` is a reference."""
        raise NotImplementedError

    def object_of(self, record_id: str) -> str | None:
        """Name of the object that a record id belongs to, by its prefix."""
        raise NotImplementedError
