"""What shuts the way to a CRM, in the history: a pause, rules not approved, fields held back by an undo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sync.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

TASKS = ("task", "*")  # what is held when tasks are: no field, all of them


@dataclass(frozen=True, slots=True)
class Pause:
    """Somebody told a connection to write nothing. `at` is UTC."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody approved a set of rules, known by their digest; `how` is the command, or the plan applied."""

    rules: str
    by: str
    at: datetime
    how: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A field that an undo took back: not written under the rules of that digest. Of tasks the field is `*`."""

    object: str
    field: str
    run: str
    rules: str
    since: datetime


class Gates:
    """Pauses, approvals and holds of all connections; `now` gives UTC without a zone."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    # Pauses.

    def pause(self, connection: str, by: str, reason: str) -> bool:
        """Write down that a connection may write nothing; returns false if it has never run."""
        return self._mark(connection, paused_at=self._now(), paused_by=by, pause_reason=reason)

    def unpause(self, connection: str) -> bool:
        """Write down that it may write again; returns false if it has never run."""
        return self._mark(connection, paused_at=None, paused_by=None, pause_reason=None)

    def paused(self, connection: str) -> Pause | None:
        """Who paused a connection, when and why; None if nobody did."""
        row = self._connection(connection)
        if row is None or row.paused_at is None:
            return None
        return Pause(_utc(row.paused_at), row.paused_by or "", row.pause_reason or "")

    def live(self, connection: str) -> bool | None:
        """Whether the preview is over; None if the connection has never run."""
        row = self._connection(connection)
        return None if row is None else bool(row.live)

    # Approvals.

    def approve(self, connection: str, rules: str, by: str, how: str) -> None:
        """Write down that somebody approved these rules."""
        with self._engine.begin() as db:
            db.execute(
                tables.approval.insert().values(
                    connection=connection, rules=rules, by=by, at=self._now(), how=how
                )
            )

    def approval(self, connection: str) -> Approval | None:
        """The last approval of a connection; None if there is none."""
        query = (
            sa.select(tables.approval)
            .where(tables.approval.c.connection == connection)
            .order_by(tables.approval.c.id.desc())
            .limit(1)
        )
        with self._engine.connect() as db:
            row = db.execute(query).one_or_none()
        return None if row is None else Approval(row.rules, row.by, _utc(row.at), row.how)

    # Holds.

    def hold(self, connection: str, run: str, rules: str, fields: Iterable[tuple[str, str]]) -> None:
        """Write down that an undo took these fields (object, name) back."""
        chosen = list(dict.fromkeys(fields))
        with self._engine.begin() as db:
            for object_name, field in chosen:
                db.execute(tables.hold.delete().where(_of(connection, object_name, field)))
                db.execute(
                    tables.hold.insert().values(
                        connection=connection,
                        object=object_name,
                        field=field,
                        run=run,
                        rules=rules,
                        since=self._now(),
                    )
                )

    def holds(self, connection: str, rules: str) -> list[Hold]:
        """What may not be written under these rules; other rules end a hold."""
        query = (
            sa.select(tables.hold)
            .where(tables.hold.c.connection == connection, tables.hold.c.rules == rules)
            .order_by(tables.hold.c.object, tables.hold.c.field)
        )
        with self._engine.connect() as db:
            return [
                Hold(row.object, row.field, row.run, row.rules, _utc(row.since)) for row in db.execute(query)
            ]

    def release(self, connection: str, fields: Iterable[tuple[str, str]] | None = None) -> int:
        """End the holds of these fields, or all; returns how many there were."""
        chosen = (
            [tables.hold.c.connection == connection]
            if fields is None
            else [_of(connection, *pair) for pair in fields]
        )
        with self._engine.begin() as db:
            return sum(db.execute(tables.hold.delete().where(where)).rowcount for where in chosen)

    def _connection(self, name: str) -> sa.Row[tuple[object, ...]] | None:
        with self._engine.connect() as db:
            return db.execute(
                sa.select(tables.connection).where(tables.connection.c.name == name)
            ).one_or_none()

    def _mark(self, connection: str, **values: object) -> bool:
        with self._engine.begin() as db:
            row = tables.connection.update().where(tables.connection.c.name == connection).values(**values)
            return db.execute(row).rowcount == 1


def _of(connection: str, object_name: str, field: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        tables.hold.c.connection == connection,
        tables.hold.c.object == object_name,
        tables.hold.c.field == field,
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
