"""What an org tells: describes, queries, single records, and what changed since."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.sandbox.salesforce.describe import describe_field, describe_object, summary
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.frames import Context
from connectors.sandbox.salesforce.ids import long_id
from connectors.sandbox.salesforce.org_state import OrgState
from connectors.sandbox.salesforce.queries import Plan, Planner
from connectors.sandbox.salesforce.results import Result as QueryResult
from connectors.sandbox.salesforce.results import wire_moment
from connectors.sandbox.salesforce.soql import parse
from connectors.sandbox.salesforce.store import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.sandbox.salesforce.parties import User
    from connectors.sandbox.salesforce.schema import ObjectType


# How far back one may ask what was changed or deleted, and how long deleted records stay in the bin.
PERIOD_DAYS, BIN_DAYS = 30, 15
MAX_IDS = 600_000


class OrgReads(OrgState):
    """Reads, each as one user sees it; a refusal of the whole request raises `SalesforceError`."""

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

    def updated(self, user: User, object_name: str, start: datetime, end: datetime) -> dict[str, Any]:
        """GET /sobjects/T/updated: {"ids", "latestDateCovered"}. Raises EXCEEDED_ID_LIMIT above 600,000."""
        found, first, last = self._period(user, object_name, start, end)
        self._settle()
        rows = self.store.read(
            f'SELECT "Id" FROM {quoted(found.name)} t WHERE "SystemModstamp" >= $first AND "SystemModstamp" < $last '
            f'AND NOT {self._gone(found)} ORDER BY "SystemModstamp", "Id"',
            {"first": first, "last": last},
        )
        _check_count(rows.num_rows)
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
        if self.now() - first > timedelta(days=PERIOD_DAYS):
            message = f"startDate cannot be more than {PERIOD_DAYS} days ago"
            raise SalesforceError("INVALID_REPLICATION_DATE", message)
        return found, first, last

    def _gone(self, found: ObjectType) -> str:
        return (
            self.store.column(found, found.fields["IsDeleted"], "t")
            if "IsDeleted" in found.fields
            else "FALSE"
        )

    def deleted(self, user: User, object_name: str, start: datetime, end: datetime) -> dict[str, Any]:
        """GET /sobjects/T/deleted: {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}.

        Raises EXCEEDED_ID_LIMIT above 600,000.
        """
        found, first, last = self._period(user, object_name, start, end)
        self._settle()
        earliest = self.now() - timedelta(days=BIN_DAYS)
        rows = self.store.read(
            f'SELECT "Id", "SystemModstamp" AS at FROM {quoted(found.name)} t WHERE "SystemModstamp" >= $first '
            f'AND "SystemModstamp" < $last AND {self._gone(found)} ORDER BY "SystemModstamp", "Id"',
            {"first": max(first, earliest), "last": last},
        ).to_pylist()
        _check_count(len(rows))
        return {
            "deletedRecords": [
                {"deletedDate": wire_moment(row["at"].replace(microsecond=0)), "id": row["Id"]}
                for row in rows
            ],
            "earliestDateAvailable": wire_moment(earliest),
            "latestDateCovered": wire_moment(min(last, self.now())),
        }


def _used(sql: str, parameters: dict[str, object]) -> dict[str, object]:
    """The parameters that one statement of a query names: DuckDB refuses others."""
    names = set(re.findall(r"\$(v\d+)", sql))
    return {name: value for name, value in parameters.items() if name in names}


def _check_count(ids: int) -> None:
    if ids > MAX_IDS:
        raise SalesforceError(
            "EXCEEDED_ID_LIMIT", f"the number of ids exceeds {MAX_IDS}; ask for a shorter period"
        )
