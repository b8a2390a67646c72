"""A plan as tables on the terminal: who moves, the records that come first, tasks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config.outputs import OBJECTS
from sync.writing.moves import moves

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
    first = plan.tasks.slice(0, _SHOWN).to_pylist()
    talk.table(
        f"Tasks: {plan.tasks.num_rows:,} to make",
        ("due", "subject"),
        [(row["due"], row["subject"]) for row in first],
    )
    talk.table(
        f"Tasks: {plan.task_changes.num_rows:,} to change",
        ("what", "of the rule", "count"),
        _task_changes(plan.task_changes),
        right=("count",),
    )


_BECOMES = {
    "reword": "new words",
    "reassign": "to another owner",
    "close": "closed, with the reason",
    "delete": "taken back, untouched",
}


def _task_changes(changes: pa.Table) -> Iterator[tuple[str, str, int]]:
    """How many of what, rule by rule."""
    counted = Counter(zip(changes["action"].to_pylist(), changes["rule"].to_pylist(), strict=True))
    for (action, rule), count in sorted(counted.items()):
        yield _BECOMES.get(action, action), rule or "", count


def _moved(table: pa.Table) -> Iterator[tuple[str, str, int]]:
    found = moves(table)
    yield from ((old, new, count) for (old, new), count in found.items())
    if stay := table.num_rows - sum(found.values()):
        yield "unchanged", "", stay


def _first(table: pa.Table) -> Iterator[tuple[object, ...]]:
    """The first records by tier and score, as the plan sets them."""
    order = [(name, how) for name, how in zip(_TOLD, ("ascending", "descending"), strict=False)]
    there = [(name, how) for name, how in order if name in table.column_names]
    ordered = table.sort_by(there) if there else table
    for row in ordered.slice(0, _SHOWN).to_pylist():
        yield row["name"], *(row.get(name) for name in _TOLD)
