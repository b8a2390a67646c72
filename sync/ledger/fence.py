"""The fence: a run that slept through its lease commits nothing more, whatever it was about to write down.

Each transaction of a process that holds a lease ends with a look at it. The look and the commit are one: whoever
takes the lease over comes before both, and is seen, or waits for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event

from sync.ledger import tables
from sync.stopping import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a connection, until it expires or is lost."""

    connection: str
    holder: str
    fence: int


class Fence:
    """Stands around all that a process writes into the history while it holds leases."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._leases: list[Lease] = []
        event.listen(engine, "commit", self._look)

    def put_up(self, lease: Lease) -> None:
        """From now on nothing is written without this lease."""
        self._leases.append(lease)

    def take_down(self, lease: Lease) -> None:
        """It is given back."""
        self._leases.remove(lease)

    def require(self) -> None:
        """Before something is changed that lies beside the history. Raises `LeaseLost` if another run has a lease."""
        if self._leases:
            with self._engine.connect() as db:
                for lease in self._lost(db):
                    raise lost(lease)

    def _look(self, db: sa.Connection) -> None:
        if db.get_execution_options().get("fenced", True):
            for lease in self._lost(db):
                raise lost(lease)

    def _lost(self, db: sa.Connection) -> Iterator[Lease]:
        for lease in tuple(self._leases):
            # For others to read, for nobody to take over until this is committed.
            query = sa.select(tables.lease.c.fence).where(tables.lease.c.connection == lease.connection)
            if db.scalar(query.with_for_update(read=True)) != lease.fence:
                yield lease


def outside(engine: sa.Engine) -> sa.Engine:
    """The same database for what must be written in any case: leases themselves, and tokens that replace others."""
    return engine.execution_options(fenced=False)


def lost(lease: Lease) -> LeaseLost:
    """What ends a run whose lease another one has."""
    return LeaseLost(
        f"Another run took over {lease.connection}: this one was held up for too long, and stops"
    )
