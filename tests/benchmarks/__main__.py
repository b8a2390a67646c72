"""Run all benchmarks, or the named ones, and print one table: `python -m tests.benchmarks [--crm CRM] [NAME ...]`.

Those that talk to a CRM do so with each that there is, unless one is chosen.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from config.crms import CRMS
from tests.benchmarks.measuring import HEADER

BENCHMARKS = {
    "startup": "bench_startup.py",
    "service": "bench_service.py",
    "pull": "bench_pull.py",
    "write": "bench_write.py",
    "backfill": "bench_backfill.py",
    "increment": "bench_increment.py",
    "scoring": "bench_scoring.py",
    "book": "bench_book.py",
    "engine": "bench_engine.py",
    "quality": "bench_quality.py",
    "planted": "bench_planted.py",
    "sandbox": "sandbox_throughput.py",
}


OF_A_CRM = ("pull", "write")


def main(names: list[str], crm: str | None) -> int:
    """Each benchmark in a process of its own; the worst exit code."""
    sys.stdout.write(f"{HEADER}\n")
    sys.stdout.flush()
    return max(_ran(name, crm) for name in names or BENCHMARKS)


def _ran(name: str, crm: str | None) -> int:
    command = [sys.executable, "-m", f"tests.benchmarks.{BENCHMARKS[name][:-3]}"]
    chosen = [crm] if crm and name in OF_A_CRM else []
    return subprocess.run([*command, *chosen], cwd=Path(__file__).parents[2], check=False).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--crm", choices=CRMS, help="only this CRM")
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; known: {', '.join(BENCHMARKS)}")
    sys.exit(main(given.names, given.crm))
