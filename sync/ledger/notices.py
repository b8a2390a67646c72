"""What people were told, so that lasting trouble is told once, and its end, too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.rows import added

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """Trouble that lasts, of a kind, since a moment (UTC); `digest` is of what was told last."""

    connection: str
    kind: str
    digest: str
    since: datetime


class Notices:
    """Lasting trouble of all connections; `now` gives UTC without a zone. Replicas share it, so one of them tells."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def news(self, connection: str, kind: str, digest: str) -> bool:
        """Write down that there is such trouble; returns whether it is news: nobody told of it, or not in this form."""
        table = tables.notice
        row = {"connection": connection, "kind": kind, "digest": digest, "at": self._now()}
        with self._engine.begin() as db:
            in_this_form = table.update().where(_of(connection, kind), table.c.digest != digest)
            changed = db.execute(in_this_form.values(digest=digest)).rowcount
            # Another worker may be told the same at the same moment.
            return bool(changed) or added(db, table, row)

    def untold(self, connection: str, kind: str) -> None:
        """Nobody could be told of such trouble: the next time it is news again."""
        with self._engine.begin() as db:
            db.execute(tables.notice.update().where(_of(connection, kind)).values(digest=""))

    def over(self, connection: str, kinds: Collection[str]) -> list[Notice]:
        """Forget such trouble: it has ended. Returns what there was, to whoever was first to forget it."""
        return [one for one in self.lasting(connection) if one.kind in kinds and self._forgets(one)]

    def lasting(self, connection: str | None = None) -> list[Notice]:
        """All trouble that lasts, the oldest first."""
        query = sa.select(tables.notice).order_by(tables.notice.c.at, tables.notice.c.kind)
        if connection is not None:
            query = query.where(tables.notice.c.connection == connection)
        with self._engine.connect() as db:
            return [
                Notice(row.connection, row.kind, row.digest, row.at.replace(tzinfo=UTC))
                for row in db.execute(query)
            ]

    def _forgets(self, notice: Notice) -> bool:
        with self._engine.begin() as db:
            return db.execute(tables.notice.delete().where(_of(notice.connection, notice.kind))).rowcount == 1


def _of(connection: str, kind: str) -> sa.ColumnElement[bool]:
    return sa.and_(tables.notice.c.connection == connection, tables.notice.c.kind == kind)
