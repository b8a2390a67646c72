"""Remember every growth plan that people wrote into the CRM, so that plan against actual builds its own history.

The CRM holds the newest plan only. What stood there until its day fell due is what was promised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from config.records import schema
from sync.store.embedded import database

if TYPE_CHECKING:
    from datetime import date

    from sync.store.mirror import Mirror

_PLAN = ("id", "foretag_growth_plan", "foretag_growth_plan_by", "modified_at")


def remember_plans(mirror: Mirror, today: date) -> None:
    """Keep each plan of the mirror's accounts with the first and the last day on which it was seen."""
    held = mirror.read("commitment")
    with database(standing=mirror.read("account", _PLAN), held=held, day=pa.table({"today": [today]})) as db:
        seen = db.sql(
            """
            WITH now AS (
                SELECT id AS account_id, foretag_growth_plan AS amount, foretag_growth_plan_by AS "by", modified_at,
                    true AS stands
                FROM standing WHERE foretag_growth_plan > 0 AND foretag_growth_plan_by IS NOT NULL)
            SELECT concat_ws('|', account_id, "by", amount) AS id, account_id, amount, "by",
                coalesce(held.made_on, today) AS made_on,
                CASE WHEN now.stands THEN today ELSE held.seen_on END AS seen_on,
                coalesce(now.modified_at, held.modified_at) AS modified_at
            FROM now FULL JOIN held USING (account_id, amount, "by") CROSS JOIN day ORDER BY id
            """
        ).to_arrow_table()
    wanted = schema("commitment")
    seen = pa.table([seen[name].cast(wanted.field(name).type) for name in wanted.names], schema=wanted)
    if not seen.equals(held.sort_by("id")):
        mirror.load("commitment", wanted.names, [seen])
