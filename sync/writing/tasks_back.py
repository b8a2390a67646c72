"""Take back the tasks that a run made: those that nobody has touched are deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sync.ledger import Item
from sync.writing.plan import TASK_CHANGE_SCHEMA
from sync.writing.task_life import is_touched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.job import Job


def tasks_back(job: Job, run_id: str) -> tuple[pa.Table, list[Item]]:
    """Of the tasks that a run made, those to delete, in `TASK_CHANGE_SCHEMA`, and those that are left, with the reason.

    The CRM is asked how they are now. One that it no longer shows is gone, and nothing is to be done.
    """
    known = {task["key"]: task for task in job.ledger.tasks(job.name) if task["run"] == run_id}
    sent = [key for key, task in known.items() if task["state"] != "refused" and task["ended"] is None]
    ids = {key: known[key]["crm_id"] for key in sent if known[key]["crm_id"]}
    unsure = [key for key in sent if key not in ids]
    if unsure:
        ids |= dict(job.connector.tasks(unsure))
    rows, left = [], []
    for task in job.connector.our_tasks(sorted(ids.values())).to_pylist() if ids else ():
        kept = known[task["key"]]
        if task["is_closed"] or is_touched(task, kept):
            word = "closed" if task["is_closed"] else "begun or changed"
            left.append(Item("task", task["id"], "left", "TOUCHED", f"a person has {word} it"))
        else:
            rows.append(_deletion(task, kept))
    return pa.Table.from_pylist(rows, schema=TASK_CHANGE_SCHEMA), left


def _deletion(task: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": task["key"],
        "crm_id": task["id"],
        "action": "delete",
        "rule": kept["rule"],
        "object": kept["object"],
        "id": kept["record_id"],
        "ended": "undone",
    }
