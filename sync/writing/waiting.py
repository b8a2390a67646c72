"""What the CRM refused waits until the record, or what is wanted of it, changes: nothing is refused anew each night."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sync.ledger import Item
from sync.ledger.quarantine import Refusal
from sync.store.embedded import database
from sync.writing.task_refusals import KIND
from sync.writing.tasks import task_key

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sync.ledger import Ledger
    from sync.store.mirror import Mirror
    from sync.writing.plan import Plan

# These move with the days, or a little each day; numbers are compared by tens.
_RIDING = ("foretag_valid_until", "foretag_stamp", "foretag_reason")
_NUMBERS = ("foretag_score", "foretag_likelihood", "foretag_growth_score")
_TASK_VALUES = ("subject", "owner_id", "priority")


@dataclass(frozen=True)
class Waiting:
    """The records and tasks of one connection that wait."""

    connection: str
    ledger: Ledger
    mirror: Mirror

    def left_out(self, object_name: str, rows: pa.Table) -> tuple[pa.Table, list[Item]]:
        """Of planned changes, or tasks with their keys, those that may be sent, and the others as set aside."""
        name = _named_by(object_name)
        refusals = self.ledger.quarantine.of(self.connection, object_name)
        asked = _of(rows, name, list(refusals))
        same = [
            one for one, digest in self._digests(object_name, asked).items() if refusals[one].digest == digest
        ]
        if not same:
            return rows, []
        items = [_item(object_name, refusals[one]) for one in same]
        return rows.filter(pc.invert(pc.is_in(rows[name], value_set=pa.array(same, pa.string())))), items

    def plan(self, plan: Plan) -> Plan:
        """A plan without the changes that wait; they are among what it holds back."""
        changes, waiting = {}, []
        for object_name, rows in plan.changes.items():
            changes[object_name], items = self.left_out(object_name, rows)
            waiting += items
        return replace(plan, changes=changes, held_back=(*plan.held_back, *waiting)) if waiting else plan

    def tasks(self, wanted: pa.Table) -> list[Item]:
        """Of the wanted tasks (`Tagged.tasks`) those that wait; the history lets the others be made again."""
        refusals = self.ledger.quarantine.of(self.connection, "task")
        if not refusals:
            return []
        known = self.ledger.our_tasks.by_key(self.connection, refusals)
        wanted = _of(wanted, "id", known["record_id"].to_pylist())
        columns = (wanted[name].to_pylist() for name in ("id", "rule", "period"))
        keys = [task_key(*row) for row in zip(*columns, strict=True)]
        _, items = self.left_out("task", wanted.append_column("key", pa.array(keys, pa.string())))
        again = refusals.keys() & set(keys) - {item.record_id for item in items}
        self.ledger.our_tasks.change(self.connection, ((key, {"state": "intended"}) for key in sorted(again)))
        return items

    def lift(self, object_name: str, record_ids: Collection[str]) -> None:
        """Let records, or tasks by their keys, be sent again, if they wait."""
        if object_name == "task":
            keys = self.ledger.quarantine.of(self.connection, "task").keys() & set(record_ids)
            self.ledger.our_tasks.change(
                self.connection, ((key, {"state": "intended"}) for key in sorted(keys))
            )
            self.ledger.quarantine.lift(self.connection, KIND, record_ids)
        self.ledger.quarantine.lift(self.connection, object_name, record_ids)

    def note(self, object_name: str, rows: pa.Table, outcomes: pa.Table, run_id: str) -> None:
        """Remember what was refused, unless it passes by itself, and forget what was done after all."""
        lasting = pc.and_(pc.equal(outcomes["status"], "refused"), pc.invert(outcomes["passing"]))
        refused = {row["id"]: row for row in outcomes.filter(lasting).to_pylist()}
        if refused:
            digests = self._digests(object_name, _of(rows, _named_by(object_name), list(refused)))
            self.ledger.quarantine.put(
                self.connection,
                object_name,
                [
                    Refusal(
                        one, digests[one], run_id, row["code"] or "", row["message"] or "", row["fix"] or ""
                    )
                    for one, row in refused.items()
                ],
            )
        waited = self.ledger.quarantine.of(self.connection, object_name).keys() - refused.keys()
        if waited:
            done = outcomes.filter(pc.equal(outcomes["status"], "done"))["id"].to_pylist()
            self.ledger.quarantine.lift(self.connection, object_name, waited.intersection(done))

    def _digests(self, object_name: str, rows: pa.Table) -> dict[str, str]:
        """By id (of a task: key), a digest of the record as it is, and of the values that are wanted of it.

        Of a task the values alone: the run that made it wrote into its record, whose stamp the CRM tells only later.
        """
        if not rows.num_rows:
            return {}
        values = [
            f"CAST(rows.{name}{' // 10' if name in _NUMBERS else ''} AS VARCHAR)"
            for name in _values(object_name, rows)
        ]
        stamps = pa.table({"id": rows["id"], "modified_at": pa.nulls(rows.num_rows)}).slice(0, 0)
        if object_name != "task":
            riding = ", ".join(f"'{name}'" for name in _RIDING)
            values.append(
                f"CAST(list_sort(list_filter(rows.clear, lambda one: one NOT IN ({riding}))) AS VARCHAR)"
            )
            stamps = self.mirror.read(object_name, ("id", "modified_at"), ids=rows["id"])
        told = ", ".join(f"coalesce({value}, chr(0))" for value in values)
        name = _named_by(object_name)
        with database(rows=rows, stamps=stamps) as db:
            found = db.sql(
                f"SELECT rows.{name}, sha256(concat_ws(chr(31), rows.id, CAST(modified_at AS VARCHAR), {told}))"  # noqa: S608  # names of our own schema
                " FROM rows LEFT JOIN stamps USING (id)"
            ).fetchall()
        return dict(found)


def _named_by(object_name: str) -> str:
    return "key" if object_name == "task" else "id"


def _values(object_name: str, rows: pa.Table) -> Sequence[str]:
    if object_name == "task":
        return _TASK_VALUES
    return sorted(name for name in rows.column_names if name.startswith("foretag_") and name not in _RIDING)


def _of(rows: pa.Table, name: str, wanted: Sequence[str]) -> pa.Table:
    return rows.filter(pc.is_in(rows[name], value_set=pa.array(wanted, pa.string())))


def _item(object_name: str, refusal: Refusal) -> Item:
    return Item(object_name, refusal.record_id, "quarantined", refusal.code, refusal.message, refusal.fix)
