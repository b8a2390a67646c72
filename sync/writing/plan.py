"""The plan: the smallest set of changes that brings the CRM from what it holds to what the scores want."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.records import schema
from sync.store.embedded import database
from sync.store.mirror import bucket_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.outputs import OutputField
    from config.sections.writing import Writing
    from sync.ledger import Item
    from sync.store.tags import TagStore

_PARENT = {"account": "NULL", "opportunity": "held.account_id"}

_EPOCH = date(1970, 1, 1)

# A change of these is worth a write by itself; numbers must move, and the stamp only rides along.
_TELLING = (
    "foretag_tier",
    "foretag_segment",
    "foretag_growth_potential",
    "foretag_next_step",
    "foretag_alert",
)
_NUMBERS = ("foretag_score", "foretag_likelihood", "foretag_growth_score")

TASK_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("rule", pa.string()),
        ("object", pa.string()),
        ("id", pa.string()),
        ("account_id", pa.string()),
        ("opportunity_id", pa.string()),
        ("owner_id", pa.string()),
        ("subject", pa.string()),
        ("description", pa.string()),
        ("due", pa.date32()),
        ("priority", pa.string()),
        ("period", pa.string()),
    ]
)

# What becomes of tasks that are there already. `action`: reword, reassign, close or delete; null: left as it is.
# `ended`: how it ended by that, as the history says; `old_...` what it holds now, of what is changed.
TASK_CHANGE_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("crm_id", pa.string()),
        ("action", pa.string()),
        ("rule", pa.string()),
        ("object", pa.string()),
        ("id", pa.string()),
        ("subject", pa.string()),
        ("description", pa.string()),
        ("owner_id", pa.string()),
        ("due", pa.date32()),
        ("comment", pa.string()),
        ("ended", pa.string()),
        ("old_subject", pa.string()),
        ("old_description", pa.string()),
        ("old_owner_id", pa.string()),
    ]
)

# What a row of a kept plan says beside the change: company and owner by name, a digest of what the score was read
# from, and the tag state that goes with the change.
KEPT = pa.schema(
    [("company", pa.string()), ("owner", pa.string()), ("inputs", pa.string()), ("state", pa.string())]
)


@dataclass(frozen=True)
class Plan:
    """What a run would change.

    `changes` has a table for each object: id, parent_id, name, owner_id; the new value of each field (null: leave as
    it is); `clear`, the fields to empty; and `old_FIELD`, what the CRM holds now. `tasks` (to make) are in
    `TASK_SCHEMA`, `task_changes` (of those there are) in `TASK_CHANGE_SCHEMA`. `held_back` lists what was wanted and
    will not be done, with the reason. `book` counts the records scored. `keep_states` remembers the tag state behind
    the plan; it is called, with the changes, when they are about to be written. `states` is that state, of all records
    scored, as far as it is known.

    A plan that is to be kept also has in each row the columns of `KEPT`; one that was read from a file says when it was
    `made_on`.
    """

    changes: Mapping[str, pa.Table]
    tasks: pa.Table
    task_changes: pa.Table
    held_back: tuple[Item, ...]
    book: Mapping[str, int]
    keep_states: Callable[[TagStore, Mapping[str, pa.Table]], None]
    states: tuple[pa.Table, ...] = ()
    made_on: date | None = None

    @property
    def records(self) -> int:
        """How many records would change."""
        return sum(table.num_rows for table in self.changes.values())

    @property
    def sizes(self) -> dict[str, int]:
        """How many records, and tasks to make or change, by object."""
        tasks = self.tasks.num_rows + self.task_changes.num_rows
        return {name: table.num_rows for name, table in self.changes.items()} | {"task": tasks}


def change_schema(object_name: str, fields: tuple[OutputField, ...]) -> pa.Schema:
    """Columns of a table of changes of these fields."""
    names = [field.name for field in fields]
    types = {field.name: field.type for field in schema(object_name)}
    return pa.schema(
        [(name, pa.string()) for name in ("id", "parent_id", "name", "owner_id")]
        + [(name, types[name]) for name in names]
        + [("clear", pa.list_(pa.string()))]
        + [(f"old_{name}", types[name]) for name in names]
    )


def planned_fields(changes: pa.Table) -> list[str]:
    """The fields of ours that a table of changes tells of."""
    return [name.removeprefix("old_") for name in changes.column_names if name.startswith("old_")]


def written_fields(changes: pa.Table) -> list[str]:
    """Of these, where any record gets a new value or loses the one it has."""
    cleared = set(pc.list_flatten(changes["clear"]).unique().to_pylist())
    return [
        name
        for name in planned_fields(changes)
        if name in cleared or changes[name].null_count < changes.num_rows
    ]


def valid_until(ids: pa.ChunkedArray | pa.Array, today: date, validity: int) -> pa.Array:
    """The day after which each score is stale: the first day d >= today + W/2 with d = hash(id) modulo W.

    A pure function of id and day, so that renewals cost one write per record and window, spread evenly over it.
    Days count from 1970-01-01.
    """
    start = (today - _EPOCH).days + validity // 2
    wait = pc.subtract(bucket_of(ids, validity), start % validity)
    wait = pc.if_else(pc.less(wait, 0), pc.add(wait, validity), wait)
    return pc.cast(pc.add(wait.cast(pa.int32()), pa.scalar(start, pa.int32())), pa.date32())


def changes(
    object_name: str, wanted: pa.Table, held: pa.Table, fields: tuple[OutputField, ...], writing: Writing
) -> pa.Table:
    """The records worth a write, with new and old values.

    `wanted` has id, leave and the fields; `held` is the mirror's table. A record is rewritten when a telling
    field changes, one of its two strongest reasons is new or gone, a number moves by the tolerance, or its validity
    is renewed; then every field that differs is set.
    """
    names = [field.name for field in fields]
    if not names:
        return change_schema(object_name, fields).empty_table()
    new = [f"CASE WHEN w.{n} IS DISTINCT FROM held.{n} THEN w.{n} END AS {n}" for n in names]
    clear = [f"CASE WHEN w.{n} IS NULL AND held.{n} IS NOT NULL THEN '{n}' END" for n in names]
    old = [f"held.{n} AS old_{n}" for n in names]
    # Names come from config.outputs, never from the CRM.
    sql = f"""
        SELECT w.id, {_PARENT[object_name]}::VARCHAR AS parent_id, held.name, held.owner_id, {", ".join(new)},
            list_filter([{", ".join(clear)}], lambda f: f IS NOT NULL) AS clear, {", ".join(old)}
        FROM wanted w JOIN held ON held.id = w.id
        WHERE NOT coalesce(w.leave, FALSE) AND ({" OR ".join(_worth(n, writing) for n in names)})
        ORDER BY parent_id, w.id
    """  # noqa: S608  # names from the schema, no values
    with database(wanted=wanted, held=held) as db:
        return db.sql(sql).to_arrow_table()


def _worth(name: str, writing: Writing) -> str:
    if name in _TELLING:
        return f"w.{name} IS DISTINCT FROM held.{name}"
    if name in _NUMBERS:
        return f"(w.{name} IS NULL) <> (held.{name} IS NULL) OR abs(w.{name} - held.{name}) >= {int(writing.tolerance)}"
    if name == "foretag_reason":
        # Most say the same, to the letter: lines are taken apart only where they do not.
        other = f"w.{name} IS DISTINCT FROM held.{name}"
        return f"CASE WHEN {other} THEN {_says_else(f'w.{name}', f'held.{name}')} ELSE FALSE END"
    if name == "foretag_valid_until":
        return f"w.{name} > held.{name} OR (w.{name} IS NULL) <> (held.{name} IS NULL)"
    return "FALSE"


def _says_else(new: str, held: str) -> str:
    """Whether one line leaves out what is strongest in the other: its head, or one of its two strongest reasons.

    Reasons that only change places are no news: both lines show them.
    """
    shown, seen = _items(new), _items(held)
    return (
        f"({new} IS NULL) <> ({held} IS NULL)"
        f" OR NOT (list_has_all({seen}, {shown}[1:3]) AND list_has_all({shown}, {seen}[1:3]))"
    )


# Of `A 82 by best deal · closes 14 Mar +41`: the usual head, of which tier and score are compared as such, and points.
FIGURES = "^[A-D] [0-9]+( by [a-z ]+)?$| [+-][0-9]+$"
# What is learned from the whole book moves a little each day: estimates, and what weighs most in a chance or a growth
# score. If it moves much, so does the score.
LEARNED = "^(?:(expected spend|score) [0-9][^ ]*|((?:stage|growth potential) [^,]*),.*)$"


def _items(column: str) -> str:
    """The items of a reason, head first, without the numbers that the scores tell."""
    plain = f"regexp_replace(item, '{FIGURES}', '')"
    return (
        f"list_transform(string_split({column}, ' · '),"
        f" lambda item: regexp_replace({plain}, '{LEARNED}', '\\1\\2'))"
    )
