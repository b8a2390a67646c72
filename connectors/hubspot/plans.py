"""How one pull reads an object: which properties and associations, and how they become canonical rows."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from config.clocks import zone_of
from config.records import RECORDS
from connectors.casting import cast_records, texts
from connectors.hubspot.casting import portal_casting, text_array
from connectors.hubspot.fields import LINKS, OBJECTS
from connectors.hubspot.owners import Owner, read_owners, team_names
from connectors.hubspot.recipes import RECIPES, Recipe, labelled, percent
from connectors.hubspot.records import ID, Cells
from connectors.hubspot.stages import Stage, stages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.casting import Casting
    from connectors.contract import Page
    from connectors.hubspot.api import Api
    from connectors.hubspot.fields import Link
    from connectors.hubspot.schema import Description, Schema

# Columns in percent; HubSpot keeps percentages as fractions.
_PERCENT = frozenset({"probability", "margin", "company_growth"})
# Objects whose pipelines tell some columns.
_STAGED = frozenset({"deals", "tickets"})
_OF_PIPELINES = frozenset({"pipeline", "stage", "probability", "is_closed", "is_won", "stage_changed_at"})
_FRACTIONS = frozenset({"percentage", "probability"})


class Facts:
    """What the rows of several objects lean on: the portal's zone, stages, owners; each read once, when needed."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._pipelines: dict[str, list[Description]] = {}
        self._teams: dict[str, str] | None = None

    @cached_property
    def casting(self) -> Casting:
        """How this portal writes values."""
        return portal_casting(self.timezone)

    @cached_property
    def timezone(self) -> str:
        """The zone of the portal's days; UTC where HubSpot tells none, or one that nobody here knows."""
        return zone_of(self._api.account.get("timeZone")).key

    @cached_property
    def texts(self) -> Casting:
        """The same for owners and stages, whose ids are no numbers."""
        return replace(self.casting, ids=texts)

    @property
    def home_currency(self) -> str:
        """The currency of the portal's sums."""
        return str(self._api.account.get("companyCurrency") or "")

    def stages(self, hs_object: str) -> list[Stage]:
        """The stages of all pipelines of an object."""
        return stages(self._read_pipelines(hs_object))

    def fresh_stages(self, hs_object: str) -> list[Stage]:
        """The same, read anew."""
        self._pipelines.pop(hs_object, None)
        return self.stages(hs_object)

    def pipelines(self, hs_object: str) -> dict[str, str]:
        """What people call each pipeline of an object, by id."""
        found = self._read_pipelines(hs_object)
        return {str(one["id"]): str(one.get("label") or one["id"]) for one in found}

    def _read_pipelines(self, hs_object: str) -> list[Description]:
        if hs_object not in self._pipelines:
            self._pipelines[hs_object] = self._api.sdk.pipelines(hs_object)
        return self._pipelines[hs_object]

    def fresh_owners(self) -> list[Owner]:
        """Those who work, and those who left."""
        owners = read_owners(self._api)
        self._teams = team_names(owners)
        return owners

    @property
    def teams(self) -> dict[str, str]:
        """Names of teams, by id."""
        if self._teams is None:
            self.fresh_owners()
        return self._teams or {}


class Plan:
    """The reading of some canonical columns of one object."""

    def __init__(self, schema: Schema, facts: Facts, object_name: str, asked: Sequence[str]) -> None:
        self._facts = facts
        self._asked = asked
        self.object_name = object_name
        self.hs_object = OBJECTS[object_name]
        self._known = schema.described(self.hs_object)
        self._main = {column: schema.property(object_name, column) for column in asked}
        self.links: dict[str, Link] = {
            column: link
            for column, link in LINKS.get(object_name, {}).items()
            if column in asked and schema.linked(object_name, column)
        }
        self._recipes: dict[str, Recipe] = {
            column: recipe
            for (name, column), recipe in RECIPES.items()
            if name == object_name and column in asked and not schema.mapped(object_name, column)
        }
        self.properties = self._properties()
        if self.hs_object in _STAGED and not _OF_PIPELINES.isdisjoint(self._recipes):
            # Now, and not when a page of records waits for it behind all other readers.
            facts.stages(self.hs_object)

    def _properties(self) -> tuple[str, ...]:
        """What to ask for: what stands behind the columns, and what supplements it, as far as the portal has it."""
        wanted = [ID, *(name for name in self._main.values() if name)]
        for recipe in self._recipes.values():
            wanted += [name for name in recipe.also if name in self._known]
        return tuple(dict.fromkeys([*wanted, *self._stage_properties]))

    @cached_property
    def _stage_properties(self) -> list[str]:
        """When each stage was entered, where the portal does not tell it of the current one."""
        if "stage_changed_at" not in self._recipes or self._main["stage_changed_at"]:
            return []
        return [name for name in self._known if name.startswith("hs_v2_date_entered_")]

    def main(self, column: str) -> str:
        """The property behind a column; empty if the portal lacks it."""
        return self._main[column] or ""

    def supplemented(self, column: str) -> tuple[str, ...]:
        """The properties that tell a column where the one behind it does not."""
        recipe = self._recipes.get(column)
        return tuple(name for name in recipe.also if name in self._known) if recipe else ()

    def page(self, cells: Cells, linked: Mapping[str, Mapping[str, str]]) -> Page:
        """Canonical rows. `linked` holds, by column of `links`, the linked id by record id."""
        columns: dict[str, pa.Array] = {}
        for column in self._asked:
            if column in self.links:
                ids = cells.of(ID).to_pylist()
                columns[column] = text_array([linked[column].get(name) for name in ids])
            elif column in self._recipes:
                columns[column] = self._recipes[column].make(cells, self._facts, self._main[column] or "")
            elif name := self._main[column]:
                columns[column] = self._plain(column, name, cells)
        return cast_records(self.object_name, self._asked, columns, self._facts.casting)

    def _plain(self, column: str, name: str, cells: Cells) -> pa.Array:
        """The cells of a property: options by their labels, fractions as percent."""
        description: Description = self._known[name]
        if column in _PERCENT and description.get("numberDisplayHint") in _FRACTIONS:
            return percent(cells.of(name))
        if self._types[column] != pa.string() or column in ("id", "key") or column.endswith("_id"):
            return cells.of(name)
        return labelled(cells.of(name), _labels(description))

    @cached_property
    def _types(self) -> dict[str, Any]:
        return {column.name: column.type for column in RECORDS[self.object_name]}


def _labels(description: Description) -> dict[str, str]:
    """What people call each option, where that is not its value anyway."""
    options = description.get("options") or ()
    return {
        str(option["value"]): str(option["label"])
        for option in options
        if option.get("label") and option.get("value") != option["label"]
    }
