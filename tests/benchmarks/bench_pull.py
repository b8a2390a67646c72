"""Pull records from the sandbox into the mirror: client CPU, peak memory, API calls and the floor of the CRM's rates.

`python -m tests.benchmarks.bench_pull [CRM ...]`.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from config.rules import Rules
from connectors.contract import Page
from sync.store.mirror import Mirror
from tests.benchmarks.local_crm import connected, local_crm, position, show_rates, traffic
from tests.benchmarks.measuring import Figure, in_own_process, measured, show

# Start-up does not count: the worker has imported its data libraries before it pulls.
assert pd.__version__


@dataclass(frozen=True, slots=True)
class Case:
    """A first load: of which book, which objects, and what it may cost."""

    data: str
    objects: tuple[str, ...]
    cpu_each: float
    memory: float | None = None
    calls: int | None = None


CASES = {
    "salesforce": (
        Case("synthetic:4000:40000", ("opportunity",), 7.5),
        Case("synthetic:100000:1000000", ("opportunity",), 5.0, 700, 40),
    ),
    "hubspot": (Case("synthetic:50000:100000", ("account", "opportunity"), 40.0, calls=1650),),
}


def measure(crm: str, case: Case) -> None:
    """One first load in this process, printed as rows."""
    with local_crm(case.data, crm) as running, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        connector = connected(running, folder)
        connector.org()
        before, read = position(running), 0
        mirror, rules = Mirror(folder / "mirror"), Rules()
        with measured() as cost:
            for object_name in case.objects:
                columns = tuple(
                    column
                    for column in rules.needed_columns(object_name)
                    if not column.startswith("foretag_")
                )
                pages = (
                    message.table
                    for message in connector.pull(object_name, columns, None)
                    if isinstance(message, Page)
                )
                read += mirror.load(object_name, columns, pages)
        seen = traffic(running, before)
        show(
            f"{crm}: pull {read:,} records of {' and '.join(case.objects)}",
            Figure("CPU us each", cost.cpu / read * 1e6, case.cpu_each),
            Figure("wall s", cost.wall),
            Figure("peak MB", cost.peak, case.memory),
            Figure("API calls", seen.calls, case.calls),
        )
        show_rates(crm, seen, cost.wall)


if __name__ == "__main__":
    if "--one" in sys.argv:
        measure(sys.argv[-2], CASES[sys.argv[-2]][int(sys.argv[-1])])
    else:
        for chosen in sys.argv[1:] or CASES:
            for number in range(len(CASES[chosen])):
                in_own_process(__spec__.name, "--one", chosen, str(number))
