"""Who moves to another tier: what a plan would change, or the whole book as it is held and as it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.store.embedded import database

if TYPE_CHECKING:
    import pyarrow as pa

    from sync.store.mirror import Mirror
    from sync.store.tags import TagStore

    Moves = dict[tuple[str, str], int]

_NONE = "none"


def moves(changes: pa.Table) -> Moves:
    """How many of a plan's records go from which tier (or none) to which."""
    if not {"foretag_tier", "old_foretag_tier"} <= set(changes.column_names):
        return {}
    with database(changes=changes) as db:
        found = db.execute(
            """
            SELECT coalesce(old_foretag_tier, $none), coalesce(foretag_tier, $none), count(*) FROM changes
            WHERE foretag_tier IS NOT NULL OR list_contains(clear, 'foretag_tier') GROUP BY ALL ORDER BY ALL
            """,
            {"none": _NONE},
        ).fetchall()
    return {(old, new): count for old, new, count in found}


def matrix(mirror: Mirror, tags: TagStore, object_name: str) -> Moves:
    """The same of the whole book, those who stay too: from what the CRM holds to what was scored last."""
    wanted = tags.read(f"tags_{object_name}")
    if wanted is None:
        return {}
    with database(
        wanted=wanted.select(["id", "foretag_tier"]), held=mirror.read(object_name, ("id", "foretag_tier"))
    ) as db:
        found = db.execute(
            """
            SELECT coalesce(held.foretag_tier, $none) AS old, coalesce(wanted.foretag_tier, $none) AS new, count(*)
            FROM held JOIN wanted USING (id) WHERE old <> $none OR new <> $none GROUP BY ALL ORDER BY ALL
            """,
            {"none": _NONE},
        ).fetchall()
    return {(old, new): count for old, new, count in found}
