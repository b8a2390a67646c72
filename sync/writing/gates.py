"""The gates between a plan and the CRM: what an admin, an undo, or a change of the rules has shut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.outputs import OBJECTS, OUTPUT_FIELDS
from sync.ledger.gates import TASKS
from sync.person import person
from sync.stopping import GateShut
from sync.writing.moves import moves
from sync.writing.plan import written_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from config.outputs import OutputField
    from sync.job import Job
    from sync.ledger.gates import Hold
    from sync.pipeline import Pass
    from sync.writing.apply import Check
    from sync.writing.plan import Plan

# What an admin does to take back what was written must not wait for what he has just shut.
WHILE_PAUSED = ("undo",)
# Somebody has read what these write, row by row: they need no word about the rules besides.
READ_BEFORE = ("apply", "undo")

LABELS = {field.name: field.label for field in OUTPUT_FIELDS}


def check_gates(pass_: Pass, plan: Plan) -> None:
    """Raise `GateShut` (exit 75) where a gate is shut, before anything is written."""
    job, command = pass_.job, pass_.report.command
    if command not in WHILE_PAUSED:
        _unless_paused(job, "nothing was written")
    if command not in READ_BEFORE and unapproved(job):
        pass_.report.awaiting = {
            "rules": job.rules.digest,
            "tiers": {name: _steps(plan, name) for name in OBJECTS},
        }
        raise GateShut(
            f"These rules ({job.rules.digest}) are not approved: nothing was written. Tiers would change,"
            f" {_moves_told(job, plan)}. Look at it, and say yes, with `foretag approve`."
        )
    if command != "undo":
        _unless_held(job, plan)


def still_open(pass_: Pass) -> Check:
    """Ends a run before its next portion is sent, once an admin has paused the connection."""

    def check(object_name: str, rows: pa.Table) -> pa.Table:  # noqa: ARG001  # as every check
        if pass_.report.command not in WHILE_PAUSED:
            _unless_paused(pass_.job, "what was not sent yet was not written")
        return rows

    return check


def end_preview(pass_: Pass) -> None:
    """A whole plan was read and applied: from now on runs may write, under these rules."""
    job = pass_.job
    job.ledger.go_live(job.name)
    if unapproved(job):
        job.ledger.gates.approve(job.name, job.rules.digest, person(), f"apply, run {pass_.report.run}")


def unapproved(job: Job) -> bool:
    """Whether the rules wait for somebody's approval."""
    if not approval_wanted(job):
        return False
    approval = job.ledger.gates.approval(job.name)
    return approval is None or approval.rules != job.rules.digest


def approval_wanted(job: Job) -> bool:
    """Whether changed rules must be approved: unless turned off, or on the bundled sandbox."""
    wanted = job.connection.approval
    return not job.connector.org().bundled_sandbox if wanted is None else wanted == "required"


def holds(job: Job) -> list[Hold]:
    """The fields that an undo took back under these rules."""
    return job.ledger.gates.holds(job.name, job.rules.digest)


def without_held(
    job: Job, fields: Mapping[str, tuple[OutputField, ...]]
) -> dict[str, tuple[OutputField, ...]]:
    """Of the fields that may be written, those that no undo holds back."""
    held = {(hold.object, hold.field) for hold in holds(job)}
    return {
        name: tuple(field for field in of_object if (name, field.name) not in held)
        for name, of_object in fields.items()
    }


def tasks_held(job: Job) -> bool:
    """Whether an undo took tasks back, so that no others are made."""
    return any((hold.object, hold.field) == TASKS for hold in holds(job))


def shut(job: Job) -> Iterator[str]:
    """All that keeps the connection, or some of its fields, from being written, in words."""
    gates = job.ledger.gates
    pause = gates.paused(job.name)
    if pause is not None:
        reason = f" ({pause.reason})" if pause.reason else ""
        yield (
            f"paused by {pause.by} on {pause.at:%Y-%m-%d %H:%M} UTC{reason}: nothing is written until"
            " `foretag resume`"
        )
    live = gates.live(job.name)
    if not (job.connector.org().bundled_sandbox if live is None else live):
        yield (
            "in preview: runs write nothing until a whole plan was applied, `foretag plan -o FILE` and"
            " `foretag apply FILE`"
        )
    elif unapproved(job):
        yield f"the rules ({job.rules.digest}) are not approved: nothing is written until `foretag approve`"
    yield from _held_told(job)


def held_words(job: Job, held: Sequence[Hold]) -> str:
    """`account Tier, Why; opportunities (all fields); tasks`: what is held, as people call it."""
    words = []
    for name, noun in job.crm.nouns.items():
        fields = {hold.field for hold in held if hold.object == name}
        labels = [label for field, label in LABELS.items() if field in fields]
        if name == "task":
            words += [noun.many] * bool(fields)
        elif fields and fields >= {field.name for field in job.written(name)}:
            words.append(f"{noun.many} (all {job.crm.field.many})")
        elif labels:
            words.append(f"{noun.one} {', '.join(labels)}")
    return "; ".join(words)


def _held_told(job: Job) -> Iterator[str]:
    by_run: dict[str, list[Hold]] = {}
    for hold in holds(job):
        by_run.setdefault(hold.run, []).append(hold)
    for run, held in by_run.items():
        yield (
            f"taken back by undo {run} and not written until the rules change or `foretag resume`:"
            f" {held_words(job, held)}"
        )


def _unless_paused(job: Job, written: str) -> None:
    pause = job.ledger.gates.paused(job.name)
    if pause is not None:
        reason = f" ({pause.reason})" if pause.reason else ""
        raise GateShut(f"Paused by {pause.by}{reason}: {written}; `foretag resume` lets it write again.")


def _unless_held(job: Job, plan: Plan) -> None:
    """A plan made before an undo may still want what the undo took back."""
    wanted = set(written_by(plan)) if (held := holds(job)) else set()
    found = [hold for hold in held if (hold.object, hold.field) in wanted]
    if found:
        raise GateShut(
            f"Nothing was written: the plan holds what undo {found[0].run} took back ({held_words(job, found)})."
            " Make a new plan, which leaves it out, or let it be written again with `foretag resume`."
        )


def written_by(plan: Plan) -> list[tuple[str, str]]:
    """What a plan would write: pairs of object and field."""
    found = [TASKS] if plan.tasks.num_rows or plan.task_changes.num_rows else []
    return found + [(name, field) for name, rows in plan.changes.items() for field in written_fields(rows)]


def _moves_told(job: Job, plan: Plan) -> str:
    """`accounts: 3 A to B, 1 none to C`: the moves between tiers that a plan would make."""
    told = []
    for name in OBJECTS:
        steps = [f"{count:,} {old} to {new}" for old, new, count in _steps(plan, name)]
        told.append(f"{job.crm.nouns[name].many}: {', '.join(steps) or 'none'}")
    return "; ".join(told)


def _steps(plan: Plan, object_name: str) -> list[tuple[str, str, int]]:
    """From which tier to which, and how many."""
    return [(*step, count) for step, count in moves(plan.changes[object_name]).items()]
