"""Setting fields of existing records: checked against what may be written, then sent small or in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import ALL_FIELDS, OutputField
from config.records import RECORDS
from connectors.contract import ConfigProblem, Problem
from connectors.salesforce.bulk_write import NULL, BulkWrite
from connectors.salesforce.collections import LOCKED, Collections
from connectors.salesforce.fields import OBJECTS
from connectors.salesforce.outcomes import Outcome, outcome_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connectors.salesforce.api import Api
    from connectors.salesforce.schema import Schema

# Not fields: what every table of changes has beside them.
_ABOUT = frozenset({"id", "parent_id", "clear"})
_WRITABLE_GROUPS = frozenset({"basic", "full"})


class Updates:
    """Writes output fields of accounts and opportunities."""

    def __init__(self, api: Api, schema: Schema, bulk_threshold: int) -> None:
        self._schema = schema
        self._threshold = bulk_threshold
        self._collections = Collections(api)
        self._bulk = BulkWrite(api)

    def update(self, object_name: str, changes: pa.Table) -> pa.Table:
        """As in the contract. A field that is not ours is a `ConfigProblem`, before anything is sent."""
        if not changes.num_rows:
            return outcome_table([], [])
        names = self._names(object_name, changes)
        rows = _as_text(object_name, changes, names)
        rows = rows.sort_by([("parent_id", "ascending"), ("Id", "ascending")]).drop_columns("parent_id")
        outcomes = _refused(rows)
        sendable = rows.filter(pc.invert(pc.is_in(rows["Id"], pa.array(list(outcomes), pa.string()))))
        sendable = sendable.drop_columns("problem")
        outcomes |= self._send(object_name, sendable)
        ids = changes["id"].to_pylist()
        return outcome_table(ids, [outcomes[record_id] for record_id in ids])

    def _names(self, object_name: str, changes: pa.Table) -> dict[str, str]:
        """Salesforce field by canonical column, for every column that is set or cleared."""
        columns = [name for name in changes.column_names if name not in _ABOUT]
        cleared = _cleared(changes)
        wanted = list(dict.fromkeys([*columns, *sorted(cleared)]))
        allowed = writable(object_name)
        if foreign := [name for name in wanted if name not in allowed]:
            raise ConfigProblem(
                *(
                    Problem("is not one of the fields that Foretag writes", where=f"{object_name}.{name}")
                    for name in foreign
                )
            )
        used = [name for name in wanted if name in cleared or changes[name].null_count < changes.num_rows]
        return {name: self._schema.writable(object_name, name) for name in used}

    def _send(self, object_name: str, rows: pa.Table) -> dict[str, Outcome]:
        sf_object = OBJECTS[object_name]
        if rows.num_rows < self._threshold:
            return self._send_small(sf_object, rows)
        outcomes = self._bulk.update(sf_object, rows)
        locked = [record_id for record_id, outcome in outcomes.items() if outcome.code in LOCKED]
        if locked:
            again = rows.filter(pc.is_in(rows["Id"], pa.array(locked, pa.string())))
            # In bulk once more if many; whatever is still locked then goes in small company.
            if again.num_rows >= self._threshold:
                outcomes |= self._bulk.update(sf_object, again)
                locked = [record_id for record_id in locked if outcomes[record_id].code in LOCKED]
                again = rows.filter(pc.is_in(rows["Id"], pa.array(locked, pa.string())))
            outcomes |= self._send_small(sf_object, again)
        return outcomes

    def _send_small(self, sf_object: str, rows: pa.Table) -> dict[str, Outcome]:
        described = self._schema.described(sf_object)
        records = [_record(row, described) for row in rows.to_pylist()]
        outcomes = self._collections.update(sf_object, records) if records else []
        return dict(zip(rows["Id"].to_pylist(), outcomes, strict=True))


def writable(object_name: str) -> dict[str, OutputField]:
    """The fields that a run may write on an object, by canonical name: no formulas, no people's fields."""
    return {
        field.name: field
        for field in ALL_FIELDS
        if object_name in field.objects and field.group in _WRITABLE_GROUPS and field.type != "formula"
    }


