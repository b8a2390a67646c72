"""Features and scores of a book from the mirror: Delta tables as a pull leaves them, read bucket by bucket.

`python -m tests.benchmarks.bench_book [ACCOUNTS ...]`. Making and loading the book does not count.
"""

from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

import pyarrow as pa

from config.records import schema
from config.rules import Rules
from scoring import read_book, tag
from sync.buckets import Buckets
from sync.store.mirror import Mirror
from tests.benchmarks.bench_scoring import EACH, PER_BUCKET, TODAY, bucket
from tests.benchmarks.measuring import Figure, in_own_process, measured, show

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (1_000_000,)
GOAL_CPU, GOAL_MEMORY = 25.0, 4_000


def loaded(folder: str, accounts: int) -> None:
    """A mirror with a book, in a process of its own, so that its memory does not count."""
    mirror, rules = Mirror(folder), Rules()
    for name in ("account", "opportunity"):
        mirror.load(name, rules.needed_columns(name), _pages(name, accounts, rules))
    for name in ("owner", "stage"):
        mirror.load(name, rules.needed_columns(name), [])


def _pages(name: str, accounts: int, rules: Rules) -> Iterator[pa.Table]:
    fields = schema(name, rules.needed_columns(name))
    for first in range(0, accounts, PER_BUCKET):
        made = bucket(accounts, first)[name]
        columns = [
            made[field.name].cast(field.type)
            if field.name in made.column_names
            else pa.nulls(made.num_rows, field.type)
            for field in fields
        ]
        yield pa.table(columns, schema=fields)


def score(folder: str, accounts: int) -> None:
    """Score the book that lies there."""
    rules = Rules()
    read_book([bucket(10, 0)], rules, TODAY)  # start-up and late imports do not count
    with measured() as cost:
        buckets = Buckets(Mirror(folder), rules)
        book, parts = read_book(buckets, rules, TODAY, buckets.times())
        rows = sum(tag(part, book, None, rules, TODAY).accounts.num_rows for part in parts)
    assert rows == accounts
    goals = (GOAL_CPU, GOAL_MEMORY) if accounts == SIZES[-1] else (None, None)
    show(
        f"score {accounts:,} accounts, {accounts * EACH:,} deals from the mirror",
        Figure("CPU s", cost.cpu, goals[0]),
        Figure("peak MB", cost.peak, goals[1]),
    )


def main(sizes: list[int]) -> None:
    """Each size, printed as rows."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            in_own_process(__spec__.name, "--load", folder, str(size))
            in_own_process(__spec__.name, "--score", folder, str(size))


if __name__ == "__main__":
    if "--load" in sys.argv:
        loaded(sys.argv[-2], int(sys.argv[-1]))
    elif "--score" in sys.argv:
        score(sys.argv[-2], int(sys.argv[-1]))
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
