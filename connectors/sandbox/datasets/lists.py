"""The lists that a company keeps beside its CRM, as CSV files: growth plans, territories, capacities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv

if TYPE_CHECKING:
    from connectors.sandbox.datasets.book import Book


def lists(book: Book) -> dict[str, bytes]:
    """The files by name, accounts and owners by theirs; none for what the book does not have."""
    accounts, owners = book.accounts["name"], book.owners["name"]
    tables = {
        "commitments.csv": _named(book.commitments, "account", accounts),
        "territories.csv": _named(book.territories, "owner", owners),
        "capacities.csv": _named(book.capacities, "owner", owners),
    }
    return {name: _written(table) for name, table in tables.items() if table.num_rows}


def _named(rows: pa.Table, column: str, names: Any) -> pa.Table:
    """Row numbers as names, amounts with two places."""
    rows = rows.set_column(rows.schema.get_field_index(column), column, names.take(rows[column]))
    if "amount" in rows.column_names:
        place = rows.schema.get_field_index("amount")
        rows = rows.set_column(place, "amount", rows["amount"].cast(pa.decimal128(18, 2)))
    return rows


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, csv.WriteOptions(quoting_style="needed"))
    written: bytes = sink.getvalue().to_pybytes()
    return written
