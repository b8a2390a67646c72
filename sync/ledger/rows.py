"""One row by its key: changed where it is there, made where it is not; in one statement, whoever else is at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa


def upsert(db: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Let the row of this key hold these values, whichever database it is."""
    row = _insert(db, table).values(**key, **values)
    db.execute(row.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def added(db: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Make a row, unless there is one of its key; returns whether it was made."""
    row = _insert(db, table).values(**values).on_conflict_do_nothing()
    return db.execute(row.execution_options(preserve_rowcount=True)).rowcount == 1


def _insert(db: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    return sqlite.insert(table) if db.dialect.name == "sqlite" else postgresql.insert(table)
