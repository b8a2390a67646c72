"""A sample of a plan: some records of every kind of change, the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Mapping


def sampled(changes: Mapping[str, pa.Table], number: int) -> dict[str, pa.ChunkedArray]:
    """The ids of so many of the records that would change, by object.

    Each kind of change (object, tier now, tier then) gives one record after the other in turn, so that rare moves are
    among them; which ones is decided by a digest of the id, so that a second sample of the same plan is the same.
    """
    kinds = [_kinds(name, rows) for name, rows in changes.items()]
    with database(rows=pa.concat_tables(kinds)) as db:
        found = db.sql(
            """
            SELECT object, id FROM (
                SELECT *, row_number() OVER (PARTITION BY object, old, new ORDER BY md5(id), id) AS turn FROM rows
            ) ORDER BY turn, md5(object || coalesce(old, '') || coalesce(new, '')), id LIMIT $number
            """,
            params={"number": number},
        ).to_arrow_table()
    return {name: _of(found, name) for name in changes}


def _kinds(object_name: str, changes: pa.Table) -> pa.Table:
    """Object, id, and the tier before and after."""
    tiers = {"foretag_tier", "old_foretag_tier"} <= set(changes.column_names)
    new = (
        "CASE WHEN list_contains(clear, 'foretag_tier') THEN NULL ELSE coalesce(foretag_tier, old_foretag_tier) END"
        if tiers
        else "NULL"
    )
    old = "old_foretag_tier" if tiers else "NULL"
    with database(changes=changes) as db:
        # Columns of ours and an object's name, no values.
        sql = (
            f"SELECT '{object_name}' AS object, id, {old}::VARCHAR AS old, {new}::VARCHAR AS new FROM changes"  # noqa: S608  # names alone
        )
        return db.sql(sql).to_arrow_table()


def _of(found: pa.Table, object_name: str) -> pa.ChunkedArray:
    return found.filter(pc.equal(found["object"], object_name))["id"]
