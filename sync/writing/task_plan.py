"""Plan tasks: what becomes of those there are, then which new ones fit on the desks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sync.store.embedded import database
from sync.writing.plan import TASK_CHANGE_SCHEMA, TASK_SCHEMA
from sync.writing.task_life import live_on
from sync.writing.task_refusals import without_refused
from sync.writing.tasks import due_tasks, task_key, tasks_in_crm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from config.rules import Rules
    from sync.ledger import Item
    from sync.pipeline import Pass

# What is remembered of ended tasks when new ones are planned: longer than any period, but `once`.
LONGEST_PERIOD = 100


def plan_tasks(pass_: Pass, wanted: pa.Table) -> tuple[pa.Table, pa.Table, list[Item]]:
    """The tasks to make, the changes of those there are, and what must wait, with the reason."""
    job, rules = pass_.job, pass_.job.rules
    in_crm = _in_crm(pass_, rules)
    since = _since(pass_, rules)
    known = job.ledger.our_tasks.recent(job.name, since)
    if _adopt(pass_, wanted, in_crm, known):
        known = job.ledger.our_tasks.recent(job.name, since)
    life = live_on(wanted, in_crm, known, job.connector, _active(pass_), pass_.today)
    if life.seen:
        job.ledger.our_tasks.change(job.name, life.seen)
    life.changes, waiting = without_refused(job.ledger, job.name, life.changes)
    tasks, held_back = due(pass_, wanted, rules, _after(in_crm, life.table))
    return tasks, life.table, [*life.held_back, *waiting, *held_back]


def due(
    pass_: Pass, wanted: pa.Table, rules: Rules, in_crm: pa.Table | None = None
) -> tuple[pa.Table, list[Item]]:
    """Of the wanted tasks those to make, and those that must wait; nothing is noted of those there are."""
    job = pass_.job
    return due_tasks(
        wanted,
        _in_crm(pass_, rules) if in_crm is None else in_crm,
        job.ledger.our_tasks.recent(job.name, _since(pass_, rules)),
        _active(pass_),
        rules.task_limits,
        pass_.today,
        pass_.org.timezone,
    )


def none_due() -> tuple[pa.Table, pa.Table, list[Item]]:
    """Where tasks are off."""
    return TASK_SCHEMA.empty_table(), TASK_CHANGE_SCHEMA.empty_table(), []


def _since(pass_: Pass, rules: Rules) -> date:
    return pass_.today - timedelta(days=max(LONGEST_PERIOD, rules.task_limits.cool_down_days))


def _in_crm(pass_: Pass, rules: Rules) -> pa.Table:
    return tasks_in_crm(pass_.job.mirror, rules.task_limits, pass_.today, _since(pass_, rules))


def _active(pass_: Pass) -> dict[str, bool]:
    """Whether each owner is active, by id."""
    owners = pass_.job.mirror.read("owner", ("id", "active"))
    return dict(zip(owners["id"].to_pylist(), owners["active"].to_pylist(), strict=True))


def _adopt(pass_: Pass, wanted: pa.Table, in_crm: pa.Table, known: pa.Table) -> bool:
    """Write down open tasks of ours that the history does not know, for it may have been lost; whether there were any.

    Those of earlier periods, and those that nobody wants now, bear keys that tell nothing: they are left to people.
    """
    job = pass_.job
    ours = in_crm.filter(pc.and_(pc.is_valid(in_crm["key"]), pc.invert(in_crm["is_closed"])))
    strays = ours.filter(pc.invert(pc.is_in(ours["key"], value_set=known["key"].combine_chunks())))
    strange = {row["key"]: row for row in strays.to_pylist()}
    for key in job.ledger.our_tasks.by_key(job.name, strange)["key"].to_pylist():
        del strange[key]
    if not strange:
        return False
    rows = [
        _adopted(strange[key], key, task, pass_.today)
        for task in wanted.to_pylist()
        if (key := task_key(task["id"], task["rule"], task["period"])) in strange
    ]
    job.ledger.our_tasks.intend(job.name, pass_.report.run, rows)
    job.ledger.our_tasks.settle(job.name, ((row["key"], "done", strange[row["key"]]["id"]) for row in rows))
    return bool(rows)


def _adopted(there: Mapping[str, Any], key: str, task: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A task of which the history knows nothing, as it will know it; what we wrote into it nobody knows."""
    told = {name: task[name] for name in ("rule", "object", "account_id", "period")}
    made_on = there["created_at"].date() if there["created_at"] else today
    return {
        "key": key,
        "record_id": task["id"],
        "owner_id": there["owner_id"] or "",
        "created_on": made_on,
        **told,
    }


def _after(in_crm: pa.Table, changes: pa.Table) -> pa.Table:
    """The tasks in the CRM once these changes are made: room on the desks is given out in the same run."""
    with database(crm=in_crm, changes=changes) as db:
        return (
            db.sql(
                "SELECT crm.* REPLACE (coalesce(changes.owner_id, crm.owner_id) AS owner_id,"
                " crm.is_closed OR changes.ended IS NOT NULL AS is_closed) FROM crm LEFT JOIN changes USING (key)"
            )
            .to_arrow_table()
            .cast(in_crm.schema)
        )
