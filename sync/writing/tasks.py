"""Which of the wanted tasks are due: keys that make each one unique, and limits that spare the reps."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from sync.ledger import Item
from sync.writing.plan import TASK_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from config.sections.writing import TaskLimits


def task_key(record_id: str, rule: str, period: str) -> str:
    """The deterministic key of a task: one for each record, rule and period, whoever makes it, however often."""
    digest = hashlib.blake2b(f"{record_id}\n{rule}\n{period}".encode(), digest_size=16)
    return f"foretag-{digest.hexdigest()}"


def due_tasks(
    wanted: pa.Table,
    in_crm: pa.Table,
    known: Iterable[Mapping[str, Any]],
    active_owners: Mapping[str, bool],
    limits: TaskLimits,
    today: date,
    timezone: str,
) -> tuple[pa.Table, list[Item]]:
    """The wanted tasks that fit the limits, best first, and the others with the reason why not.

    `wanted` is `Tagged.tasks`; `in_crm` the mirror's tasks (other people's open activities and all of ours);
    `known` the ledger's task keys. What has been made already is neither due nor held back.
    """
    desk = _Desk.of(in_crm, known, limits, today, ZoneInfo(timezone))
    due: list[dict[str, Any]] = []
    held_back: list[Item] = []
    for row in sorted(wanted.to_pylist(), key=lambda row: (-(row["score"] or 0), row["id"], row["rule"])):
        row["key"] = task_key(row["id"], row["rule"], row["period"])
        if row["key"] in desk.made:
            continue
        reason = _inactive(row, active_owners) or desk.objection(row)
        if reason:
            held_back.append(Item("task", row["id"], "held_back", row["rule"], reason))
        else:
            desk.take(row)
            due.append(row)
    return pa.Table.from_pylist(due, schema=TASK_SCHEMA), held_back


def _inactive(row: Mapping[str, Any], active_owners: Mapping[str, bool]) -> str:
    if active_owners.get(row["owner_id"] or "", False):
        return ""
    return "its owner is not active: give the record to somebody who is"


class _Desk:
    """What lies on each rep's desk, and how much more may be put there."""

    def __init__(self, limits: TaskLimits, today: date) -> None:
        self._limits = limits
        self._today = today
        self.made: set[str] = set()
        self._open: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._touched: dict[tuple[str, str], date] = {}
        self._last: dict[tuple[str, str], date] = {}

    @classmethod
    def of(
        cls,
        in_crm: pa.Table,
        known: Iterable[Mapping[str, Any]],
        limits: TaskLimits,
        today: date,
        zone: ZoneInfo,
    ) -> _Desk:
        desk = cls(limits, today)
        counted = set()
        for task in in_crm.to_pylist():
            if task["key"] is None:
                desk._count_activity(task)
            else:
                counted.add(task["key"])
                desk._count_ours(task, _local_date(task["created_at"], zone))
        for task in known:
            desk._count_known(task, counted=task["key"] in counted)
        return desk

    def objection(self, row: Mapping[str, Any]) -> str:
        """Why this task must wait; empty if it need not."""
        limits, owner = self._limits, row["owner_id"]
        last = self._last.get((row["id"], row["rule"]))
        if last is not None and (self._today - last).days < limits.cool_down_days:
            return f"the same task was made on {last}: once in {limits.cool_down_days} days is enough"
        near = self._touched.get((owner, row["account_id"] or row["id"]))
        if near is not None:
            return f"the owner already has an open activity there, due {near}"
        if self._open[owner] >= limits.open_per_owner:
            return f"the owner already has {limits.open_per_owner} open tasks of ours"
        if self._new[owner] >= limits.new_per_owner_and_day:
            return f"the owner already gets {limits.new_per_owner_and_day} new tasks today"
        return ""

    def take(self, row: Mapping[str, Any]) -> None:
        self.made.add(row["key"])
        self._open[row["owner_id"]] += 1
        self._new[row["owner_id"]] += 1
        self._last[row["id"], row["rule"]] = self._today

    def _count_activity(self, task: Mapping[str, Any]) -> None:
        """Another person's open activity keeps ours away while it is due within the quiet days."""
        due, account = task["due"], task["account_id"]
        if task["is_closed"] or account is None or due is None:
            return
        if abs((due - self._today).days) <= self._limits.quiet_days:
            self._touched[task["owner_id"], account] = due

    def _count_ours(self, task: Mapping[str, Any], created: date | None) -> None:
        self.made.add(task["key"])
        if not task["is_closed"]:
            self._open[task["owner_id"]] += 1
        if created == self._today:
            self._new[task["owner_id"]] += 1

    def _count_known(self, task: Mapping[str, Any], *, counted: bool) -> None:
        """The ledger remembers what the CRM may not show (yet): refused, deleted, or not yet visible.

        An intended or unknown one does not count: the connector looks its key up before it makes it again.
        """
        record = task["record_id"], task["rule"]
        # What came by a merge keeps the key of the record that lost, under which nothing is looked up any more.
        own = task_key(*record, task["period"])
        if own != task["key"]:
            self.made.add(own)
        elif task["state"] not in ("done", "refused"):
            return
        self.made.add(task["key"])
        self._last[record] = max(task["created_on"], self._last.get(record, task["created_on"]))
        if not counted and task["state"] == "done" and task["created_on"] == self._today:
            self._new[task["owner_id"]] += 1


def _local_date(moment: datetime | None, zone: ZoneInfo) -> date | None:
    return None if moment is None else moment.astimezone(zone).date()
