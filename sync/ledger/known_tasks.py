"""Our tasks as a table, for planning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

KNOWN_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("key", "rule", "object", "record_id", "account_id", "period")),
        *((name, pa.string()) for name in ("owner_id", "state", "crm_id", "content", "gist", "ended")),
        *((name, pa.date32()) for name in ("due", "created_on", "ended_on")),
    ]
)


def known_table(rows: Sequence[sa.Row[Any]]) -> pa.Table:
    """Rows of the history with the columns of `KNOWN_SCHEMA`, in its order."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in KNOWN_SCHEMA)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, KNOWN_SCHEMA, strict=True)],
        schema=KNOWN_SCHEMA,
    )
