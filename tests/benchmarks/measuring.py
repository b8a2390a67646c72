"""What a benchmark measures, and the one table that all of them print: what, figure, goal."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = f"{'what':<58} {'measure':<12} {'figure':>12} {'goal':>10}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; a goal is the most it should be (the least, if `least`), if there is one."""

    name: str
    value: float
    goal: float | None = None
    least: bool = False


@dataclass(slots=True)
class Cost:
    """CPU and wall seconds of a block, and the most memory (MB) that the process held until its end."""

    cpu: float = 0.0
    wall: float = 0.0
    peak: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """The cost of a block in this process, all threads; known when the block has ended."""
    cost, cpu, started = Cost(), _cpu_seconds(), perf_counter()
    yield cost
    cost.cpu, cost.wall = _cpu_seconds() - cpu, perf_counter() - started
    cost.peak = getrusage(RUSAGE_SELF).ru_maxrss / 1024


def show(what: str, *figures: Figure) -> None:
    """Print figures as rows of the table."""
    for figure in figures:
        goal = "" if figure.goal is None else f"{'≥' if figure.least else '≤'} {_plain(figure.goal)}"
        sys.stdout.write(f"{what:<58} {figure.name:<12} {_plain(figure.value):>12} {goal:>10}\n")
    sys.stdout.flush()


def in_own_process(module: str, *arguments: str) -> None:
    """Run a benchmark's part in a process of its own, so that its peak memory is its own."""
    folder = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, cwd=folder)


def _cpu_seconds() -> float:
    usage = getrusage(RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _plain(value: float) -> str:
    if abs(value) < 1 and value != int(value):
        return f"{value:.4f}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
