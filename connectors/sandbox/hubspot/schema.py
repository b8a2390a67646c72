"""The shape of a portal's records: object types, their properties living and archived, and property groups."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.definitions import Property, standard_properties
from connectors.sandbox.hubspot.errors import HubSpotError
from connectors.sandbox.hubspot.object_types import STANDARD_TYPES, ObjectType, aliases

if TYPE_CHECKING:
    from collections.abc import Iterable

_GROUP_LABELS = {
    "companyinformation": "Company information",
    "contactinformation": "Contact information",
    "dealinformation": "Deal information",
    "ticketinformation": "Ticket information",
    "productinformation": "Product information",
    "lineiteminformation": "Line item information",
    "goal_target_information": "Goal target information",
}
# Names of the property that holds a record's stage, and of the one that holds its pipeline.
STAGE_PROPERTIES = {"deals": ("dealstage", "pipeline"), "tickets": ("hs_pipeline_stage", "hs_pipeline")}

_TYPE_ID = re.compile("[0-9]+-[0-9]+")


@dataclass(frozen=True, slots=True)
class Group:
    """One property group."""

    name: str
    label: str
    display_order: int = -1
    archived: bool = False


class Schema:
    """Types, properties and groups. What stages bring with them is added by whoever knows the pipelines."""

    def __init__(self) -> None:
        self.types = {one.name: one for one in STANDARD_TYPES}
        self._aliases = {alias: one for one in STANDARD_TYPES for alias in aliases(one)}
        standard = standard_properties()
        self.properties = {name: {one.name: one for one in standard[name]} for name in self.types}
        self.archived: dict[str, dict[str, Property]] = {name: {} for name in self.types}
        self.groups = {name: _groups(self.properties[name].values()) for name in self.types}

    def find_type(self, alias: str) -> ObjectType:
        """The type of this name; else HubSpot's complaint."""
        found = self._aliases.get(alias.lower())
        if found is None:
            # Neither of these refusals has a category.
            what = (
                "Invalid object or event type id"
                if _TYPE_ID.fullmatch(alias)
                else "Unable to infer object type from"
            )
            raise HubSpotError("", f"{what}: {alias}", status=400)
        return found

    def put(self, type_name: str, one: Property) -> None:
        """Add or replace a property."""
        self.properties[type_name][one.name] = one

    def archive(self, type_name: str, name: str, now: int) -> None:
        """Take a living property out of use."""
        one = self.properties[type_name].pop(name)
        self.archived[type_name][name] = replace(one, archived_at=now)

    def find(self, type_name: str, name: str) -> Property | None:
        """A living property; names of properties are told apart by case."""
        return self.properties[type_name].get(name)


def _groups(properties: Iterable[Property]) -> dict[str, Group]:
    names = dict.fromkeys(one.group for one in properties)
    labels = {
        name: _GROUP_LABELS.get(name, f"{name.replace('_', ' ').capitalize()} information") for name in names
    }
    return {name: Group(name, labels[name], place) for place, name in enumerate(names)}


def stage_properties(stage_id: str, label: str, group: str) -> tuple[Property, ...]:
    """What each stage adds to its records' properties."""
    return (
        Property(
            f"hs_v2_date_entered_{stage_id}", f'Date entered "{label}"', "datetime", "date", group, read_only=True
        ),
        Property(
            f"hs_v2_date_exited_{stage_id}", f'Date exited "{label}"', "datetime", "date", group, read_only=True
        ),
        Property(
            f"hs_v2_latest_time_in_{stage_id}", f'Latest time in "{label}"', "number", "number", group,
            read_only=True, number_display_hint="duration",
        ),
    )  # fmt: skip
