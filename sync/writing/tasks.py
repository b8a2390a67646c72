"""Which of the wanted tasks are due: keys that make each one unique, and limits that spare the reps."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.records import schema
from sync.ledger import Item
from sync.ledger.our_tasks import BY_PEOPLE
from sync.store.embedded import database
from sync.writing.plan import TASK_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from config.sections.writing import TaskLimits
    from sync.store.mirror import Mirror

# Of what must wait, so many are listed for an owner, the best first, and the others counted.
LISTED_PER_OWNER = 100

_JUDGED_BY = ["id", "rule", "period", "owner_id", "account_id", "score"]
_READ = ("id", "key", "owner_id", "account_id", "due", "is_closed", "created_at", "modified_at")


def task_key(record_id: str, rule: str, period: str) -> str:
    """The deterministic key of a task: one for each record, rule and period, whoever makes it, however often."""
    digest = hashlib.blake2b(f"{record_id}\n{rule}\n{period}".encode(), digest_size=16)
    return f"foretag-{digest.hexdigest()}"


def tasks_in_crm(mirror: Mirror, limits: TaskLimits, today: date, since: date) -> pa.Table:
    """Tasks of ours that are open or were changed since a day, and people's that keep ours away, bucket by bucket."""
    needed = (
        "SELECT * FROM tasks WHERE CASE WHEN key IS NOT NULL THEN NOT is_closed OR modified_at >= $since"
        " ELSE NOT is_closed AND account_id IS NOT NULL AND abs(date_diff('day', due, $today)) <= $quiet END"
    )
    values = {"today": today, "since": since, "quiet": limits.quiet_days}
    found = [schema("task", _READ).empty_table()]
    for bucket in range(mirror.buckets("task")):
        with database(tasks=mirror.read("task", _READ, bucket)) as db:
            rows = db.sql(needed, params=values).to_arrow_table()
        found.append(rows.cast(found[0].schema))
    return pa.concat_tables(found)


def due_tasks(
    wanted: pa.Table,
    in_crm: pa.Table,
    known: pa.Table,
    active_owners: Mapping[str, bool],
    limits: TaskLimits,
    today: date,
    timezone: str,
) -> tuple[pa.Table, list[Item]]:
    """The wanted tasks that fit the limits, best first, and the others with the reason why not.

    `wanted` is `Tagged.tasks`; `in_crm` the mirror's tasks (other people's open activities and all of ours); `known`
    the history's tasks, in `KNOWN_SCHEMA`. What has been made already is neither due nor held back; nor is what is
    still on the rep's desk from an earlier period.
    """
    owners = pa.table({
        "id": pa.array(active_owners.keys(), pa.string()), "active": pa.array(active_owners.values(), pa.bool_())
    })  # fmt: skip
    tables = {"crm": _dated(in_crm, timezone), "known": known, "made": _made(known), "owners": owners}
    values = {
        "today": today, "cool": limits.cool_down_days, "quiet": limits.quiet_days, "most": limits.open_per_owner,
        "daily": limits.new_per_owner_and_day, "people": list(BY_PEOPLE),
    }  # fmt: skip
    # Texts are long, and of most tasks not needed.
    rows = wanted.select(_JUDGED_BY).append_column("row", pa.array(np.arange(wanted.num_rows)))
    while True:
        with database(wanted=rows, **tables) as db:
            judged = db.sql(_JUDGED, params=values).to_arrow_table()
        fits = judged.filter(pc.equal(judged["objection"], ""))
        columns = (fits[name].to_pylist() for name in ("id", "rule", "period"))
        keys = pa.array([task_key(*row) for row in zip(*columns, strict=True)], pa.string())
        # A history that was lost knows nothing: the CRM's own tasks count, too. Others get the room of those.
        there = pc.is_in(keys, value_set=in_crm["key"].combine_chunks())
        if not pc.any(there).as_py():
            break
        rows = rows.filter(
            pc.invert(pc.is_in(rows["row"], value_set=fits["row"].filter(there).combine_chunks()))
        )
    due = wanted.take(fits["row"]).append_column("key", keys).select(TASK_SCHEMA.names).cast(TASK_SCHEMA)
    return due, list(_waiting(judged.filter(pc.not_equal(judged["objection"], ""))))


def _made(known: pa.Table) -> pa.Table:
    """Of which record, rule and period there was a task.

    An intended or unknown one is wanted still: the connector looks its key up before it makes it again. What came by
    a merge keeps the key of the record that lost, under which nothing is looked up any more: that was made.
    """
    settled = [
        row["state"] in ("done", "refused")
        or row["key"] != task_key(row["record_id"], row["rule"], row["period"])
        for row in known.select(["state", "key", "record_id", "rule", "period"]).to_pylist()
    ]
    return known.filter(pa.array(settled, pa.bool_())).select(["record_id", "rule", "period"])


