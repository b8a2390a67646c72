"""Run all benchmarks, or the named ones, and print their tables: `python -m tests.benchmarks [NAME ...]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = {
    "startup": "bench_startup.py",
    "pull": "bench_pull.py",
    "write": "bench_write.py",
    "scoring": "bench_scoring.py",
    "sandbox": "sandbox_throughput.py",
}


def main(names: list[str]) -> int:
    """Each benchmark in a process of its own; the worst exit code."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(sorted(unknown))}; known: {', '.join(BENCHMARKS)}\n")
        return 2
    codes = []
    for name in names or BENCHMARKS:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        codes.append(
            subprocess.run(
                [sys.executable, "-m", f"tests.benchmarks.{BENCHMARKS[name][:-3]}"],
                cwd=Path(__file__).parents[2],
                check=False,
            ).returncode
        )
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
