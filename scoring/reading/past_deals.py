"""How the book's own deals ended and how long they were open, as counts of one bucket that add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoring.arithmetic.counts import count, money_bin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb
    from numpy.typing import NDArray

    from config.rules import Rules

    Ints = NDArray[np.int64]

OLDEST = 1096  # days: older deals count as that old
MONTH = 30  # days
CELLS = 65_521  # a prime: amounts that share a cell by chance are few

_SQL = files("scoring.reading").joinpath("deals.sql").read_text(encoding="utf-8")
_SUMS = ("won", "seen", "squares")


@dataclass(frozen=True)
class PastDeals:
    """Counts of one bucket, or of the book.

    like: one row per level (`level_of`) and value of its columns: `won`, `seen` (weights in 1/1024) and `squares`
        of the weights; a column that is not of the level, or not known, is null.
    ages: one row per kind of deal, what happened (0 began or 1 ceased to be watched, 2 began or 3 ceased to be within
        30 days of its end) and age in days: how many `deals` that happened to at that age.
    outcomes: one row per month (`MONTH` days, counted back from today) in which and age in days at which deals ended:
        how many `deals`, and how many of them `won`.
    taught: how many closed deals there are for each money bin of what the account had spent before and outcome, as
        `bin * 2 + won`; none unless the rules ask for points from the book.
    amounts: for each cell, `cell_of` an amount, how many deals of the book have it.
    """

    like: pa.Table
    ages: pa.Table
    outcomes: pa.Table
    taught: Counter[str]
    amounts: Ints


def levels(by: Sequence[str]) -> list[tuple[str, ...]]:
    """What deals are alike by: nothing (all deals), each column, each two."""
    return [(), *((name,) for name in by), *combinations(by, 2)]


def level_of(level: Sequence[str], by: Sequence[str]) -> int:
    """The number of a level in the table: one bit for each column that is not of it, the first column's highest."""
    return sum(1 << (len(by) - 1 - place) for place, name in enumerate(by) if name not in level)


def cell_of(cents: NDArray[np.float64]) -> Ints:
    """The cell in which an amount is counted; -1 without one."""
    return np.where(cents > 0, np.nan_to_num(cents).astype(np.int64) % CELLS, -1)


def past_deals(database: duckdb.DuckDBPyConnection, rules: Rules) -> PastDeals:
    """The counts of the bucket whose tables are open in the database (`scoring.reading.features.Reader`)."""
    card = rules.win.like_deals
    days = {
        "half_life": f"{card.half_life}.0",
        "embargo": card.embargo,
        "month": MONTH,
        "oldest": OLDEST,
        "cells": CELLS,
    }
    for name, number in days.items():
        database.execute(f"CREATE MACRO IF NOT EXISTS {name}() AS {number}")
    database.execute(_SQL)
    found = database.sql("FROM amounts").fetchnumpy()
    amounts = np.zeros(CELLS, dtype=np.int64)
    amounts[np.asarray(found["cell"], dtype=np.int64)] = found["deals"]
    like = database.sql(_like_query(card.by)).to_arrow_table()
    return PastDeals(
        like,
        database.sql("FROM ages").to_arrow_table(),
        database.sql("FROM outcomes").to_arrow_table(),
        _taught(database, rules),
        amounts,
    )


def _taught(database: duckdb.DuckDBPyConnection, rules: Rules) -> Counter[str]:
    if rules.win.points == "fixed":
        return Counter()
    found = {name: np.asarray(column) for name, column in database.sql("FROM taught").fetchnumpy().items()}
    return count(money_bin(found["spent"].astype(np.float64)) * 2 + found["won"].astype(np.int64))


def _like_query(by: Sequence[str]) -> str:
    """Sums for every level, over sums for all columns at once, which are far fewer than deals."""
    sums = ", ".join(f"CAST(sum({name}) AS BIGINT) AS {name}" for name in _SUMS)
    if not by:
        return f"SELECT 0 AS level, {sums} FROM weighed"  # noqa: S608  # names of this module
    columns, sets = ", ".join(by), ", ".join(f"({', '.join(level)})" for level in levels(by))
    finest = f"SELECT {columns}, {sums} FROM weighed GROUP BY {columns}"  # noqa: S608  # config.sections.win.Alike
    return f"SELECT grouping({columns}) AS level, {columns}, {sums} FROM ({finest}) GROUP BY GROUPING SETS ({sets})"  # noqa: S608  # the same


def merged(parts: Iterable[PastDeals], by: Sequence[str]) -> PastDeals:
    """The sum of all buckets' counts, in any order, sorted."""
    found = list(parts)
    return PastDeals(
        _summed([part.like for part in found], ["level", *by], _SUMS),
        _summed([part.ages for part in found], ["kind", "what", "age"], ["deals"]),
        _summed([part.outcomes for part in found], ["month", "age"], ["won", "deals"]),
        sum((part.taught for part in found), Counter()),
        sum((part.amounts for part in found), np.zeros(CELLS, dtype=np.int64)),
    )


def _summed(tables: list[pa.Table], keys: Sequence[str], counts: Sequence[str]) -> pa.Table:
    together = pa.concat_tables(tables, promote_options="permissive")
    sums = together.group_by(keys).aggregate([(name, "sum") for name in counts])
    return sums.rename_columns([*keys, *counts]).sort_by([(key, "ascending") for key in keys])
