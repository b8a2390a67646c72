"""Making what is missing in the portal, with an administrator's token: the property group, properties, options."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.contract import AuthProblem, ConfigProblem, Problem, RecordRefused, SetupStep
from connectors.hubspot.definitions import (
    FITTING,
    GROUP,
    CustomProperty,
    Outputs,
    custom_properties,
    group_body,
    missing_options,
    options,
)
from connectors.hubspot.fields import OBJECTS, TYPE_IDS
from connectors.hubspot.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.hubspot.api import Api

_SCOPES_FIX = "add them to the administrator's token: Settings > Keys > the key > Scopes"


class Setup:
    """Compares the portal with what the worker needs, and makes what is lacking."""

    def __init__(self, api: Api) -> None:
        self._api = api

    # Looking.

    def missing(self, outputs: Outputs) -> list[SetupStep]:
        """What is not there yet, in the order in which it can be made.

        Raises `ConfigProblem` if a property of our name is there that cannot hold our values.
        """
        wanted = custom_properties(outputs)
        objects = list(dict.fromkeys(one.hs_object for one in wanted))
        there = {hs_object: self._properties(hs_object) for hs_object in objects}
        if unfit := [one for one in wanted if not _fits(one, there[one.hs_object].get(one.output.name))]:
            raise ConfigProblem(*(self._unfit(one) for one in unfit))
        return [step for name in objects for step in self._steps(name, wanted, there[name])]

    def _steps(
        self, hs_object: str, wanted: Sequence[CustomProperty], there: dict[str, dict[str, Any]]
    ) -> Iterator[SetupStep]:
        own = [one for one in wanted if one.hs_object == hs_object]
        absent = [one for one in own if one.output.name not in there]
        if absent and GROUP not in self._groups(hs_object):
            yield SetupStep("property group", f"{hs_object}.{GROUP}", group_body()["label"])
        for one in absent:
            yield SetupStep("property", one.full_name, f"{one.output.label} ({FITTING[one.output.type][0]})")
        for one in own:
            lacking = missing_options(one.output, there.get(one.output.name, {}))
            if lacking:
                yield SetupStep("options", one.full_name, ", ".join(lacking))

    def _properties(self, hs_object: str, *, archived: bool = False) -> dict[str, dict[str, Any]]:
        """Properties by name, as they are now."""
        asked = {"archived": "true"} if archived else {}
        return {item["name"]: item for item in self._api.get("properties", hs_object, asked)["results"]}

    def _groups(self, hs_object: str) -> set[str]:
        found = self._api.get("properties", f"{hs_object}/groups")["results"]
        return {group["name"] for group in found if not group.get("archived")}

    @staticmethod
    def _unfit(one: CustomProperty) -> Problem:
        return Problem(
            "a property of this name is there, and cannot hold our values",
            where=one.full_name,
            fix=f"make it a {FITTING[one.output.type][0]}, or archive it; names and types cannot be shared",
        )

    # Making.

    def ensure(self, steps: Sequence[SetupStep]) -> list[SetupStep]:
        """Make each of these; what exists counts as done.

        Raises `ConfigProblem`: with all scopes that the token lacks, or if the portal has no room for the new
        properties, both before anything is made; or on the first refusal.
        """
        self._require_scopes(steps)
        self._require_room(steps)
        return [self._made(step) for step in steps]

    def _require_scopes(self, steps: Sequence[SetupStep]) -> None:
        touched = {step.name.partition(".")[0] for step in steps}
        objects = [name for name, hs_object in OBJECTS.items() if hs_object in touched]
        if lacking := Scopes(self._api).missing((), (), objects):
            raise ConfigProblem(
                Problem(
                    f"the token lacks scopes: {', '.join(lacking)}",
                    where="setup",
                    fix=f"{_SCOPES_FIX}; or make the properties by hand, see `foretag setup --print DIR`",
                )
            )

    def _require_room(self, steps: Sequence[SetupStep]) -> None:
        """HubSpot allows so many custom properties for each object; what it does not tell is not checked."""
        new = Counter(step.name.partition(".")[0] for step in steps if step.kind == "property")
        room = self._room() if new else {}
        problems = [
            Problem(
                f"{count} properties are to be made, and there is room for {room[TYPE_IDS[hs_object]]}",
                where=hs_object,
                fix="archive custom properties that nobody uses: Settings > Properties",
            )
            for hs_object, count in new.items()
            if room.get(TYPE_IDS[hs_object], count) < count
        ]
        if problems:
            raise ConfigProblem(*problems)

    def _room(self) -> dict[str, int]:
        """How many more custom properties each object may have, by its type id."""
        try:
            reply = self._api.get("limits", "custom-properties")
        except AuthProblem:
            raise
        except (RecordRefused, ConfigProblem):
            return {}
        return {
            str(entry["objectTypeId"]): int(entry["limit"]) - int(entry["usage"])
            for entry in reply.get("byObjectType") or ()
            if {"objectTypeId", "limit", "usage"} <= entry.keys()
        }

    def _made(self, step: SetupStep) -> SetupStep:
        make = {
            "property group": self._make_group,
            "property": self._make_property,
            "options": self._add_options,
        }[step.kind]
        hs_object, _, name = step.name.partition(".")
        try:
            make(hs_object, name)
        except RecordRefused as error:
            raise self._refused(step, error) from None
        return replace(step, done=True)

    @staticmethod
    def _refused(step: SetupStep, error: RecordRefused) -> ConfigProblem:
        return ConfigProblem(
            Problem(
                f"could not be made: {error}",
                where=f"{step.kind} {step.name}",
                fix="use an administrator's token, or make it by hand, see `foretag setup --print DIR`",
            )
        )

    def _make_group(self, hs_object: str, name: str) -> None:
        try:
            self._post(f"{hs_object}/groups", group_body())
        except RecordRefused:
            if name not in self._groups(hs_object):
                raise

    def _make_property(self, hs_object: str, name: str) -> None:
        """Made, or there already; if an archived one of the same name comes back, its type and options may differ."""
        one = _property(hs_object, name)
        try:
            described = self._declare(one)
        except RecordRefused:
            found = self._property(hs_object, name)
            if found is None:
                self._complain_of_archived(one)
                raise
            described = found
        if not _fits(one, described):
            raise ConfigProblem(self._unfit(one))
        self._extend(one, described)

    def _declare(self, one: CustomProperty) -> dict[str, Any]:
        """A key of tasks is unique where the portal allows it, so that no task can be made twice."""
        if one.output.group == "tasks":
            try:
                return self._post(one.hs_object, one.body(unique=True))
            except RecordRefused:
                if self._property(one.hs_object, one.output.name) is not None:
                    raise
        return self._post(one.hs_object, one.body())

    def _complain_of_archived(self, one: CustomProperty) -> None:
        if one.output.name in self._properties(one.hs_object, archived=True):
            raise ConfigProblem(
                Problem(
                    "an archived property of this name is in the way",
                    where=one.full_name,
                    fix="restore it under Settings > Properties > Archived properties, then run `foretag setup` again",
                )
            )

    def _add_options(self, hs_object: str, name: str) -> None:
        described = self._property(hs_object, name)
        if described is None:
            raise RecordRefused(f"there is no property {hs_object}.{name}", code="OBJECT_NOT_FOUND")
        self._extend(_property(hs_object, name), described)

    def _extend(self, one: CustomProperty, described: dict[str, Any]) -> None:
        """Add the options that are lacking, after those that people made; none of theirs is changed."""
        lacking = missing_options(one.output, described)
        if lacking:
            there = list(described.get("options") or ())
            body = {"options": [*there, *options(lacking, first=len(there))]}
            tail = f"{one.hs_object}/{one.output.name}"
            self._api.call("PATCH", "properties", tail, json=body, idempotent=True, counted="setup")

    def _property(self, hs_object: str, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._api.get("properties", f"{hs_object}/{name}")
        except RecordRefused:
            return None
        return found

    def _post(self, tail: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create; sent again after a lost reply, since a second one is only told that it is there."""
        made: dict[str, Any] = self._api.call(
            "POST", "properties", tail, json=body, idempotent=True, counted="setup"
        )
        return made


def _fits(one: CustomProperty, described: dict[str, Any] | None) -> bool:
    return described is None or described["type"] in FITTING[one.output.type]


def _property(hs_object: str, name: str) -> CustomProperty:
    return next(
        one for one in custom_properties("full") if one.hs_object == hs_object and one.output.name == name
    )
