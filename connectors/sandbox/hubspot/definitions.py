"""What a property is: its type, how it is shown, who may write it, and its wire form."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Which ways of showing go with a type; everything else is refused.
FIELD_TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("text", "textarea", "html", "phonenumber", "file", "calculation_equation"),
    "number": ("number", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox", "calculation_equation"),
    "bool": ("booleancheckbox", "calculation_equation"),
}
YES_NO = (("true", "Yes"), ("false", "No"))


@dataclass(frozen=True, slots=True)
class Option:
    """One value of an enumeration."""

    value: str
    label: str
    display_order: int = 0
    hidden: bool = False
    description: str = ""

    def wire(self) -> dict[str, Any]:
        """As a property tells it."""
        return {
            "label": self.label,
            "value": self.value,
            "displayOrder": self.display_order,
            "hidden": self.hidden,
            "description": self.description,
        }


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an object type. `refers` names what its values are ids of: owner, team, stage, pipeline.

    Stamps are milliseconds since 1970; `archived_at` is None while the property lives.
    """

    name: str
    label: str
    type: str
    field_type: str
    group: str
    options: tuple[Option, ...] = ()
    description: str = ""
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    hidden: bool = False
    refers: str | None = None
    hubspot_defined: bool = True
    number_display_hint: str | None = None
    text_display_hint: str | None = None
    date_display_hint: str | None = None
    display_order: int = -1
    form_field: bool = False
    formula: str | None = None
    created: int | None = None
    updated: int | None = None
    archived_at: int | None = None
    data_sensitivity: str = "non_sensitive"
    values: frozenset[str] = field(default=frozenset(), init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozenset(option.value for option in self.options))

    @property
    def many(self) -> bool:
        """Whether it holds several values, separated by semicolons."""
        return self.type == "enumeration" and self.field_type == "checkbox"


_HINTS = {"currency": "currency"}
_REFERS = ("owner", "team", "stage", "pipeline", "currency_code")


@cache
def standard_properties() -> Mapping[str, tuple[Property, ...]]:
    """HubSpot's own properties of each object type, as far as the sandbox has them."""
    table = files("connectors.sandbox.hubspot").joinpath("standard_properties.tsv").read_text("utf-8")
    found: dict[str, list[Property]] = {}
    for row in csv.DictReader(table.splitlines(), delimiter="\t"):
        found.setdefault(row["object"], []).append(_standard(row))
    return {name: tuple(properties) for name, properties in found.items()}


def _standard(row: Mapping[str, str]) -> Property:
    flags = row["flags"].split()
    return Property(
        row["name"],
        row["label"],
        row["type"],
        row["fieldType"],
        row["group"],
        options=_options(row["options"], row["type"]),
        read_only="readonly" in flags,
        calculated="calculated" in flags,
        unique="unique" in flags,
        refers=next((flag for flag in flags if flag in _REFERS), None),
        number_display_hint=next((_HINTS[flag] for flag in flags if flag in _HINTS), None),
        form_field="readonly" not in flags,
    )


def _options(text: str, kind: str) -> tuple[Option, ...]:
    pairs = [tuple(part.split("=", 1)) for part in text.split(";")] if text else []
    if kind == "bool":
        pairs = [*YES_NO]
    return tuple(Option(value, label, place) for place, (value, label) in enumerate(pairs))


def with_options(one: Property, more: Mapping[str, str]) -> Property:
    """The property with further options (value: label) at the end."""
    fresh = [(value, label) for value, label in more.items() if value not in one.values]
    added = tuple(
        Option(value, label, len(one.options) + place) for place, (value, label) in enumerate(fresh)
    )
    return replace(one, options=one.options + added)
