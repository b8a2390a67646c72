"""A plan as the rows of one table, as plan files keep it, and back; and the digest by which a change of it shows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import OBJECTS, OutputField, written
from sync.writing.plan import KEPT, TASK_CHANGE_SCHEMA, TASK_SCHEMA, Plan, change_schema, planned_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

Fields = dict[str, list[str]]

TASK, TASK_CHANGE = "task", "task change"

# What people look for first; then the fields, then the tasks, then what only Foretag needs.
_FIRST = pa.schema(
    [
        ("no", pa.int64()),
        ("object", pa.string()),
        *((name, pa.string()) for name in ("id", "company", "owner")),
    ]
)
_LAST = pa.schema(
    [(name, pa.string()) for name in ("parent_id", "owner_id", "inputs", "state")],
)
# The list of fields to empty is one text, so that each format can hold it.
_SEPARATOR = ", "
# Of tasks: the object that they are about; `object` tells what the row itself is.
_ABOUT = "about"


def fields_of(plan: Plan) -> Fields:
    """The fields of ours that a plan may write, by object."""
    return {name: planned_fields(table) for name, table in plan.changes.items()}


def rows_of(plan: Plan) -> pa.Table:
    """All rows of a plan in their order, in the schema of `row_schema(fields_of(plan))`."""
    wanted = row_schema(fields_of(plan))
    parts = [_row_table(name, plan.changes[name]) for name in OBJECTS]
    parts += [_row_table(TASK, plan.tasks), _row_table(TASK_CHANGE, plan.task_changes)]
    table = pa.concat_tables(parts, promote_options="default")
    table = table.append_column("no", pa.array(np.arange(1, table.num_rows + 1), pa.int64()))
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in wanted
    ]
    return pa.table(columns, schema=wanted)


def plan_of(rows: pa.Table, fields: Fields, book: Mapping[str, int]) -> Plan:
    """The plan that these rows tell."""
    changes = {
        name: _part(rows, name, pa.schema([*change_schema(name, _output_fields(name, fields)), *KEPT]))
        for name in OBJECTS
    }
    return Plan(
        changes,
        _part(rows, TASK, pa.schema([*TASK_SCHEMA, *KEPT])),
        _part(rows, TASK_CHANGE, pa.schema([*TASK_CHANGE_SCHEMA, *KEPT])),
        (),
        dict(book),
        # Each row brings its state, which is kept when the row is about to be sent.
        lambda *_: None,
    )


def row_schema(fields: Fields) -> pa.Schema:
    """The columns of a plan's rows."""
    of_fields: dict[str, pa.DataType] = {}
    for name in OBJECTS:
        types = change_schema(name, _output_fields(name, fields))
        for field in fields[name]:
            of_fields |= {field: types.field(field).type, f"old_{field}": types.field(field).type}
    tasks = {
        field.name: field.type
        for field in (*TASK_SCHEMA, *TASK_CHANGE_SCHEMA)
        if field.name not in ("id", "object", "owner_id")
    }
    middle = {**of_fields, "clear": pa.string(), _ABOUT: pa.string(), **tasks}
    return pa.schema([*_FIRST, *middle.items(), *_LAST])


def digest_of(header: bytes, rows: pa.Table) -> str:
    """Twenty hex digits of a header and all cells of the rows: a cell, a row or a word changed changes them."""
    digest = hashlib.blake2b(header, digest_size=10)
    for name in rows.column_names:
        column = rows[name]
        digest.update(name.encode())
        digest.update(np.packbits(pc.is_valid(column).to_numpy().astype(np.bool_)).tobytes())
        texts = pc.fill_null(column.cast(pa.large_string()), "")
        digest.update(pc.binary_length(texts).to_numpy().astype("<i8").tobytes())
        for chunk in texts.chunks:
            _, offsets, content = chunk.buffers()
            if content is not None:
                places = np.frombuffer(offsets, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
                digest.update(memoryview(content)[int(places[0]) : int(places[-1])])
    return digest.hexdigest()


def _output_fields(object_name: str, fields: Fields) -> tuple[OutputField, ...]:
    """Our fields of these names. Raises `KeyError` for one that is not ours."""
    ours = {field.name: field for field in written(object_name, "full")}
    return tuple(ours[name] for name in fields[object_name])


def _row_table(kind: str, table: pa.Table) -> pa.Table:
    """A part of a plan as rows: of a deal not its name, which may say anything, but the company's."""
    names = {"object": _ABOUT}
    if "company" in table.column_names:
        table = table.drop_columns([name for name in ("name",) if name in table.column_names])
    elif kind == "account":
        names["name"] = "company"
    table = table.rename_columns([names.get(name, name) for name in table.column_names])
    if "name" in table.column_names:
        table = table.drop_columns(["name"])
    if "clear" in table.column_names:
        place = table.schema.get_field_index("clear")
        # A list without items joins to an empty text.
        table = table.set_column(place, "clear", pc.binary_join(table["clear"], _SEPARATOR))
    return table.append_column("object", pa.repeat(pa.scalar(kind), table.num_rows))


def _part(rows: pa.Table, kind: str, wanted: pa.Schema) -> pa.Table:
    chosen = rows.filter(pc.equal(rows["object"], kind))
    named = {"object": _ABOUT} | ({"name": "company"} if "name" in wanted.names else {})
    columns = []
    for field in wanted:
        column = chosen[named.get(field.name, field.name)]
        if field.name == "clear":
            texts = pc.fill_null(column, "")
            column = pc.if_else(
                pc.equal(texts, ""),
                pa.scalar([], pa.list_(pa.string())),
                pc.split_pattern(texts, _SEPARATOR),
            )
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=wanted)
