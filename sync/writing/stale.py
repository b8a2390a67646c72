"""Which rows of a kept plan events have overtaken."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from sync.ledger import Item
from sync.writing.plan import TASK_SCHEMA, Plan, still_holds


def still_valid(kept: Plan, fresh: Plan) -> tuple[Plan, list[Item]]:
    """The kept plan's rows that events have not overtaken, and the others as stale."""
    stale: list[Item] = []
    changes = {name: _split(name, table, fresh.changes[name], stale) for name, table in kept.changes.items()}
    keys = set(fresh.tasks["key"].to_pylist())
    still = [row for row in kept.tasks.to_pylist() if row["key"] in keys]
    stale += [
        Item("task", row["id"], "stale", row["rule"], "no longer due, or made since")
        for row in kept.tasks.to_pylist()
        if row["key"] not in keys
    ]
    tasks = pa.Table.from_pylist(still, schema=TASK_SCHEMA)
    return Plan(changes, tasks, kept.task_changes, kept.held_back, fresh.book, fresh.keep_states), stale


def _split(object_name: str, kept: pa.Table, fresh: pa.Table, stale: list[Item]) -> pa.Table:
    """The rows that still hold; the others are added to `stale`."""
    holds = still_holds(kept, fresh)
    stale += [
        Item(object_name, record_id, "stale", "OVERTAKEN", "the record changed after the plan was made")
        for record_id in kept.filter(pc.invert(holds))["id"].to_pylist()
    ]
    return kept.filter(holds)
