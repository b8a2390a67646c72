"""Properties and property groups as admins and set-ups make, change and archive them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.definitions import FIELD_TYPES, YES_NO, Option, Property
from connectors.sandbox.hubspot.errors import HubSpotError, invalid, resource_not_found
from connectors.sandbox.hubspot.parties import Batch
from connectors.sandbox.hubspot.schema import Group
from connectors.sandbox.hubspot.stamps import wire_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.state import State

MAX_CUSTOM, MAX_UNIQUE, MAX_BATCH = 1_000, 10, 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,249}")
_REQUIRED = ("groupName", "name", "label", "type", "fieldType")
_HINTS = ("unformatted", "formatted", "currency", "percentage", "duration", "probability")
# Names the currency of a record's amounts, where its type has it.
_CURRENCY_CODE = "deal_currency_code"
_REFERENCES = {"owner": "OWNER"}


class PropertyAdmin:
    """The properties of one portal. The caller holds the lock."""

    def __init__(self, state: State) -> None:
        self._state = state

    # Properties.

    def all(self, one: ObjectType, *, archived: bool) -> list[dict[str, Any]]:
        """All living, or all archived."""
        schema = self._state.schema
        found = schema.archived[one.name] if archived else schema.properties[one.name]
        return [self.wire(one, each) for each in sorted(found.values(), key=lambda each: each.name)]

    def get(self, one: ObjectType, name: str, *, archived: bool) -> dict[str, Any]:
        """One property."""
        schema = self._state.schema
        found = (schema.archived if archived else schema.properties)[one.name].get(name)
        if found is None:
            raise _no_property(one, name)
        return self.wire(one, found)

    def create(self, one: ObjectType, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new custom property. One that was archived under this name comes back with the new definition."""
        schema = self._state.schema
        new = self._property(one, body)
        if schema.find(one.name, new.name) is not None:
            raise HubSpotError(
                "CONFLICT",
                f"A property named '{new.name}' already exists.",
                sub_category="Properties.PROPERTY_EXISTS",
                context={"name": [new.name]},
            )
        self._check_room(one, new)
        before = schema.archived[one.name].pop(new.name, None)
        if before is not None and before.type != new.type:
            self._state.records(one).forget(new.name)
        schema.put(one.name, new)
        if new.unique:
            self._state.records(one).index(new.name)
        return self.wire(one, new)

    def create_many(self, one: ObjectType, inputs: Sequence[Mapping[str, Any]]) -> Batch:
        """Several, each for itself."""
        return _each(inputs, lambda each: self.create(one, each), lambda each: str(each.get("name", "")))

    def read_many(self, one: ObjectType, names: Sequence[str], *, archived: bool) -> Batch:
        """Several by name."""
        return _each(names, lambda name: self.get(one, name, archived=archived), str)

    def update(self, one: ObjectType, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change how a property is called, grouped and shown; name and object type stay."""
        found = self._living(one, name)
        if found.hubspot_defined and body.keys() - {"options", "displayOrder", "formField", "groupName"}:
            raise invalid(f"The definition of property {name} is read only", context={"propertyName": [name]})
        changes: dict[str, Any] = {
            field: body[key] for key, field in _PLAIN.items() if body.get(key) is not None
        }
        kind, shown = changes.get("type", found.type), changes.get("field_type", found.field_type)
        _check_types(str(kind), str(shown))
        if "group" in changes:
            self._check_group(one, str(changes["group"]))
        if body.get("options") is not None:
            changes["options"] = _options(body["options"], kind)
        fresh = replace(found, **changes, updated=self._state.now())
        self._state.schema.put(one.name, fresh)
        return self.wire(one, fresh)

    def archive(self, one: ObjectType, name: str) -> None:
        """Archive a custom property."""
        found = self._living(one, name)
        if found.hubspot_defined:
            raise invalid(f"Property {name} is defined by HubSpot and cannot be archived")
        self._state.schema.archive(one.name, name, self._state.now())

    def archive_many(self, one: ObjectType, names: Sequence[str]) -> None:
        """Archive several; what does not exist is passed over."""
        for name in names:
            found = self._state.schema.find(one.name, name)
            if found is not None and not found.hubspot_defined:
                self.archive(one, name)

    def limits(self) -> dict[str, Any]:
        """How many custom properties there may be, and are."""
        by_type: list[dict[str, Any]] = []
        for one in self._state.schema.types.values():
            used = self._custom(one)
            by_type.append(
                {
                    "objectTypeId": one.type_id,
                    "singularLabel": one.label,
                    "pluralLabel": one.plural_label,
                    "limit": MAX_CUSTOM,
                    "usage": used,
                    "percentage": round(100 * used / MAX_CUSTOM, 1),
                }
            )
        usage = sum(each["usage"] for each in by_type)
        limit = MAX_CUSTOM * len(by_type)
        percentage = round(100 * usage / limit, 1)
        overall = {"overallLimit": limit, "overallUsage": usage, "overallPercentage": percentage}
        return {"byObjectType": by_type, **overall}

    def _living(self, one: ObjectType, name: str) -> Property:
        found = self._state.schema.find(one.name, name)
        if found is None:
            raise _no_property(one, name)
        return found

    def _custom(self, one: ObjectType) -> int:
        return sum(not each.hubspot_defined for each in self._state.schema.properties[one.name].values())

    def _check_room(self, one: ObjectType, new: Property) -> None:
        if self._custom(one) >= MAX_CUSTOM:
            raise HubSpotError(
                "VALIDATION_ERROR",
                f"The limit of {MAX_CUSTOM} custom properties for {one.plural_label} has been reached",
                sub_category="Properties.LIMIT_REACHED",
            )
        unique = sum(
            each.unique and not each.hubspot_defined
            for each in self._state.schema.properties[one.name].values()
        )
        if new.unique and unique >= MAX_UNIQUE:
            raise invalid(f"An object type can have at most {MAX_UNIQUE} properties with unique values")

    def _check_group(self, one: ObjectType, name: str) -> None:
        group = self._state.schema.groups[one.name].get(name)
        if group is None or group.archived:
            raise invalid(
                f"Property group {name} does not exist",
                errors=[{"message": f"Unknown group {name}", "in": "groupName"}],
            )

    def _property(self, one: ObjectType, body: Mapping[str, Any]) -> Property:
        missing = [key for key in _REQUIRED if not body.get(key)]
        if missing:
            raise invalid(f"Invalid input JSON. Some required fields were not set: [{', '.join(missing)}]")
        name, kind, shown = (str(body[key]) for key in ("name", "type", "fieldType"))
        if not _NAME.fullmatch(name) or name.startswith("hs_"):
            raise invalid(
                f"Property name {name} is not valid: lower-case letters, numbers and underscores, beginning with "
                "a letter, and not with hs_"
            )
        _check_types(kind, shown)
        self._check_group(one, str(body["groupName"]))
        unique = bool(body.get("hasUniqueValue"))
        if unique and kind not in {"string", "number"}:
            raise invalid(f"A property of type {kind} cannot have unique values")
        formula = body.get("calculationFormula")
        if (shown == "calculation_equation") != bool(formula):
            raise invalid(
                "A calculationFormula goes with the field type calculation_equation, and only with it"
            )
        hint = body.get("numberDisplayHint")
        if hint is not None and hint not in _HINTS:
            raise invalid(f"{hint} is not one of {', '.join(_HINTS)}")
        now = self._state.now()
        return Property(
            name,
            str(body["label"]),
            kind,
            shown,
            str(body["groupName"]),
            options=_options(body.get("options") or (), kind),
            description=str(body.get("description") or ""),
            calculated=bool(formula),
            unique=unique,
            hidden=bool(body.get("hidden")),
            refers="owner" if body.get("referencedObjectType") == "OWNER" else None,
            hubspot_defined=False,
            number_display_hint=hint if kind == "number" else None,
            text_display_hint=body.get("textDisplayHint") if kind == "string" else None,
            date_display_hint=body.get("dateDisplayHint") if kind in {"date", "datetime"} else None,
            display_order=int(body.get("displayOrder", -1)),
            form_field=bool(body.get("formField")),
            formula=formula,
            created=now,
            updated=now,
        )

    def wire(self, one: ObjectType, each: Property) -> dict[str, Any]:
        """A property as the API tells it."""
        read_only = self._state.read_only(one.name, each)
        told: dict[str, Any] = {
            "name": each.name,
            "label": each.label,
            "type": each.type,
            "fieldType": each.field_type,
            "description": each.description,
            "groupName": each.group,
            "options": [option.wire() for option in self._options_now(one, each)],
            "displayOrder": each.display_order,
            "calculated": each.calculated,
            "externalOptions": each.refers == "owner",
            "hasUniqueValue": each.unique,
            "hidden": each.hidden,
            "hubspotDefined": each.hubspot_defined,
            "formField": each.form_field,
            "dataSensitivity": each.data_sensitivity,
            "archived": each.archived_at is not None,
            "modificationMetadata": {
                "archivable": not each.hubspot_defined,
                "readOnlyDefinition": each.hubspot_defined,
                "readOnlyOptions": each.hubspot_defined and (read_only or each.refers is not None),
                "readOnlyValue": read_only,
            },
        }
        if each.type == "number":
            told["showCurrencySymbol"] = each.number_display_hint == "currency"
            if told["showCurrencySymbol"] and self._state.schema.find(one.name, _CURRENCY_CODE) is not None:
                told["currencyPropertyName"] = _CURRENCY_CODE
        optional = {
            "createdAt": None if each.created is None else wire_stamp(each.created),
            "updatedAt": None if each.updated is None else wire_stamp(each.updated),
            "archivedAt": None if each.archived_at is None else wire_stamp(each.archived_at),
            "numberDisplayHint": each.number_display_hint,
            "textDisplayHint": each.text_display_hint,
            "dateDisplayHint": each.date_display_hint,
            "calculationFormula": each.formula,
            "referencedObjectType": _REFERENCES.get(each.refers or ""),
        }
        return told | {name: value for name, value in optional.items() if value is not None}

    def _options_now(self, one: ObjectType, each: Property) -> Sequence[Option]:
        """An enumeration's options; those of stages and pipelines follow the pipelines."""
        living = [each for each in self._state.pipelines.get(one.name, {}).values() if not each.archived]
        if each.refers == "pipeline":
            return [Option(found.id, found.label, place) for place, found in enumerate(living)]
        if each.refers == "stage":
            stages = [stage for found in living for stage in found.living()]
            return [Option(stage.id, stage.label, place) for place, stage in enumerate(stages)]
        if each.refers == "currency_code":
            codes = (self._state.currency, *self._state.exchange_rates)
            return [Option(code, code, place) for place, code in enumerate(codes)]
        return each.options

    # Groups.

    def groups(self, one: ObjectType) -> list[dict[str, Any]]:
        """The living groups."""
        return [_group(each) for each in self._state.schema.groups[one.name].values() if not each.archived]

    def group(self, one: ObjectType, name: str) -> dict[str, Any]:
        """One group."""
        return _group(self._living_group(one, name))

    def create_group(self, one: ObjectType, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new group."""
        missing = [key for key in ("name", "label") if not body.get(key)]
        if missing:
            raise invalid(f"Invalid input JSON. Some required fields were not set: [{', '.join(missing)}]")
        name, groups = str(body["name"]), self._state.schema.groups[one.name]
        if name in groups and not groups[name].archived:
            raise HubSpotError(
                "CONFLICT",
                f"A property group named '{name}' already exists.",
                sub_category="Properties.GROUP_EXISTS",
                context={"name": [name]},
            )
        groups[name] = Group(name, str(body["label"]), int(body.get("displayOrder", -1)))
        return _group(groups[name])

    def update_group(self, one: ObjectType, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change a group's label and place."""
        found = self._living_group(one, name)
        fresh = replace(
            found,
            label=str(body.get("label") or found.label),
            display_order=int(body.get("displayOrder", found.display_order)),
        )
        self._state.schema.groups[one.name][name] = fresh
        return _group(fresh)

    def archive_group(self, one: ObjectType, name: str) -> None:
        """Archive a group that has no properties any more."""
        found = self._living_group(one, name)
        if any(each.group == name for each in self._state.schema.properties[one.name].values()):
            raise invalid(f"Property group {name} still has properties")
        self._state.schema.groups[one.name][name] = replace(found, archived=True)

    def _living_group(self, one: ObjectType, name: str) -> Group:
        found = self._state.schema.groups[one.name].get(name)
        if found is None or found.archived:
            raise resource_not_found(f"Property group {name} does not exist")
        return found


_PLAIN = {
    "label": "label",
    "type": "type",
    "fieldType": "field_type",
    "groupName": "group",
    "description": "description",
    "displayOrder": "display_order",
    "hidden": "hidden",
    "formField": "form_field",
    "numberDisplayHint": "number_display_hint",
    "textDisplayHint": "text_display_hint",
    "dateDisplayHint": "date_display_hint",
    "calculationFormula": "formula",
}


def _no_property(one: ObjectType, name: str) -> HubSpotError:
    return HubSpotError(
        "OBJECT_NOT_FOUND",
        f"Property {name} does not exist for object type {one.type_id}",
        context={"name": [name]},
    )


def _check_types(kind: str, shown: str) -> None:
    if kind not in FIELD_TYPES:
        raise invalid(f"{kind} is not one of the property types {', '.join(FIELD_TYPES)}")
    if shown not in FIELD_TYPES[kind]:
        raise invalid(f"Field type {shown} does not go with type {kind}: use {', '.join(FIELD_TYPES[kind])}")


def _options(given: Sequence[Mapping[str, Any]], kind: str) -> tuple[Option, ...]:
    if kind == "bool" and not given:
        return tuple(Option(value, label, place) for place, (value, label) in enumerate(YES_NO))
    if given and kind not in {"enumeration", "bool"}:
        raise invalid(f"A property of type {kind} has no options")
    options = tuple(
        Option(
            str(each.get("value", "")),
            str(each.get("label", "")),
            int(each.get("displayOrder", place)),
            hidden=bool(each.get("hidden")),
            description=str(each.get("description") or ""),
        )
        for place, each in enumerate(given)
    )
    for name in ("value", "label"):
        used = [getattr(option, name) for option in options]
        if "" in used or len(set(used)) < len(used):
            raise invalid(f"Every option needs a {name} of its own")
    return options


def _group(one: Group) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        "displayOrder": one.display_order,
        "archived": one.archived,
    }


def _each(
    inputs: Sequence[Any], act: Callable[[Any], dict[str, Any]], name_of: Callable[[Any], str]
) -> Batch:
    if len(inputs) > MAX_BATCH:
        raise invalid(f"The maximum number of inputs supported in a batch is {MAX_BATCH}.")
    results, errors = [], []
    for each in inputs:
        try:
            results.append(act(each))
        except HubSpotError as error:
            errors.append(error.entry({"name": [name_of(each)]}))
    return Batch(results, errors)
