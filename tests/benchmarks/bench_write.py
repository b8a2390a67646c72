"""Write changed accounts: API calls as the CRM counts them, client CPU and memory, the floor of the CRM's rates.

`python -m tests.benchmarks.bench_write [CRM ...]`.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import written
from sync.writing.plan import change_schema
from tests.benchmarks.local_crm import connected, local_crm, move_clock, position, show_rates, traffic
from tests.benchmarks.measuring import Figure, in_own_process, measured, show


@dataclass(frozen=True, slots=True)
class Case:
    """How many accounts, in slices as an apply has them, and what that may cost."""

    rows: int
    slices: int
    calls: int


CASES = {"salesforce": Case(200_000, 100_000, 15), "hubspot": Case(50_000, 50_000, 505)}


def changed(ids: pa.Array) -> pa.Table:
    """A tier, a score and a reason for each account, as a plan has them."""
    schema = change_schema("account", written("account", "basic"))
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


def measure(crm: str, case: Case) -> None:
    """One write, printed as rows."""
    with (
        local_crm(f"synthetic:{case.rows}:{case.rows}", crm) as running,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name)
        admin = connected(running, folder, admin=True)
        admin.ensure_fields(admin.missing("basic"))
        table = changed(connected(running, folder).ids("account"))
        # The worker of a later hour: nothing of its allowance is used up yet.
        connector = connected(running, folder)
        move_clock(running, minutes=1)
        before, done = position(running), 0
        with measured() as cost:
            for start in range(0, case.rows, case.slices):
                outcomes = connector.update("account", table.slice(start, case.slices))
                done += pc.sum(pc.equal(outcomes["status"], "done")).as_py()
        seen = traffic(running, before)
        show(
            f"{crm}: write {done:,} changed accounts",
            Figure("API calls", seen.calls, case.calls),
            Figure("CPU us each", cost.cpu / done * 1e6),
            Figure("wall s", cost.wall),
            Figure("peak MB", cost.peak),
        )
        show_rates(crm, seen, cost.wall)


if __name__ == "__main__":
    if "--one" in sys.argv:
        measure(sys.argv[-1], CASES[sys.argv[-1]])
    else:
        for chosen in sys.argv[1:] or CASES:
            in_own_process(__spec__.name, "--one", chosen)
