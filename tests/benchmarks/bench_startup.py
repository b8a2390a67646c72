"""How long the command line takes to say something: wall and CPU seconds of `foretag --help`, median of five."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter

from tests.benchmarks.measuring import Figure, show


def main() -> None:
    """Printed as a row."""
    command = [str(Path(sys.executable).with_name("foretag")), "--help"]
    wall, cpu = [], []
    for _ in range(5):
        before, started = getrusage(RUSAGE_CHILDREN), perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = getrusage(RUSAGE_CHILDREN)
        wall.append(perf_counter() - started)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    show("start-up of foretag --help", Figure("wall s", median(wall), 0.5), Figure("CPU s", median(cpu)))


if __name__ == "__main__":
    main()
