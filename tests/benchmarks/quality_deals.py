"""How well open deals are judged: who is won, what closes within 30 days; foretold on one day, seen afterwards.

Deals are those that were open on the day; what became of them is known from the data set (or the planted truth).
Nothing that came later is shown to scoring: amounts and close dates of open deals are those of the day. Run as
`python -m tests.benchmarks.quality_deals`, or as a part of `python -m tests.benchmarks quality`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.rules import Rules
from connectors.sandbox.datasets.pipeline import pipeline
from connectors.sandbox.datasets.planted.making import planted
from scoring import read_book
from scoring.arithmetic.columns import numbers
from scoring.value import assess
from tests.benchmarks.book_tables import row_numbers, scoring_tables
from tests.benchmarks.measuring import Figure, show
from tests.benchmarks.ranking import auc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Tables = dict[str, pa.Table]

SEEDS = (11, 12)
WITHIN = timedelta(days=30)
SNAPSHOTS = tuple(date(2017, month, 1) for month in (7, 8, 9, 10, 11))


@dataclass(frozen=True, slots=True)
class Case:
    """A book as it was on a day, and of every deal by row of its book: won (1, 0, NaN: nobody knows), closes soon."""

    name: str
    tables: Tables
    today: date
    won: Floats
    soon: NDArray[np.bool_]


def cases() -> Iterator[Case]:
    """Planted books with the dates that reps wrote, with honest and with worthless ones; the public pipeline."""
    for seed in SEEDS:
        for dates in ("as written", "honest", "worthless"):
            yield planted_case(seed, dates)
    for day in SNAPSHOTS:
        yield pipeline_case(day)


def planted_case(seed: int, dates: str, accounts: int = 1500, opportunities: int = 9000) -> Case:
    """A planted book; close dates of open deals as written, or true to within a tenth, or drawn from a hat."""
    book = planted(accounts, opportunities, seed)
    tables, truth = scoring_tables(book), book.truth["opportunity"]
    closes = np.asarray(truth["closes"].cast(pa.int32()).fill_null(10**6), dtype=np.int64)
    now = (book.today - date(1970, 1, 1)).days
    rng = np.random.default_rng(seed)
    open_ = pc.invert(tables["opportunity"]["is_closed"])
    written = np.asarray(tables["opportunity"]["close_date"].cast(pa.int32()), dtype=np.int64)
    left = np.minimum(closes - now, 400)
    other = {
        "as written": written,
        "honest": now + np.rint(left * rng.normal(1, 0.1, len(left))).astype(np.int64),
        "worthless": now + rng.permutation(written - now),
    }[dates]
    tables["opportunity"] = _with(
        tables["opportunity"], "close_date", np.where(np.asarray(open_), other, written)
    )
    won = np.where(closes < 10**6, np.asarray(truth["won"], dtype=np.float64), np.nan)
    return Case(f"planted {seed}, dates {dates}", tables, book.today, won, closes - now <= WITHIN.days)


def pipeline_case(day: date) -> Case:
    """The public pipeline on a day: amounts and dates as first entered, and of deals without an account none.

    A blank account occurs only on deals that never close: it would tell the outcome.
    """
    book = pipeline()
    tables = scoring_tables(book)
    made = book.opportunities["created_at"].cast(pa.date32())
    closed = pc.and_(tables["opportunity"]["is_closed"], pc.less_equal(book.opportunities["close_date"], day))
    won = np.where(
        np.asarray(tables["opportunity"]["is_closed"]),
        np.asarray(tables["opportunity"]["is_won"], dtype=np.float64),
        np.nan,
    )
    ends = pc.if_else(
        tables["opportunity"]["is_closed"], book.opportunities["close_date"], pa.scalar(None, pa.date32())
    )
    deals = tables["opportunity"]
    for name, then in (
        ("close_date", book.opportunities["first_close_date"]),
        ("amount", book.opportunities["first_amount"].cast(deals.schema.field("amount").type)),
        ("stage", pa.array(["Engaging"] * deals.num_rows)),
        ("probability", pa.nulls(deals.num_rows, pa.float64())),
        ("is_closed", closed),
        ("is_won", pc.and_(closed, deals["is_won"])),
        ("stage_changed_at", pa.nulls(deals.num_rows, deals.schema.field("stage_changed_at").type)),
    ):
        found = then if name in {"is_closed", "is_won"} else pc.if_else(closed, deals[name], then)
        deals = deals.set_column(deals.schema.get_field_index(name), name, found)
    known = pc.and_(pc.less_equal(made, day), deals["account_id"].is_valid())
    tables["opportunity"] = deals.filter(known)
    soon = pc.fill_null(pc.less_equal(ends, day + WITHIN), fill_value=False)
    return Case(f"pipeline on {day}", tables, day, won, np.asarray(soon))


def _with(table: pa.Table, name: str, days: NDArray[np.int64]) -> pa.Table:
    column = pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())
    return table.set_column(table.schema.get_field_index(name), name, column)


def figures(case: Case, rules: Rules | None = None) -> dict[str, float]:
    """AUC and Brier score (squared error of the chance) of one case, by name of the figure."""
    rules = rules or Rules()
    book, (part,) = read_book([case.tables], rules, case.today)
    found = assess(part, book, rules, case.today).deals
    kept = found.scored
    rows = row_numbers(part.deals["id"])
    won, soon = case.won[rows], case.soon[rows] & kept
    ended = kept & ~np.isnan(won)
    age = -numbers(part.deals, "created_day")
    stage, amount = numbers(part.deals, "probability"), numbers(part.deals, "cents")
    chance = found.win.chance / 100
    return {
        "won: chance": auc(chance[ended], won[ended] == 1),
        "won: stage": auc(stage[ended], won[ended] == 1),
        "won: amount": auc(amount[ended], won[ended] == 1),
        "won: age": auc(-age[ended], won[ended] == 1),
        "Brier: chance": float(((chance - won)[ended] ** 2).mean()),
        "Brier: base rate": float(((book.win_percent / 100 - won)[ended] ** 2).mean()),
        "soon: priority": auc(found.priority.parts.sum(axis=0)[kept], soon[kept]),
        "soon: pace": auc(found.pace[kept], soon[kept]),
        "soon: date": auc(-np.abs(found.days_to_close)[kept], soon[kept]),
        "soon: age": auc(-age[kept], soon[kept]),
        "soon: stage": auc(stage[kept], soon[kept]),
    }


def main() -> None:
    """Every case, printed as rows."""
    for case in cases():
        show(case.name, *(Figure(name, value) for name, value in figures(case).items()))


if __name__ == "__main__":
    main()
