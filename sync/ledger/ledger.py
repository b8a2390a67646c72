"""The ledger: runs, cursors, batches and what was not done, in one small SQL database; all else in rooms of it.

Everything is written down before its effect: a batch before it is sent, a task key before the task is made.
Times are UTC without a zone, as SQLite keeps them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from config.problems import ConfigProblem, Problem
from config.redaction import cleaned, redacted
from sync.ledger import tables
from sync.ledger.backfills import Backfills
from sync.ledger.calls import Calls
from sync.ledger.database import embedded, shared
from sync.ledger.edits import Edits
from sync.ledger.fence import Fence, outside
from sync.ledger.fires import Fires
from sync.ledger.forgetting import Forgetting
from sync.ledger.gates import Gates
from sync.ledger.leases import Leases
from sync.ledger.merges import Merges
from sync.ledger.notices import Notices
from sync.ledger.our_tasks import OurTasks
from sync.ledger.past import Past
from sync.ledger.quarantine import Quarantine
from sync.ledger.rows import added, upsert
from sync.ledger.standing import Standing
from sync.ledger.tokens import Tokens
from sync.ledger.undone import Undone
from sync.ledger.workers import Workers
from sync.ledger.zones import Zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from config.sections.history import History
    from config.sections.secret import Secret

# Refused by the CRM; sent, not confirmed; overtaken by events; unreadable; not wanted now; not sent because it was
# refused before; changed by a person and respected; left as it is by an undo; found wrong in the mirror, and mended.
ItemStatus = Literal[
    "refused", "unknown", "stale", "set_aside", "held_back", "quarantined", "edited", "left", "mended"
]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that was not done, and why, in the CRM's or our own words."""

    object: str
    record_id: str
    status: ItemStatus
    code: str
    message: str
    fix: str = ""


