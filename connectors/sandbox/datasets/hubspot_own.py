"""Properties that a portal's admin made for columns of the book, and those that `foretag setup` makes for people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from connectors.sandbox.datasets.hubspot_rows import Texts, numbers, texts
from connectors.sandbox.hubspot.definitions import YES_NO, Option, Property

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from connectors.sandbox.datasets.book import Book

_COMPANY, _DEAL = "companyinformation", "dealinformation"
_YES_NO = tuple(Option(value, label, place) for place, (value, label) in enumerate(YES_NO))

# By type of records, by column of the book.
_OWN: dict[str, dict[str, Property]] = {
    "companies": {
        "territory": Property("territory", "Territory", "string", "text", _COMPANY),
        "company_growth": Property(
            "company_growth", "Company growth", "number", "number", _COMPANY, number_display_hint="percentage"
        ),
        "opted_out": Property("opted_out", "Opted out", "bool", "booleancheckbox", _COMPANY, _YES_NO),
        "growth_plan": Property(
            "foretag_growth_plan", "Growth plan", "number", "number", _COMPANY, number_display_hint="currency"
        ),
        "growth_plan_by": Property("foretag_growth_plan_by", "Growth plan by", "date", "date", _COMPANY),
    },
    "deals": {
        "margin": Property("margin", "Margin", "number", "number", _DEAL, number_display_hint="percentage"),
        "need_by": Property("need_by", "Need by", "date", "date", _DEAL),
        "pain": Property("pain", "Pain", "string", "textarea", _DEAL),
    },
}


def own_properties(book: Book, born: int) -> Iterator[tuple[str, Property]]:
    """The properties by type of records; one that no record has a value of was never made."""
    for type_name, rows in (("companies", book.accounts), ("deals", book.opportunities)):
        for one in _held(type_name, rows).values():
            yield type_name, replace(one, hubspot_defined=False, created=born, updated=born)


def own_columns(type_name: str, rows: pa.Table) -> dict[str, Texts]:
    """Their values, by property."""
    return {one.name: _values(one, rows[column]) for column, one in _held(type_name, rows).items()}


def _held(type_name: str, rows: pa.Table) -> dict[str, Property]:
    return {column: one for column, one in _OWN[type_name].items() if rows[column].null_count < rows.num_rows}


def _values(one: Property, column: Any) -> Texts:
    if one.number_display_hint == "percentage":
        # HubSpot keeps percentages as fractions.
        return texts(pc.round(pc.divide(column, 100.0), 6))
    return numbers(column) if one.type == "number" else texts(column)
