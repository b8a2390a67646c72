"""The time zones of each connection, as last seen: a scheduler reads them where it has no CRM at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sync.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Sequence


class Zones:
    """The zones of connections, in the ledger's database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def keep_timezone(self, connection: str, timezone: str) -> None:
        """Keep the org's own: schedules are read in it."""
        self._keep(connection, timezone=timezone)

    def keep(self, connection: str, zones: Sequence[str]) -> None:
        """Keep those of the owners: their tasks are made in the morning."""
        self._keep(connection, zones=list(zones))

    def of(self, connection: str) -> tuple[str | None, list[str]]:
        """The org's own and those of the owners; None and none before the first run."""
        known = tables.connection.c
        with self._engine.connect() as db:
            row = db.execute(
                sa.select(known.timezone, known.zones).where(known.name == connection)
            ).one_or_none()
        return (None, []) if row is None else (row.timezone, list(row.zones or ()))

    def all(self) -> dict[str, tuple[str | None, list[str]]]:
        """The same of every connection that ever ran."""
        known = tables.connection.c
        with self._engine.connect() as db:
            rows = db.execute(sa.select(known.name, known.timezone, known.zones))
            return {row.name: (row.timezone, list(row.zones or ())) for row in rows}

    def _keep(self, connection: str, **values: object) -> None:
        with self._engine.begin() as db:
            db.execute(
                tables.connection.update().where(tables.connection.c.name == connection).values(**values)
            )
