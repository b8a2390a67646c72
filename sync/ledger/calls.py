"""How many API calls each run has made, known while it goes on: what a process that dies has used up still counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sync.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

# As the CRMs count: any 24 hours.
DAY = timedelta(hours=24)


class Calls:
    """The calls of runs, in the ledger's database; `now` is UTC without a zone."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def note(self, run_id: str, calls: int) -> None:
        """Write down how many a run has made so far."""
        with self._engine.begin() as db:
            db.execute(tables.run.update().where(tables.run.c.id == run_id).values(calls=calls))

    def of_day(self, connection: str, but: str) -> int:
        """How many a connection's runs made that were at work within the last 24 hours, but for one of them."""
        ended = sa.func.coalesce(tables.run.c.finished_at, self._now())
        query = sa.select(sa.func.coalesce(sa.func.sum(tables.run.c.calls), 0)).where(
            tables.run.c.connection == connection, tables.run.c.id != but, ended > self._now() - DAY
        )
        with self._engine.connect() as db:
            return int(db.scalar(query) or 0)
