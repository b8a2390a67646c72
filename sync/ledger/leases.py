"""Leases: of all processes on all machines, one at a time works on a connection."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.fence import Fence, Lease, lost, outside
from sync.ledger.holder import is_dead, ourselves, told
from sync.ledger.rows import added
from sync.stopping import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

# Longer than the longest request timeout: while a request may still be in flight, nobody else writes.
LEASE = timedelta(minutes=15)
# One that ends later was noted by a clock of another day. Wide: a clock that is slow must not take what is held.
_BELIEVED = timedelta(days=1)


class Leases:
    """The leases of all connections; `now` gives UTC without a zone, `fence` stands around whatever is held here."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime], fence: Fence) -> None:
        self._engine = outside(engine)
        self._now = now
        self._fence = fence

    @contextmanager
    def hold(self, connection: str) -> Iterator[Lease]:
        """The only right to work on a connection. Raises `LeaseLost` if another run has it."""
        lease = self._acquire(connection)
        self._fence.put_up(lease)
        try:
            yield lease
        finally:
            self._fence.take_down(lease)
            self._extend(lease, self._now())

    def renew(self, lease: Lease) -> None:
        """Prolong the lease; called before each send. Raises `LeaseLost` if another run took it over."""
        if not self._extend(lease, self._now() + LEASE):
            raise lost(lease)

    def at_work(self, connection: str) -> bool:
        """Whether a run works on a connection now, as far as can be told from here."""
        with self._engine.connect() as db:
            row = _row(db, connection)
        return row is not None and self._is_held(row)

    def _is_held(self, row: sa.Row[Any]) -> bool:
        now = self._now()
        return bool(now < row.expires_at < now + _BELIEVED) and not is_dead(row.holder)

    def _acquire(self, connection: str) -> Lease:
        holder = ourselves()
        with self._engine.begin() as db:
            row = _row(db, connection)
            if row is not None and self._is_held(row):
                raise LeaseLost(f"another run ({told(row.holder)}) is working on {connection}")
            fence = 1 if row is None else row.fence + 1
            values = {"holder": holder, "fence": fence, "expires_at": self._now() + LEASE}
            if row is None:
                taken = added(db, tables.lease, {"connection": connection, **values})
            else:
                # As it was looked at: its holder may have renewed it since.
                same = (tables.lease.c.fence == row.fence, tables.lease.c.expires_at == row.expires_at)
                mine = tables.lease.c.connection == connection
                taken = db.execute(tables.lease.update().where(mine, *same).values(**values)).rowcount == 1
            if not taken:
                raise LeaseLost(f"another run began to work on {connection} at the same moment")
        return Lease(connection, holder, fence)

    def _extend(self, lease: Lease, until: datetime) -> bool:
        """Let a lease end then; returns whether it is still ours."""
        held = sa.and_(*(tables.lease.c[name] == value for name, value in asdict(lease).items()))
        with self._engine.begin() as db:
            return db.execute(tables.lease.update().where(held).values(expires_at=until)).rowcount == 1


def _row(db: sa.Connection, connection: str) -> sa.Row[Any] | None:
    return db.execute(sa.select(tables.lease).where(tables.lease.c.connection == connection)).one_or_none()