def _cleared(changes: pa.Table) -> set[str]:
    if "clear" not in changes.column_names or not changes.num_rows:
        return set()
    return set(pc.unique(pc.list_flatten(changes["clear"].combine_chunks())).to_pylist())


def _as_text(object_name: str, changes: pa.Table, names: Mapping[str, str]) -> pa.Table:
    """Changes as text cells under Salesforce's names; `problem` names a column that cannot be sent.

    Null leaves a field as it is, `#N/A` empties it. An empty text empties, too: Salesforce knows no other.
    """
    types = {column.name: column.type for column in RECORDS[object_name]}
    columns: dict[str, pa.ChunkedArray] = {"Id": changes["id"].cast(pa.string())}
    parent = changes["parent_id"] if "parent_id" in changes.column_names else pa.nulls(changes.num_rows)
    problem = pa.nulls(changes.num_rows, pa.string())
    for name, sf_name in names.items():
        cells = pa.nulls(changes.num_rows, pa.string())
        if name in changes.column_names:
            cells, bad = _cells(changes[name], types[name])
            problem = pc.if_else(bad, pa.scalar(name), problem)
        empty = pc.fill_null(pc.equal(cells, ""), fill_value=False)
        columns[sf_name] = pc.if_else(pc.or_(_clears(changes, name), empty), pa.scalar(NULL), cells)
    return pa.table({**columns, "parent_id": parent, "problem": problem})


def _cells(values: pa.ChunkedArray, kind: pa.DataType) -> tuple[pa.Array, pa.Array]:
    """Text cells of a column, and where a value cannot be sent as it is."""
    values = values.combine_chunks()
    try:
        cells = values.cast(kind).cast(pa.string())
    except pa.ArrowInvalid:
        cells = pa.array([_one_cell(value, kind) for value in values], pa.string())
    unsendable = pc.and_(pc.is_null(cells), pc.is_valid(values))
    return cells, pc.or_(unsendable, pc.fill_null(pc.equal(cells, NULL), fill_value=False))


def _one_cell(value: pa.Scalar, kind: pa.DataType) -> str | None:
    try:
        cell: str | None = value.cast(kind).cast(pa.string()).as_py()
    except pa.ArrowInvalid:
        return None
    return cell


def _clears(changes: pa.Table, name: str) -> pa.Array:
    """For each row whether it empties this field."""
    if "clear" not in changes.column_names:
        return pa.array([False] * changes.num_rows)
    if changes["clear"].null_count == changes.num_rows:
        return pa.array([False] * changes.num_rows)
    return pa.array([name in (cleared or ()) for cleared in changes["clear"].to_pylist()])


def _refused(rows: pa.Table) -> dict[str, Outcome]:
    bad = rows.filter(pc.is_valid(rows["problem"]))
    pairs: Iterable[tuple[str, str]] = zip(bad["Id"].to_pylist(), bad["problem"].to_pylist(), strict=True)
    return {
        record_id: Outcome(
            "refused", "VALUE_NOT_SENDABLE", f"the value of {name} cannot be sent", fields=(name,)
        )
        for record_id, name in pairs
    }


def _record(row: dict[str, Any], described: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A JSON record from text cells: absent leaves a field, null empties it."""
    record: dict[str, Any] = {"id": row.pop("Id")}
    for name, cell in row.items():
        if cell is not None:
            record[name] = None if cell == NULL else _json_value(cell, described[name.lower()]["type"])
    return record


def _json_value(cell: str, sf_type: str) -> Any:
    if sf_type in ("double", "currency", "percent", "int"):
        number = float(cell)
        return int(number) if number.is_integer() else number
    return cell
