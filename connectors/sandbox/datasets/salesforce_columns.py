"""What the tables of every Salesforce object share: references by id, and the system's own columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

TYPED = pa.timestamp("us")


def pointed(ids: pa.Array, rows: Any) -> Any:
    """Row numbers as ids; null stays null."""
    return ids.take(rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows)


def touched(owner: Any, created: Any, modified: Any) -> dict[str, Any]:
    """The system columns: made and last changed by the owner."""
    return {
        "IsDeleted": pa.repeat(pa.scalar(value=False), len(created)),
        "CreatedDate": created.cast(TYPED),
        "CreatedById": owner,
        "LastModifiedDate": modified.cast(TYPED),
        "LastModifiedById": owner,
        "SystemModstamp": modified.cast(TYPED),
    }
