"""Run all benchmarks, or the named ones, and print one table: `python -m tests.benchmarks [NAME ...]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.measuring import HEADER

BENCHMARKS = {
    "startup": "bench_startup.py",
    "pull": "bench_pull.py",
    "write": "bench_write.py",
    "scoring": "bench_scoring.py",
    "book": "bench_book.py",
    "sandbox": "sandbox_throughput.py",
}


def main(names: list[str]) -> int:
    """Each benchmark in a process of its own; the worst exit code."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(sorted(unknown))}; known: {', '.join(BENCHMARKS)}\n")
        return 2
    sys.stdout.write(f"{HEADER}\n")
    sys.stdout.flush()
    return max(_ran(name) for name in names or BENCHMARKS)


def _ran(name: str) -> int:
    command = [sys.executable, "-m", f"tests.benchmarks.{BENCHMARKS[name][:-3]}"]
    return subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
