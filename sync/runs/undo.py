"""Undo: take back what a run wrote where the CRM still holds it, hold those fields, and say what was left, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from config.outputs import OBJECTS, written
from config.problems import ConfigProblem, Problem
from sync.ledger import Item
from sync.ledger.gates import TASKS
from sync.pipeline import recorded
from sync.runs.earlier import earlier_run
from sync.runs.putting_back import put_back
from sync.runs.tags_back import keep_tiers
from sync.runs.tasks_back import tasks_back
from sync.stopping import LeaseLost
from sync.writing.change_tasks import JOURNAL as TASK_JOURNAL
from sync.writing.gates import LABELS, check_gates, held_words, holds, written_by
from sync.writing.plan import TASK_CHANGE_SCHEMA, TASK_SCHEMA, Plan, change_schema, written_fields
from sync.writing.selection import EVERYTHING, Selection
from sync.writing.stale import Overtaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.outputs import OutputField
    from sync.job import Job
    from sync.pipeline import Pass
    from sync.report import Report

# What is compared at once, so that the memory for a whole backfill stays bounded.
ROWS = 200_000


def undo(job: Job, run_id: str, selection: Selection = EVERYTHING, *, dry_run: bool = False) -> Report:
    """Put back the old values of a run, or of the fields of a selection, and take its untouched tasks away.

    Raises `ConfigProblem` where there is nothing that can be taken back.
    """
    row = undoable(job, run_id, selection)
    try:
        with recorded(job, "undo", of=run_id) as pass_:
            pass_.report.mode = "preview" if dry_run else "live"
            pass_.report.of = run_id
            overtaken = Overtaken.pulled(pass_)
            plan = _plan(pass_, row, selection)
            if not dry_run:
                check_gates(pass_, plan)
                _hold(pass_, row, plan, selection)
                pass_.apply(plan, [overtaken])
    except LeaseLost as error:
        if row["state"] != "running":
            raise
        raise LeaseLost(f"run {run_id} has not ended: {error}; stop it, or wait, then undo it") from None
    return pass_.report


def undoable(job: Job, run_id: str, selection: Selection = EVERYTHING) -> dict[str, Any]:
    """The run's row. Raises `ConfigProblem`, saying what there is instead, where it cannot be undone."""
    # A word that names nothing is told before a run begins.
    selection.fields(_ours(), job.crm)
    row = earlier_run(job, run_id)
    if row["state"] == "running":
        return row
    sent = [batch for batch in job.ledger.batches(run_id) if batch["state"] != "abandoned"]
    if not sent and not _kept(job, run_id):
        raise _cannot(run_id, f"this {row['command']} wrote nothing: there is nothing to take back")
    undo_id = job.ledger.undone.by(run_id)
    if undo_id is not None and selection.whole:
        fix = f"to take that back in turn: foretag undo {undo_id}"
        raise _cannot(run_id, f"undo {undo_id} has taken it back already", fix)
    if not _kept(job, run_id):
        day = f"{row['started_at']:%Y-%m-%d}"
        raise _cannot(
            run_id,
            f"it wrote on {day}, and its old values are kept no longer: nothing can be put back",
            "`foretag backfill` writes what the rules say now",
        )
    return row


def _ours() -> dict[str, tuple[OutputField, ...]]:
    """Every field that a run may have written, whatever is written now."""
    return {name: written(name, "full") for name in OBJECTS}


def _kept(job: Job, run_id: str) -> bool:
    return any(job.journal.holds(name, run_id) for name in (*OBJECTS, "task", TASK_JOURNAL))


def _cannot(run_id: str, why: str, fix: str = "") -> ConfigProblem:
    return ConfigProblem(Problem(why, where=f"run {run_id}", fix=fix))


