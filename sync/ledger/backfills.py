"""Backfills in the history: what each was asked to do, and whether it is done, so that one can be taken up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

COMMAND = "backfill"


@dataclass(frozen=True, slots=True)
class Begun:
    """A backfill that was quoted. `run` is the run that quoted it, by which it is called; `today` its day."""

    run: str
    rules: str
    today: date
    options: Mapping[str, Any]
    done: bool


class Backfills:
    """The backfills of all connections, in the ledger's database: a run that quotes, and runs of it that write."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def begin(self, run: str, options: Mapping[str, Any]) -> None:
        """Write down that a run has quoted a backfill, and with which options it is to go on."""
        with self._engine.begin() as db:
            db.execute(tables.run.update().where(tables.run.c.id == run).values(options=dict(options)))

    def find(self, connection: str, run: str | None = None) -> Begun | None:
        """The backfill that a run quoted or worked on; without a run, the connection's latest."""
        with self._engine.connect() as db:
            query = (
                sa.select(tables.run)
                .where(tables.run.c.connection == connection, tables.run.c.command == COMMAND)
                .where(tables.run.c.options.is_not(None), tables.run.c.of.is_(None))
                .order_by(tables.run.c.started_at.desc(), tables.run.c.id.desc())
                .limit(1)
            )
            if run is not None:
                of = db.scalar(sa.select(tables.run.c.of).where(tables.run.c.id == run))
                query = query.where(tables.run.c.id == (of or run))
            row = db.execute(query).one_or_none()
            if row is None:
                return None
            done = db.scalar(
                sa.select(sa.func.count())
                .select_from(tables.run)
                .where(
                    tables.run.c.of == row.id, tables.run.c.command == COMMAND, tables.run.c.state == "done"
                )
            )
        return Begun(row.id, row.rules, row.today, row.options, bool(done))
