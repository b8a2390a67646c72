"""Scheduled work in the history: what was due last, which worker took it, and how it ended.

Of several workers that see the same work fall due, the one whose statement comes first takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.rows import added
from sync.ledger.workers import AHEAD, NOBODY, is_living

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class WorkName(NamedTuple):
    """What is scheduled: a job of a connection; tasks once for each time zone of owners, else the zone is empty."""

    connection: str
    job: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Fire:
    """Work that was due and taken. Times are UTC. Without end it is under way, or its worker died or gave it back.

    `exit_code` and `run` are of the last end: until there is one, that of the work before it. So a failure is not
    forgotten for as long as it is tried again.
    """

    work: WorkName
    due: datetime
    worker: str
    taken: datetime
    ended: datetime | None
    exit_code: int | None
    run: str | None


class Fires:
    """The last fire of each work of all connections; `now` gives UTC without a zone."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def last(self, connection: str | None = None) -> dict[WorkName, Fire]:
        """The last fire of each work, of one connection or of all."""
        query = sa.select(tables.fire)
        if connection is not None:
            query = query.where(tables.fire.c.connection == connection)
        with self._engine.connect() as db:
            fires = [_fire(row) for row in db.execute(query)]
        return {fire.work: fire for fire in fires}

    def open(self, connection: str | None = None, *, idle: str = NOBODY) -> list[Fire]:
        """What was taken and has not ended, and nobody is at it: its worker died, gave it back, or is `idle`."""
        lost = (tables.fire.c.ended_at.is_(None), self._at_nothing(idle))
        query = sa.select(tables.fire).where(*lost).order_by(tables.fire.c.due_at)
        if connection is not None:
            query = query.where(tables.fire.c.connection == connection)
        with self._engine.connect() as db:
            return [_fire(row) for row in db.execute(query)]

    def take(self, work: WorkName, due: datetime, worker: str) -> bool:
        """Take work that falls due, if no worker has taken it (or later work of its kind), or another is at it still.

        The worker itself is not at it: it asks for nothing that it has begun.
        """
        moment, fire = _naive(due), tables.fire.c
        free = sa.or_(fire.ended_at.is_not(None), self._at_nothing(worker))
        not_taken = sa.or_(fire.due_at < moment, fire.due_at > max(moment, self._now() + AHEAD))
        values = {"due_at": moment, **self._taken(worker)}
        with self._engine.begin() as db:
            taken = db.execute(tables.fire.update().where(_is(work), not_taken, free).values(values))
            # Where no row was changed there may be none yet; of several workers that make it, one does.
            return bool(taken.rowcount) or added(db, tables.fire, {**work._asdict(), **values})

    def adopt(self, fire: Fire, worker: str) -> bool:
        """Take over what nobody is at any more, if no other worker did."""
        same = (tables.fire.c.worker == fire.worker, tables.fire.c.due_at == _naive(fire.due))
        with self._engine.begin() as db:
            adopted = db.execute(
                tables.fire.update()
                .where(_is(fire.work), *same, tables.fire.c.ended_at.is_(None))
                .values(self._taken(worker))
            )
            return bool(adopted.rowcount)

    def end(self, work: WorkName, worker: str, exit_code: int | None, run: str | None = None) -> None:
        """Write down how it ended; without an exit code it did not take place."""
        self._change(work, worker, {"ended_at": self._now(), "exit_code": exit_code, "run": run})

    def give_back(self, work: WorkName, worker: str) -> None:
        """Leave it, not done, to whoever comes next."""
        self._change(work, worker, {"worker": NOBODY})

    def _at_nothing(self, idle: str) -> sa.ColumnElement[bool]:
        """A condition: the worker that took it is at it no more; one that is `idle` says so itself."""
        worker = tables.fire.c.worker
        return sa.or_(worker == idle, ~is_living(worker, self._now()))

    def _taken(self, worker: str) -> dict[str, object]:
        return {"worker": worker, "taken_at": self._now(), "ended_at": None}

    def _change(self, work: WorkName, worker: str, values: dict[str, object]) -> None:
        mine = (_is(work), tables.fire.c.worker == worker, tables.fire.c.ended_at.is_(None))
        with self._engine.begin() as db:
            db.execute(tables.fire.update().where(*mine).values(values))


def _is(work: WorkName) -> sa.ColumnElement[bool]:
    return sa.and_(*(tables.fire.c[name] == value for name, value in work._asdict().items()))


def _fire(row: sa.Row[tuple[object, ...]]) -> Fire:
    return Fire(
        WorkName(row.connection, row.job, row.zone),
        row.due_at.replace(tzinfo=UTC),
        row.worker,
        row.taken_at.replace(tzinfo=UTC),
        None if row.ended_at is None else row.ended_at.replace(tzinfo=UTC),
        row.exit_code,
        row.run,
    )


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
