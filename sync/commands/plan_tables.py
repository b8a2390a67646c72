"""A plan as tables on the terminal: who moves, the records that come first, tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.writing.moves import moves
from sync.writing.plan import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from config.crms import Crm
    from sync.talk import Talk
    from sync.writing.plan import Plan

_SHOWN = 10
_TOLD = ("foretag_tier", "foretag_score", "foretag_reason")


def show_plan(talk: Talk, plan: Plan, crm: Crm) -> None:
    """Counts by tier move, then the records themselves, most telling first."""
    for name in OBJECTS:
        table = plan.changes[name]
        talk.table(
            f"{crm.nouns[name].many.capitalize()}: {table.num_rows:,} to write",
            ("tier now", "tier then", "count"),
            _moved(table),
            right=("count",),
        )
        talk.table("", ("name", "tier", "score", "why"), _first(table), right=("score",))
    for title, tasks in (("to make", plan.tasks), ("to change", plan.task_changes)):
        columns = [name for name in ("action", "due", "subject") if name in tasks.column_names]
        rows = tasks.slice(0, _SHOWN).select(columns).to_pylist()
        talk.table(f"Tasks: {tasks.num_rows:,} {title}", columns, [tuple(row.values()) for row in rows])


def _moved(table: pa.Table) -> Iterator[tuple[str, str, int]]:
    found = moves(table)
    yield from ((old, new, count) for (old, new), count in found.items())
    if stay := table.num_rows - sum(found.values()):
        yield "same", "same", stay


def _first(table: pa.Table) -> Iterator[tuple[object, ...]]:
    """The first records by tier and score, as the plan sets them."""
    order = [(name, how) for name, how in zip(_TOLD, ("ascending", "descending"), strict=False)]
    there = [(name, how) for name, how in order if name in table.column_names]
    ordered = table.sort_by(there) if there else table
    for row in ordered.slice(0, _SHOWN).to_pylist():
        yield row["name"], *(row.get(name) for name in _TOLD)
