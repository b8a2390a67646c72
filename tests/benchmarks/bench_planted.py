"""How well the scores find what was planted, with the default rules: on books whose future is known.

`python -m tests.benchmarks.bench_planted [ACCOUNTS:OPPORTUNITIES:SEED ...]` prints the figures; tests hold them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import SEGMENTS
from config.rules import Rules
from connectors.sandbox.datasets.planted import planted
from scoring import read_book, tag
from tests.benchmarks.book_tables import bucketed, row_numbers, scoring_tables
from tests.benchmarks.measuring import Figure, show

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets import Book
    from scoring import Tagged

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

SIZES = ("3000:20000:1", "3000:20000:2", "20000:100000:3")
SOON = 30  # days


def auc(score: Numbers, happened: Flags) -> float:
    """The chance that one to whom it happened scores above one to whom it did not; ties count half."""
    ranks = pd.Series(score).rank().to_numpy()
    hits = int(happened.sum())
    return float((ranks[happened].sum() - hits * (hits + 1) / 2) / (hits * (len(score) - hits)))


@dataclass(frozen=True)
class Found:
    """A scored book beside its truth; accounts and open deals that have a score, in the order of their tags."""

    book: Book
    tagged: Tagged
    horizon: int

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """Scores, and what came of each account: days to the next purchase (NaN: none), spend, growth."""
        tags = self.tagged.accounts
        rows = row_numbers(tags["id"])
        table = tags.to_pandas().join(self.book.truth["account"].take(pa.array(rows)).to_pandas())
        table["row"] = rows
        table["bought"] = np.isin(rows, self._buyers)
        table["days"] = self._days(table["next_purchase"])
        table["buys"] = table["days"] <= self.horizon
        return table[table["foretag_score"].notna()].reset_index(drop=True)

    @cached_property
    def deals(self) -> pd.DataFrame:
        """Scores and chances, and how and in how many days each open deal ends (NaN: it is forgotten)."""
        scored = self.tagged.scored
        tags = self.tagged.opportunities.to_pandas()
        rows = row_numbers(self.tagged.opportunities["id"])
        truth = self.book.truth["opportunity"].drop_columns("amount")
        table = tags.join(truth.take(pa.array(rows)).to_pandas())
        table["chance"] = scored.deals.chance
        table["row"] = rows
        table["days"] = self._days(table["closes"])
        table["won_soon"] = table["won"] & (table["days"] <= SOON)
        return table[table["foretag_score"].notna()].reset_index(drop=True)

    @cached_property
    def records(self) -> pd.DataFrame:
        """By account with plans that fell due: the share of them that was kept, as the truth has it."""
        plans = self.book.commitments.to_pandas().join(self.book.truth["commitment"].to_pandas())
        due = plans[pd.to_datetime(plans["by"]) < pd.Timestamp(self.book.today)]
        kept = due.groupby("account")["kept"].mean().rename("kept")
        return self.accounts.merge(kept, left_on="row", right_index=True)

    @property
    def customers(self) -> pd.DataFrame:
        """Accounts that bought within the last year."""
        return self.accounts[self.accounts["spend_last_year"] > 0]

    @cached_property
    def _buyers(self) -> Any:
        deals = self.book.opportunities
        return deals.filter(pc.equal(deals["stage"], "Closed Won"))["account"].to_numpy()

    def _days(self, dates: pd.Series[Any]) -> Any:
        return (pd.to_datetime(dates) - pd.Timestamp(self.book.today)).dt.days

    def figures(self) -> dict[str, float]:
        """What the scores find, by name."""
        accounts, customers, deals = self.accounts, self.customers, self.deals
        prospects = accounts[~accounts["bought"]]
        top = accounts["spend_next_year"].quantile(0.9)
        kept = self.records
        growth = kept["foretag_growth_score"].astype(float)
        return {
            "who buys within the horizon, by likelihood": _auc(accounts, "foretag_likelihood", accounts["buys"]),
            "the same among customers": _auc(customers, "foretag_likelihood", customers["buys"]),
            "mean likelihood - share that buys": accounts["foretag_likelihood"].mean() / 100 - accounts["buys"].mean(),
            "who grows, among customers": _auc(customers, "foretag_growth_score", customers["grows"]),
            "who becomes a top customer, among prospects":
                _auc(prospects, "foretag_growth_score", prospects["spend_next_year"] >= top),
            "growth score where plans were kept - where broken":
                growth[kept["kept"] == 1].mean() - growth[kept["kept"] == 0].mean(),
            "which open deals are won, by chance": _auc(deals, "chance", deals["won"]),
            "mean chance - share won": deals["chance"].mean() / 100 - deals["won"].mean(),
            "which are won within 30 days, by priority": _auc(deals, "foretag_score", deals["won_soon"]),
            "which close within 30 days, by priority": _auc(deals, "foretag_score", deals["days"] <= SOON),
            "next year's revenue in the top tenth by expected spend": _caught(accounts, "expected_spend"),
            "the same by last year's spend": _caught(accounts, "spend_last_year"),
        }  # fmt: skip

    def cells(self) -> pd.DataFrame:
        """By segment: how many, what share buys within the horizon, and (of customers) what share grows."""
        accounts, customers = (
            self.accounts.groupby("foretag_segment"),
            self.customers.groupby("foretag_segment"),
        )
        return pd.DataFrame(
            {"accounts": accounts.size(), "buys": accounts["buys"].mean(), "grows": customers["grows"].mean()}
        ).reindex(SEGMENTS)


def _auc(table: pd.DataFrame, score: str, happened: pd.Series[bool]) -> float:
    return auc(table[score].to_numpy(dtype=np.float64), happened.to_numpy(dtype=np.bool_))


def _caught(accounts: pd.DataFrame, by: str) -> float:
    """The share of next year's revenue that comes from the tenth of the book that ranks highest."""
    order = np.argsort(-accounts[by].to_numpy(dtype=np.float64), kind="stable")
    revenue = accounts["spend_next_year"].to_numpy()[order]
    return float(revenue[: len(revenue) // 10].sum() / revenue.sum())


def found(book: Book, rules: Rules | None = None) -> Found:
    """Score a book as it stands today."""
    rules = rules or Rules()
    tables = scoring_tables(book)
    scored, parts = read_book(bucketed(tables, 1), rules, book.today)
    return Found(book, tag(parts[0], scored, None, rules, book.today), scored.horizon)


def main(sizes: list[str]) -> None:
    """Each book's figures, printed as rows."""
    for size in sizes:
        result = found(planted(*map(int, size.split(":"))))
        for name, figure in result.figures().items():
            show(name, Figure(size, figure))
        for segment, row in result.cells().iterrows():
            show(f"{segment} ({size})", *(Figure(str(name), value) for name, value in row.items()))


if __name__ == "__main__":
    main(sys.argv[1:] or list(SIZES))