def _plan(pass_: Pass, row: Mapping[str, Any], selection: Selection) -> Plan:
    """What goes back, of all fields that the run wrote or of those chosen; what does not is listed."""
    job, report = pass_.job, pass_.report
    report.only = list(selection.only)
    ours = _ours()
    changes: dict[str, pa.Table] = {}
    left: list[Item] = []
    with pass_.timed("plan"):
        for name, fields in selection.fields(ours, job.crm).items():
            changes[name], others = _fields_back(job, name, row["id"], fields)
            left += others
        tasks = TASK_CHANGE_SCHEMA.empty_table()
        if selection.tasks(ours, job.crm):
            tasks, others = tasks_back(job, row["id"])
            left += others
    job.ledger.list_items(report.run, left)
    report.left = len(left)
    plan = Plan(
        changes,
        TASK_SCHEMA.empty_table(),
        tasks,
        (),
        {},
        lambda tags, sent: keep_tiers(tags, job.mirror.buckets(), sent),
    )
    report.planned = plan.sizes
    return plan


def _fields_back(
    job: Job, name: str, run_id: str, fields: tuple[OutputField, ...]
) -> tuple[pa.Table, list[Item]]:
    """The changes that put an object's fields back, and what is left."""
    wrote = job.journal.changes(name, run_id)
    now = job.written(name)
    chosen = tuple(field for field in fields if field in now)
    # Of fields that this connection never wrote yet, the journal has no columns, and so these changes have none.
    changes: list[pa.Table] = []
    left: list[Item] = []
    if wrote is not None:
        left += _no_longer_ours(job, name, wrote, [field for field in fields if field not in now])
        columns = ("id", "name", "owner_id", *(field.name for field in chosen))
        columns = columns if name == "account" else (*columns, "account_id")
        for start in range(0, wrote.num_rows, ROWS):
            part = wrote.slice(start, ROWS)
            back = put_back(name, part, job.mirror.read(name, columns, ids=part["id"]), chosen)
            changes.append(back.changes)
            left += _left(job, name, back.left)
    return pa.concat_tables(changes or [change_schema(name, chosen).empty_table()]), left


def _left(job: Job, name: str, left: pa.Table) -> Iterator[Item]:
    """What another has written since, record by record."""
    noun = job.crm.nouns[name].one
    for row in left.to_pylist():
        if row["gone"]:
            yield Item(name, row["id"], "left", "GONE", f"the {noun} was deleted, or merged into another")
        else:
            labels = ", ".join(LABELS[field] for field in row["fields"])
            message = f"{labels}: changed since, by a person or a later run"
            yield Item(name, row["id"], "left", "CHANGED_SINCE", message)


def _no_longer_ours(job: Job, name: str, wrote: pa.Table, fields: list[OutputField]) -> Iterator[Item]:
    """Fields that the run wrote and that the connection writes no more."""
    told = written_fields(wrote)
    labels = [field.label for field in fields if field.name in told]
    if labels:
        noun = job.crm.nouns[name].one
        message = (
            f"{noun} {', '.join(labels)}: not written here any more (`outputs:` or `writes:` of the settings)"
        )
        yield Item(
            name,
            "",
            "left",
            "NOT_WRITTEN",
            message,
            "let them be written, and undo the run again with --only",
        )


def _hold(pass_: Pass, row: Mapping[str, Any], plan: Plan, selection: Selection) -> None:
    """Before the first write, so that no run undoes the undo, whatever becomes of this process.

    The undo of an undo brings back what the rules want: it ends the hold instead.
    """
    job, gates = pass_.job, pass_.job.ledger.gates
    fields = written_by(plan)
    if job.ledger.undone.times(row) % 2:
        # What was deleted is not made by this: tasks are in no plan of it.
        tasks = [TASKS] if selection.tasks(_ours(), job.crm) else []
        gates.release(job.name, [*fields, *tasks])
    else:
        gates.hold(job.name, pass_.report.run, job.rules.digest, fields)
    pass_.report.held = held_words(job, holds(job))
