"""Which records' tag state moves with a plan: of those whose tags are written, or need no write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sync.store.tags import TagStore


def moved_states(
    states: Sequence[pa.Table], due: Mapping[str, pa.Table], sent: Mapping[str, pa.Table], tags: TagStore
) -> list[pa.Table]:
    """The tag state to keep, bucket by bucket: the new one, and of records that stay behind the one kept before.

    `due` are all changes that the scores want, `sent` those that are about to be written. Where the CRM goes on
    holding the tag of before, what kept that tag calm must stay as it was, too.
    """
    behind = {name: _behind(rows, sent.get(name)) for name, rows in due.items()}
    if not any(len(ids) for ids in behind.values()):
        return list(states)
    return [_joined(state, tags.state(bucket), behind) for bucket, state in enumerate(states)]


def _behind(due: pa.Table, sent: pa.Table | None) -> pa.ChunkedArray:
    """The ids of records whose change, or its tier, is not sent."""
    if sent is None:
        return due["id"]
    with database(due=_tiers(due), sent=_tiers(sent)) as db:
        return db.sql(
            """
            SELECT due.id FROM due LEFT JOIN sent USING (id)
            WHERE sent.id IS NULL OR due.tells
                AND (sent.tier IS DISTINCT FROM due.tier OR sent.tells IS DISTINCT FROM due.tells)
            """
        ).to_arrow_table()["id"]


def _tiers(changes: pa.Table) -> pa.Table:
    """Id, the new tier, and whether the tier is written at all."""
    tier = (
        changes["foretag_tier"]
        if "foretag_tier" in changes.column_names
        else pa.nulls(changes.num_rows, pa.string())
    )
    with database(changes=changes.select(["id", "clear"]).append_column("tier", tier)) as db:
        return db.sql(
            "SELECT id, tier, tier IS NOT NULL OR coalesce(list_contains(clear, 'foretag_tier'), FALSE) AS tells"
            " FROM changes"
        ).to_arrow_table()


def _joined(new: pa.Table, old: pa.Table | None, behind: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    kept = [] if old is None else [old.select(new.column_names).filter(_among(old, behind))]
    return pa.concat_tables([new.filter(pc.invert(_among(new, behind))), *kept])


def _among(states: pa.Table, behind: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Which rows are of records that stay behind; ids are of one object alone."""
    found = pa.chunked_array([pa.repeat(pa.scalar(value=False), states.num_rows)])
    for name, ids in behind.items():
        here = pc.and_(pc.equal(states["object"], name), pc.is_in(states["id"], value_set=ids))
        found = pc.or_(found, here)
    return found
