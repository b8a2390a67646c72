"""The portal's side of Foretag: one property group for each object, and our properties in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from config.outputs import OutputField, made_by_setup
from connectors.hubspot.fields import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Outputs = Literal["basic", "full"]

GROUP = "foretag"
# After all groups and properties that have a place.
_LAST = -1

# Our types -> HubSpot's type and the field that shows it.
_TYPES: dict[str, dict[str, Any]] = {
    "picklist": {"type": "enumeration", "fieldType": "select"},
    "number": {"type": "number", "fieldType": "number", "numberDisplayHint": "formatted"},
    "text": {"type": "string", "fieldType": "text"},
    "date": {"type": "date", "fieldType": "date"},
    "currency": {
        "type": "number",
        "fieldType": "number",
        "numberDisplayHint": "currency",
        "showCurrencySymbol": True,
    },
}
# Sentences, which a single line would cut off.
_LONG_TEXTS = frozenset({"foretag_reason"})

# HubSpot types that hold our values well; the first is what we make, others may be mapped by hand.
FITTING = {
    "picklist": ("enumeration", "string"),
    "number": ("number", "string"),
    "text": ("string",),
    "date": ("date",),
    "currency": ("number",),
}


@dataclass(frozen=True, slots=True)
class CustomProperty:
    """One property of ours on one object."""

    output: OutputField
    object_name: str

    @property
    def hs_object(self) -> str:
        """The object, as paths name it."""
        return OBJECTS[self.object_name]

    @property
    def full_name(self) -> str:
        """Where and as what it is made: `companies.foretag_tier`."""
        return f"{self.hs_object}.{self.output.name}"

    def body(self, *, unique: bool = False) -> dict[str, Any]:
        """The declaration, in the words of the Properties API."""
        output = self.output
        declared: dict[str, Any] = {
            "groupName": GROUP,
            "name": output.name,
            "label": output.label,
            "description": output.help,
            "displayOrder": _LAST,
            "formField": False,
            **_TYPES[output.type],
        }
        if output.name in _LONG_TEXTS:
            declared["fieldType"] = "textarea"
        if output.values:
            declared["options"] = options(output.values)
        return declared | ({"hasUniqueValue": True} if unique else {})


def options(values: Iterable[str], first: int = 0) -> list[dict[str, Any]]:
    """Options of an enumeration, in their order; what reps read is what the API takes."""
    return [
        {"label": value, "value": value, "displayOrder": place, "hidden": False}
        for place, value in enumerate(values, first)
    ]


def missing_options(output: OutputField, described: Mapping[str, Any]) -> list[str]:
    """Our values that an existing property has no option for; none if it is no list of fixed options."""
    if described.get("type") != "enumeration" or described.get("externalOptions"):
        return []
    there = {option.get("value") for option in described.get("options") or ()}
    return [value for value in output.values if value not in there]


def group_body() -> dict[str, Any]:
    """Our property group."""
    return {"name": GROUP, "label": "Foretag", "displayOrder": _LAST}


def custom_properties(outputs: Outputs) -> tuple[CustomProperty, ...]:
    """The properties that a setting of `outputs` needs. HubSpot has no formula on today's date: no status."""
    return tuple(
        CustomProperty(field, name) for field, name in made_by_setup(outputs) if field.type != "formula"
    )
