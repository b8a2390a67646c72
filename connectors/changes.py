"""A table of changes made ready for the wire: only fields of ours, every value as text, the unsendable told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import ALL_FIELDS, OutputField
from config.records import RECORDS
from connectors.contract import ConfigProblem, Problem
from connectors.outcomes import NOT_SENDABLE, Outcome, refused

if TYPE_CHECKING:
    from collections.abc import Iterable

# Not fields: what every table of changes has beside them.
_ABOUT = frozenset({"id", "parent_id", "clear"})
_WRITABLE_GROUPS = frozenset({"basic", "full"})


def writable(object_name: str) -> dict[str, OutputField]:
    """The fields that a run may write on an object, by canonical name: no formulas, no people's fields."""
    return {
        field.name: field
        for field in ALL_FIELDS
        if object_name in field.objects and field.group in _WRITABLE_GROUPS and field.type != "formula"
    }


def changed_fields(object_name: str, changes: pa.Table) -> list[str]:
    """The canonical fields that are set or cleared. One that is not ours is a `ConfigProblem`."""
    cleared = _cleared(changes)
    wanted = list(dict.fromkeys([*_fields(changes), *sorted(cleared)]))
    allowed = writable(object_name)
    if foreign := [name for name in wanted if name not in allowed]:
        raise ConfigProblem(
            *(
                Problem("is not one of the fields that Foretag writes", where=f"{object_name}.{name}")
                for name in foreign
            )
        )
    return [name for name in wanted if name in cleared or changes[name].null_count < changes.num_rows]


def text_cells(object_name: str, changes: pa.Table, names: Iterable[str], empty: str) -> pa.Table:
    """Changes as text under their canonical names, in the order of parent and id; `problem` names what cannot be sent.

    Null leaves a field as it is, the CRM's word `empty` empties it; so does an empty text: a CRM knows no other.
    """
    types = {column.name: column.type for column in RECORDS[object_name]}
    columns: dict[str, pa.ChunkedArray] = {"id": changes["id"].cast(pa.string())}
    parent = changes["parent_id"] if "parent_id" in changes.column_names else pa.nulls(changes.num_rows)
    problem = pa.nulls(changes.num_rows, pa.string())
    for name in names:
        cells = pa.nulls(changes.num_rows, pa.string())
        if name in changes.column_names:
            cells, bad = _cells(changes[name], types[name], empty)
            problem = pc.if_else(bad, pa.scalar(name), problem)
        blank = pc.fill_null(pc.equal(cells, ""), fill_value=False)
        columns[name] = pc.if_else(pc.or_(_clears(changes, name), blank), pa.scalar(empty), cells)
    rows = pa.table({**columns, "parent_id": parent, "problem": problem})
    return rows.sort_by([("parent_id", "ascending"), ("id", "ascending")])


def parted(rows: pa.Table) -> tuple[pa.Table, dict[str, Outcome]]:
    """The rows of `text_cells` that can be sent (id, parent_id and fields), and outcomes of the others."""
    bad = rows.filter(pc.is_valid(rows["problem"]))
    outcomes = {
        record_id: refused(NOT_SENDABLE, f"the value of {name} cannot be sent", (name,))
        for record_id, name in zip(bad["id"].to_pylist(), bad["problem"].to_pylist(), strict=True)
    }
    return rows.filter(pc.is_null(rows["problem"])).drop_columns("problem"), outcomes


def _fields(changes: pa.Table) -> list[str]:
    return [name for name in changes.column_names if name not in _ABOUT]


def _cleared(changes: pa.Table) -> set[str]:
    if "clear" not in changes.column_names or not changes.num_rows:
        return set()
    return set(pc.unique(pc.list_flatten(changes["clear"].combine_chunks())).to_pylist())


def _cells(values: pa.ChunkedArray, kind: pa.DataType, empty: str) -> tuple[pa.Array, pa.Array]:
    """Text cells of a column, and where a value cannot be sent as it is: a text that would mean `empty`, too."""
    values = values.combine_chunks()
    try:
        cells = values.cast(kind).cast(pa.string())
    except pa.ArrowInvalid:
        cells = pa.array([_one_cell(value, kind) for value in values], pa.string())
    unsendable = pc.and_(pc.is_null(cells), pc.is_valid(values))
    if not empty:
        return cells, unsendable
    return cells, pc.or_(unsendable, pc.fill_null(pc.equal(cells, empty), fill_value=False))


def _one_cell(value: pa.Scalar, kind: pa.DataType) -> str | None:
    try:
        cell: str | None = value.cast(kind).cast(pa.string()).as_py()
    except pa.ArrowInvalid:
        return None
    return cell


def _clears(changes: pa.Table, name: str) -> pa.Array:
    """For each row whether it empties this field."""
    if "clear" not in changes.column_names or changes["clear"].null_count == changes.num_rows:
        return pa.array([False] * changes.num_rows)
    return pa.array([name in (cleared or ()) for cleared in changes["clear"].to_pylist()])
