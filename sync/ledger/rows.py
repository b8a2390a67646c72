"""One row by its key: changed where it is there, made where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Mapping


def upsert(db: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Let the row of this key hold these values, whichever database it is."""
    where = sa.and_(*(table.c[name] == value for name, value in key.items()))
    if db.execute(table.update().where(where).values(**values)).rowcount == 0:
        db.execute(table.insert().values(**key, **values))
