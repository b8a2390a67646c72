"""What the history forgets: records that a person had erased, and records that were deleted in the CRM long ago."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.chunks import chunked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import date, datetime

ERASED = "(erased)"


def digest(object_name: str, record_id: str) -> str:
    """By which a forgotten record is known, and nothing else of it."""
    return hashlib.sha256(f"{object_name}\n{record_id}".encode()).hexdigest()


class Forgetting:
    """Erased and deleted records of all connections; `now` gives UTC without a zone."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def today(self) -> date:
        """The day (UTC) by the clock that runs and departures are dated with: not the CRM's."""
        return self._now().date()

    # Records that must not come back.

    def digests(self, connection: str) -> frozenset[str]:
        """Of the records that must not come back."""
        query = sa.select(tables.forgotten.c.digest).where(tables.forgotten.c.connection == connection)
        with self._engine.connect() as db:
            return frozenset(db.scalars(query))

    def remember(self, connection: str, object_name: str, ids: Collection[str]) -> None:
        """Let records never come back: durable before anything of them is erased."""
        new = {digest(object_name, one) for one in ids} - self.digests(connection)
        rows = [{"connection": connection, "digest": one, "at": self._now()} for one in sorted(new)]
        if rows:
            with self._engine.begin() as db:
                db.execute(tables.forgotten.insert(), rows)

    # Records that are gone from the CRM.

    def left(self, connection: str, object_name: str, ids: Collection[str]) -> None:
        """Write down that records are gone from the CRM as of now; one that is known to be keeps its day."""
        with self._engine.begin() as db:
            known: set[str] = set()
            for some in chunked(ids):
                gone = tables.gone.c
                query = sa.select(gone.record_id).where(*_about(gone, connection, object_name, some))
                known |= set(db.scalars(query))
            rows = [
                {"connection": connection, "object": object_name, "record_id": one, "at": self._now()}
                for one in sorted(set(ids) - known)
            ]
            if rows:
                db.execute(tables.gone.insert(), rows)

    def gone_before(self, connection: str, moment: datetime) -> dict[str, list[str]]:
        """Records that are gone since before a moment (UTC without a zone), by object."""
        gone = tables.gone.c
        query = sa.select(gone.object, gone.record_id).where(gone.connection == connection, gone.at < moment)
        found: dict[str, list[str]] = {}
        with self._engine.connect() as db:
            for object_name, record_id in db.execute(query):
                found.setdefault(object_name, []).append(record_id)
        return found

    def is_back(self, connection: str, object_name: str, ids: Collection[str]) -> None:
        """Records were restored: they are not gone."""
        with self._engine.begin() as db:
            for some in chunked(ids):
                db.execute(tables.gone.delete().where(*_about(tables.gone.c, connection, object_name, some)))

    # Erasing.

    def knows(self, connection: str, object_name: str, record_id: str) -> bool:
        """Whether the history holds anything of a record."""
        wanted = [
            sa.select(sa.literal(1)).where(*_about(table.c, connection, object_name, [record_id]))
            for table in (tables.quarantine, tables.edit, tables.gone, tables.task)
        ]
        item, run = tables.item.c, tables.run.c
        wanted.append(
            sa.select(sa.literal(1))
            .select_from(tables.item.join(tables.run))
            .where(run.connection == connection, item.object == object_name, item.record_id == record_id)
        )
        with self._engine.connect() as db:
            return any(db.execute(query.limit(1)).first() is not None for query in wanted)

    def erase(
        self, connection: str, object_name: str, ids: Collection[str], *, task_keys: bool = True
    ) -> None:
        """Take records out of the history, for good; what was listed of them is counted still, under no name.

        Without `task_keys` the tasks about them stay known: of a record that may be restored none is made twice.
        """
        with self._engine.begin() as db:
            if db.dialect.name == "sqlite":
                # What is deleted must not be left in the file.
                db.exec_driver_sql("PRAGMA secure_delete = ON")
            for some in chunked(ids):
                for table in (tables.quarantine, tables.edit, tables.gone):
                    db.execute(table.delete().where(*_about(table.c, connection, object_name, some)))
                self._erase_merges(db, connection, object_name, some, inherited=task_keys)
                keys = self._task_keys(db, connection, object_name, some)
                self._erase_items(db, connection, object_name, some)
                if task_keys:
                    self._erase_tasks(db, connection, keys)
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as db:
                db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _erase_merges(
        self, db: sa.Connection, connection: str, object_name: str, ids: list[str], *, inherited: bool
    ) -> None:
        """Unless `inherited`, a person's word that a merged record handed on stays: it is the other one's by now."""
        merge = tables.merge.c
        concerned = sa.or_(merge.loser.in_(ids), merge.winner.in_(ids))
        db.execute(
            tables.merge.delete().where(
                merge.connection == connection,
                merge.object == object_name,
                concerned,
                sa.true() if inherited else merge.inherited.is_(None),
            )
        )

    def _task_keys(self, db: sa.Connection, connection: str, object_name: str, ids: list[str]) -> list[str]:
        return list(
            db.scalars(
                sa.select(tables.task.c.key).where(*_about(tables.task.c, connection, object_name, ids))
            )
        )

    def _erase_tasks(self, db: sa.Connection, connection: str, keys: list[str]) -> None:
        for some in chunked(keys):
            self._erase_items(db, connection, "task", some)
            for table, column in ((tables.quarantine, "record_id"), (tables.task, "key")):
                db.execute(table.delete().where(table.c.connection == connection, table.c[column].in_(some)))

    def _erase_items(self, db: sa.Connection, connection: str, object_name: str, ids: list[str]) -> None:
        runs = sa.select(tables.run.c.id).where(tables.run.c.connection == connection).scalar_subquery()
        objects = (object_name,) if object_name == "task" else (object_name, "task")
        item = tables.item.c
        db.execute(
            tables.item.update()
            .where(item.run.in_(runs), item.object.in_(objects), item.record_id.in_(ids))
            .values(record_id=ERASED, message="")
        )


def _about(
    columns: Any,
    connection: str,
    object_name: str,
    ids: Collection[str],
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        columns["connection"] == connection,
        columns["object"] == object_name,
        columns["record_id"].in_(ids),
    )
