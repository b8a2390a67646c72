"""Pull opportunities from the sandbox into the mirror: client CPU, peak memory and API calls, against the goals."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pandas as pd

from config.rules import Rules
from connectors.contract import Page
from sync.mirror import Mirror
from tests.benchmarks.local_crm import calls, connected, local_crm
from tests.benchmarks.measuring import Figure, in_own_process, measured, show

# Start-up does not count: the worker has imported its data libraries before it pulls.
assert pd.__version__
SIZES = {40_000: (0.3, None, None), 1_000_000: (5.0, 700, 40)}


def measure(rows: int) -> None:
    """One pull in this process, printed as rows."""
    with local_crm(f"synthetic:{rows // 10}:{rows}") as crm, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        connector = connected(crm, folder)
        connector.org()
        columns = Rules().needed_columns("opportunity")
        columns = tuple(column for column in columns if not column.startswith("foretag_"))
        before = calls(crm)
        with measured() as cost:
            pages = (
                message.table
                for message in connector.pull("opportunity", columns, None)
                if isinstance(message, Page)
            )
            read = Mirror(folder / "mirror").load("opportunity", columns, pages)
        goal_cpu, goal_memory, goal_calls = SIZES[rows]
        show(
            f"pull {read:,} opportunities, {len(columns)} columns",
            Figure("CPU s", cost.cpu, goal_cpu),
            Figure("wall s", cost.wall),
            Figure("peak MB", cost.peak, goal_memory),
            Figure("API calls", calls(crm) - before, goal_calls),
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        for size in SIZES:
            in_own_process(__spec__.name, str(size))
