"""The org's rows: one DuckDB table per object, whose columns come into being when something is first put there."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

import threading
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from connectors.sandbox.salesforce.formulas import formula_sql
from connectors.sandbox.salesforce.ids import make_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connectors.sandbox.salesforce.schema import Field, ObjectType, Schema

# Values that the org works out at read, in SQL over row `t`.
_OPEN = '(SELECT count(*) FROM "Task" k WHERE k."WhatId" = t."Id" AND NOT k."IsDeleted" AND NOT k."IsClosed"{more}) > 0'
# Of tasks the closed ones count, of events those that have come.
_LAST = (
    'greatest((SELECT max(k."ActivityDate") FROM "Task" k '
    'WHERE NOT k."IsDeleted" AND k."IsClosed" AND k."{key}" = t."Id"), '
    '(SELECT max(e."ActivityDate") FROM "Event" e '
    'WHERE NOT e."IsDeleted" AND e."ActivityDate" <= getvariable(\'today\') AND e."{key}" = t."Id"))'
)
_OLD = 'coalesce(t."ActivityDate", CAST(t."CreatedDate" AS DATE)) <= getvariable(\'today\') - 365'
DERIVED_AT_READ = {
    ("Task", "IsArchived"): f't."IsClosed" AND {_OLD}',
    ("Event", "IsArchived"): _OLD,
    ("Account", "LastActivityDate"): _LAST.format(key="AccountId"),
    ("Opportunity", "LastActivityDate"): _LAST.format(key="WhatId"),
    ("Opportunity", "HasOpenActivity"): _OPEN.format(more=""),
    ("Opportunity", "HasOverdueTask"): _OPEN.format(more=" AND k.\"ActivityDate\" < getvariable('today')"),
}
_SYSTEM = (
    "Id", "OwnerId", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById",
    "SystemModstamp",
)  # fmt: skip
# Columns that these expressions and the save rules lean on, and that must exist from the start.
_ALWAYS = {
    "Task": (
        "WhatId",
        "WhoId",
        "AccountId",
        "IsClosed",
        "IsDeleted",
        "ActivityDate",
        "CreatedDate",
        "Status",
        "Priority",
    ),
    "Event": ("WhatId", "AccountId", "ActivityDate", "CreatedDate"),
    "Case": ("AccountId",),
    "Contact": ("AccountId",),
    "Opportunity": ("AccountId",),
    "Product2": ("Name",),
    "Period": ("StartDate", "EndDate"),
}


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A plain Python value as SQL text."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, Decimal, float)):
        return str(value)
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return "'" + str(value).replace("'", "''") + "'"


class Store:
    """All rows of the org. Hold `lock` for as long as several statements must see one state."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.lock = threading.RLock()
        self._connection = duckdb.connect()
        # In-memory tables are only compressed when asked.
        self._connection.execute("ATTACH ':memory:' AS org (COMPRESS)")
        self._connection.execute("USE org")
        self.columns: dict[str, set[str]] = {}
        self._serials: dict[str, int] = {}

    def load(self, object_name: str, rows: pa.Table) -> None:
        """Make the object's table from rows that have at least an Id column."""
        found = self.schema.objects[object_name]
        names = [name for name in rows.column_names if name in found.fields]
        casts = ", ".join(
            f"CAST({quoted(name)} AS {found.fields[name].sql_type}) AS {quoted(name)}" for name in names
        )
        with self.lock:
            self._connection.register("incoming", rows)
            self._connection.execute(f"CREATE TABLE {quoted(object_name)} AS SELECT {casts} FROM incoming")
            self._connection.unregister("incoming")
            self.columns[object_name] = set(names)
            wanted = (*_SYSTEM, *_ALWAYS.get(object_name, ()))
            self.ensure(object_name, [name for name in wanted if name in found.fields])

    def create(self, object_name: str) -> None:
        """Make an empty table."""
        self.load(object_name, pa.table({"Id": pa.array([], pa.string())}))

    def ensure(self, object_name: str, names: Iterable[str]) -> None:
        """Give these fields a column, filled with their default."""
        found = self.schema.objects[object_name]
        for name in names:
            if name not in self.columns[object_name]:
                one = found.fields[name]
                default = "" if one.default is None else f" DEFAULT {literal(one.default)}"
                self._connection.execute(
                    f"ALTER TABLE {quoted(object_name)} ADD COLUMN {quoted(name)} {one.sql_type}{default}"
                )
                self.columns[object_name].add(name)

    def drop_column(self, object_name: str, name: str) -> None:
        """Forget a field's values."""
        if name in self.columns[object_name]:
            self._connection.execute(f"ALTER TABLE {quoted(object_name)} DROP COLUMN {quoted(name)}")
            self.columns[object_name].discard(name)

    def expression(self, found: ObjectType, one: Field) -> str:
        """SQL that gives the field's value for row `t` of the object's table."""
        derived = DERIVED_AT_READ.get((found.name, one.name))
        if derived is not None:
            return derived
        if one.formula is not None:
            text = formula_sql(self.schema, found, one, self.column)
            return f"CAST({text} AS {one.sql_type})"
        return self.column(found, one, "t")

    def column(self, found: ObjectType, one: Field, alias: str) -> str:
        """SQL for a stored value, which may not have a column yet."""
        if one.name in self.columns[found.name]:
            return f"{alias}.{quoted(one.name)}"
        return f"CAST({literal(one.default)} AS {one.sql_type})"

    def source(self, found: ObjectType, names: Iterable[str], more: Mapping[str, str] | None = None) -> str:
        """A parenthesised SELECT of these fields of the object's table."""
        parts = [f"{self.expression(found, found.fields[name])} AS {quoted(name)}" for name in names]
        parts += [f"{text} AS {quoted(name)}" for name, text in (more or {}).items()]
        return f"(SELECT {', '.join(parts)} FROM {quoted(found.name)} t)"

    def read(self, sql: str, parameters: Mapping[str, Any] | None = None, /, **tables: pa.Table) -> pa.Table:
        """Run a SELECT; keyword arguments are Arrow tables that it may name."""
        with self.lock:
            for name, rows in tables.items():
                self._connection.register(name, rows)
            try:
                # A relation hands over Arrow without a second copy of the rows; its SQL may not hold other statements.
                return self._connection.sql(
                    sql, params=dict(parameters) if parameters else None
                ).to_arrow_table()
            finally:
                for name in tables:
                    self._connection.unregister(name)

    def write(self, sql: str, /, **tables: pa.Table) -> None:
        """Run a statement that changes rows; keyword arguments are Arrow tables that it may name."""
        with self.lock:
            for name, rows in tables.items():
                self._connection.register(name, rows)
            try:
                self._connection.execute(sql)
            finally:
                for name in tables:
                    self._connection.unregister(name)

    def begin(self) -> None:
        """Start a transaction."""
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        """End the transaction."""
        self._connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo the transaction."""
        self._connection.execute("ROLLBACK")

    def set_now(self, now: datetime, today: date) -> None:
        """Tell the SQL of formulas what time it is."""
        self._connection.execute(f"SET VARIABLE now = {literal(now)}")
        self._connection.execute(f"SET VARIABLE today = {literal(today)}")

    def new_ids(self, prefix: str, count: int) -> pa.Array:
        """Ids that no record has had."""
        with self.lock:
            # Data sets count from 1; a run of its own keeps new ids apart from theirs.
            start = self._serials.get(prefix, 62**5)
            self._serials[prefix] = start + count
            return make_ids(prefix, start, count)
