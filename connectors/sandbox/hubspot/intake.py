"""What a write wants to change: every value checked against its property before anything happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.errors import HubSpotError, invalid, invalid_values
from connectors.sandbox.hubspot.records import LIVING
from connectors.sandbox.hubspot.schema import STAGE_PROPERTIES
from connectors.sandbox.hubspot.values import BadValue, appended, checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.sandbox.hubspot.definitions import Property
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.state import State

# Any one of these is enough for a company.
_COMPANY_NAMES = ("name", "domain")


class Intake:
    """Checks the values of one request. Keys that one of its inputs takes are taken for the others too."""

    def __init__(self, state: State, one: ObjectType) -> None:
        self._state, self._type = state, one
        self._records = state.records(one)
        self._taken: dict[tuple[str, str], int | None] = {}
        self._allowed: dict[str, Any] = {}

    def changes(self, row: int | None, properties: Mapping[str, Any]) -> dict[str, str]:
        """New values in HubSpot's form; the empty text clears. `row` is None for a record to be made.

        Raises HubSpotError, with every bad value in its list.
        """
        problems: list[dict[str, Any]] = []
        changes: dict[str, str] = {}
        for name, value in properties.items():
            try:
                found = self._value(row, name, value)
            except BadValue as bad:
                problems.append(bad.problem(name, value, self._state.id))
            else:
                changes |= found
        self._check_stage(row, changes, problems)
        if problems:
            raise invalid_values(problems)
        self._take_keys(row, changes)
        return changes

    def required(self, values: Mapping[str, str]) -> dict[str, str]:
        """The values of a new record with what HubSpot fills in; refused if something is missing."""
        values = {name: value for name, value in values.items() if value}
        names = STAGE_PROPERTIES.get(self._type.name)
        living = [one for one in self._state.pipelines.get(self._type.name, {}).values() if not one.archived]
        missing = [name for name in self._type.required if name not in values]
        if names is not None and names[1] not in values:
            if len(living) == 1:
                values = {**values, names[1]: living[0].id}
            else:
                missing.append(names[1])
        if self._type.name == "companies" and not any(name in values for name in _COMPANY_NAMES):
            missing.append("name")
        if missing:
            raise HubSpotError(
                "VALIDATION_ERROR",
                f"Error creating {self._type.singular.upper()}. Some required properties were not set.",
                context={"properties": missing},
            )
        return {**_DEFAULTS.get(self._type.name, {}), **values}

    def _value(self, row: int | None, name: str, value: Any) -> dict[str, str]:
        one = self._state.schema.find(self._type.name, name)
        if one is None or self._state.read_only(self._type.name, one):
            if self._type.lenient:
                return {}
            raise _refused(name, one)
        if value is None:
            return {}
        new = checked(one, value, self._values(one))
        before = None if row is None else self._records.value(row, name)
        if one.many:
            new = appended(before, new)
        if name == "lifecyclestage" and _backwards(one, before, new):
            return {}
        self._check_key(row, one, new)
        return {name: new}

    def _values(self, one: Property) -> Any:
        """The values of an enumeration, worked out once for a request."""
        if one.type != "enumeration":
            return ()
        if one.name not in self._allowed:
            self._allowed[one.name] = self._state.allowed(self._type.name, one)
        return self._allowed[one.name]

    def _check_key(self, row: int | None, one: Property, value: str) -> None:
        if not one.unique or not value:
            return
        records = self._records
        holders = [other for other in records.with_value(one.name, value) if records.state[other] == LIVING]
        holder = next((str(records.ids[other]) for other in holders if other != row), None)
        key = (one.name, value.lower())
        if holder is None and key in self._taken and (row is None or self._taken[key] != row):
            holder = "another input"
        if holder is None:
            return
        if row is None and self._type.name == "contacts":
            raise HubSpotError("CONFLICT", f"Contact already exists. Existing ID: {holder}")
        whose = "" if row is None else f" on {records.ids[row]}"
        kind = f"ObjectTypeId{{legacyObjectType={self._type.singular.upper()}}}"
        raise invalid(
            f"Cannot set PropertyValueCoordinates{{portalId={self._state.id}, objectTypeId={kind}, "
            f"propertyName={one.name}, value={value}}}{whose}. {holder} already has that value."
        )

    def _take_keys(self, row: int | None, changes: Mapping[str, str]) -> None:
        for name, value in changes.items():
            one = self._state.schema.find(self._type.name, name)
            if one is not None and one.unique and value:
                self._taken[name, value.lower()] = row

    def _check_stage(
        self, row: int | None, changes: Mapping[str, str], problems: list[dict[str, Any]]
    ) -> None:
        """A stage belongs to one pipeline."""
        names = STAGE_PROPERTIES.get(self._type.name)
        if names is None or not (changes.keys() & set(names)) or problems:
            return
        stage_name, pipeline_name = names
        pipelines = self._state.pipelines[self._type.name]
        before = {} if row is None else {name: self._records.value(row, name) for name in names}
        stage_id = changes.get(stage_name) or before.get(stage_name)
        pipeline_id = changes.get(pipeline_name) or before.get(pipeline_name)
        if pipeline_id is None and len(pipelines) == 1:
            pipeline_id = next(iter(pipelines))
        if stage_id is None or pipeline_id not in pipelines or stage_id in pipelines[pipeline_id].stages:
            return
        stages = ", ".join(stage.id for stage in pipelines[pipeline_id].living())
        bad = BadValue("INVALID_OPTION", f"{stage_id} was not one of the allowed options: [{stages}]")
        problems.append(bad.problem(stage_name, stage_id, self._state.id))


_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "tasks": {"hs_task_status": "NOT_STARTED", "hs_task_type": "TODO", "hs_task_priority": "NONE"},
    "companies": {"lifecyclestage": "lead"},
    "line_items": {"quantity": "1"},
}


def _refused(name: str, one: Property | None) -> BadValue:
    if one is None:
        return BadValue("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    what = "calculated" if one.calculated else "read only"
    return BadValue("READ_ONLY_VALUE", f'"{name}" is a {what} property; its value cannot be set.')


def _backwards(one: Property, before: str | None, new: str) -> bool:
    """Whether a lifecycle stage would go back; it may be cleared, and then set to anything."""
    order = [option.value for option in one.options]
    return bool(before and new) and order.index(new) < order.index(str(before))
