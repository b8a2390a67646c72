"""What the CRM refused and is not sent again, in the history: known by a digest of the record and the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.chunks import chunked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused, in which run, and why. Of a task the record is its key."""

    record_id: str
    digest: str
    run: str
    code: str
    message: str
    fix: str


class Quarantine:
    """The refusals of all connections that still stand; `now` gives UTC without a zone."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def of(self, connection: str, object_name: str) -> Mapping[str, Refusal]:
        """Those of an object, by record."""
        columns = [tables.quarantine.c[name] for name in Refusal.__dataclass_fields__]
        query = sa.select(*columns).where(_about(connection, object_name))
        with self._engine.connect() as db:
            return {row.record_id: Refusal(*row) for row in db.execute(query)}

    def put(self, connection: str, object_name: str, refusals: Sequence[Refusal]) -> None:
        """Remember refusals, each in the place of an older one of its record."""
        rows: list[dict[str, Any]] = [
            {
                "connection": connection,
                "object": object_name,
                "since": self._now(),
                **{name: getattr(one, name) for name in Refusal.__dataclass_fields__},
                "code": one.code[:255],
            }
            for one in refusals
        ]
        with self._engine.begin() as db:
            _drop(db, connection, object_name, [one.record_id for one in refusals])
            if rows:
                db.execute(tables.quarantine.insert(), rows)

    def lift(self, connection: str, object_name: str, record_ids: Collection[str]) -> None:
        """Let records be sent again."""
        with self._engine.begin() as db:
            _drop(db, connection, object_name, record_ids)


def _about(connection: str, object_name: str) -> sa.ColumnElement[bool]:
    return sa.and_(tables.quarantine.c.connection == connection, tables.quarantine.c.object == object_name)


def _drop(db: sa.Connection, connection: str, object_name: str, record_ids: Collection[str]) -> None:
    for some in chunked(record_ids):
        db.execute(
            tables.quarantine.delete().where(
                _about(connection, object_name), tables.quarantine.c.record_id.in_(some)
            )
        )
