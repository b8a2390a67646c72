"""Small readable books: accounts and deals by keyword, scored with the rules and day of a test."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from config.rules import Rules
from scoring import read_book, tag
from scoring.reading.features import TABLES

if TYPE_CHECKING:
    from scoring.tags import Tagged

TODAY = date(2026, 11, 22)
WHOLE = ("owner", "stage", "quota", "territory", "capacity")  # these are not cut into buckets


@dataclass
class Company:
    """A CRM's records, as a test writes them."""

    today: date = TODAY
    rules: Rules = field(default_factory=Rules)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    deals: list[dict[str, Any]] = field(default_factory=list)
    owners: list[dict[str, Any]] = field(default_factory=list)
    others: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def day(self, ago: int) -> date:
        """The day so many days before today; negative is ahead."""
        return self.today - timedelta(days=ago)

    def account(self, name: str, /, **columns: Any) -> str:
        """An account, called by its id."""
        self.accounts.append({"id": name, "name": name, "owner_id": "rep", "industry": "Retail", **columns})
        return name

    def open(
        self, name: str, account: str, /, closes_in: int | None = 30, amount: Any = 1000, **columns: Any
    ) -> str:
        """An open deal, made 20 days ago, in a stage with a chance of 50 %."""
        close_date = None if closes_in is None else self.day(-closes_in)
        self._deal(
            name,
            account,
            amount,
            close_date,
            20,
            **{"stage": "Proposal", "probability": 50.0, "is_closed": False, **columns},
        )
        return name

    def won(self, account: str, ago: int, amount: Any = 1000, **columns: Any) -> None:
        """A purchase so many days ago, won 60 days after it came up."""
        name = f"{account}-{len(self.deals)}"
        self._deal(
            name,
            account,
            amount,
            self.day(ago),
            ago + 60,
            **{"stage": "Won", "is_closed": True, "is_won": True, **columns},
        )

    def _deal(
        self, name: str, account: str, amount: Any, closes: date | None, made: int, /, **columns: Any
    ) -> None:
        made_at = datetime.combine(self.day(made), datetime.min.time(), UTC)
        self.deals.append({
            "id": name, "name": name, "account_id": account, "owner_id": "rep", "close_date": closes,
            "amount": None if amount is None else Decimal(str(amount)), "created_at": made_at, **columns,
        })  # fmt: skip

    def crowd(self, size: int = 40) -> None:
        """Customers to compare with: each buys for 1,000 every 60 days or so, the last time a month ago."""
        for number in range(size):
            name = self.account(f"crowd-{number:03d}")
            for order in range(12):
                self.won(name, 30 + number % 20 + 60 * order, 900 + 10 * (number % 20))

    def add(self, table: str, /, **columns: Any) -> None:
        """A row of another table, such as case, call, line_item, quota or commitment."""
        if "amount" in columns or "cost" in columns:
            columns |= {name: Decimal(str(columns[name])) for name in ("amount", "cost") if name in columns}
        self.others.setdefault(table, []).append(
            {"id": f"{table}-{len(self.others.get(table, ()))}", **columns}
        )

    def tables(self) -> dict[str, pa.Table]:
        """Everything as canonical tables."""
        rows = {"account": self.accounts, "opportunity": self.deals, "owner": self.owners, "stage": []}
        return {
            name: pa.Table.from_pylist(
                found, schema=pa.schema([(column.name, column.type) for column in TABLES[name]])
            )
            for name, found in (rows | self.others).items()
        }

    def cut(self, buckets: int, seed: int = 7) -> list[dict[str, pa.Table]]:
        """The same in buckets by account, rows and buckets in any order."""
        rng, whole = np.random.default_rng(seed), self.tables()
        account_of = {deal["id"]: deal["account_id"] for deal in self.deals}

        def bucket(name: str, row: dict[str, Any]) -> int:
            account = row["id"] if name == "account" else row.get("account_id")
            return zlib.crc32((account or account_of.get(row.get("opportunity_id")) or "").encode()) % buckets

        placed = {
            name: np.array([bucket(name, row) for row in table.to_pylist()], dtype=np.int64)
            for name, table in whole.items()
            if name not in WHOLE
        }
        cut = []
        for place in rng.permutation(buckets).tolist():
            mine = {name: rng.permutation(np.flatnonzero(places == place)) for name, places in placed.items()}
            cut.append(whole | {name: whole[name].take(pa.array(rows)) for name, rows in mine.items()})
        return cut

    def tagged(self, kept: pa.Table | None = None) -> Tagged:
        """The company scored in one bucket."""
        book, (part,) = read_book([self.tables()], self.rules, self.today)
        return tag(part, book, kept, self.rules, self.today)


def row(table: pa.Table, record_id: str) -> dict[str, Any]:
    """One record of a table."""
    (found,) = [found for found in table.to_pylist() if found["id"] == record_id]
    return found


@pytest.fixture
def company() -> Company:
    """An empty company."""
    return Company()


@pytest.fixture
def find():
    """The function that finds one record of a table by its id."""
    return row
