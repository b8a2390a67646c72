"""The tasks that we make, in the history: their keys, what we last wrote into each, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables
from sync.ledger.chunks import chunked
from sync.ledger.rows import upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    import pyarrow as pa

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
        return self._known(
            task.connection == connection,
            sa.or_(
                sa.and_(task.ended.is_(None), task.state != "refused"),
                task.created_on >= since,
                task.ended_on >= since,
                task.period == "once",
            ),
        )

    def of_run(self, connection: str, run_id: str) -> pa.Table:
        """In `KNOWN_SCHEMA`: those that a run was about to make."""
        task = tables.task.c
        return self._known(task.connection == connection, task.run == run_id)

    def by_key(self, connection: str, keys: Collection[str]) -> pa.Table:
        """In `KNOWN_SCHEMA`: those of these keys that are known."""
        task = tables.task.c
        parts = ([task.connection == connection, task.key.in_(part)] for part in chunked(keys))
        return self._known_of(parts)

    def change(self, connection: str, changes: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Write down, of tasks by key, what we are about to write into them, or what we saw of them."""
        with self._engine.begin() as db:
            for key, values in changes:
                db.execute(
                    tables.task.update()
                    .where(tables.task.c.connection == connection, tables.task.c.key == key)
                    .values(**values)
                )

    def _known(self, *where: sa.ColumnElement[bool]) -> pa.Table:
        return self._known_of([where])

    def _known_of(self, parts: Iterable[Sequence[sa.ColumnElement[bool]]]) -> pa.Table:
        # Late: a worker that waits reads no table, and stays small without the library.
        from sync.ledger.known_tasks import KNOWN_SCHEMA, known_table  # noqa: PLC0415  # late on purpose

        columns = [tables.task.c[name] for name in KNOWN_SCHEMA.names]
        with self._engine.connect() as db:
            return known_table(
                [row for where in parts for row in db.execute(sa.select(*columns).where(*where))]
            )
