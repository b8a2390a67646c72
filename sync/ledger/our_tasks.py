"""The tasks that we make, in the history: their keys, what we last wrote into each, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.chunks import chunked
from sync.ledger.rows import upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

KNOWN_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("key", "rule", "object", "record_id", "account_id", "period")),
        *((name, pa.string()) for name in ("owner_id", "state", "crm_id", "content", "gist", "ended")),
        *((name, pa.date32()) for name in ("due", "created_on", "ended_on")),
    ]
)

# A person did it or threw it away; we closed it, or deleted it untouched, because it no longer applied; an undo did.
BY_PEOPLE = ("done", "deleted")
ENDED = (*BY_PEOPLE, "closed", "lapsed", "undone")


class OurTasks:
    """The tasks of all connections."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def intend(self, connection: str, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write down the keys of tasks about to be made. A key once there is kept, whatever became of it."""
        with self._engine.begin() as db:
            for row in rows:
                values = {name: value for name, value in row.items() if name != "key"}
                key = {"connection": connection, "key": row["key"]}
                upsert(db, tables.task, key, {"run": run_id, "state": "intended", **values})

    def settle(self, connection: str, outcomes: Iterable[tuple[str, str, str | None]]) -> None:
        """Write down what became of them: (key, state, id in the CRM)."""
        self.change(
            connection, ((key, {"state": state, "crm_id": crm_id}) for key, state, crm_id in outcomes)
        )

    def recent(self, connection: str, since: date) -> pa.Table:
        """In `KNOWN_SCHEMA`: those that have not ended, those made or ended since a day, those made but once."""
        task = tables.task.c
        query = sa.select(*(task[name] for name in KNOWN_SCHEMA.names)).where(
            task.connection == connection,
            sa.or_(
                sa.and_(task.ended.is_(None), task.state != "refused"),
                task.created_on >= since,
                task.ended_on >= since,
                task.period == "once",
            ),
        )
        with self._engine.connect() as db:
            return _table(db.execute(query).all())

    def of_run(self, connection: str, run_id: str) -> pa.Table:
        """In `KNOWN_SCHEMA`: those that a run was about to make."""
        task = tables.task.c
        query = sa.select(*(task[name] for name in KNOWN_SCHEMA.names)).where(
            task.connection == connection, task.run == run_id
        )
        with self._engine.connect() as db:
            return _table(db.execute(query).all())

    def by_key(self, connection: str, keys: Collection[str]) -> pa.Table:
        """In `KNOWN_SCHEMA`: those of these keys that are known."""
        task = tables.task.c
        found: list[sa.Row[Any]] = []
        with self._engine.connect() as db:
            for part in chunked(keys):
                query = sa.select(*(task[name] for name in KNOWN_SCHEMA.names)).where(
                    task.connection == connection, task.key.in_(part)
                )
                found += db.execute(query)
        return _table(found)

    def change(self, connection: str, changes: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Write down, of tasks by key, what we are about to write into them, or what we saw of them."""
        with self._engine.begin() as db:
            for key, values in changes:
                db.execute(
                    tables.task.update()
                    .where(tables.task.c.connection == connection, tables.task.c.key == key)
                    .values(**values)
                )


def _table(rows: Sequence[sa.Row[Any]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in KNOWN_SCHEMA)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, KNOWN_SCHEMA, strict=True)],
        schema=KNOWN_SCHEMA,
    )
