"""A book of business as a HubSpot portal would hold it: records with HubSpot's properties, numeric ids and links."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.book import Book, load_book
from connectors.sandbox.hubspot.definitions import Option, Property
from connectors.sandbox.hubspot.owners import Owner, Team
from connectors.sandbox.hubspot.stages import Pipeline, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

PIPELINE = "default"
# Label: id, probability, closed. Made by the portal's admin, so that the open ones have numbers as ids.
STAGES: Mapping[str, tuple[str, str, bool]] = {
    "Prospecting": ("184920131", "0.1", False),
    "Engaging": ("184920132", "0.5", False),
    "Closed Won": ("closedwon", "1.0", True),
    "Closed Lost": ("closedlost", "0.0", True),
}
_FIRST = "Engaging"
_TICKET_STAGES = {
    "1": ("New", "OPEN"),
    "2": ("Waiting on contact", "OPEN"),
    "3": ("Waiting on us", "OPEN"),
    "4": ("Closed", "CLOSED"),
}
_DEAL_TYPES = {"New Business": "newbusiness", "Existing Business": "existingbusiness"}
_CUSTOMER = "Customer - Direct"
# First id and the usual step to the next, by type: records of other times and people lie between.
_IDS = {
    "owners": (41_203_377, 1_311),
    "companies": (8_214_503_311, 7),
    "deals": (11_467_902_885, 3),
    "products": (1_288_340_117, 11),
    "line_items": (8_214_503_318, 2),
}
_NOON = 12 * 3_600_000
Texts = list["str | None"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Records of one type: ascending ids, texts by property, stamps in milliseconds.

    `beginnings` has, by property, each record's first value and when the present one replaced it (None: never).
    """

    ids: Sequence[int]
    columns: dict[str, Texts]
    created: Sequence[int]
    modified: Sequence[int]
    beginnings: dict[str, tuple[Texts, list[int | None]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinkRows:
    """Associations of the same kinds between records of two types, with the kinds of the way back."""

    from_type: str
    to_type: str
    from_ids: Sequence[int]
    to_ids: Sequence[int]
    kinds: tuple[int, ...]
    kinds_back: tuple[int, ...]


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
    born = int(_milliseconds(book.accounts["created_at"]).min()) - 86_400_000
    owners = _owners(book, born)
    ids = {
        "owners": np.array([int(one.id) for one in owners], dtype=np.int64),
        "companies": _ids("companies", book.accounts.num_rows),
        "products": _ids("products", book.products.num_rows),
        "deals": _ids("deals", book.opportunities.num_rows),
    }
    sold = _present(book.opportunities["product"])
    ids["line_items"] = _ids("line_items", len(sold))
    companies, deals = _companies(book, ids), _deals(book, ids)
    return Dataset(
        book.name,
        book.today,
        book.description,
        {
            "companies": companies,
            "products": _products(book, ids, born),
            "deals": deals,
            "line_items": _line_items(book, ids, deals, sold),
        },
        _links(book, ids, sold),
        owners,
        {"deals": (_pipeline(born),), "tickets": (_ticket_pipeline(born),)},
        (("deals", _product_property(book, born)),),
        _choices(book),
    )


def _ids(name: str, count: int) -> Any:
    """Ascending numbers with uneven gaps."""
    first, step = _IDS[name]
    rows = np.arange(count, dtype=np.int64)
    return first + rows * step + (rows * 7_919 % 1_009) // 1_008 + np.cumsum(rows % 5 == 4)


def _milliseconds(column: Any) -> Any:
    return column.cast(pa.int64()).to_numpy()


def _present(column: Any) -> Any:
    """Numbers of the rows that have a value."""
    return np.flatnonzero(column.is_valid().to_numpy())


def _texts(column: Any) -> Texts:
    """A column as texts; few different ones are shared by all rows that have them."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = column.cast(pa.string()).dictionary_encode()
    words = [*encoded.dictionary.to_pylist(), None]
    return [words[code] for code in pc.fill_null(encoded.indices, len(words) - 1).to_pylist()]


def _numbers(column: Any) -> Texts:
    """Numbers as people type them: whole ones without a point, others with two places."""
    return [
        None if one is None else str(int(one)) if one == int(one) else f"{one:.2f}"
        for one in column.to_pylist()
    ]


def _pointed(ids: Any, rows: Any) -> Texts:
    """Row numbers as ids; null stays null."""
    texts = [str(one) for one in ids.tolist()]
    return [None if row is None else texts[row] for row in rows.to_pylist()]


def _mapped(column: Any, values: Mapping[str, str]) -> Texts:
    return [None if one is None else values.get(one, one) for one in column.to_pylist()]


def option_value(label: str) -> str:
    """A label as the internal value of an option, in HubSpot's upper case."""
    return re.sub(r"\W+", "_", label.upper())


# Owners and pipelines.


def _owners(book: Book, born: int) -> tuple[Owner, ...]:
    names, teams = book.owners["name"].to_pylist(), book.owners["team"].to_pylist()
    numbers = {team: place for place, team in enumerate(dict.fromkeys(teams), 1)}
    domain = f"{book.name.split(':')[0].replace('_', '-')}.example"
    twins: Counter[str] = Counter()
    owners = []
    for row, (name, team) in enumerate(zip(names, teams, strict=True)):
        first, _, last = name.partition(" ")
        login = name.lower().replace(" ", ".")
        twins[login] += 1
        number = "" if twins[login] == 1 else str(twins[login])
        owner_id = _IDS["owners"][0] + row * _IDS["owners"][1]
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
            )
        )
    return tuple(owners)


