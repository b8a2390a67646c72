"""One Salesforce org in memory: its data, schema, users and rules, without HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.bundled import ADMIN_ID, ORG_ID, ORG_NAME, PROFILES, WORKER_ID, as_table, bundled_rows, profile_id, users_with_profile
from connectors.sandbox.salesforce.errors import SalesforceError, SaveError, SaveResult
from connectors.sandbox.salesforce.frames import Context
from connectors.sandbox.salesforce.objects import STANDARD_OBJECTS
from connectors.sandbox.salesforce.queries import Plan, Planner
from connectors.sandbox.salesforce.results import Result as QueryResult
from connectors.sandbox.salesforce.schema import PicklistValue, Schema
from connectors.sandbox.salesforce.soql import parse
from connectors.sandbox.salesforce.store import Store

if TYPE_CHECKING:
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
    profile: Literal["System Administrator", "Integration", "Standard User"]
    is_admin: bool


@dataclass(frozen=True, slots=True)
class SaveTable:
    """Outcomes of a columnar save: one entry per input row, in order; `errors[i]` is None where it succeeded."""

    ids: list[str | None]
    created: list[bool]
    errors: list[str | None]


def schema_of(dataset: Dataset) -> Schema:
    """The standard objects, with the data set's own fields and picklist values."""
    schema = Schema(STANDARD_OBJECTS)
    for object_name, one in dataset.fields:
        schema.put_field(object_name, one)
    for (object_name, name), values in dataset.choices.items():
        one = schema.objects[object_name].fields[name]
        known = {value.value for value in one.picklist}
        more = tuple(PicklistValue(value) for value in values if value not in known)
        schema.put_field(object_name, replace(one, picklist=one.picklist + more))
    return schema


def _used(sql: str, parameters: dict[str, object]) -> dict[str, object]:
    """The parameters that one statement of a query names: DuckDB refuses others."""
    names = set(re.findall(r"\$(v\d+)", sql))
    return {name: value for name, value in parameters.items() if name in names}


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
        self.id, self.name, self.clock = ORG_ID, ORG_NAME, clock
        self.faults, self.journal, self.dataset = faults, journal, dataset
        self.schema = schema_of(dataset)
        self.store = Store(self.schema)
        self.access = Access(self.schema, self.store, faults)
        self._load(dataset)
        self.users = self._users()
        self.admin, self.worker = self.users[ADMIN_ID], self.users[WORKER_ID]

    def _load(self, dataset: Dataset) -> None:
        born = pc.min(dataset.tables["Account"]["CreatedDate"]).as_py() - timedelta(days=1)
        rows = {name: as_table(self.schema, name, many) for name, many in bundled_rows(dataset, born).items()}
        people = users_with_profile(dataset.tables["User"])
        rows |= dataset.tables | {"User": pa.concat_tables([rows["User"], people], promote_options="permissive")}
        for name in self.schema.objects:
            if name in rows:
                self.store.load(name, rows[name])
            else:
                self.store.create(name)

    def _users(self) -> dict[str, User]:
        """Everybody who may log in, by id and by user name in lower case."""
        profiles = {profile_id(name): name for name in PROFILES}
        found: dict[str, User] = {}
        for row in self.store.read('SELECT "Id", "Username", "Name", "ProfileId" FROM "User"').to_pylist():
            profile: Any = profiles[row["ProfileId"]]
            user = User(row["Id"], row["Username"], row["Name"], profile, profile == "System Administrator")
            found[user.id] = found[user.username.lower()] = user
        return found

    def now(self) -> datetime:
        """The org's time in milliseconds, UTC without a zone, as the store keeps it."""
        moment = self.clock().astimezone(timezone.utc)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=None)

    def describe_global(self, user: User) -> list[dict[str, Any]]:
        """The `sobjects` list of GET /sobjects; URLs begin with /services/data/v{version} left as `{base}`."""
        raise NotImplementedError

    def describe(self, user: User, object_name: str, version: str = "62.0") -> dict[str, Any]:
        """GET /sobjects/T/describe. Fields without field-level security are absent. INVALID_TYPE is a NOT_FOUND."""
        raise NotImplementedError

    def query(self, soql: str, user: User, *, include_deleted: bool = False, bulk: bool = False) -> QueryResult:
        """Run SOQL. `include_deleted` is queryAll; `bulk` refuses what Bulk API refuses."""
        tree = parse(soql)
        with self.store.lock:
            now = self.now()
            self.store.set_now(now, now.date())
            context = Context(
                soql, self.schema, self.store, self.access, user, now.date(), include_deleted=include_deleted, bulk=bulk
            )
            return self._run(Planner(context, tree).plan(), context.parameters)

    def _run(self, plan: Plan, parameters: dict[str, object], parents: pa.Table | None = None) -> QueryResult:
        tables = {} if parents is None else {"parent_ids": parents}
        rows = self.store.read(plan.sql, _used(plan.sql, parameters), **tables)
        children = {}
        if plan.children:
            ids = pa.table({"id": rows[plan.parents[()][0]]})
            children = {name: self._run(child, parameters, ids) for name, child in plan.children}
        return QueryResult(plan, rows, children, self.schema)

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
