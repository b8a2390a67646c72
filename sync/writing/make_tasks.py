"""Make tasks: their keys written down first, so that none is ever made twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.records import schema
from sync.writing.task_texts import content, gist

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sync.writing.apply import Applied, Applier

_SENT = ("key", "subject", "description", "owner_id", "account_id", "opportunity_id", "due", "priority")
_REMEMBERED = ("key", "rule", "period", "owner_id", "object", "account_id", "due")
_COPIED = ("key", "owner_id", "account_id", "opportunity_id", "due")


def make_tasks(applier: Applier, tasks: pa.Table, applied: Applied) -> None:
    """Make the tasks of a plan, in `TASK_SCHEMA`, counting outcomes into `applied`."""
    tasks = applier.checked("task", tasks)
    if not tasks.num_rows:
        return
    ours = applier.ledger.our_tasks
    number = applier.intend("task", tasks)
    ours.intend(applier.connection, applier.run_id, (_told(applier, row) for row in tasks.to_pylist()))
    with applier.in_doubt(number, "task", tasks, applied):
        outcomes = applier.connector.upsert_tasks(tasks.select(_SENT))
        # One that slept through its expiry must not record over what another run did since.
        applier.ledger.leases.renew(applier.lease)
        # That it waits before that it was refused: a task that was refused and waits nowhere would never be made.
        applier.waiting.note("task", tasks, outcomes, applier.run_id)
        ours.settle(applier.connection, _states(outcomes))
        applier.mirror.append("task", _made(tasks, outcomes))
        applier.settle("task", number, outcomes)
    applied.count("task", outcomes)
    applier.require_crm(outcomes)


def _told(applier: Applier, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the history knows of a task that is about to be made."""
    words = row["subject"], row["description"]
    return {name: row[name] for name in _REMEMBERED} | {
        "record_id": row["id"],
        "created_on": applier.today,
        "content": content(*words),
        "gist": gist(*words),
    }


def _states(outcomes: pa.Table) -> Iterator[tuple[str, str, str | None]]:
    """Key, state and the CRM's id; one refused for the moment alone is wanted still."""
    states = pc.if_else(outcomes["passing"], "intended", outcomes["status"])
    columns = (outcomes["id"], states, outcomes["crm_id"])
    yield from zip(*(column.to_pylist() for column in columns), strict=True)


def _made(tasks: pa.Table, outcomes: pa.Table) -> pa.Table:
    """The tasks that now exist, as the mirror keeps tasks."""
    made = {row["id"]: row for row in outcomes.to_pylist() if row["status"] == "done" and row["crm_id"]}
    rows = [
        {
            **{name: row[name] for name in _COPIED},
            "id": made[row["key"]]["crm_id"],
            "is_closed": False,
            "created_at": made[row["key"]]["modified_at"],
            "modified_at": made[row["key"]]["modified_at"],
        }
        for row in tasks.to_pylist()
        if row["key"] in made
    ]
    return pa.Table.from_pylist(rows, schema=schema("task"))
