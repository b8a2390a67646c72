"""Plan files: a plan as one Parquet file that says whose it is, to be read, kept and applied later."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from config.outputs import written
from config.problems import ConfigProblem, Problem
from sync.store.files import write_whole
from sync.writing.plan import OBJECTS, TASK_CHANGE_SCHEMA, TASK_SCHEMA, Plan, change_schema

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
_HEADER = b"foretag"


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """Whose plan it is. A plan is applied only to the org, and under the rules, that it was made for."""

    connection: str
    org_id: str
    org_name: str
    production: bool
    rules: str
    outputs: Literal["basic", "full"]
    today: str
    run: str
    planned: dict[str, int]
    book: dict[str, int]
    format: int = FORMAT


def write_plan(path: Path, plan: Plan, header: PlanHeader) -> None:
    """Write a plan file (mode 0600: it holds company names), whole or not at all."""
    parts = [_labelled(name, plan.changes[name]) for name in OBJECTS] + [_labelled("task", plan.tasks)]
    table = pa.concat_tables(parts, promote_options="default")
    table = table.replace_schema_metadata({_HEADER: json.dumps(asdict(header))})
    content = pa.BufferOutputStream()
    pq.write_table(table, content)
    write_whole(path, content.getvalue().to_pybytes())


def read_plan(path: Path) -> tuple[PlanHeader, Plan]:
    """Read a plan file back. Raises `ConfigProblem` if it is none, damaged, or of another version."""
    try:
        table = pq.read_table(path)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or 'it is damaged or cut short'}") from None
    except pa.ArrowInvalid:
        raise _unusable(path, "is not a plan file, or it is damaged or cut short") from None
    text = (table.schema.metadata or {}).get(_HEADER)
    if text is None:
        raise _unusable(path, "is a Parquet file, but not a plan")
    fields = json.loads(text)
    if fields.get("format") != FORMAT:
        raise _unusable(path, f"was written by another version of Foretag (format {fields.get('format')})")
    header = PlanHeader(**fields)
    changes = {
        name: _part(table, name, change_schema(name, written(name, header.outputs))) for name in OBJECTS
    }
    return header, Plan(
        changes,
        _part(table, "task", TASK_SCHEMA, kind="record"),
        TASK_CHANGE_SCHEMA.empty_table(),
        (),
        header.book,
        lambda *_: None,
    )


def mismatches(
    header: PlanHeader, *, connection: str, org_id: str, rules: str, outputs: str
) -> list[Problem]:
    """What differs between the place a plan was made for and the place it would be applied to."""
    pairs = (
        ("connection", header.connection, connection),
        ("org", header.org_id, org_id),
        ("rules digest", header.rules, rules),
        ("outputs setting", header.outputs, outputs),
    )
    return [
        Problem(f"the plan was made with {what} {planned}, here it is {here}", fix="make a new plan")
        for what, planned, here in pairs
        if planned != here
    ]


def _labelled(name: str, table: pa.Table) -> pa.Table:
    if name == "task":
        table = table.rename_columns(
            ["record" if column == "object" else column for column in table.column_names]
        )
    return table.add_column(0, "object", pa.repeat(pa.scalar(name), table.num_rows))


def _part(table: pa.Table, name: str, schema: pa.Schema, kind: str | None = None) -> pa.Table:
    rows = table.filter(pc.equal(table["object"], name)).drop_columns(["object"])
    if kind is not None:
        rows = rows.rename_columns(["object" if column == kind else column for column in rows.column_names])
    return rows.select(schema.names).cast(schema)


def _unusable(path: Path, message: str) -> ConfigProblem:
    return ConfigProblem(Problem(message, where=str(path), fix="make a new one with `foretag plan -o FILE`"))
