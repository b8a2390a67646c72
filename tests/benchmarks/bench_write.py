"""Write 200,000 changed accounts: API calls as the CRM counts them, client CPU and memory."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.compute as pc

from sync.plan import change_schema
from tests.benchmarks.local_crm import calls, connected, cpu_seconds, local_crm, peak_megabytes

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
    """One write, printed as a row."""
    with local_crm(f"synthetic:{ROWS}:{ROWS}") as crm, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        admin = connected(crm, folder, admin=True)
        admin.ensure_fields(admin.missing("basic"))
        connector = connected(crm, folder)
        table = changed(connector.ids("account"))
        before, cpu, started = calls(crm), cpu_seconds(), perf_counter()
        done = 0
        for start in range(0, ROWS, 100_000):
            outcomes = connector.update("account", table.slice(start, 100_000))
            done += pc.sum(pc.equal(outcomes["status"], "done")).as_py()
        sys.stdout.write(f"{'done':>10} {'CPU s':>8} {'wall s':>8} {'peak MB':>8} {'calls':>8} {'goal':>8}\n")
        sys.stdout.write(
            f"{done:>10,} {cpu_seconds() - cpu:>8.2f} {perf_counter() - started:>8.2f} {peak_megabytes():>8.0f}"
            f" {calls(crm) - before:>8} {GOAL_CALLS:>8}\n"
        )


if __name__ == "__main__":
    main()
