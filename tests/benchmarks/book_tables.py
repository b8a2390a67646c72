"""A book of the sandbox as the canonical tables that scoring reads, without the long way over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.records import RECORDS, SIDE_TABLES
from connectors.sandbox.salesforce.objects import STAGES

if TYPE_CHECKING:
    from connectors.sandbox.datasets import Book

_PREFIXES = {"account": "001", "owner": "005", "opportunity": "006", "manager": "005", "parent": "001"}
_REFERENCES = {
    "account_id": "account", "owner_id": "owner", "opportunity_id": "opportunity",
    "manager_id": "manager", "parent_id": "parent",
}  # fmt: skip
_WHOLE = ("owner", "stage", "quota", "territory", "capacity")
_PLACES = {"foretag_growth_plan": "growth_plan", "foretag_growth_plan_by": "growth_plan_by"}


def scoring_tables(book: Book) -> dict[str, pa.Table]:
    """Every canonical table that scoring may be handed, with what the book knows; other columns are absent.

    Ids are a prefix and the row's number in the book, so that rising ids are rising rows.
    """
    deals = _deals(book)
    tables = {
        "owner": _active(_canonical("owner", book.owners)),
        "account": _canonical("account", book.accounts),
        "opportunity": deals,
        "stage": _stages(),
        "case": _canonical("case", book.cases.append_column("is_closed", book.cases["closed_at"].is_valid())),
        "line_item": _line_items(book, deals),
        "quota": _canonical("quota", book.quotas),
        "commitment": _canonical("commitment", book.commitments),
        "territory": _canonical("territory", book.territories),
        "capacity": _canonical("capacity", book.capacities),
    }
    return tables | {kind: _contacts(book, kind) for kind in ("call", "email", "meeting")}


def bucketed(tables: dict[str, pa.Table], buckets: int) -> list[dict[str, pa.Table]]:
    """The tables cut so that everything of an account lies in one bucket; owners and lists are whole in each."""
    whole = {name: tables[name] for name in _WHOLE}
    return [
        whole | {name: _share(table, name, place, buckets) for name, table in tables.items() if name not in _WHOLE}
        for place in range(buckets)
    ]  # fmt: skip


def row_ids(name: str, rows: Any) -> pa.Array:
    """The ids of these rows of a table (`account`, `opportunity`, `owner`); null stays null."""
    digits = pc.utf8_lpad(pc.cast(rows, pa.string()), 12, "0")
    return pc.binary_join_element_wise(_PREFIXES.get(name, "0"), digits, "")


def row_numbers(ids: Any) -> Any:
    """The rows of the book that these ids stand for."""
    return pc.utf8_slice_codeunits(ids, 3).cast(pa.int64()).to_numpy()


def _share(table: pa.Table, name: str, place: int, buckets: int) -> pa.Table:
    accounts = row_numbers(table["id" if name == "account" else "account_id"])
    return table.filter(pa.array(accounts % buckets == place))


def _canonical(name: str, rows: pa.Table) -> pa.Table:
    """The canonical columns that a book's table has, cast to their types, with ids."""
    wanted = RECORDS.get(name) or SIDE_TABLES[name]
    columns: dict[str, Any] = {}
    for column in wanted:
        source = _REFERENCES.get(column.name) or _PLACES.get(column.name, column.name)
        if column.name == "id":
            columns["id"] = row_ids(name, pa.array(np.arange(rows.num_rows)))
        elif source in rows.column_names:
            found = rows[source]
            columns[column.name] = (
                row_ids(source, found) if column.name in _REFERENCES else found.cast(column.type)
            )
    return pa.table(columns)


def _active(owners: pa.Table) -> pa.Table:
    place = owners.schema.get_field_index("active")
    return owners.set_column(place, "active", pc.fill_null(owners["active"], True))  # noqa: FBT003  # Arrow's order


def _stages() -> pa.Table:
    names, probability, closed, won, *_ = zip(*STAGES, strict=True)
    return pa.table(
        {
            "id": [f"01J{place:012}" for place in range(len(names))],
            "name": names,
            "probability": pa.array(probability, pa.float64()),
            "is_closed": closed,
            "is_won": won,
            "position": pa.array(range(len(names)), pa.int64()),
            "active": [True] * len(names),
        }
    )


def _deals(book: Book) -> pa.Table:
    rows, stages = book.opportunities, _stages()
    codes = pc.index_in(rows["stage"], value_set=stages["name"])
    for name in ("probability", "is_closed", "is_won"):
        rows = rows.append_column(name, stages[name].take(codes))
    product = book.products["name"].combine_chunks().take(rows["product"].combine_chunks())
    return _canonical(
        "opportunity", rows.set_column(rows.schema.get_field_index("product"), "product", product)
    )


def _line_items(book: Book, deals: pa.Table) -> pa.Table:
    rows = book.line_items
    product = book.products["name"].combine_chunks().take(rows["product"].combine_chunks())
    made = _canonical(
        "line_item", rows.set_column(rows.schema.get_field_index("product"), "product", product)
    )
    accounts = deals["account_id"].take(rows["opportunity"])
    if "account_id" in made.column_names:
        made = made.drop_columns("account_id")
    return made.append_column("account_id", accounts)


def _contacts(book: Book, kind: str) -> pa.Table:
    rows = book.activities.filter(pc.equal(book.activities["kind"], kind))
    return _canonical(kind, rows.append_column("day", rows["at"].cast(pa.date32())))