class Ledger:
    """One database for all connections; `clock` gives UTC time."""

    def __init__(self, engine: sa.Engine, clock: Any, key: Secret | None = None) -> None:
        self._clock = clock
        self._engine = engine
        self.fence = Fence(engine)
        self.leases = Leases(engine, self._now, self.fence)
        self.gates = Gates(self._engine, self._now)
        self.undone = Undone(self._engine)
        self.our_tasks = OurTasks(self._engine)
        self.past = Past(self._engine)
        self.forgetting = Forgetting(self._engine, self._now)
        self.quarantine = Quarantine(self._engine, self._now)
        self.calls = Calls(self._engine, self._now)
        self.backfills = Backfills(self._engine)
        self.edits = Edits(self._engine)
        self.merges = Merges(self._engine, self._now)
        self.notices = Notices(self._engine, self._now)
        self.standing = Standing(self._engine, self._now)
        self.zones = Zones(self._engine)
        self.fires = Fires(self._engine, self._now)
        self.workers = Workers(self._engine, self._now)
        self.tokens = Tokens(outside(self._engine), key)
        try:
            self._migrate()
        except BaseException as error:
            self.close()
            if not isinstance(error, sa.exc.OperationalError):
                raise
            raise ConfigProblem(
                Problem(
                    f"the history cannot be opened: {error.orig}",
                    where=str(engine.url),
                    fix="check path, space and rights",
                )
            ) from None

    @classmethod
    def open(
        cls, state: Path, clock: Any, history: History | None = None, key: Secret | None = None
    ) -> Ledger:
        """The ledger in the database that the settings name (`history:`), or embedded in the state folder.

        `key`: where the key lies by which tokens are kept encrypted.
        """
        return cls(embedded(state) if history is None else shared(history), clock, key)

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    # Connections.

    def bind(self, name: str, org_id: str, org_name: str, *, live: bool) -> bool:
        """Tie a connection to its org, once; returns whether it may write. Raises if the org is another one."""
        with self._engine.begin() as db:
            row = db.execute(
                sa.select(tables.connection).where(tables.connection.c.name == name)
            ).one_or_none()
            if row is None:
                db.execute(
                    tables.connection.insert().values(
                        name=name, org_id=org_id, org_name=org_name[:255], live=live
                    )
                )
                return live
            if row.org_id != org_id:
                raise ConfigProblem(
                    Problem(
                        f"this connection was {row.org_name} ({row.org_id}) and is now {org_name} ({org_id})",
                        where=name,
                        fix="give the other one a connection of its own, or another state folder",
                    )
                )
            return bool(row.live)

    def go_live(self, name: str) -> None:
        """End the preview: from now on runs may write."""
        with self._engine.begin() as db:
            db.execute(tables.connection.update().where(tables.connection.c.name == name).values(live=True))

    # Runs.

    def start_run(
        self, connection: str, command_name: str, today: date, rules: str, *, of: str | None = None
    ) -> str:
        """Write down that a run begins; returns its id. `of`: which run it undoes or goes on with."""
        with self._engine.begin() as db:
            started = self._now()
            row = {
                "connection": connection,
                "command": command_name,
                "state": "running",
                "started_at": started,
                "today": today,
                "rules": rules,
                "of": of,
            }
            number = db.scalar(sa.select(sa.func.count()).select_from(tables.run)) or 0
            # Another machine may count as many at the same moment.
            ids = (f"{started:%Y%m%d-%H%M%S}-{number + more}" for more in itertools.count(1))
            run_id = next(one for one in ids if added(db, tables.run, {"id": one, **row}))
            self._abandon_open(db, connection, run_id)
        return run_id

    def finish_run(
        self, run_id: str, state: str, exit_code: int, last_line: str, report: Mapping[str, Any] | None
    ) -> None:
        """Write down how a run ended, in the words that its user saw."""
        with self._engine.begin() as db:
            db.execute(
                tables.run.update()
                .where(tables.run.c.id == run_id)
                .values(
                    state=state,
                    finished_at=self._now(),
                    exit_code=exit_code,
                    last_line=redacted(last_line),
                    report=cleaned(report),
                )
            )
            # Written down, and never sent.
            db.execute(
                tables.batch.update()
                .where(tables.batch.c.run == run_id, tables.batch.c.state == "intended")
                .values(state="abandoned")
            )

    def runs(self, connection: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """The latest runs, newest first."""
        query = (
            sa.select(tables.run)
            .order_by(tables.run.c.started_at.desc(), tables.run.c.id.desc())
            .limit(limit)
        )
        if connection is not None:
            query = query.where(tables.run.c.connection == connection)
        with self._engine.connect() as db:
            return [dict(row) for row in db.execute(query).mappings()]

    def began(self, connection: str) -> datetime | None:
        """When the first run on a connection began, in UTC; None if there was none."""
        query = sa.select(sa.func.min(tables.run.c.started_at)).where(tables.run.c.connection == connection)
        with self._engine.connect() as db:
            first: datetime | None = db.scalar(query)
        return None if first is None else first.replace(tzinfo=UTC)

    def run(self, run_id: str) -> dict[str, Any] | None:
        """One run, or None."""
        with self._engine.connect() as db:
            row = db.execute(sa.select(tables.run).where(tables.run.c.id == run_id)).mappings().one_or_none()
            return None if row is None else dict(row)

    def _abandon_open(self, db: sa.Connection, connection: str, run_id: str) -> None:
        """What a crash left open: its runs failed, its field batches are planned anew from what the CRM holds."""
        dead = (
            sa.select(tables.run.c.id)
            .where(
                tables.run.c.connection == connection,
                tables.run.c.state == "running",
                tables.run.c.id != run_id,
            )
            .scalar_subquery()
        )
        db.execute(
            tables.batch.update()
            .where(tables.batch.c.run.in_(dead), tables.batch.c.state == "intended")
            .values(state="abandoned")
        )
        db.execute(
            tables.run.update()
            .where(tables.run.c.id.in_(dead))
            .values(
                state="failed",
                finished_at=self._now(),
                exit_code=1,
                last_line="Killed, or the machine stopped: it left no last word. The next run took over.",
            )
        )

    # Cursors.

    def cursor(self, connection: str, object_name: str) -> tuple[str, list[str]] | None:
        """The connector's cursor of an object and the columns pulled up to it."""
        with self._engine.connect() as db:
            row = db.execute(
                sa.select(tables.cursor).where(
                    tables.cursor.c.connection == connection, tables.cursor.c.object == object_name
                )
            ).one_or_none()
            return None if row is None else (row.value, list(row.columns))

    def keep_cursor(self, connection: str, object_name: str, value: str, columns: Sequence[str]) -> None:
        """Move a cursor: only after every change before it is in the mirror."""
        with self._engine.begin() as db:
            upsert(
                db,
                tables.cursor,
                {"connection": connection, "object": object_name},
                {"value": value, "columns": list(columns)},
            )

    # Batches and what was not done.

    def intend(self, run_id: str, object_name: str, records: int) -> int:
        """Write down that a batch is about to be sent; returns its number."""
        with self._engine.begin() as db:
            number = (
                db.scalar(sa.select(sa.func.max(tables.batch.c.number)).where(tables.batch.c.run == run_id))
                or 0
            ) + 1
            db.execute(
                tables.batch.insert().values(
                    run=run_id,
                    number=number,
                    object=object_name,
                    state="intended",
                    records=records,
                    done=0,
                    refused=0,
                    unknown=0,
                )
            )
            return number

    def unconfirmed(self, run_id: str, number: int) -> None:
        """Write down that a batch was sent (perhaps in part) and nothing certain came back."""
        with self._engine.begin() as db:
            db.execute(
                tables.batch.update()
                .where(tables.batch.c.run == run_id, tables.batch.c.number == number)
                .values(state="unconfirmed", unknown=tables.batch.c.records)
            )

    def settle(self, run_id: str, number: int, done: int, items: Sequence[Item]) -> None:
        """Write down what the CRM said of a batch: how many are done, and each one that is not."""
        with self._engine.begin() as db:
            db.execute(
                tables.batch.update()
                .where(tables.batch.c.run == run_id, tables.batch.c.number == number)
                .values(
                    state="finished",
                    done=done,
                    refused=sum(item.status == "refused" for item in items),
                    unknown=sum(item.status == "unknown" for item in items),
                )
            )
            self._insert_items(db, run_id, items)

    def list_items(self, run_id: str, items: Iterable[Item]) -> None:
        """Put things that were not done on the run's list."""
        with self._engine.begin() as db:
            self._insert_items(db, run_id, list(items))

    def items(self, run_id: str, status: ItemStatus | None = None) -> list[Item]:
        """What a run did not do."""
        query = sa.select(tables.item).where(tables.item.c.run == run_id).order_by(tables.item.c.id)
        if status is not None:
            query = query.where(tables.item.c.status == status)
        with self._engine.connect() as db:
            return [
                Item(row.object, row.record_id, row.status, row.code, row.message, row.fix)
                for row in db.execute(query)
            ]

    def batches(self, run_id: str) -> list[dict[str, Any]]:
        """The batches of a run, in order."""
        query = sa.select(tables.batch).where(tables.batch.c.run == run_id).order_by(tables.batch.c.number)
        with self._engine.connect() as db:
            return [dict(row) for row in db.execute(query).mappings()]

    def _insert_items(self, db: sa.Connection, run_id: str, items: Sequence[Item]) -> None:
        if items:
            db.execute(
                tables.item.insert(),
                [
                    {
                        "run": run_id,
                        "object": item.object,
                        "record_id": item.record_id,
                        "status": item.status,
                        "code": item.code[:255],
                        "message": redacted(item.message),
                        "fix": redacted(item.fix),
                    }
                    for item in items
                ],
            )

    # How it is stored.

    def _now(self) -> datetime:
        moment: datetime = self._clock()
        return moment.astimezone(UTC).replace(tzinfo=None)

    def _migrate(self) -> None:
        with self._engine.connect() as db:
            if _revision(db) == tables.REVISION:
                return
        # Its imports take longer than most commands: only when there is something to do.
        from sync.ledger.migrating import migrate  # noqa: PLC0415  # late on purpose

        with self._engine.begin() as db:
            migrate(db)


def _revision(db: sa.Connection) -> str | None:
    """The revision of the database's tables, as alembic keeps it; None in a new database."""
    if not sa.inspect(db).has_table("alembic_version"):
        return None
    return db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
