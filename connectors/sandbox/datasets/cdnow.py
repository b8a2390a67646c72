"""CDNOW's purchase histories as a CRM: customers are accounts, purchases are won opportunities."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.book import ACCOUNTS, OPPORTUNITIES, OWNERS, PRODUCTS, Book, table
from connectors.sandbox.datasets.stamps import at_work

DESCRIPTION = """Real purchase histories of CDNOW customers who first bought in the first quarter of 1997, to June 1998.

A customer is an account, a purchase a won opportunity created and closed on its day, its dollars the amount and its CDs
the quantity (some purchases are worth 0.00, as published). The source has no names and no owners: accounts are called
by their customer number, and ten invented reps share them by that number's last digit. Times of day are derived."""


def cdnow(*, sample: bool) -> Book:
    """The master file, or the 1/10 sample, as a book; today is the day after the last day of the study."""
    name = "CDNOW_sample.txt.gz" if sample else "CDNOW_master.txt.gz"
    columns = (0, 2, 3, 4) if sample else (0, 1, 2, 3)
    with files("connectors.sandbox.datasets").joinpath("sources", name).open("rb") as packed:
        text = pa.CompressedInputStream(packed, "gzip").read().split()
    # The master file begins with a line of four column names, the sample does not.
    numbers = text if sample else text[4:]
    rows = np.array(numbers).reshape(-1, 5 if sample else 4)[:, columns]
    customers, account = np.unique(rows[:, 0].astype(np.int64), return_inverse=True)
    days = np.array(
        [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in rows[:, 1].astype(str)], dtype="datetime64[D]"
    )
    owners = [f"Rep {number}" for number in range(10)]
    return Book(
        name="cdnow_sample" if sample else "cdnow",
        today=date(1998, 7, 1),
        description=DESCRIPTION,
        owners=table(
            OWNERS, {"name": owners, "team": ["CDNOW"] * 10, "title": ["Sales Representative"] * 10}
        ),
        accounts=table(ACCOUNTS, _accounts(customers, account, days)),
        products=table(PRODUCTS, {"name": ["CDs"], "family": ["Music"], "price": [None]}),
        opportunities=table(OPPORTUNITIES, _purchases(rows, customers, account, days)),
    )


def _accounts(customers: Any, account: Any, days: Any) -> dict[str, Any]:
    first = np.full(len(customers), np.datetime64("2100-01-01"))
    last = np.full(len(customers), np.datetime64("1900-01-01"))
    np.minimum.at(first, account, days)
    np.maximum.at(last, account, days)
    return {
        "name": pc.binary_join_element_wise("Customer", _padded(customers), " "),
        "owner": customers % 10,
        "type": ["Customer - Direct"] * len(customers),
        "created_at": at_work(first, 3),
        "modified_at": at_work(last, 3),
    }


def _padded(customers: Any) -> pa.Array:
    return pc.utf8_lpad(pa.array(customers).cast(pa.string()), 5, "0")


def _purchases(rows: Any, customers: Any, account: Any, days: Any) -> dict[str, Any]:
    bought = at_work(days, 1)
    day_text = pa.array(days).cast(pa.string())
    return {
        "name": pc.binary_join_element_wise("Customer", _padded(customers[account]), day_text, " "),
        "account": account,
        "owner": customers[account] % 10,
        "product": np.zeros(len(account), dtype=np.int64),
        "stage": pa.array(["Closed Won"] * len(account)),
        "amount": rows[:, 3].astype(np.float64),
        "quantity": rows[:, 2].astype(np.float64),
        "close_date": days,
        "created_at": bought,
        "stage_changed_at": bought,
        "modified_at": bought,
    }
