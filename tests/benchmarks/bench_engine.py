"""Scoring a book from the mirror in one process and on a Dask cluster of two workers on this machine.

`python -m tests.benchmarks.bench_engine [ACCOUNTS ...]`. Making the book and starting the cluster does not count; to
compare with what the CRM holds, and to keep tags and points, does, unlike in `bench_book`.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

from config.outputs import OBJECTS, written
from config.rules import Rules
from scoring import HERE
from sync.engine import Cluster, opened_engine
from sync.score import score
from sync.store.mirror import Mirror
from sync.store.tags import TagStore
from sync.writing.scope import Scope
from sync.writing.selection import EVERYTHING
from tests.benchmarks.measuring import Figure, in_own_process, measured, show
from tests.dask_cluster import dask_cluster

SIZES = (1_000_000,)
TODAY = date(2026, 11, 22)
FIELDS = {name: written(name, "full") for name in OBJECTS}


def usage() -> tuple[float, float]:
    """CPU seconds of the process that it is called in, and the most memory (MB) that it held."""
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def scored(folder: str, address: str) -> None:
    """Score the book that lies there, by the cluster at an address or here."""
    accounts = Mirror(folder).count("account")
    with (
        opened_engine(f"dask://{address}" if address else "local") as engine,
        tempfile.TemporaryDirectory() as kept,
    ):
        engine.check()
        before = _workers(engine)
        with measured() as cost:
            started = perf_counter()
            scope = Scope(FIELDS, EVERYTHING, "UTC", written=FIELDS)
            found = score(Mirror(folder), TagStore(kept), Rules(), scope, TODAY, "stamp", engine=engine)
            wall = perf_counter() - started
        assert found.book["account"] == accounts
        after = _workers(engine)
    where = f"by {len(after)} workers" if after else "here"
    show(
        f"score and plan {accounts:,} accounts {where}",
        Figure("wall s", wall),
        Figure("CPU s", cost.cpu),
        Figure("peak MB", cost.peak),
        *(
            Figure(f"worker {place} CPU", cpu - before[name][0])
            for place, (name, (cpu, _)) in enumerate(after.items())
        ),
        *(Figure(f"worker {place} MB", peak) for place, (_, peak) in enumerate(after.values())),
    )


def _workers(engine: object) -> dict[str, tuple[float, float]]:
    if engine is HERE or not isinstance(engine, Cluster):
        return {}
    found: dict[str, tuple[float, float]] = engine._client().run(usage)  # to look at its workers is no work
    return found


def main(sizes: list[int]) -> None:
    """Each size, in this process and on the cluster, printed as rows."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            in_own_process("tests.benchmarks.bench_book", "--load", f"{folder}/mirror", str(size))
            in_own_process(__spec__.name, "--score", f"{folder}/mirror", "")
            with dask_cluster(Path(folder), workers=2) as cluster:
                in_own_process(__spec__.name, "--score", f"{folder}/mirror", cluster.address)


if __name__ == "__main__":
    if "--score" in sys.argv:
        scored(*sys.argv[-2:])
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
