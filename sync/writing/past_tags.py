"""What was remembered of tags on a past day, from the values that were written since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from config.outputs import OBJECTS
from scoring.placing.state import STATE_SCHEMA
from sync.store.embedded import database

if TYPE_CHECKING:
    from datetime import date

    from sync.job import Job

_WRITTEN = pa.schema(
    [("object", pa.string()), ("id", pa.string()), ("day", pa.date32()), ("seq", pa.string()),
     ("tier", pa.string()), ("before", pa.string())]
)  # fmt: skip


def state_of(job: Job, day: date, buckets: int) -> list[pa.Table] | None:
    """The tag state of each bucket as of the end of a day; None where nothing was ever written.

    A tier given since is replaced by that before it, as the history of what was written tells; a record of which
    that is not known any more is remembered no better than a new one.
    """
    states = [job.tags.state(bucket) for bucket in range(buckets)]
    if any(state is None for state in states):
        return None
    written = _written(job)
    return [_as_of(state, written, day) for state in states if state is not None]


def _written(job: Job) -> pa.Table:
    """Every tier that was sent, with the day of its run and what it replaced."""
    days = job.ledger.past.days(job.name)
    runs = pa.table({"run": list(days), "day": pa.array(list(days.values()), pa.date32())})
    parts = [_WRITTEN.empty_table()]
    for name in OBJECTS:
        sent = job.journal.rows(name)
        if sent is None or "foretag_tier" not in sent.schema.names:
            continue
        columns = ["id", "run", "batch", "foretag_tier", "old_foretag_tier", "clear"]
        with database(sent=sent.to_table(columns=columns), runs=runs) as db:
            found = db.sql(
                f"""
                SELECT '{name}' AS object, sent.id, day, concat(run, lpad(batch::VARCHAR, 9, '0')) AS seq,
                    foretag_tier AS tier, old_foretag_tier AS before
                FROM sent JOIN runs USING (run)
                WHERE foretag_tier IS NOT NULL OR list_contains(clear, 'foretag_tier')
                """  # noqa: S608  # a name of ours
            ).to_arrow_table()
        parts.append(found.cast(_WRITTEN))
    return pa.concat_tables(parts)


def _as_of(state: pa.Table, written: pa.Table, day: date) -> pa.Table:
    with database(state=state, written=written, asked=pa.table({"today": [day]})) as db:
        found = db.sql(
            """
            WITH earlier AS (SELECT object, id, arg_max(struct_pack(t := tier), seq).t AS tier, max(day) AS day
                FROM written, asked WHERE day <= today GROUP BY ALL),
            later AS (SELECT object, id, arg_min(struct_pack(t := before), seq).t AS tier
                FROM written, asked WHERE day > today GROUP BY ALL)
            SELECT s.* REPLACE (
                CASE WHEN s.since <= today THEN s.tier WHEN e.id IS NOT NULL THEN e.tier ELSE l.tier END AS tier,
                CASE WHEN s.since <= today THEN s.since ELSE e.day END AS since,
                CASE WHEN s.parent_since <= today THEN s.parent_since END AS parent_since,
                CASE WHEN s.override_seen <= today THEN s.override END AS override,
                CASE WHEN s.override_seen <= today THEN s.override_seen END AS override_seen)
            FROM asked, state s LEFT JOIN earlier e USING (object, id) LEFT JOIN later l USING (object, id)
            WHERE s.since <= today OR e.id IS NOT NULL OR l.tier IS NOT NULL ORDER BY s.object, s.id
            """
        ).to_arrow_table()
    return found.select(STATE_SCHEMA.names).cast(STATE_SCHEMA)
