"""What the history tells of a run beside itself: what came of it later, which records its tasks are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.chunks import chunked

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date


class Past:
    """Questions about runs of all connections."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def later(self, run_id: str) -> list[dict[str, Any]]:
        """The runs that undid, retried or resumed a run, in order."""
        query = sa.select(tables.run).where(tables.run.c.of == run_id).order_by(tables.run.c.started_at)
        with self._engine.connect() as db:
            return [dict(row) for row in db.execute(query).mappings()]

    def days(self, connection: str) -> dict[str, date]:
        """The day for which each of a connection's runs was made, by run."""
        query = sa.select(tables.run.c.id, tables.run.c.today).where(tables.run.c.connection == connection)
        with self._engine.connect() as db:
            return dict(db.execute(query).all())

    def records_of(self, connection: str, keys: Collection[str]) -> dict[str, str]:
        """The record that each task is about, by the task's key; keys that are not known are left out."""
        task = tables.task.c
        found: dict[str, str] = {}
        with self._engine.connect() as db:
            for some in chunked(keys):
                query = sa.select(task.key, task.record_id).where(
                    task.connection == connection, task.key.in_(some)
                )
                found |= dict(db.execute(query).all())
        return found
