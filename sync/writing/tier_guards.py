"""The guards in business terms: how much of a tier, of an owner's book, of the open amount one run may move.

Only records that hold a tier already count: to get a first one is no move, so that a first rollout, in parts or whole,
is limited by the number of its records alone. Nor does an opportunity count that was won or lost and gives up its tier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from config.outputs import OBJECTS
from sync.store.embedded import database
from sync.store.owners import NOBODY, owner_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.sections.strict import Tier
    from sync.job import Job
    from sync.store.mirror import Mirror
    from sync.writing.plan import Plan

# Fewer than this are single records, whatever share of a small tier they are.
FEW_MOVED = 5
OWNERS_NAMED = 5
_MOVED = pa.schema(
    [
        ("id", pa.string()),
        ("owner_id", pa.string()),
        ("old", pa.string()),
        ("new", pa.string()),
        ("over", pa.bool_()),
    ]
)


def tier_objections(job: Job, plan: Plan) -> Iterator[str]:
    """What a plan would move beyond the limits, in words with figures."""
    limits = job.connection.limits
    moved = {name: _moved(name, plan.changes.get(name)) for name in OBJECTS}
    if limits.max_tier_changes:
        for name in OBJECTS:
            yield from _too_many(job, name, moved[name], limits.max_tier_changes)
    if limits.max_gained:
        yield from _too_much_for_one(job, moved["account"], limits.max_gained)
    if limits.max_amount_moved:
        yield from _too_much_money(job, moved["opportunity"], limits.max_amount_moved)


def _too_many(job: Job, object_name: str, moved: pa.Table, most: Mapping[Tier, float]) -> Iterator[str]:
    held = _held(job.mirror, object_name)
    for tier, share in most.items():
        left, came = _left_and_came(moved, tier)
        if left + came >= FEW_MOVED and left + came > held.get(tier, 0) * share / 100:
            yield (
                f"of {held.get(tier, 0):,} {job.crm.nouns[object_name].many} in tier {tier}, {left:,} would leave"
                f" it and {came:,} come into it, more than {share:g} % (`limits.max_tier_changes`)"
            )


def _too_much_for_one(job: Job, moved: pa.Table, most: Mapping[Tier, int]) -> Iterator[str]:
    names = owner_names(job.mirror) | {"": NOBODY}
    for tier, number in most.items():
        gains = [(names.get(owner, owner), gain) for owner, gain in _gains(moved, tier) if gain > number]
        if gains:
            named = ", ".join(f"{name} ({gain:,})" for name, gain in gains[:OWNERS_NAMED])
            more = f" and {len(gains) - OWNERS_NAMED:,} others" if len(gains) > OWNERS_NAMED else ""
            yield (
                f"more than {number:,} {job.crm.nouns['account'].many} of tier {tier} would be gained by"
                f" {named}{more} (`limits.max_gained`)"
            )


def _too_much_money(job: Job, moved: pa.Table, most: Mapping[Tier, float]) -> Iterator[str]:
    held = job.mirror.read("opportunity", ("id", "amount", "foretag_tier"))
    for tier, share in most.items():
        before, after = _amounts(held, moved, tier)
        if abs(after - before) > before * share / 100 > 0:
            percent = 100 * (after - before) / before
            yield (
                f"the open amount in tier {tier} would go from {before:,.0f} to {after:,.0f} ({percent:+.1f} %), by"
                f" more than {share:g} % (`limits.max_amount_moved`)"
            )


def _held(mirror: Mirror, object_name: str) -> dict[str, int]:
    """How many records hold each tier now."""
    with database(held=mirror.read(object_name, ("id", "foretag_tier"))) as db:
        return dict(db.sql("SELECT foretag_tier, count(*) FROM held GROUP BY ALL").fetchall())


def _moved(object_name: str, changes: pa.Table | None) -> pa.Table:
    """The records that hold a tier and get another or none: id, owner_id, old, new, and whether they are over."""
    if changes is None or "foretag_tier" not in changes.column_names:
        return _MOVED.empty_table()
    with database(changes=changes) as db:
        # An opportunity that is over gives up all that is ours.
        return db.sql(
            """
            SELECT id, coalesce(owner_id, '') AS owner_id, old_foretag_tier AS old, foretag_tier AS new,
                coalesce($deals AND list_has_all(clear, ['foretag_tier', 'foretag_reason']), FALSE) AS over
            FROM changes
            WHERE old_foretag_tier IS NOT NULL AND (foretag_tier IS NOT NULL OR list_contains(clear, 'foretag_tier'))
            """,
            params={"deals": object_name == "opportunity"},
        ).to_arrow_table()


def _left_and_came(moved: pa.Table, tier: str) -> tuple[int, int]:
    """How many leave a tier, and how many come into it."""
    with database(moved=moved) as db:
        ((left, came),) = db.execute(
            "SELECT count(*) FILTER (old = $tier), count(*) FILTER (new = $tier) FROM moved WHERE NOT over",
            {"tier": tier},
        ).fetchall()
    return left, came


def _gains(moved: pa.Table, tier: str) -> list[tuple[str, int]]:
    """By how many accounts each owner's tier would grow, the most first."""
    with database(moved=moved) as db:
        return db.execute(
            """
            SELECT owner_id, count(*) FILTER (new = $tier) - count(*) FILTER (old = $tier) AS gain
            FROM moved GROUP BY owner_id HAVING gain > 0 ORDER BY gain DESC, owner_id
            """,
            {"tier": tier},
        ).fetchall()


def _amounts(held: pa.Table, moved: pa.Table, tier: str) -> tuple[float, float]:
    """The open amount in a tier before and after; what is over is in neither."""
    with database(held=held, moved=moved) as db:
        ((before, after),) = db.execute(
            """
            WITH deals AS (
                SELECT amount, foretag_tier AS old, CASE WHEN moved.id IS NULL THEN foretag_tier ELSE new END AS new
                FROM held LEFT JOIN moved USING (id) WHERE moved.id IS NULL OR NOT over
            )
            SELECT coalesce(sum(amount) FILTER (old = $tier), 0)::DOUBLE,
                coalesce(sum(amount) FILTER (new = $tier), 0)::DOUBLE FROM deals
            """,
            {"tier": tier},
        ).fetchall()
    return before, after
