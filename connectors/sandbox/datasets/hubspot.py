"""A book of business as a HubSpot portal would hold it: records with HubSpot's properties, numeric ids and links."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.book import LINE_ITEMS, Book, load_book, table
from connectors.sandbox.datasets.hubspot_around import around
from connectors.sandbox.datasets.hubspot_own import own_columns, own_properties
from connectors.sandbox.datasets.hubspot_pipelines import (
    FIRST,
    pipeline_ids,
    pipelines,
    stage_ids,
    ticket_pipeline,
)
from connectors.sandbox.datasets.hubspot_rows import (
    IDS,
    LinkRows,
    Rows,
    Texts,
    close_dates,
    mapped,
    milliseconds,
    new_ids,
    numbers,
    option_value,
    pointed,
    pointed_names,
    present,
    stamp_texts,
    texts,
)
from connectors.sandbox.hubspot.definitions import Option, Property
from connectors.sandbox.hubspot.owners import Owner, Team

if TYPE_CHECKING:
    from datetime import date

    from connectors.sandbox.hubspot.stages import Pipeline

_DEAL_TYPES = {"New Business": "newbusiness", "Existing Business": "existingbusiness"}
_CUSTOMER = "Customer - Direct"


@dataclass(frozen=True, slots=True)
class Dataset:
    """HubSpot-shaped rows. `properties` are the portal's own, `choices` (value: label) options that the rows use."""

    name: str
    today: date
    description: str
    tables: dict[str, Rows]
    links: tuple[LinkRows, ...]
    owners: tuple[Owner, ...]
    pipelines: dict[str, tuple[Pipeline, ...]]
    properties: tuple[tuple[str, Property], ...]
    choices: dict[tuple[str, str], dict[str, str]]


def load_dataset(name: str, book: Book | None = None) -> Dataset:
    """The data set of this name (see `load_book`) in HubSpot's shape; a book may be given instead."""
    book = book or load_book(name)
    born = int(milliseconds(book.accounts["created_at"]).min()) - 86_400_000
    owners = _owners(book, born)
    ids = {
        "owners": np.array([int(one.id) for one in owners], dtype=np.int64),
        "companies": new_ids("companies", book.accounts.num_rows),
        "products": new_ids("products", book.products.num_rows),
        "deals": new_ids("deals", book.opportunities.num_rows),
    }
    sold = book.line_items if book.line_items.num_rows else _one_line_each(book)
    ids["line_items"] = new_ids("line_items", sold.num_rows)
    others = around(book, ids)
    return Dataset(
        book.name,
        book.today,
        book.description,
        {
            "companies": _companies(book, ids),
            "products": _products(book, ids, born),
            "deals": _deals(book, ids),
            "line_items": _line_items(book, ids, sold),
            **{name: rows for name, (rows, _) in others.items()},
        },
        (*_links(book, ids, sold), *(link for _, links in others.values() for link in links)),
        owners,
        {"deals": pipelines(book, born), "tickets": (ticket_pipeline(born),)},
        (("deals", _product_property(book, born)), *own_properties(book, born)),
        _choices(book),
    )


# Owners and options.


def _owners(book: Book, born: int) -> tuple[Owner, ...]:
    names, teams = book.owners["name"].to_pylist(), book.owners["team"].to_pylist()
    numbers = {team: place for place, team in enumerate(dict.fromkeys(teams), 1)}
    domain = f"{book.name.split(':')[0].replace('_', '-')}.example"
    twins: Counter[str] = Counter()
    owners = []
    active = book.owners["active"].to_pylist()
    for row, (name, team) in enumerate(zip(names, teams, strict=True)):
        first, _, last = name.partition(" ")
        login = name.lower().replace(" ", ".")
        twins[login] += 1
        number = "" if twins[login] == 1 else str(twins[login])
        owner_id = IDS["owners"][0] + row * IDS["owners"][1]
        owners.append(
            Owner(
                str(owner_id),
                f"{login}{number}@{domain}",
                first,
                last,
                owner_id // 3,
                (Team(str(2_118_400 + numbers[team] * 17), team),) if team else (),
                born,
                born,
                archived=active[row] is False,
            )
        )
    return tuple(owners)


