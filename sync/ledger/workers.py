"""Workers in the history, so that each sees which others live: one that is silent for long has died."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.holder import is_dead
from sync.ledger.rows import upsert

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

# How often a worker says that it lives, and after how long a silence it is taken for dead.
BEAT = timedelta(seconds=15)
SILENCE = timedelta(seconds=75)
# No worker's clock is further ahead of another's: what was noted for later than that, a wrong clock noted, and it
# counts for nothing. Else an hour with the wrong year would stop all work until that year.
AHEAD = timedelta(minutes=15)
# Of the dead nothing is kept for long.
KEPT = timedelta(days=7)

NOBODY = ""


class Workers:
    """The workers that share one history; `now` gives UTC without a zone."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now
        self._begun: dict[str, dict[str, Any]] = {}

    def begin(self, holder: str, version: str) -> str:
        """Write down that a worker started; returns its id, which no other start ever has."""
        worker, now = uuid4().hex, self._now()
        self._begun[worker] = {"holder": holder, "version": version, "started_at": now}
        with self._engine.begin() as db:
            db.execute(tables.worker.delete().where(tables.worker.c.seen_at < now - KEPT))
        self.beat(worker)
        return worker

    def beat(self, worker: str) -> None:
        """Say that one that began here lives; also to a history that was restored from a copy, and does not know it."""
        with self._engine.begin() as db:
            upsert(db, tables.worker, {"id": worker}, {**self._begun[worker], "seen_at": self._now()})

    def leave(self, worker: str) -> None:
        """Say that it ends: what it still had is free for others at once."""
        with self._engine.begin() as db:
            db.execute(tables.worker.delete().where(tables.worker.c.id == worker))

    def bury(self) -> None:
        """Those whose process we see to be no more are dead at once; of others a silence tells."""
        for worker in self.living():
            if is_dead(worker["holder"]):
                self.leave(worker["id"])

    def living(self) -> list[dict[str, Any]]:
        """Those that are not silent, the oldest first."""
        query = sa.select(tables.worker).where(_heard(self._now())).order_by(tables.worker.c.started_at)
        with self._engine.connect() as db:
            return [dict(row) for row in db.execute(query).mappings()]


def is_living(worker: sa.Column[str], now: datetime) -> sa.ColumnElement[bool]:
    """A condition: this column names a worker that is not silent."""
    return worker.in_(sa.select(tables.worker.c.id).where(_heard(now)))


def _heard(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(tables.worker.c.seen_at > now - SILENCE, tables.worker.c.seen_at < now + AHEAD)
