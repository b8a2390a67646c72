"""An increment by the real command line: 500 records changed in a book of 200,000 accounts and 1,000,000 opportunities.

`python -m tests.benchmarks.bench_increment [ACCOUNTS OPPORTUNITIES]`. The process is fresh, its start is counted; each
stage is told, and then a run to which nothing was changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter
from typing import TYPE_CHECKING, Any

from config.crms import CRMS
from tests.benchmarks.local_crm import SETTINGS, connected, local_crm, move_clock, position, traffic
from tests.benchmarks.measuring import Figure, in_own_process, show

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNTS, OPPORTUNITIES = 200_000, 1_000_000
CHANGED = 500
MOST_SECONDS = 10.0
IN_A_CALL = 200


@contextmanager
def installed(accounts: int, opportunities: int, folder: Path) -> Iterator[dict[str, Any]]:
    """A CRM, and an installation whose first run is done: all is pulled, scored, written, and read back."""
    with local_crm(f"synthetic:{accounts}:{opportunities}") as crm:
        admin = connected(crm, folder, admin=True)
        admin.ensure_fields(admin.missing("basic"))
        (folder / "rules.yaml").write_text("{}\n")
        (folder / "foretag.yaml").write_text(SETTINGS.format_map(crm))
        run(crm, folder, "--max-changes", "100000000")
        # Beyond the overlap of the windows, so that the next run reads what was written, and the one after nothing.
        for _ in range(2):
            move_clock(crm, hours=1)
            run(crm, folder)
        yield crm


def run(crm: dict[str, Any], folder: Path, *options: str) -> dict[str, Any]:
    """One run by the command line; its report."""
    secrets = {f"FORETAG_{secret.upper()}": crm[secret] for secret in CRMS["salesforce"].secrets}
    told = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "sync.cli",
            "run",
            "--json",
            *options,
            "-s",
            str(folder / "foretag.yaml"),
        ],
        env={**os.environ, **secrets},
        stdout=subprocess.PIPE,
        check=True,
    )
    report: dict[str, Any] = json.loads(told.stdout)
    return report


def change(crm: dict[str, Any], folder: Path, records: int) -> None:
    """People change so many records: half of them accounts, half deals; spread over the book."""
    admin = connected(crm, folder, admin=True)
    for name, sf_object, field in (
        ("account", "Account", "NumberOfEmployees"),
        ("opportunity", "Opportunity", "Amount"),
    ):
        ids = admin.ids(name).to_pylist()
        chosen = ids[:: max(len(ids) // (records // 2), 1)][: records // 2]
        for start in range(0, len(chosen), IN_A_CALL):
            part = [
                {"attributes": {"type": sf_object}, "id": one, field: 4321}
                for one in chosen[start : start + IN_A_CALL]
            ]
            _call(admin, part)


def _call(admin: Any, records: list[dict[str, Any]]) -> None:
    reply = admin._api.call(  # as an integration of somebody else's would
        "PATCH", "composite/sobjects", json={"allOrNone": False, "records": records}, idempotent=True
    )
    assert all(one["success"] for one in reply), reply


def measure(accounts: int, opportunities: int) -> None:
    """Both increments, printed as rows."""
    with tempfile.TemporaryDirectory() as name, installed(accounts, opportunities, Path(name)) as crm:
        folder = Path(name)
        for changed in (CHANGED, 0):
            if changed:
                change(crm, folder, changed)
            move_clock(crm, hours=1)
            tell(crm, folder, changed, accounts + opportunities)


def tell(crm: dict[str, Any], folder: Path, changed: int, book: int) -> None:
    """One increment, stage by stage."""
    before, cpu, started = position(crm), _children_cpu(), perf_counter()
    report = run(crm, folder)
    wall = perf_counter() - started
    stages = dict(report["seconds"])
    show(
        f"salesforce: {changed} changed of {book:,} records",
        *(Figure(f"{stage} s", seconds) for stage, seconds in stages.items()),
        Figure("other s", wall - sum(stages.values())),
        Figure("wall s", wall, MOST_SECONDS),
        Figure("CPU s", _children_cpu() - cpu),
        Figure("peak MB", getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024),
        Figure("written", sum(report["done"].values())),
        Figure("API calls", traffic(crm, before).calls),
        Figure("least", report["least_calls"]),
    )


def _children_cpu() -> float:
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    if "--one" in sys.argv:
        measure(int(sys.argv[-2]), int(sys.argv[-1]))
    else:
        in_own_process(__spec__.name, "--one", *(sys.argv[1:] or [str(ACCOUNTS), str(OPPORTUNITIES)]))
