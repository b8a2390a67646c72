"""Which rows of a kept plan events have overtaken: judged before the first write, and again before each chunk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import OBJECTS
from sync.ledger import Item
from sync.pull import APPENDED_ROWS, gathered
from sync.store.embedded import database
from sync.writing.inputs import HANGING, account_of, inputs_of
from sync.writing.keeping import ACCOUNT_OF, as_planned, states_of
from sync.writing.plan import planned_fields

if TYPE_CHECKING:
    from datetime import date, datetime

    from sync.pipeline import Pass
    from sync.writing.plan import Plan

# A CRM's clock, as its replies tell it, has whole seconds.
_SETTLE = timedelta(seconds=2)

# Verdicts; what people read of those that are not done.
HOLDS, DONE = "HOLDS", "DONE"
WHY = {
    "GONE": "the record is gone, or another one now",
    "HELD_CHANGED": "somebody else changed our values on the record after the plan was made",
    "INPUTS_CHANGED": "what the score was read from changed after the plan was made",
    "EXPIRED": "the plan is too old: its day has passed",
    "NO_OWNER": "its owner is no longer active",
}
FIX = "make a new plan: `foretag plan -o FILE`"

_TASK, _TASK_CHANGE = "task", "task change"


@dataclass
class Overtaken:
    """Judges the rows of a kept plan within a run, as a `Check`: a row that events have overtaken is not sent.

    A row whose values the CRM holds already is neither sent nor stale. Before the first chunk the pull has just been
    made; before each later one the records that changed since are looked at. That reads our own writes back, too: they
    cannot be told from those that somebody edited after us. On HubSpot it costs a search for 200 of them.
    """

    pass_: Pass
    since: datetime
    begun: bool = False
    made_on: date | None = None

    @classmethod
    def pulled(cls, pass_: Pass) -> Overtaken:
        """Bring the local copy up to date; what changes after this moment is looked at later."""
        now = pass_.job.connector.server_time()
        pass_.pull()
        return cls(pass_, now - _SETTLE)

    def left(self, plan: Plan) -> Plan:
        """The plan without the rows that are overtaken (listed as stale) or done already (counted)."""
        self.made_on = plan.made_on
        plan, digests = self._waited(plan), self._digests(None)
        return replace(
            plan,
            changes={name: self._judged(name, rows, digests) for name, rows in plan.changes.items()},
            tasks=self._judged("task", plan.tasks, digests),
            task_changes=self._judged("task change", plan.task_changes, digests),
        )

    def __call__(self, object_name: str, rows: pa.Table) -> pa.Table:
        """As every check: what of a portion still holds, as connectors take it."""
        if self.begun:
            touched = self._look()
            if len(touched):
                rows = self._again(object_name, rows, touched)
        self.begun = True
        self._remember(object_name, rows)
        return as_planned(rows)

    # Judging.

    def _waited(self, plan: Plan) -> Plan:
        """The plan without what the CRM refused before, and would again."""
        changes = dict(plan.changes)
        for name, rows in changes.items():
            still, waiting = self.pass_.waiting.left_out(name, as_planned(rows))
            self.pass_.job.ledger.list_items(self.pass_.report.run, waiting)
            self.pass_.report.quarantined += len(waiting)
            changes[name] = rows.filter(pc.is_in(rows["id"], value_set=still["id"])) if waiting else rows
        return replace(plan, changes=changes)

    def _judged(self, kind: str, rows: pa.Table, digests: pa.Table) -> pa.Table:
        """The rows that still hold; the others are listed, or counted if they are done already."""
        if not rows.num_rows:
            return rows
        verdicts = self._verdicts(kind, rows, digests)
        report, ledger = self.pass_.report, self.pass_.job.ledger
        overtaken = pc.is_in(verdicts, value_set=pa.array(list(WHY)))
        stale = rows.append_column("verdict", verdicts).filter(overtaken).select(["id", "verdict"])
        object_name = _TASK if kind == _TASK_CHANGE else kind
        ledger.list_items(
            report.run,
            [
                Item(object_name, row["id"], "stale", row["verdict"], WHY[row["verdict"]], FIX)
                for row in stale.to_pylist()
            ],
        )
        report.stale += stale.num_rows
        report.already += pc.sum(pc.equal(verdicts, DONE)).as_py() or 0
        return rows.filter(pc.equal(verdicts, HOLDS))

    def _verdicts(self, kind: str, rows: pa.Table, digests: pa.Table) -> pa.ChunkedArray:
        """What became of each row, in order."""
        cases = " ".join(f"WHEN {when} THEN '{verdict}'" for when, verdict in _cases(kind, rows))
        tables = {
            "held": self._held(kind, rows),
            "digest": digests,
            "deal": self._deals(kind),
            "day": pa.table({"today": [self.pass_.today], "made_on": pa.array([self.made_on], pa.date32())}),
            "rows": rows.append_column("place", pa.array(np.arange(rows.num_rows))),
        }
        with database(**tables) as db:
            return db.sql(
                f"""
                SELECT CASE {cases} ELSE '{HOLDS}' END AS verdict
                FROM rows r CROSS JOIN day LEFT JOIN held ON held.id = {"r.key" if kind == _TASK else "r.id"}
                LEFT JOIN deal ON deal.id = r.id LEFT JOIN digest ON digest.account_id = {ACCOUNT_OF[kind]}
                ORDER BY place
                """  # noqa: S608  # names from the schema, no values
            ).to_arrow_table()["verdict"]

    def _held(self, kind: str, rows: pa.Table) -> pa.Table:
        """What is there now: of records our fields, of tasks whether they were made, and whether they have an owner."""
        job = self.pass_.job
        if kind == _TASK_CHANGE:
            return pa.table({"id": pa.array([], pa.string())})
        if kind != _TASK:
            return job.mirror.read(kind, ("id", *planned_fields(rows)), ids=rows["id"])
        known = job.ledger.our_tasks.by_key(job.name, rows["key"].to_pylist())
        tables = {
            "keys": rows.select(["key", "owner_id"]),
            "active": job.mirror.read("owner", ("id", "active")),
            "known": known.filter(pc.equal(known["state"], "done")).select(["key"]),
            "ours": job.mirror.read("task", ("id", "key")),
        }
        with database(**tables) as db:
            return db.sql(
                "SELECT key AS id, key IN (FROM known) OR key IN (SELECT key FROM ours WHERE key IS NOT NULL) AS made,"
                " coalesce(active.active, FALSE) AS active FROM keys LEFT JOIN active ON active.id = owner_id"
            ).to_arrow_table()

    def _deals(self, kind: str) -> pa.Table:
        deals = self.pass_.job.mirror.read("opportunity", ("id", "account_id"))
        return deals if kind == _TASK_CHANGE else deals.slice(0, 0)

    def _digests(self, accounts: pa.ChunkedArray | None) -> pa.Table:
        return inputs_of(self.pass_.job.mirror, self.pass_.job.rules, accounts)

    # Looking again.

    def _again(self, kind: str, rows: pa.Table, touched: pa.ChunkedArray) -> pa.Table:
        """Judge again the rows whose account, or what hangs on it, somebody touched."""
        with database(rows=rows, deal=self._deals(kind), touched=pa.table({"id": touched})) as db:
            found = db.sql(
                f"SELECT r.id, {ACCOUNT_OF[kind]} AS account FROM rows r LEFT JOIN deal ON deal.id = r.id"  # noqa: S608  # names from the schema, no values
                " WHERE account IN (FROM touched)"
            ).to_arrow_table()
        if not found.num_rows:
            return rows
        again = pc.is_in(rows["id"], value_set=found["id"])
        # Of their accounts alone: those of a chunk lie in few buckets.
        digests = self._digests(pc.unique(found["account"]))
        still = self._judged(kind, rows.filter(again), digests)
        return rows.filter(pc.or_(pc.invert(again), pc.is_in(rows["id"], value_set=still["id"])))

    def _look(self) -> pa.ChunkedArray:
        """Take in what changed since the last look; returns the accounts that others touched."""
        job, began = self.pass_.job, self.pass_.job.connector.server_time()
        wanted, forgotten = job.columns(), job.forgotten
        touched = [
            self._take_in(name, forgotten.without(name, page))
            for name in ("account", *HANGING, "line_item")
            if name in wanted
            for page in gathered(job.connector.recent(name, wanted[name], self.since), APPENDED_ROWS)
        ]
        self.since = began - _SETTLE
        chunks = [chunk for part in touched for chunk in part.chunks]
        return pc.unique(pa.chunked_array(chunks, pa.string()))

    def _take_in(self, object_name: str, page: pa.Table) -> pa.ChunkedArray:
        """Keep what says anything new but a stamp of a page, and tell whose accounts it touches."""
        mirror = self.pass_.job.mirror
        held = mirror.read(object_name, page.column_names, ids=page["id"])
        said = [name for name in page.column_names if name != "modified_at"]
        same = " AND ".join(f'page."{name}" IS NOT DISTINCT FROM held."{name}"' for name in said)
        link = "opportunity_id" if object_name == "line_item" else account_of(object_name)
        with database(page=page, held=held) as db:
            new = db.sql(f"SELECT page.* FROM page ANTI JOIN held ON {same}").to_arrow_table()  # noqa: S608  # names from the schema, no values
        with database(new=new, held=held) as db:
            links = db.sql(
                f"SELECT {link} AS id FROM new UNION SELECT {link} FROM held WHERE held.id IN (SELECT id FROM new)"  # noqa: S608  # names from the schema, no values
            ).to_arrow_table()["id"]
        # Of the others, which a write of ours stamped, the next pull takes the stamp in.
        mirror.append(object_name, new.cast(page.schema))
        if object_name != "line_item":
            return links
        deals = mirror.read("opportunity", ("id", "account_id"), ids=links)
        return pc.coalesce(deals["account_id"], deals["id"])

    def _remember(self, object_name: str, rows: pa.Table) -> None:
        """The tag state that goes with what is about to be sent."""
        if object_name not in OBJECTS or "state" not in rows.column_names:
            return
        states = states_of(object_name, rows)
        column = "id" if object_name == "account" else "parent_id"
        places = pc.index_in(states["id"], value_set=rows["id"].combine_chunks())
        accounts = pc.coalesce(rows[column].take(places), states["id"])
        self.pass_.job.tags.move_states(states, accounts, self.pass_.job.mirror.buckets())


def _cases(kind: str, rows: pa.Table) -> list[tuple[str, str]]:
    """What is asked of a row, in this order, and the verdict if it is so."""
    cases = []
    if kind == _TASK:
        cases = [("held.made", DONE), ("NOT held.active", "NO_OWNER"), ("r.due < day.today", "EXPIRED")]
    elif kind != _TASK_CHANGE:
        cases = _record_cases(planned_fields(rows))
    if "inputs" in rows.column_names:
        cases.append(("r.inputs IS DISTINCT FROM digest.inputs", "INPUTS_CHANGED"))
    if "foretag_valid_until" in rows.column_names:
        # Scores as of a past day were no longer valid when they were planned, and are wanted so.
        cases.append(("r.foretag_valid_until BETWEEN day.made_on AND day.today - 1", "EXPIRED"))
    # Nothing is asked of a change of tasks that was not kept: they are looked at when they are sent.
    return cases or [("FALSE", HOLDS)]


def _record_cases(fields: list[str]) -> list[tuple[str, str]]:
    emptied = "CASE WHEN list_contains(r.clear, '{0}') THEN NULL ELSE coalesce(r.{0}, r.old_{0}) END"
    # The stamp only rides along.
    told = [name for name in fields if name != "foretag_stamp"] or fields
    same = {name: f"held.{name} IS NOT DISTINCT FROM {emptied.format(name)}" for name in told}
    changed = [
        f"NOT ({is_ours} OR held.{name} IS NOT DISTINCT FROM r.old_{name})" for name, is_ours in same.items()
    ]
    return [
        ("held.id IS NULL", "GONE"),
        (" AND ".join(same.values()), DONE),
        (" OR ".join(changed), "HELD_CHANGED"),
    ]
