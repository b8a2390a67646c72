"""Take back what a run did with tasks: what it made and nobody touched is deleted, old words and owners return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sync.ledger import Item
from sync.writing.change_tasks import JOURNAL
from sync.writing.plan import TASK_CHANGE_SCHEMA
from sync.writing.task_life import is_touched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Connector
    from sync.job import Job

    Row = Mapping[str, Any]

_UPDATED = ("reword", "reassign")


def tasks_back(job: Job, run_id: str) -> tuple[pa.Table, list[Item]]:
    """The changes of tasks that take a run back, in `TASK_CHANGE_SCHEMA`, and what is left, with the reason.

    The CRM is asked how the tasks are now. One that it shows no more is gone, and nothing is to be done; one that the
    run itself closed or deleted stays so.
    """
    ours = job.ledger.our_tasks
    of_run = _by_key(ours.of_run(job.name, run_id))
    made = {key: task for key, task in of_run.items() if task["ended"] is None}
    ids = _ids(job.connector, [task for task in made.values() if task["state"] != "refused"])
    changed = job.journal.changes(JOURNAL, run_id)
    rows = [row for row in ([] if changed is None else changed.to_pylist()) if row["key"] not in made]
    known = of_run | _by_key(ours.by_key(job.name, [row["key"] for row in rows]))
    ids |= {row["key"]: row["crm_id"] for row in rows if row["action"] in _UPDATED}
    states = job.connector.our_tasks(sorted(ids.values())).to_pylist() if ids else []
    desk = _Desk({state["key"]: state for state in states}, known)
    for key in sorted(made):
        desk.delete(key)
    for row in rows:
        desk.put_back(row)
    return pa.Table.from_pylist(desk.changes, schema=TASK_CHANGE_SCHEMA), desk.left


def _by_key(tasks: pa.Table) -> dict[str, dict[str, Any]]:
    return {task["key"]: task for task in tasks.to_pylist()}


def _ids(connector: Connector, tasks: list[dict[str, Any]]) -> dict[str, str]:
    """Id by key; one that was sent and not confirmed is looked up."""
    ids = {task["key"]: task["crm_id"] for task in tasks if task["crm_id"]}
    unsure = [task["key"] for task in tasks if not task["crm_id"]]
    return ids | (dict(connector.tasks(unsure)) if unsure else {})


@dataclass(frozen=True)
class _Desk:
    """Tasks as the CRM holds them and as the history knows them, by key; what is to be done, and what is left."""

    states: Mapping[str, Row]
    known: Mapping[str, Row]
    changes: list[dict[str, Any]] = field(default_factory=list)
    left: list[Item] = field(default_factory=list)

    def delete(self, key: str) -> None:
        """A task that the run made goes without a trace, unless a person has put a hand to it."""
        if self._ours(key):
            self._change(key, action="delete", ended="undone")

    def put_back(self, row: Row) -> None:
        """Words and owner that the run changed."""
        key = row["key"]
        if row["action"] not in _UPDATED:
            self._leave(row["crm_id"], "ENDED", "a task that was closed or deleted stays so")
        elif key in self.known and self._ours(key):
            swapped = {
                name: row[f"old_{name}"] for name in ("subject", "description", "owner_id") if row[name]
            }
            now = {f"old_{name}": row[name] for name in swapped}
            if "owner_id" in swapped and self.states[key]["owner_id"] != row["owner_id"]:
                self._leave(row["crm_id"], "TOUCHED", "a person has given it to somebody else")
            else:
                self._change(key, action=row["action"], **swapped, **now)

    def _ours(self, key: str) -> bool:
        """Whether it is still there as we left it; else it is told why it stays, if it does."""
        state = self.states.get(key)
        if state is None:
            return False
        if state["is_closed"] or is_touched(state, self.known[key]):
            word = "completed" if state["is_closed"] else "begun or changed"
            self._leave(state["id"], "TOUCHED", f"a person has {word} it")
            return False
        return True

    def _change(self, key: str, **values: Any) -> None:
        task = self.known[key]
        of = {"rule": task["rule"], "object": task["object"], "id": task["record_id"]}
        self.changes.append({"key": key, "crm_id": self.states[key]["id"], **of, **values})

    def _leave(self, task_id: str, code: str, why: str) -> None:
        self.left.append(Item("task", task_id, "left", code, why))
