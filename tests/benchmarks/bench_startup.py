"""How long the command line takes to say something: wall and CPU seconds of `foretag --help`, median of five."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter


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
    sys.stdout.write(f"foretag --help: {median(wall):.2f} s wall, {median(cpu):.2f} s CPU (goal 0.5 s)\n")


if __name__ == "__main__":
    main()
