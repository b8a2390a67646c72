"""One Salesforce org in memory: its data, schema, users and rules, without HTTP."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.bundled import (
    ADMIN_ID,
    ORG_ID,
    ORG_NAME,
    PROFILES,
    WORKER_ID,
    as_table,
    bundled_rows,
    profile_id,
    users_with_profile,
)
from connectors.sandbox.salesforce.describe import describe_field, describe_object, summary
from connectors.sandbox.salesforce.errors import SalesforceError, SaveError, SaveResult, failed
from connectors.sandbox.salesforce.formulas import check_formula
from connectors.sandbox.salesforce.frames import Context
from connectors.sandbox.salesforce.ids import long_id
from connectors.sandbox.salesforce.intake import Intake
from connectors.sandbox.salesforce.objects import STANDARD_OBJECTS
from connectors.sandbox.salesforce.queries import Plan, Planner
from connectors.sandbox.salesforce.removal import Remover
from connectors.sandbox.salesforce.results import Result as QueryResult
from connectors.sandbox.salesforce.results import wire_moment
from connectors.sandbox.salesforce.saves import Saver
from connectors.sandbox.salesforce.schema import Field, ObjectType, PicklistValue, Schema
from connectors.sandbox.salesforce.soql import parse
from connectors.sandbox.salesforce.store import Store, quoted

if TYPE_CHECKING:
    from connectors.sandbox.datasets import Dataset

Operation = Literal["insert", "update", "upsert", "delete", "hardDelete", "undelete", "merge"]
ROLLED_BACK = (
    "Record rolled back because not all records were valid and the request was using AllOrNone header"
)
Clock = Callable[[], datetime]
Row = Mapping[str, Any]

__all__ = [
    "Clock",
    "Faults",
    "Journal",
    "Operation",
    "Org",
    "QueryResult",
    "SaveError",
    "SaveResult",
    "SaveTable",
    "User",
]


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
        self,
        user: User,
        operation: str,
        object_name: str,
        record_ids: Sequence[str],
        fields: Sequence[str],
        changed: int,
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


Note = tuple["User", str, str, Sequence[str], Sequence[str], int]


@dataclass(slots=True)
class Transaction:
    """Saves that stand or fall together."""

    only_whole: bool
    waiting: int = 0
    rolled_back: bool = False
    notes: list[Note] = field(default_factory=list)

    def roll_back(self) -> None:
        """Undo everything when the block ends."""
        self.rolled_back = True

    def judge(self, results: list[SaveResult]) -> list[SaveResult]:
        """Undo everything if one record failed; the others then say that they were rolled back."""
        if not self.only_whole or all(one.success for one in results):
            return results
        self.roll_back()
        undone = failed("ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK)
        return [undone if one.success else one for one in results]


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

    def __init__(
        self,
        dataset: Dataset,
        clock: Clock,
        *,
        faults: Faults | None = None,
        journal: Journal | None = None,
        production: bool = False,
        timezone: str = "GMT",
    ) -> None:
        """Load a data set. `clock` is the org's own time (UTC, aware); every stamp comes from it."""
        self.id, self.name, self.clock = ORG_ID, ORG_NAME, clock
        self.is_sandbox, self.timezone = not production, timezone
        self.faults, self.journal = faults, journal
        # The rows live in the store from here on: a second copy of a large book would not fit.
        self.dataset = replace(dataset, tables={})
        self.schema = schema_of(dataset)
        self.store = Store(self.schema)
        self.access = Access(self.schema, self.store, faults)
        self._load(dataset)
        self.saver, self.remover = Saver(self), Remover(self)
        self._transaction: Transaction | None = None
        self.users = self._users()
        self.admin, self.worker = self.users[ADMIN_ID], self.users[WORKER_ID]

    def _load(self, dataset: Dataset) -> None:
        born = pc.min(dataset.tables["Account"]["CreatedDate"]).as_py() - timedelta(days=1)
        rows = {
            name: as_table(self.schema, name, many) for name, many in self._bundled(dataset, born).items()
        }
        people = users_with_profile(dataset.tables["User"])
        rows |= dataset.tables | {
            "User": pa.concat_tables([rows["User"], people], promote_options="permissive")
        }
        for name in self.schema.objects:
            if name in rows:
                self.store.load(name, rows[name])
            else:
                self.store.create(name)

    def _bundled(self, dataset: Dataset, born: datetime) -> dict[str, list[dict[str, Any]]]:
        return bundled_rows(dataset, born, production=not self.is_sandbox, timezone=self.timezone)

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
        moment = self.clock().astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=None)

    def describe_global(self, user: User, version: str = "62.0") -> list[dict[str, Any]]:
        """The `sobjects` list of GET /sobjects."""
        base = f"/services/data/v{version.removeprefix('v')}"
        readable = [one for one in self.schema.objects.values() if self.access.may(user, one, "Read")]
        return [
            summary(one, self._rights(user, one), base) for one in sorted(readable, key=lambda one: one.name)
        ]

    def _rights(self, user: User, found: ObjectType) -> dict[str, bool]:
        return {right: self.access.may(user, found, right) for right in ("Create", "Edit", "Delete")}

    def describe(self, user: User, object_name: str, version: str = "62.0") -> dict[str, Any]:
        """GET /sobjects/T/describe. Fields without field-level security are absent. Raises NOT_FOUND."""
        found = self._found(user, object_name)
        edits, read_only = (
            self.access.edits,
            self.faults.read_only_fields(found.name) if self.faults else frozenset(),
        )
        rights = self._rights(user, found)
        fields = [
            describe_field(
                one,
                createable=rights["Create"] and edits(user, found, one) and one.name not in read_only,
                updateable=rights["Edit"] and edits(user, found, one) and one.name not in read_only,
            )
            for one in self.access.visible(user, found).values()
        ]
        children = [
            one
            for one in self.schema.children(found.name)
            if self.access.may(user, self.schema.objects[one.object_name], "Read")
        ]
        return describe_object(
            found, fields, children, rights, f"/services/data/v{version.removeprefix('v')}"
        )

    def _found(self, user: User, object_name: str) -> ObjectType:
        """The object of this name, if the user may read it; else NOT_FOUND."""
        found = self.schema.find(object_name)
        if found is None or not self.access.may(user, found, "Read"):
            raise SalesforceError("NOT_FOUND", "The requested resource does not exist")
        return found

    def query(
        self, soql: str, user: User, *, include_deleted: bool = False, bulk: bool = False
    ) -> QueryResult:
        """Run SOQL. `include_deleted` is queryAll; `bulk` refuses what Bulk API refuses."""
        tree = parse(soql)
        with self.store.lock:
            self._settle()
            context = Context(
                soql,
                self.schema,
                self.store,
                self.access,
                user,
                self.now().date(),
                include_deleted=include_deleted,
                bulk=bulk,
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
        self,
        user: User,
        object_name: str,
        record_id: str,
        fields: Sequence[str] | None = None,
        version: str = "62.0",
    ) -> dict[str, Any]:
        """GET /sobjects/T/{id}: all readable fields, or those asked for. NOT_FOUND, ENTITY_IS_DELETED."""
        found = self._found(user, object_name)
        full = long_id(record_id)
        if full is None or (found.prefix and not full.startswith(found.prefix)):
            raise SalesforceError(
                "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + record_id
            )
        names = list(fields) if fields is not None else list(self.access.visible(user, found))
        hidden = {"IsDeleted"} if "IsDeleted" in found.fields else set()
        self._names(user, found, names)
        selected = ", ".join(dict.fromkeys([*names, *sorted(hidden)])) or "Id"
        result = self.query(
            f"SELECT {selected} FROM {found.name} WHERE Id = '{full}'", user, include_deleted=True
        )
        if result.num_rows == 0:
            raise SalesforceError("NOT_FOUND", "The requested resource does not exist")
        record = result.records(0, 1, version)[0]
        if record.get("IsDeleted"):
            raise SalesforceError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        if "IsDeleted" not in names:
            record.pop("IsDeleted", None)
        return record

    def _names(self, user: User, found: ObjectType, names: Sequence[str]) -> None:
        visible = {name.lower() for name in self.access.visible(user, found)}
        for name in names:
            if "." not in name and name.lower() not in visible:
                raise SalesforceError(
                    "INVALID_FIELD", f"No such column '{name}' on sobject of type {found.name}"
                )

    def insert(
        self, user: User, object_name: str, rows: Sequence[Row], *, all_or_none: bool = False
    ) -> list[SaveResult]:
        """Create records from wire JSON; one outcome each, in order."""
        with self.atomic(only_whole=all_or_none) as transaction, self._writing(user):
            intake = Intake(self, user, self._found(user, object_name))
            return transaction.judge(intake.insert(rows))

    def update(
        self, user: User, object_name: str, rows: Sequence[Row], *, all_or_none: bool = False
    ) -> list[SaveResult]:
        """Set fields of records; each row carries "Id" (any case)."""
        with self.atomic(only_whole=all_or_none) as transaction, self._writing(user):
            intake = Intake(self, user, self._found(user, object_name))
            return transaction.judge(intake.update(rows))

    def upsert(
        self,
        user: User,
        object_name: str,
        external_id: str,
        rows: Sequence[Row],
        *,
        all_or_none: bool = False,
    ) -> list[SaveResult]:
        """Create or set by an external id field (or "Id") that each row carries."""
        with self.atomic(only_whole=all_or_none) as transaction, self._writing(user):
            intake = Intake(self, user, self._found(user, object_name))
            return transaction.judge(intake.upsert(external_id, rows))

    def delete(
        self,
        user: User,
        object_name: str | None,
        ids: Sequence[str],
        *,
        all_or_none: bool = False,
        hard: bool = False,
    ) -> list[SaveResult]:
        """Move records to the recycle bin (hard: out of the org). Without an object name it is taken from the ids."""
        with self.atomic(only_whole=all_or_none) as transaction, self._writing(user):
            return transaction.judge(self._delete_all(user, object_name, ids, hard=hard))

    def _delete_all(
        self, user: User, object_name: str | None, ids: Sequence[str], *, hard: bool
    ) -> list[SaveResult]:
        groups, results = self._by_object(ids, object_name)
        for found, places in groups:
            errors = self._delete(user, found, [record_id for _, record_id in places], hard=hard)
            for place, record_id in places:
                results[place] = _removed(record_id, errors.get(record_id))
        return [results[place] for place in range(len(ids))]

    def _delete(self, user: User, found: ObjectType, ids: list[str], *, hard: bool) -> dict[str, SaveError]:
        if not found.deletable or not self.access.may(user, found, "Delete"):
            return dict.fromkeys(
                ids, SaveError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
            )
        self.saver.wait_for(found.name, ids)
        return self.remover.delete(user, found, ids, hard=hard)

    def _by_object(
        self, ids: Sequence[str], object_name: str | None
    ) -> tuple[list[tuple[ObjectType, list[tuple[int, str]]]], dict[int, SaveResult]]:
        """Well-formed ids by object, and a refusal for each of the others."""
        groups: dict[str, list[tuple[int, str]]] = {}
        refused: dict[int, SaveResult] = {}
        for place, given in enumerate(ids):
            full = long_id(given)
            name = self.object_of(full) if full else None
            if full is None or name is None or (object_name and name.lower() != object_name.lower()):
                refused[place] = failed("MALFORMED_ID", f"malformed id {given}", record_id=given)
            else:
                groups.setdefault(name, []).append((place, full))
        return [(self.schema.objects[name], places) for name, places in groups.items()], refused

    def undelete(self, user: User, ids: Sequence[str]) -> list[SaveResult]:
        """Take records out of the recycle bin."""
        with self._writing(user):
            groups, results = self._by_object(ids, None)
            for found, places in groups:
                errors = self.remover.undelete(user, found, [record_id for _, record_id in places])
                for place, record_id in places:
                    results[place] = _removed(record_id, errors.get(record_id))
            return [results[place] for place in range(len(ids))]

    def merge(self, user: User, object_name: str, winner_id: str, loser_ids: Sequence[str]) -> SaveResult:
        """Losers are deleted with MasterRecordId; their children now belong to the winner."""
        with self._writing(user):
            found = self._found(user, object_name)
            if not found.mergeable or not self.access.may(user, found, "Delete"):
                raise SalesforceError(
                    "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"
                )
            ids = [long_id(one) or one for one in (winner_id, *loser_ids)]
            self.remover.merge(user, found, ids[0], ids[1:])
            return SaveResult(ids[0], success=True)

    def updated(self, user: User, object_name: str, start: datetime, end: datetime) -> dict[str, Any]:
        """GET /sobjects/T/updated: {"ids", "latestDateCovered"}."""
        found, first, last = self._period(user, object_name, start, end)
        self._settle()
        rows = self.store.read(
            f'SELECT "Id" FROM {quoted(found.name)} t WHERE "SystemModstamp" >= $first AND "SystemModstamp" < $last '
            f'AND NOT {self._gone(found)} ORDER BY "SystemModstamp", "Id"',
            {"first": first, "last": last},
        )
        return {"ids": rows["Id"].to_pylist(), "latestDateCovered": wire_moment(min(last, self.now()))}

    def _period(
        self, user: User, object_name: str, start: datetime, end: datetime
    ) -> tuple[ObjectType, datetime, datetime]:
        """The object and the period in whole seconds, if Salesforce would look at it."""
        found = self._found(user, object_name)
        first, last = (moment.astimezone(UTC).replace(tzinfo=None, microsecond=0) for moment in (start, end))
        if not found.replicateable:
            raise SalesforceError("INVALID_REPLICATION_DATE", f"object {found.name} is not replicable")
        if last - first <= timedelta(minutes=1):
            raise SalesforceError(
                "INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate"
            )
        if self.now() - first > timedelta(days=30):
            raise SalesforceError("INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
        return found, first, last

    def _gone(self, found: ObjectType) -> str:
        return (
            self.store.column(found, found.fields["IsDeleted"], "t")
            if "IsDeleted" in found.fields
            else "FALSE"
        )

    def deleted(self, user: User, object_name: str, start: datetime, end: datetime) -> dict[str, Any]:
        """GET /sobjects/T/deleted: {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}."""
        found, first, last = self._period(user, object_name, start, end)
        self._settle()
        rows = self.store.read(
            f'SELECT "Id", "SystemModstamp" AS at FROM {quoted(found.name)} t WHERE "SystemModstamp" >= $first '
            f'AND "SystemModstamp" < $last AND {self._gone(found)} ORDER BY "SystemModstamp", "Id"',
            {"first": first, "last": last},
        ).to_pylist()
        return {
            "deletedRecords": [
                {"deletedDate": wire_moment(row["at"].replace(microsecond=0)), "id": row["Id"]}
                for row in rows
            ],
            "earliestDateAvailable": wire_moment(self.now() - timedelta(days=15)),
            "latestDateCovered": wire_moment(min(last, self.now())),
        }

    def save_table(
        self,
        user: User,
        object_name: str,
        operation: Operation,
        table: pa.Table,
        *,
        external_id: str | None = None,
    ) -> SaveTable:
        """Bulk ingest of string columns: "" leaves a field as it is, "#N/A" empties it.

        A column `Account.Ext__c` is a reference by external id.
        """
        with self._writing(user):
            found = self._found(user, object_name)
            if operation in {"delete", "hardDelete"}:
                ids = [
                    str(one or "")
                    for one in table[
                        "Id" if "Id" in table.column_names else table.column_names[0]
                    ].to_pylist()
                ]
                results = self.delete(user, found.name, ids, hard=operation == "hardDelete")
                return SaveTable(
                    [one.id for one in results], [False] * len(ids), [_lines(one.errors) for one in results]
                )
            saved, errors, created = Intake(self, user, found).table(operation, table, external_id)
            count = range(table.num_rows)
            given = table["Id"].to_pylist() if "Id" in table.column_names else None
            return SaveTable(
                [saved.get(row) or (given[row] if given else None) for row in count],
                [row in created for row in count],
                [_lines(errors[row]) if row in errors else None for row in count],
            )

    def object_of(self, record_id: str) -> str | None:
        """Name of the object that a record id belongs to, by its prefix."""
        found = self.schema.by_prefix(record_id)
        return found.name if found else None

    @contextmanager
    def atomic(self, *, only_whole: bool = True) -> Iterator[Transaction]:
        """Several saves that stand or fall together: an error in the block, or `roll_back()`, undoes them all.

        With `only_whole` false nothing is held together (so that callers need no second way). Blocks may be
        nested: the outermost one commits. The journal hears of a transaction only when it has been committed.
        """
        with self.store.lock:
            if not only_whole:
                # Within a transaction too: a record that may fail alone does not take the others with it.
                yield Transaction(only_whole=False)
                return
            if self._transaction is not None:
                yield self._transaction
                return
            self._transaction = Transaction(only_whole=True, waiting=self.saver.mark())
            columns = {name: set(held) for name, held in self.store.columns.items()}
            self.store.begin()
            try:
                yield self._transaction
            except BaseException:
                self._transaction.roll_back()
                raise
            finally:
                self._finish(self._transaction, columns)

    def _finish(self, transaction: Transaction, columns: dict[str, set[str]]) -> None:
        self._transaction = None
        if transaction.rolled_back:
            self.store.roll_back()
            self.store.columns = columns
            self.saver.forget(transaction.waiting)
            self.access.forget()
            return
        self.store.commit()
        for entry in transaction.notes:
            self.note(*entry)

    @contextmanager
    def _writing(self, user: User) -> Iterator[None]:
        """One transaction's surroundings: the lock, the time, and fresh permissions afterwards."""
        with self.store.lock:
            self._settle()
            yield
            if user.is_admin:
                self.access.forget()

    def _settle(self) -> None:
        now = self.now()
        self.store.set_now(now, now.date())
        self.saver.settle(now)

    def note(
        self,
        user: User,
        operation: str,
        object_name: str,
        ids: Sequence[str],
        fields: Sequence[str],
        changed: int,
    ) -> None:
        """Tell the journal of an effective write."""
        if self._transaction is not None:
            self._transaction.notes.append((user, operation, object_name, ids, fields, changed))
        elif self.journal is not None:
            self.journal.write(user, operation, object_name, ids, fields, changed)

    # The schema, as metadata and tooling change it.

    def add_field(self, object_name: str, new: Field) -> None:
        """Add or replace a custom field; nobody sees it before a permission set grants it.

        `Activity` means both Task and Event. A formula must be sound, else INVALID_... `FormulaError`.
        """
        with self.store.lock:
            for name in ("Task", "Event") if object_name == "Activity" else (object_name,):
                if new.formula is not None:
                    check_formula(self.schema, self.schema.objects[name], new.formula)
                self.schema.put_field(
                    name,
                    replace(new, custom=True, createable=new.formula is None, updateable=new.formula is None),
                )
            self.access.forget()

    def drop_field(self, object_name: str, name: str) -> None:
        """Delete a custom field, its values and what was granted on it."""
        with self.store.lock:
            for target in ("Task", "Event") if object_name == "Activity" else (object_name,):
                self.store.drop_column(target, name)
                self.schema.drop_field(target, name)
                self.store.write(f'DELETE FROM "FieldPermissions" WHERE "Field" = \'{target}.{name}\'')
            self.access.forget()

    def add_object(self, new: ObjectType) -> None:
        """Add a custom object with no rows."""
        with self.store.lock:
            self.schema.put_object(new)
            self.store.create(new.name)
            self.access.forget()

    def add_validation_rule(self, object_name: str, formula: str, message: str) -> None:
        """Refuse records for which the formula is true."""
        check_formula(self.schema, self.schema.objects[object_name], formula)
        self.saver.rules.setdefault(object_name, []).append((formula, message))

    def grant_fields(self, permission_set_id: str, fields: Mapping[str, bool]) -> None:
        """Grant fields (`Account.X__c`: may it be edited?) in a permission set, replacing what was granted on them."""
        with self.store.lock:
            for name, edit in fields.items():
                key = {"ParentId": permission_set_id, "SobjectType": name.partition(".")[0], "Field": name}
                self._replace("FieldPermissions", key, {"PermissionsRead": True, "PermissionsEdit": edit})

    def grant_objects(self, permission_set_id: str, objects: Mapping[str, Sequence[str]]) -> None:
        """Grant rights on objects (`Account`: ["Read", "Edit"]) in a permission set, replacing what was granted."""
        with self.store.lock:
            for name, rights in objects.items():
                self._replace(
                    "ObjectPermissions",
                    {"ParentId": permission_set_id, "SobjectType": name},
                    {
                        f"Permissions{right}": right in rights
                        for right in (
                            "Create",
                            "Read",
                            "Edit",
                            "Delete",
                            "ViewAllRecords",
                            "ModifyAllRecords",
                        )
                    },
                )

    def _replace(self, object_name: str, key: dict[str, str], values: dict[str, Any]) -> None:
        where = " AND ".join(f"{name} = '{value}'" for name, value in key.items())
        found = self.query(f"SELECT Id FROM {object_name} WHERE {where}", self.admin).records(0, 1, "62.0")
        results = (
            self.update(self.admin, object_name, [{"Id": found[0]["Id"], **values}])
            if found
            else self.insert(self.admin, object_name, [{**key, **values}])
        )
        if not results[0].success:
            raise results[0].errors[0].raised()

    def create_permission_set(self, name: str, label: str) -> str:
        """The id of the permission set of this name, made if there is none."""
        with self.store.lock:
            found = self.query(f"SELECT Id FROM PermissionSet WHERE Name = '{name}'", self.admin).records(
                0, 1, "62.0"
            )
            if found:
                return str(found[0]["Id"])
            result = self.insert(self.admin, "PermissionSet", [{"Name": name, "Label": label}])[0]
            return str(result.id)

    def assign(self, permission_set_id: str, user_id: str) -> None:
        """Assign a permission set to a user; again is harmless."""
        with self.store.lock:
            held = self.query(
                f"SELECT Id FROM PermissionSetAssignment WHERE PermissionSetId = '{permission_set_id}' "
                f"AND AssigneeId = '{user_id}'",
                self.admin,
            )
            if held.num_rows == 0:
                self.insert(
                    self.admin,
                    "PermissionSetAssignment",
                    [{"PermissionSetId": permission_set_id, "AssigneeId": user_id}],
                )


def _removed(record_id: str, error: SaveError | None) -> SaveResult:
    return SaveResult(record_id, success=error is None, errors=(error,) if error else ())


def _lines(errors: Sequence[SaveError]) -> str | None:
    """Bulk's one line for all that is wrong with a row."""
    return errors[0].line() if errors else None
