"""Scoring books of 10,000 to 1,000,000 accounts with five opportunities each: CPU seconds and peak memory.

Run as `python -m tests.benchmarks.bench_scoring [ACCOUNTS ...]`, or by `make bench`. Each size runs in a process of
its own, so that its peak memory is its own; making the book does not count.
"""

# ruff: noqa: T201  # printing figures is what a benchmark is for

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import date

import duckdb
import pyarrow as pa

from config.rules import Rules
from scoring import read_book, tag
from tests.benchmarks.measuring import Figure, show

TODAY = date(2026, 11, 22)
SIZES = (10_000, 100_000, 1_000_000)
PER_BUCKET = 65_536
EACH = 5

ACCOUNTS = """
    SELECT printf('001%015d', i) AS id, 'Account ' || i AS name,
        printf('005%015d', hash(i) % greatest(1, {accounts} // 400)) AS owner_id,
        ['Technology', 'Retail', 'Finance', 'Health', 'Energy'][1 + (hash(i, 3) % 5)::INT] AS industry,
        CAST(5 + hash(i, 4) % 3000 AS BIGINT) AS employees,
        CAST(hash(i, 5) % 500000000 AS DECIMAL(18, 2)) AS annual_revenue,
        to_timestamp(1609459200 + (hash(i, 6) % 1000)::BIGINT * 86400)::TIMESTAMPTZ AS created_at
    FROM range({first}, {last}) t(i)
"""
OPPORTUNITIES = """
    WITH deal AS (
        SELECT i, i // {each} AS a, i % {each} <> 0 AS closed, (hash(i, 1) % 1500)::INT AS age
        FROM range({first}, {last}) t(i)
    )
    SELECT printf('006%015d', i) AS id, 'Deal ' || i AS name, printf('001%015d', a) AS account_id,
        printf('005%015d', hash(a) % greatest(1, {accounts} // 400)) AS owner_id,
        CASE WHEN NOT closed THEN ['Qualify', 'Propose', 'Negotiation'][1 + (i % 3)::INT]
            WHEN hash(i, 2) % 5 < 3 THEN 'Won' ELSE 'Lost' END AS stage,
        closed AS is_closed, closed AND hash(i, 2) % 5 < 3 AS is_won,
        CAST(100 + hash(i, 3) % 90000 AS DECIMAL(18, 2)) AS amount,
        CASE WHEN closed THEN DATE '2026-11-21' - age ELSE DATE '2026-11-01' + age // 8 END AS close_date,
        CAST(CASE WHEN closed THEN NULL ELSE 10 + hash(i, 4) % 80 END AS DOUBLE) AS probability,
        CAST(hash(i, 5) % 4 AS BIGINT) AS push_count,
        CASE WHEN hash(i, 6) % 2 = 0 THEN (hash(i, 7) % 60)::DOUBLE END AS margin,
        to_timestamp(1795219200 - (age + 90)::BIGINT * 86400)::TIMESTAMPTZ AS created_at
    FROM deal
"""


def bucket(accounts: int, first: int) -> dict[str, pa.Table]:
    """One bucket of a book, made as told by hashes of the row number."""
    last = min(first + PER_BUCKET, accounts)
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        numbers = {"accounts": accounts, "each": EACH}
        return {
            "account": _cast(
                database.sql(ACCOUNTS.format(first=first, last=last, **numbers)).to_arrow_table()
            ),
            "opportunity": _cast(
                database.sql(
                    OPPORTUNITIES.format(first=first * EACH, last=last * EACH, **numbers)
                ).to_arrow_table()
            ),
        }


def _cast(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("created_at")
    return table.set_column(place, "created_at", table["created_at"].cast(pa.timestamp("ms", tz="UTC")))


def measure(accounts: int) -> dict[str, float]:
    """CPU seconds of each step, and the peak memory of the process beyond the book itself."""
    buckets = [bucket(accounts, first) for first in range(0, accounts, PER_BUCKET)]
    rules = Rules()
    read_book([bucket(10, 0)], rules, TODAY)  # start-up and late imports do not count
    start = time.process_time()
    book, parts = read_book(buckets, rules, TODAY)
    read = time.process_time()
    rows = sum(tag(part, book, None, rules, TODAY).accounts.num_rows for part in parts)
    done = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "accounts": rows,
        "read_book": read - start,
        "tag": done - read,
        "cpu": done - start,
        "peak_mb": peak,
    }


def main(sizes: list[int]) -> None:
    """Each size, printed as rows."""
    for size in sizes:
        command = [sys.executable, "-m", __spec__.name, "--one", str(size)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        show(
            f"score {size:,} accounts, {size * EACH:,} deals in memory",
            Figure("CPU s", row["cpu"]),
            Figure("us each", row["cpu"] / size * 1e6),
            Figure("peak MB", row["peak_mb"]),
        )


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(json.dumps(measure(int(sys.argv[-1]))))
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
