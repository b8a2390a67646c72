"""Tag state after an undo: what keeps tags calm must know the tier that the CRM holds again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.store.tags import TagStore


def keep_tiers(tags: TagStore, buckets: int, back: Mapping[str, pa.Table]) -> None:
    """Remember of the records whose tier goes back that they hold it, and since long: nothing keeps it up for now.

    `back` are the changes of an undo, by object.
    """
    tiers = [
        _tiers(name, changes) for name, changes in back.items() if "foretag_tier" in changes.column_names
    ]
    states = [tags.state(bucket) for bucket in range(buckets)]
    if not any(table.num_rows for table in tiers) or any(state is None for state in states):
        return
    tags.keep_state([_with_tiers(state, pa.concat_tables(tiers)) for state in states if state is not None])


def _tiers(object_name: str, changes: pa.Table) -> pa.Table:
    """Object, id and tier of the records whose tier changes (null: it is emptied)."""
    with database(changes=changes.select(["id", "clear", "foretag_tier"])) as db:
        found = db.sql(
            "SELECT id, foretag_tier AS tier FROM changes"
            " WHERE foretag_tier IS NOT NULL OR list_contains(clear, 'foretag_tier')"
        ).to_arrow_table()
    return found.append_column("object", pa.repeat(pa.scalar(object_name), found.num_rows))


def _with_tiers(state: pa.Table, tiers: pa.Table) -> pa.Table:
    with database(state=state, tiers=tiers) as db:
        changed = db.sql(
            """
            SELECT s.* REPLACE (
                CASE WHEN t.id IS NULL THEN s.tier ELSE t.tier END AS tier,
                CASE WHEN t.id IS NULL THEN s.since END AS since
            ) FROM state s LEFT JOIN tiers t ON t.object = s.object AND t.id = s.id
            """
        ).to_arrow_table()
    return changed.select(state.column_names).cast(state.schema)
