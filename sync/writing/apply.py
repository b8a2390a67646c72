"""Apply a plan: every change written down before it is sent, one outcome for each record, nothing forgotten."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from config.outputs import OBJECTS
from connectors.outcomes import NOT_SENT
from sync.ledger import Item
from sync.stopping import stop_if_told
from sync.store.embedded import database
from sync.writing.change_tasks import change_tasks
from sync.writing.edits import others
from sync.writing.make_tasks import make_tasks
from sync.writing.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from connectors.contract import Connector
    from sync.ledger import Lease, Ledger
    from sync.store.journal import Journal
    from sync.store.mirror import Mirror
    from sync.store.written import Written
    from sync.writing.plan import Plan

log = structlog.get_logger(__name__)

# Of a batch's records that were not done, so many have a line each; the history lists all.
MOST_LINES = 20


class Check(Protocol):
    """Sees each portion just before it is written down and sent."""

    def __call__(self, object_name: str, rows: pa.Table) -> pa.Table:
        """The rows of a portion that may be sent. May wait, or raise to end the run before the portion is sent."""
        ...


@dataclass
class Applied:
    """What became of a plan: records and tasks done, refused and unknown, by object.

    `unprocessed` of the unknown ones were certainly not processed; `stale` changes of tasks were not sent.
    """

    done: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    unprocessed: int = 0
    stale: int = 0

    def count(self, object_name: str, outcomes: pa.Table) -> None:
        """Add the outcomes of a batch."""
        for status, totals in (("done", self.done), ("refused", self.refused), ("unknown", self.unknown)):
            matching = pc.sum(pc.equal(outcomes["status"], status)).as_py() or 0
            totals[object_name] = totals.get(object_name, 0) + matching
        self.unprocessed += pc.sum(pc.equal(outcomes["code"], NOT_SENT)).as_py() or 0


@dataclass(frozen=True)
class Applier:
    """The parts that applying needs. `journal` keeps old values, for undo."""

    connection: str
    connector: Connector
    ledger: Ledger
    mirror: Mirror
    journal: Journal
    lease: Lease
    run_id: str
    today: date
    tell: Callable[[str, int, int | None], None]
    left_there: Written
    checks: Sequence[Check] = ()
    most: int | None = None  # records of a portion; None: as the connector likes it

    def apply(self, plan: Plan, applied: Applied) -> None:
        """Send the plan's changes, then its tasks, counting outcomes into `applied`.

        Whatever ends it in mid-batch, that batch is listed as unconfirmed and the error passes through.
        """
        for object_name in OBJECTS:
            sent = 0
            for portion in self._portions(plan.changes.get(object_name)):
                chunk = self.checked(object_name, portion)
                if chunk.num_rows:
                    self._send_fields(object_name, chunk, applied)
                sent += portion.num_rows
                self.tell(f"write {object_name}", sent, plan.changes[object_name].num_rows)
        change_tasks(self, plan.task_changes, applied)
        make_tasks(self, plan.tasks, applied)

    def checked(self, object_name: str, rows: pa.Table) -> pa.Table:
        """The rows of a portion that all checks let pass."""
        for check in self.checks:
            if rows.num_rows:
                rows = check(object_name, rows)
        return rows

    def _portions(self, rows: pa.Table | None) -> Iterator[pa.Table]:
        if rows is not None and rows.num_rows:
            size = min(self.connector.portion(rows.num_rows), self.most or rows.num_rows)
            yield from (rows.slice(start, size) for start in range(0, rows.num_rows, size))

    def _send_fields(self, object_name: str, chunk: pa.Table, applied: Applied) -> None:
        new = [
            name
            for name in chunk.column_names
            if not name.startswith("old_") and name not in ("name", "owner_id")
        ]
        number = self.intend(object_name, chunk)
        with self.in_doubt(number, object_name, chunk, applied):
            outcomes = self.connector.update(object_name, chunk.select(new))
            # One that slept through its expiry must not record over what another run did since.
            self.ledger.leases.renew(self.lease)
            done = _written(chunk.select(new), outcomes)
            self.mirror.patch(object_name, done)
            self.left_there.keep(object_name, done, others(self.ledger, self.connection, object_name))
            self.waiting.note(object_name, chunk, outcomes, self.run_id)
            self.settle(object_name, number, outcomes)
        applied.count(object_name, outcomes)
        self.require_crm(outcomes)

    def require_crm(self, outcomes: pa.Table) -> None:
        """Ask for a sign of life if records were left without an answer: a CRM that is away ends the run, recorded."""
        if pc.any(pc.equal(outcomes["status"], "unknown")).as_py():
            self.connector.server_time()

    @property
    def waiting(self) -> Waiting:
        """What was refused, and waits."""
        return Waiting(self.connection, self.ledger, self.mirror)

    def intend(self, object_name: str, rows: pa.Table, journal: str = "") -> int:
        """The batch, its old and new values: on the disk before anything leaves. `journal`: where, if not by object."""
        stop_if_told()
        self.ledger.leases.renew(self.lease)
        number = self.ledger.intend(self.run_id, object_name, rows.num_rows)
        self.journal.append(journal or object_name, rows, self.run_id, number)
        log.info("batch.sending", object=object_name, batch=number, records=rows.num_rows)
        return number

    @contextmanager
    def in_doubt(self, number: int, object_name: str, rows: pa.Table, applied: Applied) -> Iterator[None]:
        """From sending until its outcomes are recorded, whatever ends a batch leaves it listed as unconfirmed."""
        try:
            yield
        except BaseException:
            # A broken line, a permission taken away, SIGTERM, a bug: some of it may have been done.
            self.ledger.unconfirmed(self.run_id, number)
            applied.unknown[object_name] = applied.unknown.get(object_name, 0) + rows.num_rows
            log.warning("batch.unconfirmed", object=object_name, batch=number, records=rows.num_rows)
            raise

    def settle(self, object_name: str, number: int, outcomes: pa.Table) -> None:
        """What the CRM said of a batch, each one that is not done by itself."""
        failed = outcomes.filter(pc.not_equal(outcomes["status"], "done"))
        items = [
            Item(
                object_name,
                row["id"],
                row["status"],
                row["code"] or "",
                row["message"] or "",
                row["fix"] or "",
            )
            for row in failed.to_pylist()
        ]
        done = outcomes.num_rows - len(items)
        self.ledger.settle(self.run_id, number, done, items)
        log.info("batch.settled", object=object_name, batch=number, done=done, not_done=len(items))
        for item in items[:MOST_LINES]:
            log.info(
                "record.not_done",
                object=object_name,
                record=item.record_id,
                status=item.status,
                code=item.code,
            )


def _written(chunk: pa.Table, outcomes: pa.Table) -> pa.Table:
    """The part of a chunk that the CRM took, with the stamps of its outcomes."""
    with database(chunk=chunk, outcomes=outcomes) as db:
        return db.sql(
            "SELECT chunk.*, outcomes.modified_at FROM chunk JOIN outcomes USING (id) WHERE status = 'done'"
        ).to_arrow_table()
