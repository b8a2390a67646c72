"""What a query found, as a snapshot of columns, and its wire forms: JSON records and Bulk's CSV columns."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import duckdb

from connectors.sandbox.salesforce.schema import TEXT_TYPES, ObjectType
from connectors.sandbox.salesforce.store import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import pyarrow as pa

    from connectors.sandbox.salesforce.queries import Output, Plan
    from connectors.sandbox.salesforce.schema import Schema

# A text area up to this length is not a long one.
LONGEST_SHORT_TEXT = 255
_FLOATS = frozenset({"double", "currency", "percent"})
# Formatting needs no data of the org, so threads may do it side by side, each with its own cursor. The cursors wait
# here: one that hung on its thread would be freed by it, and where that thread ends with the process, so does DuckDB
# with an abort.
_FORMATTER = duckdb.connect()
_IDLE: deque[duckdb.DuckDBPyConnection] = deque()


def wire_moment(moment: datetime) -> str:
    """A stamp as REST writes it."""
    return f"{moment.isoformat(timespec='milliseconds')}+0000"


_JSON: dict[str, Callable[[Any], Any]] = {
    "datetime": wire_moment,
    "date": lambda day: day.isoformat(),
    "time": lambda time: f"{time.isoformat(timespec='milliseconds')}Z",
    "double": float,
    "currency": float,
    "percent": float,
    "int": int,
    "long": int,
}


def wire_value(kind: str, value: Any) -> Any:
    """A value as REST writes it."""
    write = _JSON.get(kind)
    return value if value is None or write is None else write(value)


def _csv_sql(name: str, kind: str) -> str:
    """A column as Bulk API writes it; null as an empty text."""
    if kind == "datetime":
        text = f"replace(CAST(CAST({name} AS TIMESTAMP_MS) AS VARCHAR), ' ', 'T')"
        text = f"CASE WHEN length({text}) = 19 THEN {text} || '.000Z' ELSE rpad({text}, 23, '0') || 'Z' END"
    elif kind in _FLOATS:
        text = f"CAST(CAST({name} AS DOUBLE) AS VARCHAR)"
    elif kind in TEXT_TYPES:
        text = name
    else:
        text = f"CAST({name} AS VARCHAR)"
    return f"coalesce({text}, '')"


class Result:
    """The rows of one level of a query, and of the levels below it."""

    def __init__(self, plan: Plan, rows: pa.Table, children: Mapping[str, Result], schema: Schema) -> None:
        self._plan, self._rows, self._children, self._schema = plan, rows, children, schema
        self._places: dict[str, list[int]] | None = None
        self.object_name = plan.found.name
        self.columns: list[Output] = plan.outputs
        self.num_rows = 0 if plan.bare_count else rows.num_rows
        self.total_size = rows["c0"][0].as_py() if plan.bare_count else rows.num_rows

    def records(self, start: int, stop: int, version: str) -> list[dict[str, Any]]:
        """Rows [start, stop) as wire JSON; version like "62.0"."""
        rows = (
            self._rows.slice(start, max(stop - start, 0))
            if not self._plan.bare_count
            else self._rows.slice(0, 0)
        )
        base = f"/services/data/v{version.removeprefix('v')}/sobjects"
        return [self._record(row, base, version) for row in rows.to_pylist()]

    @property
    def long_texts(self) -> int:
        """How many custom long text fields are selected."""
        fields = [output.field for output in self.columns if output.field is not None]
        return sum(
            one.custom and one.type == "textarea" and one.length > LONGEST_SHORT_TEXT for one in fields
        )

    def page_stop(self, start: int, rows: int) -> int:
        """Where a page of so many rows ends: the rows of child queries count too, but one row always fits."""
        last = min(start + rows, self.num_rows)
        if not self._children:
            return last
        parents = self._rows[self._plan.parents[()][0]].slice(start, max(last - start, 0)).to_pylist()
        for place, parent in enumerate(parents):
            rows -= 1 + sum(child.size_under(parent) for child in self._children.values())
            if rows < 0:
                return start + max(place, 1)
        return last

    def _record(self, row: dict[str, Any], base: str, version: str) -> dict[str, Any]:
        if self._plan.grouped:
            record: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
            return record | {
                output.names[0]: wire_value(output.type, row[output.column]) for output in self.columns
            }
        record = {}
        self._head(record, (), row, base)
        for output in self.columns:
            self._put(record, output, row, base)
        for name, child in self._children.items():
            record[name] = child.under(row[self._plan.parents[()][0]], version)
        return record

    def _head(self, record: dict[str, Any], way: tuple[str, ...], row: dict[str, Any], base: str) -> None:
        column, found = self._plan.parents[way]
        record["attributes"] = self._attributes(found, row[column], base)

    def _attributes(self, found: ObjectType, record_id: str, base: str) -> dict[str, str]:
        # The parent behind a polymorphic reference is what its id says it is, but its type is Name.
        actual = self._schema.by_prefix(record_id) if found.prefix is None else found
        return {"type": found.name, "url": f"{base}/{(actual or found).name}/{record_id}"}

    def _put(self, record: dict[str, Any], output: Output, row: dict[str, Any], base: str) -> None:
        target = record
        for length in range(1, len(output.names)):
            way = output.names[:length]
            if row[self._plan.parents[way][0]] is None if way in self._plan.parents else False:
                target[way[-1]] = None
                return
            if way[-1] not in target:
                target[way[-1]] = {}
                if way in self._plan.parents:
                    self._head(target[way[-1]], way, row, base)
            target = target[way[-1]]
        target[output.names[-1]] = self._value(output, row, base)

    def _value(self, output: Output, row: dict[str, Any], base: str) -> Any:
        if output.choices is not None:
            return self._typed(output, row, base)
        if not output.parts:
            return wire_value(output.type, row[output.column])
        parts = {name: row[column] for name, column in output.parts}
        if all(value is None for value in parts.values()):
            return None
        return {
            name: float(value) if name in {"latitude", "longitude"} and value is not None else value
            for name, value in sorted(parts.items())
        }

    def _typed(self, output: Output, row: dict[str, Any], base: str) -> dict[str, Any] | None:
        key = row[output.column]
        found = self._schema.by_prefix(key) if key else None
        if found is None or output.choices is None:
            return None
        record: dict[str, Any] = {"attributes": self._attributes(found, key, base)}
        for one in output.choices.get(found.name, output.choices.get("", ())):
            record[one.names[0]] = self._value(one, row, base)
        return record

    def under(self, parent_id: str, version: str) -> dict[str, Any] | None:
        """The child records of one parent, as a query result of their own."""
        places = self._by_parent().get(parent_id)
        if not places:
            return None
        records = [self.records(place, place + 1, version)[0] for place in places]
        return {"totalSize": len(records), "done": True, "records": records}

    def size_under(self, parent_id: str) -> int:
        """Rows of one parent, and of what is below them."""
        places = self._by_parent().get(parent_id, ())
        if not self._children:
            return len(places)
        keys = self._rows[self._plan.parents[()][0]]
        below = sum(child.size_under(keys[at].as_py()) for at in places for child in self._children.values())
        return len(places) + below

    def _by_parent(self) -> dict[str, list[int]]:
        if self._places is None:
            self._places = {}
            for place, parent in enumerate(self._rows[self._plan.parent_column].to_pylist()):
                self._places.setdefault(parent, []).append(place)
        return self._places

    def csv_table(self, start: int, stop: int) -> pa.Table:
        """Rows [start, stop) as strings in Bulk CSV form, columns in SELECT order."""
        texts = [
            f"{_csv_sql(output.column, output.type)} AS {quoted(output.header)}" for output in self.columns
        ]
        try:
            cursor = _IDLE.pop()
        except IndexError:
            cursor = _FORMATTER.cursor()
        cursor.register("page", self._rows.slice(start, max(stop - start, 0)))
        try:
            return cursor.sql(f"SELECT {', '.join(texts)} FROM page").to_arrow_table()
        finally:
            cursor.unregister("page")
            _IDLE.append(cursor)

    def column_metadata(self) -> dict[str, Any]:
        """The reply to ?columns=true, which the sf CLI needs."""
        columns: list[dict[str, Any]] = []
        for output in self.columns:
            level = columns
            for name in output.names[:-1]:
                found = next((one for one in level if one["columnName"] == name), None)
                if found is None:
                    found = _column(name, None, foreign=self._foreign_key(name))
                    level.append(found)
                level = found["joinColumns"]
            level.append(_column(output.names[-1], output))
        columns += [
            _column(name, None)
            | {"aggregate": True, "joinColumns": child.column_metadata()["columnMetadata"]}
            for name, child in self._children.items()
        ]
        return {
            "columnMetadata": columns,
            "entityName": self.object_name,
            "groupBy": self._plan.grouped,
            "idSelected": any(output.names == ("Id",) for output in self.columns),
            "keyPrefix": self._plan.found.prefix,
        }

    def _foreign_key(self, relationship: str) -> str | None:
        way = self._plan.found.relation(relationship)
        return way.name if way else None


def _column(name: str, output: Output | None, foreign: str | None = None) -> dict[str, Any]:
    kind, one = (output.type, output.field) if output else ("", None)
    apex = {
        "datetime": "Datetime",
        "date": "Date",
        "boolean": "Boolean",
        "int": "Integer",
        "id": "Id",
        "reference": "Id",
    }
    return {
        "aggregate": output.aggregate if output else False,
        "apexType": apex.get(kind, "Double" if kind in _FLOATS else "String") if output else None,
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": one.custom if one else False,
        "displayName": name,
        "foreignKeyName": foreign,
        "insertable": one.createable if one else False,
        "joinColumns": [],
        "numberType": kind in _FLOATS or kind in {"int", "long"},
        "textType": kind in TEXT_TYPES and kind not in {"id", "reference"},
        "updatable": one.updateable if one else False,
    }