def _product_property(book: Book, born: int) -> Property:
    names = book.products["name"].to_pylist()
    return Property(
        "product",
        "Product",
        "enumeration",
        "select",
        "dealinformation",
        options=tuple(Option(name, name, place) for place, name in enumerate(names)),
        description="The product the deal is about.",
        hubspot_defined=False,
        created=born,
        updated=born,
    )


def _choices(book: Book) -> dict[tuple[str, str], dict[str, str]]:
    """Options that HubSpot does not come with."""
    industries = pc.unique(book.accounts["industry"].drop_null()).to_pylist()
    types = pc.unique(book.accounts["type"].drop_null()).to_pylist()
    asked = pc.unique(book.cases["type"].drop_null()).to_pylist()
    return {
        ("companies", "industry"): {option_value(label): label for label in industries},
        ("companies", "type"): {option_value(label): label for label in types},
        ("tickets", "hs_ticket_category"): {option_value(label): label for label in asked},
    }


# Records.


def _companies(book: Book, ids: dict[str, Any]) -> Rows:
    rows = book.accounts
    customer = pc.fill_null(pc.equal(rows["type"], _CUSTOMER), False).to_pylist()  # noqa: FBT003 (Arrow's order)
    upper = {
        label: option_value(label)
        for name in ("industry", "type")
        for label in pc.unique(rows[name].drop_null()).to_pylist()
    }
    owner = pointed(ids["owners"], rows["owner"])
    return Rows(
        ids["companies"].tolist(),
        {
            "name": texts(rows["name"]),
            "hubspot_owner_id": owner,
            "type": mapped(rows["type"], upper),
            "industry": mapped(rows["industry"], upper),
            "country": texts(rows["country"]),
            "numberofemployees": texts(rows["employees"]),
            "annualrevenue": numbers(rows["annual_revenue"]),
            "founded_year": texts(rows["year_started"]),
            "lifecyclestage": ["customer" if one else "lead" for one in customer],
            **own_columns("companies", rows),
        },
        milliseconds(rows["created_at"]).tolist(),
        milliseconds(rows["modified_at"]).tolist(),
    )


def _products(book: Book, ids: dict[str, Any], born: int) -> Rows:
    count = book.products.num_rows
    return Rows(
        ids["products"].tolist(),
        {
            "name": texts(book.products["name"]),
            "price": numbers(book.products["price"]),
            "hs_folder": texts(book.products["family"]),
        },
        [born] * count,
        [born] * count,
    )


def _deals(book: Book, ids: dict[str, Any]) -> Rows:
    rows = book.opportunities
    names = pipeline_ids(book)
    pipeline = pc.fill_null(rows["pipeline"], next(iter(names))).to_pylist()
    of_pipeline = stage_ids(book)
    created, changed = milliseconds(rows["created_at"]), milliseconds(rows["stage_changed_at"])
    stage = [
        of_pipeline[label][name] for label, name in zip(pipeline, rows["stage"].to_pylist(), strict=True)
    ]
    amount, closes = numbers(rows["amount"]), close_dates(rows["close_date"])
    columns: dict[str, Texts] = {
        "dealname": texts(rows["name"]),
        "hubspot_owner_id": pointed(ids["owners"], rows["owner"]),
        "pipeline": [names[label] for label in pipeline],
        "dealstage": list(stage),
        "dealtype": mapped(rows["type"], _DEAL_TYPES),
        "amount": amount,
        "closedate": closes,
        "product": pointed_names(book.products["name"], rows["product"]),
        **own_columns("deals", rows),
    }
    first = [of_pipeline[label][FIRST] for label in pipeline]
    columns |= _entered(stage, first, created, changed)
    moved = [at if at > start else None for start, at in zip(created.tolist(), changed.tolist(), strict=True)]
    beginnings: dict[str, tuple[Texts, list[int | None]]] = {
        "dealstage": (list(first), moved),
        "amount": (_first(numbers(rows["first_amount"]), amount), moved),
        "closedate": (_first(close_dates(rows["first_close_date"]), closes), moved),
    }
    return Rows(
        ids["deals"].tolist(),
        columns,
        created.tolist(),
        milliseconds(rows["modified_at"]).tolist(),
        # Without a way through the stages only the present one is known, and since when.
        beginnings if book.history else {"dealstage": ([None] * rows.num_rows, moved)},
    )


