"""What a plan may touch: which objects, fields and records, of all that the scores want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.problems import ConfigProblem, Problem
from sync.writing.choosing import Chooser
from sync.writing.plan import TASK_SCHEMA
from sync.writing.sample import sampled
from sync.writing.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from config.crms import Crm
    from config.outputs import OutputField
    from sync.store.mirror import Mirror
    from sync.writing.plan import Plan

Ids = Mapping[str, pa.ChunkedArray]


@dataclass(frozen=True)
class Scope:
    """What a plan may touch: `fields` that may be written, by object; of an object without any, nothing.

    `selection` chooses among the records; its days are of `timezone`. `tasks`: whether any are made. `written` are the
    fields that a run would write if nothing narrowed it (None: those of `fields`). `ids`: these records alone, by
    object, and of tasks those with these keys (None: all).
    """

    fields: Mapping[str, tuple[OutputField, ...]]
    selection: Selection = EVERYTHING
    timezone: str = "UTC"
    tasks: bool = True
    written: Mapping[str, tuple[OutputField, ...]] | None = None
    ids: Mapping[str, frozenset[str]] | None = None

    def narrows(self, object_name: str) -> bool:
        """Whether it leaves out fields of an object that a run would write."""
        return self.written is not None and self.written[object_name] != self.fields.get(object_name, ())

    def chooser(self, mirror: Mirror) -> Chooser | None:
        """What chooses the records, bucket by bucket; None if all are chosen. Raises `ConfigProblem`."""
        return Chooser.of(self.selection, mirror, self.timezone) if self.selection.filters else None

    def counted(self, chosen: Ids | None, book: Mapping[str, int], crm: Crm) -> dict[str, int]:
        """How many records are chosen, by object; empty if nothing chooses. Raises `ConfigProblem` if none is."""
        counts = {name: len(ids) for name, ids in (chosen or {}).items()}
        if chosen is not None and not any(counts.values()):
            raise _nobody(self.selection, book, crm)
        return counts

    def narrowed(self, plan: Plan, chosen: Ids | None) -> Plan:
        """Of a plan of the chosen records' changes, what is in the sample, and the tasks of these records."""
        if self.ids is not None:
            plan = _named(plan, self.ids)
        if self.selection.sample is not None and plan.records > self.selection.sample:
            chosen = sampled(plan.changes, self.selection.sample)
            changes = {name: _of(rows, chosen[name]) for name, rows in plan.changes.items()}
            plan = replace(plan, changes=changes)
        if chosen is not None:
            everyone = (
                {one for ids in chosen.values() for one in ids.to_pylist()} if plan.held_back else set()
            )
            plan = replace(
                plan,
                tasks=_tasks_of(plan.tasks, chosen),
                task_changes=_tasks_of(plan.task_changes, chosen),
                held_back=tuple(item for item in plan.held_back if item.record_id in everyone),
            )
        if not self.tasks:
            plan = replace(plan, tasks=TASK_SCHEMA.empty_table(), task_changes=plan.task_changes.slice(0, 0))
        return plan


def _named(plan: Plan, ids: Mapping[str, frozenset[str]]) -> Plan:
    """The changes of these records, and these tasks, alone."""

    def among(rows: pa.Table, name: str, column: str) -> pa.Table:
        return rows.filter(pc.is_in(rows[column], value_set=pa.array(list(ids.get(name, ())), pa.string())))

    return replace(
        plan,
        changes={name: among(rows, name, "id") for name, rows in plan.changes.items()},
        tasks=among(plan.tasks, "task", "key"),
        task_changes=among(plan.task_changes, "task", "key"),
        held_back=tuple(item for item in plan.held_back if item.record_id in ids.get(item.object, ())),
    )


def _nobody(selection: Selection, book: Mapping[str, int], crm: Crm) -> ConfigProblem:
    """What to say of a selection that chooses no record at all."""
    counted = " and ".join(f"{number:,} {crm.nouns[name].many}" for name, number in book.items())
    return ConfigProblem(
        Problem(f"none of {counted} is chosen", where=selection.asked, fix="choose by something else")
    )


def _of(rows: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    return rows.filter(pc.is_in(rows["id"], value_set=ids))


def _tasks_of(tasks: pa.Table, chosen: Ids) -> pa.Table:
    """The tasks about chosen records."""
    return pa.concat_tables(
        [_of(tasks.filter(pc.equal(tasks["object"], name)), ids) for name, ids in chosen.items()]
    )
