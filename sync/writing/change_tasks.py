"""Change tasks that are there: each looked at just before, so that nothing a rep touched is reworded or thrown away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.records import STAMP
from connectors.contract import OUTCOME_SCHEMA
from sync.ledger import Item
from sync.writing.task_life import is_touched
from sync.writing.task_refusals import KIND, note_refused
from sync.writing.task_texts import content, gist

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sync.writing.apply import Applied, Applier

    Row = Mapping[str, Any]

# Where the journal keeps such rows: what is made, and what is changed, is told apart.
JOURNAL = "task_change"
# So many at once: what an interruption leaves in doubt.
PORTION = 1_000

_TEXTS = ("subject", "description")
_SENT = pa.schema([*((name, pa.string()) for name in ("id", *_TEXTS, "owner_id")), ("due", pa.date32())])


def change_tasks(applier: Applier, changes: pa.Table, applied: Applied) -> None:
    """Reword, reassign, close and delete tasks, counting outcomes into `applied`.

    `changes` is in `TASK_CHANGE_SCHEMA`. What no longer holds is listed as stale.
    """
    for start in range(0, changes.num_rows, PORTION):
        rows = applier.checked(KIND, changes.slice(start, PORTION))
        still = _still(applier, rows.to_pylist(), applied)
        if still.rows:
            still.send(applied)


def _still(applier: Applier, rows: list[dict[str, Any]], applied: Applied) -> _Portion:
    """The changes that hold yet, by how the tasks are at this moment; the others are listed."""
    states = applier.connector.our_tasks([row["crm_id"] for row in rows]) if rows else None
    there = {state["id"]: state for state in states.to_pylist()} if states is not None else {}
    known = applier.ledger.our_tasks.by_key(applier.connection, [row["key"] for row in rows])
    kept = {task["key"]: task for task in known.to_pylist()}
    rows = [row for row in rows if not _is_done(row, kept.get(row["key"]))]
    reasons = [_overtaken(row, there.get(row["crm_id"]), kept.get(row["key"])) for row in rows]
    pairs = list(zip(rows, reasons, strict=True))
    stale = [Item("task", row["crm_id"], "stale", row["rule"] or "", why) for row, why in pairs if why]
    applier.ledger.list_items(applier.run_id, stale)
    applied.stale += len(stale)
    return _Portion(applier, [row for row, why in pairs if not why], kept)


def _is_done(row: Row, kept: Row | None) -> bool:
    """Whether a plan that is applied again did this before."""
    if kept is None:
        return False
    worded = not row["subject"] or kept["content"] == content(row["subject"], row["description"])
    given = not row["owner_id"] or kept["owner_id"] == row["owner_id"]
    return kept["ended"] == row["ended"] if row["ended"] else worded and given


def _overtaken(row: Row, state: Row | None, kept: Row | None) -> str:
    """What speaks against a change; empty if nothing does."""
    if kept is None:
        return "the history does not know the task"
    if state is None:
        return "the task is gone"
    if state["is_closed"]:
        return "the task is done"
    if (row["action"] == "delete" or row["subject"]) and is_touched(state, kept):
        return "a person has begun or changed the task"
    if row["action"] == "reassign" and state["owner_id"] != row["old_owner_id"]:
        return "a person has given the task to somebody else"
    return ""


@dataclass(frozen=True)
class _Portion:
    """Changes to be sent together; `kept` is what the history knows of their tasks, by key."""

    applier: Applier
    rows: list[dict[str, Any]]
    kept: Mapping[str, Row]
    done: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def send(self, applied: Applied) -> None:
        """Written down first; then one outcome for each."""
        applier = self.applier
        table = pa.Table.from_pylist(self.rows)
        number = applier.intend("task", table, JOURNAL)
        applier.ledger.our_tasks.change(applier.connection, self._intended())
        with applier.in_doubt(number, "task", table, applied):
            outcomes = pa.concat_tables([OUTCOME_SCHEMA.empty_table(), *self._sent()])
            # As of fields: another run may have come to work meanwhile.
            applier.ledger.leases.renew(applier.lease)
            self._record(outcomes)
            note_refused(applier.ledger, applier.connection, applier.run_id, self.rows, outcomes)
            applier.settle("task", number, outcomes)
        applied.count("task", outcomes)
        applier.require_crm(outcomes)

    def _intended(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Until the CRM has answered, the old words and the new ones are both ours."""
        for row in self._with_texts():
            old = (self.kept[row["key"]]["content"] or "").split()[:1]
            new = content(row["subject"], row["description"])
            yield row["key"], {"content": " ".join(dict.fromkeys([*old, new]))}

    def _with_texts(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["subject"]]

    def _sent(self) -> Iterator[pa.Table]:
        connector = self.applier.connector
        changed = self._of("reword", "reassign")
        if changed:
            rows = [
                {"id": row["crm_id"], **{name: row[name] for name in (*_TEXTS, "owner_id", "due")}}
                for row in changed
            ]
            yield connector.update_tasks(pa.Table.from_pylist(rows, schema=_SENT))
        closed = self._of("close")
        for comment in dict.fromkeys(row["comment"] or "" for row in closed):
            ids = [row["crm_id"] for row in closed if (row["comment"] or "") == comment]
            yield connector.close_tasks(ids, comment)
        if gone := self._of("delete"):
            yield from self._deleted(gone)

    def _deleted(self, rows: list[dict[str, Any]]) -> Iterator[pa.Table]:
        """Who may not delete a task of somebody else's may complete it."""
        connector = self.applier.connector
        outcomes = connector.delete_tasks([row["crm_id"] for row in rows])
        barred = pc.and_(pc.equal(outcomes["status"], "refused"), pc.invert(outcomes["passing"]))
        yield outcomes.filter(pc.invert(barred))
        if ids := outcomes.filter(barred)["id"].to_pylist():
            yield connector.close_tasks(
                ids, f"Closed by Foretag on {self.applier.today}: nothing is to be done."
            )
            for row in rows:
                if row["crm_id"] in ids:
                    row |= {
                        "action": "close",
                        "ended": "closed" if row["ended"] == "lapsed" else row["ended"],
                    }

    def _of(self, *actions: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["action"] in actions]

    def _record(self, outcomes: pa.Table) -> None:
        """What is done, in history and local copy."""
        applier = self.applier
        stamps = {row["id"]: row["modified_at"] for row in outcomes.to_pylist() if row["status"] == "done"}
        done = [row for row in self.rows if row["crm_id"] in stamps]
        applier.ledger.our_tasks.change(applier.connection, ((row["key"], self._now(row)) for row in done))
        if gone := [row["crm_id"] for row in done if row["action"] == "delete"]:
            applier.mirror.remove("task", gone, applier.connector.server_time())
        applier.mirror.patch("task", _patch((row for row in done if row["action"] != "delete"), stamps))

    def _now(self, row: Row) -> dict[str, Any]:
        """What the history says of a task from now on."""
        words = row["subject"], row["description"]
        told: dict[str, Any] = {"content": content(*words), "gist": gist(*words)} if row["subject"] else {}
        if row["owner_id"]:
            told["owner_id"] = row["owner_id"]
        if row["ended"]:
            told |= {"ended": row["ended"], "ended_on": self.applier.today}
        return told


def _patch(rows: Iterable[Row], stamps: Mapping[str, Any]) -> pa.Table:
    """As `Mirror.patch` wants it."""
    schema = pa.schema([
        ("id", pa.string()), ("modified_at", STAMP), ("owner_id", pa.string()), ("is_closed", pa.bool_()),
        ("clear", pa.list_(pa.string())),
    ])  # fmt: skip
    return pa.Table.from_pylist(
        [
            {
                "id": row["crm_id"],
                "modified_at": stamps[row["crm_id"]],
                "owner_id": row["owner_id"],
                "is_closed": True if row["action"] == "close" else None,
                "clear": [],
            }
            for row in rows
        ],
        schema=schema,
    )