def _dated(in_crm: pa.Table, timezone: str) -> pa.Table:
    """With the day on which each was made, in the org's time zone."""
    local = pc.local_timestamp(in_crm["created_at"].cast(pa.timestamp("us", timezone)))
    return in_crm.append_column("created_on", local.cast(pa.date32()))


# What lies on each rep's desk, how much more may be put there, and why each wanted task must wait, if it must. An ended
# task cools down from its end if a person ended it, else from its beginning.
_JUDGED = """
WITH last AS (
    SELECT record_id, rule,
        max(CASE WHEN ended IN (SELECT unnest($people)) THEN ended_on END) AS ended_on, max(created_on) AS created_on
    FROM known WHERE state IN ('done', 'refused') GROUP BY ALL
),
still_open AS (
    SELECT DISTINCT record_id, rule FROM known JOIN crm USING (key) WHERE NOT crm.is_closed
),
near AS (
    SELECT owner_id, account_id, min(due) AS due FROM crm
    WHERE key IS NULL AND NOT is_closed AND abs(date_diff('day', due, $today)) <= $quiet GROUP BY ALL
),
made_today AS (
    SELECT owner_id, key FROM crm WHERE key IS NOT NULL AND created_on = $today
    UNION ALL
    SELECT owner_id, key FROM known ANTI JOIN crm USING (key) WHERE state = 'done' AND created_on = $today
),
lately AS (SELECT owner_id, count(*) AS made FROM made_today GROUP BY ALL),
desk AS (SELECT owner_id, count(*) AS tasks FROM crm WHERE key IS NOT NULL AND NOT is_closed GROUP BY ALL),
first_look AS (
    SELECT w.*, CASE
        WHEN NOT coalesce(owners.active, FALSE) THEN 'its owner is not active: give the record to somebody who is'
        WHEN date_diff('day', last.ended_on, $today) < $cool
        THEN format('a person ended the same task on {}: again after {} days', last.ended_on, $cool)
        WHEN date_diff('day', last.created_on, $today) < $cool
        THEN format('the same task was made on {}: once in {} days is enough', last.created_on, $cool)
        WHEN near.due IS NOT NULL THEN format('the owner already has an open activity there, due {}', near.due)
        ELSE '' END AS objection
    FROM wanted w
    ANTI JOIN made ON made.record_id = w.id AND made.rule = w.rule AND made.period = w.period
    ANTI JOIN still_open ON still_open.record_id = w.id AND still_open.rule = w.rule
    LEFT JOIN owners ON owners.id = w.owner_id
    LEFT JOIN last ON last.record_id = w.id AND last.rule = w.rule
    LEFT JOIN near ON near.owner_id = w.owner_id AND near.account_id = coalesce(w.account_id, w.id)
),
ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY owner_id, objection = '' ORDER BY coalesce(score, 0) DESC, id, rule
    ) AS place
    FROM first_look
)
SELECT ranked.* REPLACE (CASE
    WHEN objection <> '' THEN objection
    WHEN place + coalesce(tasks, 0) > $most THEN format('the owner already has {} open tasks of ours', $most)
    WHEN place + coalesce(made, 0) > $daily THEN format('the owner already gets {} new tasks today', $daily)
    ELSE '' END AS objection)
FROM ranked LEFT JOIN desk USING (owner_id) LEFT JOIN lately USING (owner_id)
ORDER BY coalesce(score, 0) DESC, id, rule
"""


def _waiting(held_back: pa.Table) -> Iterator[Item]:
    """What must wait, owner by owner the best first; beyond a number they are counted."""
    with database(held_back=held_back) as db:
        listed = db.execute(
            "SELECT id, rule, objection FROM held_back WINDOW best AS"
            " (PARTITION BY owner_id ORDER BY coalesce(score, 0) DESC, id, rule)"
            " QUALIFY row_number() OVER best <= $most ORDER BY coalesce(score, 0) DESC, id, rule",
            {"most": LISTED_PER_OWNER},
        ).fetchall()
        more = db.execute(
            "SELECT owner_id, count(*) - $most FROM held_back GROUP BY owner_id HAVING count(*) > $most ORDER BY 1",
            {"most": LISTED_PER_OWNER},
        ).fetchall()
    yield from (Item("task", record_id, "held_back", rule, why) for record_id, rule, why in listed)
    for owner, count in more:
        why = f"{count:,} more of this owner's wait, of records that come after those listed"
        yield Item("owner", owner or "", "held_back", "MORE", why)
