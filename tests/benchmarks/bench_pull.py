"""Pull opportunities from the sandbox into the mirror: client CPU, peak memory and API calls, against the goals."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import pandas as pd

from config.rules import Rules
from connectors.contract import Page
from sync.mirror import Mirror
from tests.benchmarks.local_crm import calls, connected, cpu_seconds, local_crm, peak_megabytes

# Start-up does not count: the worker has imported its data libraries before it pulls.
assert pd.__version__
SIZES = {40_000: (0.3, None, None), 1_000_000: (5.0, 700, 40)}


def measure(rows: int) -> None:
    """One pull in this process, printed as a row."""
    with local_crm(f"synthetic:{rows // 10}:{rows}") as crm, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        connector = connected(crm, folder)
        connector.org()
        columns = Rules().needed_columns("opportunity")
        columns = tuple(column for column in columns if not column.startswith("foretag_"))
        before, cpu, started = calls(crm), cpu_seconds(), perf_counter()
        pages = (
            message.table
            for message in connector.pull("opportunity", columns, None)
            if isinstance(message, Page)
        )
        read = Mirror(folder / "mirror").load("opportunity", columns, pages)
        goal_cpu, goal_memory, goal_calls = SIZES[rows]
        sys.stdout.write(
            f"{read:>10,} {len(columns):>8} {cpu_seconds() - cpu:>8.2f} {goal_cpu:>8} {perf_counter() - started:>8.2f}"
            f" {peak_megabytes():>8.0f} {goal_memory or '':>8} {calls(crm) - before:>8} {goal_calls or '':>8}\n"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        sys.stdout.write(
            f"{'rows':>10} {'columns':>8} {'CPU s':>8} {'goal':>8} {'wall s':>8} {'peak MB':>8} {'goal':>8} {'calls':>8} {'goal':>8}\n"
        )
        sys.stdout.flush()
        for size in SIZES:
            subprocess.run([sys.executable, "-m", "tests.benchmarks.bench_pull", str(size)], check=True)