def _first(first: Texts, now: Texts) -> Texts:
    """What was expected when the deal was made; where nobody says, what is expected still."""
    return [at_first or present for at_first, present in zip(first, now, strict=True)]


def _entered(stage: list[str], first: list[str], created: Any, changed: Any) -> dict[str, Texts]:
    """When each deal entered its stage and, if it moved on from there, the first one of its pipeline."""
    moved = (changed > created).tolist()
    began, now = stamp_texts(created), stamp_texts(changed)
    columns: dict[str, Texts] = {}
    for stage_id in dict.fromkeys([*stage, *first]):
        columns[f"hs_v2_date_entered_{stage_id}"] = [
            at if here == stage_id else start if stage_id == there and went else None
            for here, there, at, start, went in zip(stage, first, now, began, moved, strict=True)
        ]
    for stage_id in dict.fromkeys(first):
        columns[f"hs_v2_date_exited_{stage_id}"] = [
            at if went and there == stage_id != here else None
            for here, there, at, went in zip(stage, first, now, moved, strict=True)
        ]
    return columns


def _one_line_each(book: Book) -> pa.Table:
    """One line for each deal with a product, worth the deal's amount: for books that have no lines."""
    sold = present(book.opportunities["product"])
    rows = book.opportunities.take(pa.array(sold))
    return table(
        LINE_ITEMS,
        {
            "opportunity": pa.array(sold, pa.int64()),
            "product": rows["product"],
            "quantity": pc.fill_null(pc.if_else(pc.equal(rows["quantity"], 0), None, rows["quantity"]), 1.0),
            "amount": rows["amount"],
            "created_at": rows["created_at"],
            "modified_at": rows["modified_at"],
        },
    )


def _line_items(book: Book, ids: dict[str, Any], rows: pa.Table) -> Rows:
    quantity = rows["quantity"].to_pylist()
    return Rows(
        ids["line_items"].tolist(),
        {
            "name": pointed_names(book.products["name"], rows["product"]),
            "hs_product_id": pointed(ids["products"], rows["product"]),
            "quantity": [f"{one:g}" for one in quantity],
            "price": _each(rows["amount"], quantity),
            "hs_cost_of_goods_sold": _each(rows["cost"], quantity),
        },
        milliseconds(rows["created_at"]).tolist(),
        milliseconds(rows["modified_at"]).tolist(),
    )


def _each(column: Any, quantity: list[float]) -> Texts:
    """What one piece is worth, or costs."""
    return [
        None if whole is None else f"{whole / many:.6f}".rstrip("0").rstrip(".")
        for whole, many in zip(column.to_pylist(), quantity, strict=True)
    ]


def _links(book: Book, ids: dict[str, Any], sold: pa.Table) -> tuple[LinkRows, ...]:
    account, parent = book.opportunities["account"], book.accounts["parent"]
    with_account, with_parent = present(account), present(parent)
    companies, deals = ids["companies"], ids["deals"]
    owners_of = account.take(pa.array(with_account)).to_numpy()
    parents = parent.take(pa.array(with_parent)).to_numpy()
    return (
        LinkRows(
            "deals",
            "companies",
            deals[with_account].tolist(),
            companies[owners_of].tolist(),
            (5, 341),
            (6, 342),
        ),
        LinkRows(
            "companies",
            "companies",
            companies[with_parent].tolist(),
            companies[parents].tolist(),
            (14, 450),
            (13, 450),
        ),
        LinkRows(
            "deals",
            "line_items",
            deals[sold["opportunity"].to_numpy()].tolist(),
            ids["line_items"].tolist(),
            (19,),
            (20,),
        ),
    )