def _pipeline(born: int) -> Pipeline:
    stages = {
        stage_id: Stage(
            stage_id,
            label,
            place,
            {"isClosed": "true" if closed else "false", "probability": probability},
            born,
            born,
        )
        for place, (label, (stage_id, probability, closed)) in enumerate(STAGES.items())
    }
    return Pipeline(PIPELINE, "Sales Pipeline", 0, born, born, stages)


def _ticket_pipeline(born: int) -> Pipeline:
    stages = {
        stage_id: Stage(stage_id, label, place, {"ticketState": state}, born, born)
        for place, (stage_id, (label, state)) in enumerate(_TICKET_STAGES.items())
    }
    return Pipeline("0", "Support Pipeline", 0, born, born, stages)


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
    return {
        ("companies", "industry"): {option_value(label): label for label in industries},
        ("companies", "type"): {option_value(label): label for label in types},
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
    owner = _pointed(ids["owners"], rows["owner"])
    return Rows(
        ids["companies"].tolist(),
        {
            "name": _texts(rows["name"]),
            "hubspot_owner_id": owner,
            "type": _mapped(rows["type"], upper),
            "industry": _mapped(rows["industry"], upper),
            "country": _texts(rows["country"]),
            "numberofemployees": _texts(rows["employees"]),
            "annualrevenue": _numbers(rows["annual_revenue"]),
            "founded_year": _texts(rows["year_started"]),
            "lifecyclestage": ["customer" if one else "lead" for one in customer],
        },
        _milliseconds(rows["created_at"]).tolist(),
        _milliseconds(rows["modified_at"]).tolist(),
    )


def _products(book: Book, ids: dict[str, Any], born: int) -> Rows:
    count = book.products.num_rows
    return Rows(
        ids["products"].tolist(),
        {
            "name": _texts(book.products["name"]),
            "price": _numbers(book.products["price"]),
            "hs_folder": _texts(book.products["family"]),
        },
        [born] * count,
        [born] * count,
    )


def _stamp_texts(column: Any) -> list[str]:
    """Milliseconds as HubSpot writes moments."""
    moments = pa.array(column, pa.int64()).cast(pa.timestamp("ms"))
    texts = pc.strftime(moments, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
    return [text.replace(".000Z", "Z") for text in texts]


def _close_dates(column: Any) -> Texts:
    """Days as the noon in UTC, which is the same day in nearly every time zone."""
    days = column.cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.float64)
    known = ~np.isnan(days)
    stamps = np.where(known, days, 0).astype(np.int64) * 86_400_000 + _NOON
    return [text if there else None for text, there in zip(_stamp_texts(stamps), known.tolist(), strict=True)]


def _deals(book: Book, ids: dict[str, Any]) -> Rows:
    rows = book.opportunities
    stages = {label: one[0] for label, one in STAGES.items()}
    created, changed = _milliseconds(rows["created_at"]), _milliseconds(rows["stage_changed_at"])
    stage, amount = _mapped(rows["stage"], stages), _numbers(rows["amount"])
    closes = _close_dates(rows["close_date"])
    columns: dict[str, Texts] = {
        "dealname": _texts(rows["name"]),
        "hubspot_owner_id": _pointed(ids["owners"], rows["owner"]),
        "pipeline": [PIPELINE] * rows.num_rows,
        "dealstage": stage,
        "dealtype": _mapped(rows["type"], _DEAL_TYPES),
        "amount": amount,
        "closedate": closes,
        "product": _pointed_names(book.products["name"], rows["product"]),
    }
    columns |= _entered(stage, created, changed)
    moved = [at if at > start else None for start, at in zip(created.tolist(), changed.tolist(), strict=True)]
    beginnings: dict[str, tuple[Texts, list[int | None]]] = {
        "dealstage": ([stages[_FIRST]] * rows.num_rows, moved),
        "amount": (_first(_numbers(rows["first_amount"]), amount), moved),
        "closedate": (_first(_close_dates(rows["first_close_date"]), closes), moved),
    }
    return Rows(
        ids["deals"].tolist(),
        columns,
        created.tolist(),
        _milliseconds(rows["modified_at"]).tolist(),
        # Without a way through the stages only the present one is known, and since when.
        beginnings if book.history else {"dealstage": ([None] * rows.num_rows, moved)},
    )


def _first(first: Texts, now: Texts) -> Texts:
    """What was expected when the deal was made; where nobody says, what is expected still."""
    return [at_first or present for at_first, present in zip(first, now, strict=True)]


def _pointed_names(names: Any, rows: Any) -> Texts:
    words = names.to_pylist()
    return [None if row is None else words[row] for row in rows.to_pylist()]


def _entered(stage: Texts, created: Any, changed: Any) -> dict[str, Texts]:
    """When each deal entered its stage and, if it moved on from there, the first one."""
    first, moved = STAGES[_FIRST][0], (changed > created).tolist()
    began, now = _stamp_texts(created), _stamp_texts(changed)
    columns: dict[str, Texts] = {}
    for stage_id, _, _ in STAGES.values():
        columns[f"hs_v2_date_entered_{stage_id}"] = [
            at if here == stage_id else start if stage_id == first and went else None
            for here, at, start, went in zip(stage, now, began, moved, strict=True)
        ]
    columns[f"hs_v2_date_exited_{first}"] = [
        at if went and here != first else None for here, at, went in zip(stage, now, moved, strict=True)
    ]
    return columns


def _line_items(book: Book, ids: dict[str, Any], deals: Rows, sold: Any) -> Rows:
    """One line for each deal with a product, worth the deal's amount."""
    rows = book.opportunities.take(pa.array(sold))
    quantity = [one or 1.0 for one in rows["quantity"].to_pylist()]
    amount = rows["amount"].to_pylist()
    price = [
        None if worth is None else f"{worth / many:.6f}".rstrip("0").rstrip(".")
        for worth, many in zip(amount, quantity, strict=True)
    ]
    created, modified = np.array(deals.created)[sold], np.array(deals.modified)[sold]
    return Rows(
        ids["line_items"].tolist(),
        {
            "name": _pointed_names(book.products["name"], rows["product"]),
            "hs_product_id": _pointed(ids["products"], rows["product"]),
            "quantity": [f"{one:g}" for one in quantity],
            "price": price,
        },
        created.tolist(),
        modified.tolist(),
    )


def _links(book: Book, ids: dict[str, Any], sold: Any) -> tuple[LinkRows, ...]:
    account, parent = book.opportunities["account"], book.accounts["parent"]
    with_account, with_parent = _present(account), _present(parent)
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
        LinkRows("deals", "line_items", deals[sold].tolist(), ids["line_items"].tolist(), (19,), (20,)),
    )
