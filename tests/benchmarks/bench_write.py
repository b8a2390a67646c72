"""Write 200,000 changed accounts: API calls as the CRM counts them, client CPU and memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from sync.plan import change_schema
from tests.benchmarks.local_crm import calls, connected, local_crm
from tests.benchmarks.measuring import Figure, measured, show

ROWS = 200_000
GOAL_CALLS = 15


def changed(ids: pa.Array) -> pa.Table:
    """A tier, a score and a reason for each account, as a plan has them."""
    schema = change_schema("account", "basic")
    names = [
        name for name in schema.names if not name.startswith("old_") and name not in ("name", "owner_id")
    ]
    columns = {name: pa.nulls(len(ids), schema.field(name).type) for name in names}
    columns |= {
        "id": ids,
        "foretag_tier": pa.repeat(pa.scalar("B"), len(ids)),
        "foretag_score": pa.repeat(pa.scalar(61, pa.int64()), len(ids)),
        "foretag_reason": pa.repeat(
            pa.scalar("B 61 · closes 14 Mar +31 · good margin +18 · 95k +12"), len(ids)
        ),
        "clear": pa.repeat(pa.scalar([], pa.list_(pa.string())), len(ids)),
    }
    return pa.table(columns)


def main() -> None:
    """One write, printed as rows."""
    with local_crm(f"synthetic:{ROWS}:{ROWS}") as crm, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        admin = connected(crm, folder, admin=True)
        admin.ensure_fields(admin.missing("basic"))
        connector = connected(crm, folder)
        table = changed(connector.ids("account"))
        before = calls(crm)
        done = 0
        with measured() as cost:
            for start in range(0, ROWS, 100_000):
                outcomes = connector.update("account", table.slice(start, 100_000))
                done += pc.sum(pc.equal(outcomes["status"], "done")).as_py()
        show(
            f"write {done:,} changed accounts",
            Figure("API calls", calls(crm) - before, GOAL_CALLS),
            Figure("CPU s", cost.cpu),
            Figure("wall s", cost.wall),
            Figure("peak MB", cost.peak),
        )


if __name__ == "__main__":
    main()
