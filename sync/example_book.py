"""The records of a rules test as the tables that scoring reads, with the crowd they are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from config.examples.example_records import Account, ClosedDeal, Crowd, OpenDeal, canonical
from config.examples.rule_tests import named_crowds
from config.records import RECORDS, SIDE_TABLES
from scoring import STATE_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from config.examples.rule_tests import Example, RuleTests

REP = "rep"  # who owns what the test gives no owner
LINES = pa.field("account_id", pa.string())  # sync gives scoring a line item's account, too

# The accounts of `crowd: 40`: each buys for about 1,000 every 60 days, the last time about a month ago.
USUAL = Crowd.model_validate(
    {
        "industry": "Retail",
        "purchases": [{"close_date": "30 days ago", "amount": 1000, "times": 12, "every": 60}],
    }
)
_FIRST = date(1900, 1, 1)  # scoring knows no day before
_OPENED = timedelta(days=20)  # before today
_SOLD_IN = timedelta(days=60)
_SPREAD = 20  # crowds are no clones: amounts differ by up to a tenth, and days by as many


@dataclass
class ExampleBook:
    """Rows of canonical tables, as they are gathered."""

    today: date
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def tables(self) -> dict[str, pa.Table]:
        """One table for each object, rows or not."""
        columns = RECORDS | SIDE_TABLES
        schemas = {name: pa.schema([(one.name, one.type) for one in columns[name]]) for name in columns}
        schemas["line_item"] = schemas["line_item"].append(LINES)
        return {
            name: pa.Table.from_pylist(
                [_typed(row, schema) for row in self.rows.get(name, ())], schema=schema
            )
            for name, schema in schemas.items()
        }

    def add(self, object_name: str, record: BaseModel | None = None, **more: Any) -> None:
        """A row; days become dates, and a row without an id gets one."""
        rows = self.rows.setdefault(object_name, [])
        given = {} if record is None else canonical(record)
        row = {"id": f"{object_name}-{len(rows)}"} | {name: self.day(value) for name, value in given.items()}
        rows.append(row | more)

    def day(self, value: Any) -> Any:
        """A date for a time from today on; anything else as it is."""
        return self.today + value if isinstance(value, timedelta) else value

    def account(self, name: str, record: Account | Crowd) -> None:
        """An account with all that hangs on it."""
        owner = record.owner or REP
        self.add("account", record, id=name, name=name, owner_id=owner)
        for purchase in record.purchases:
            self.closed(name, owner, purchase, won=True)
        for deal in record.lost:
            self.closed(name, owner, deal, won=False)
        for case in record.cases:
            self.add("case", case, account_id=name, is_closed=bool(case.is_closed))
        for commitment in record.commitments:
            self.add("commitment", commitment, account_id=name)
        self.contacts(record, account_id=name)

    def closed(self, account: str, owner: str, deal: ClosedDeal, *, won: bool) -> None:
        """A won or lost deal, as often as it says, back in time from the day it gives."""
        last = self.day(deal.close_date)
        for number in range(min(deal.times, 1 + (last - _FIRST).days // deal.every)):
            closes = last - timedelta(days=deal.every * number)
            name = (
                f"{account}: {'purchase' if won else 'lost deal'} {len(self.rows.get('opportunity', ())) + 1}"
            )
            made = self.day(deal.created_at) or closes - _SOLD_IN
            ends = {"is_closed": True, "is_won": won, "close_date": closes, "created_at": made}
            stage = deal.stage or ("Closed Won" if won else "Closed Lost")
            self.deal(name, account, deal.owner or owner, deal, stage=stage, **ends)

    def open(self, account: str, owner: str, name: str, deal: OpenDeal) -> None:
        """An open deal, made 20 days ago if it does not say when."""
        made = self.day(deal.created_at) or self.today - _OPENED
        self.deal(name, account, deal.owner or owner, deal, is_closed=False, is_won=False, created_at=made)
        self.contacts(deal, account_id=account, opportunity_id=name)

    def deal(self, name: str, account: str, owner: str, deal: OpenDeal | ClosedDeal, **more: Any) -> None:
        """A deal and its line items."""
        links = {"id": name, "name": name, "account_id": account, "owner_id": owner}
        self.add("opportunity", deal, **links, **more)
        for item in deal.line_items:
            self.add("line_item", item, opportunity_id=name, account_id=account)

    def contacts(self, record: Any, **links: str) -> None:
        """Calls, e-mails and meetings."""
        for object_name in ("call", "email", "meeting"):
            for day in getattr(record, f"{object_name}s"):
                self.add(object_name, None, day=self.day(day), **links)

    def crowd(self, name: str, crowd: Crowd) -> None:
        """Accounts alike, but for amounts and days that are spread a little."""
        for number in range(crowd.accounts):
            self.account(f"{name} {number + 1:03d}", _spread(crowd, number % _SPREAD))


def example_book(file: RuleTests, test: Example) -> ExampleBook:
    """The records of one test, its crowds, and the file's facts about owners."""
    today = test.today or file.today
    if not isinstance(today, date):
        raise TypeError(today)  # the model has made sure
    book = ExampleBook(today)
    if isinstance(test.crowd, int):
        book.crowd("crowd", USUAL.model_copy(update={"accounts": test.crowd}))
    for name in named_crowds(test):
        book.crowd(name, file.crowds[name])
    for name, account in test.accounts.items():
        book.account(name, account)
        for deal, record in account.deals.items():
            book.open(name, account.owner or REP, deal, record)
    _facts(book, file, test)
    return book


def _facts(book: ExampleBook, file: RuleTests, test: Example) -> None:
    """Owners that records name, and what the file tells of them, of teams and territories."""
    known = file.owners | test.owners
    named = {row["owner_id"] for name in ("account", "opportunity") for row in book.rows.get(name, ())}
    for name in sorted({*named, *known}):
        owner = known.get(name)
        active = owner is None or owner.active is not False
        book.add("owner", owner, id=name, name=name, active=active)
    for object_name, records in (
        ("quota", file.quotas), ("territory", file.territories), ("capacity", file.capacities)
    ):  # fmt: skip
        for record in records:
            book.add(object_name, record)


def held_state(test: Example, today: date, digest: str) -> pa.Table | None:
    """The tiers that records have already, as scoring keeps them; None if the test gives none."""
    rows = [
        {
            "object": "account" if name in test.accounts else "opportunity",
            "id": name,
            "tier": held.tier,
            "since": today + held.since if isinstance(held.since, timedelta) else held.since,
            "cause": "new",
            "rules": digest,
            "fingerprint": 0,
        }
        for name, held in test.held.items()
    ]
    return pa.Table.from_pylist(rows, schema=STATE_SCHEMA) if rows else None


def _spread(crowd: Crowd, number: int) -> Crowd:
    purchases = tuple(
        purchase.model_copy(
            update={
                "amount": None
                if purchase.amount is None
                else round(purchase.amount * (0.9 + number / 100), 2),
                "close_date": purchase.close_date - timedelta(days=number),
            }
        )
        for purchase in crowd.purchases
    )
    return crowd.model_copy(update={"purchases": purchases})


def _typed(row: Mapping[str, Any], schema: pa.Schema) -> dict[str, Any]:
    """A row with the columns of a schema, its values as Arrow wants them."""
    return {
        name: _value(row[name], schema.field(name).type) for name in schema.names if row.get(name) is not None
    }


def _value(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_decimal(kind):
        return Decimal(str(value)).quantize(Decimal("0.01"))
    if pa.types.is_timestamp(kind) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value
