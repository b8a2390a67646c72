"""How each connection stands, in one look: for those who watch a worker, not for its runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stand:
    """How one connection stands. Times are UTC; `approved` is the digest of the rules approved last."""

    connection: str
    live: bool
    paused_at: datetime | None
    pulled_at: datetime | None
    api_left: int | None
    api_limit: int | None
    leased: bool
    waiting: int
    approved: str | None


class Standing:
    """Reads how all connections stand; `now` gives UTC without a zone."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def pulled(self, connection: str, run_id: str) -> None:
        """Write down that whatever was changed until this run began, by our clock, is in the local copy."""
        began = sa.select(tables.run.c.started_at).where(tables.run.c.id == run_id).scalar_subquery()
        self._note(connection, pulled_at=began)

    def allowance(self, connection: str, left: int | None, limit: int | None) -> None:
        """Write down what the org has left of its API calls, if the CRM told."""
        if limit is not None:
            self._note(connection, api_left=left, api_limit=limit)

    def read(self) -> list[Stand]:
        """All connections that ever ran, by name."""
        connection = tables.connection
        with self._engine.connect() as db:
            leased = set(
                db.scalars(
                    sa.select(tables.lease.c.connection).where(tables.lease.c.expires_at > self._now())
                )
            )
            waiting = self._waiting(db)
            approved = self._approved(db)
            return [
                Stand(
                    row.name,
                    bool(row.live),
                    _utc(row.paused_at),
                    _utc(row.pulled_at),
                    row.api_left,
                    row.api_limit,
                    row.name in leased,
                    waiting.get(row.name, 0),
                    approved.get(row.name),
                )
                for row in db.execute(sa.select(connection).order_by(connection.c.name))
            ]

    def _waiting(self, db: sa.Connection) -> dict[str, int]:
        column = tables.quarantine.c.connection
        return {
            row.connection: row.records
            for row in db.execute(sa.select(column, sa.func.count().label("records")).group_by(column))
        }

    def _approved(self, db: sa.Connection) -> dict[str, str]:
        approval = tables.approval
        last = sa.select(sa.func.max(approval.c.id)).group_by(approval.c.connection)
        rows = db.execute(sa.select(approval.c.connection, approval.c.rules).where(approval.c.id.in_(last)))
        return {row.connection: row.rules for row in rows}

    def _note(self, connection: str, **values: Any) -> None:
        with self._engine.begin() as db:
            db.execute(
                tables.connection.update().where(tables.connection.c.name == connection).values(**values)
            )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
