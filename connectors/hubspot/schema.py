"""What the portal's objects look like to us: properties, kept for a run, by canonical name."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from config.problems import Problem
from connectors.contract import ConfigProblem, FieldInfo
from connectors.hubspot.fields import DEFAULTS, IN_HOME_CURRENCY, LINKS, OBJECTS, TYPE_IDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.hubspot.api import Api

Description = dict[str, Any]


class Schema:
    """Properties behind the canonical columns; the connection's mapping lies over ours."""

    def __init__(self, api: Api, mapping: Mapping[str, Mapping[str, str]]) -> None:
        self._api = api
        self._mapping = mapping
        self._described: dict[str, dict[str, Description]] = {}
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Describe again when next asked: the portal has changed under us."""
        with self._lock:
            self._described.clear()

    def described(self, hs_object: str) -> dict[str, Description]:
        """An object's properties, by name. Raises `ConfigProblem`, naming the scopes, if they may not be seen.

        Owners and pipelines have no properties.
        """
        if hs_object not in TYPE_IDS:
            return {}
        with self._lock:
            if hs_object not in self._described:
                found = self._api.sdk.properties(hs_object)
                self._described[hs_object] = {item["name"]: item for item in found}
            return self._described[hs_object]

    def candidates(self, object_name: str, column: str) -> Sequence[str]:
        """The properties that may stand behind a column; the connection's mapping alone if there is one."""
        mapped = self._mapping.get(object_name, {}).get(column)
        if mapped:
            return (mapped,)
        home = IN_HOME_CURRENCY.get((object_name, column), ())
        if home and self._api.account.get("additionalCurrencies"):
            return (*home, *DEFAULTS[object_name][column])
        return DEFAULTS[object_name].get(column, ())

    def mapped(self, object_name: str, column: str) -> bool:
        """Whether the connection maps the column by hand."""
        return column in self._mapping.get(object_name, {})

    def linked(self, object_name: str, column: str) -> bool:
        """Whether the column is an association, rather than a property."""
        return column in LINKS.get(object_name, {}) and not self.mapped(object_name, column)

    def property(self, object_name: str, column: str) -> str | None:
        """The name of the property behind a column, if the portal has it."""
        known = self.described(OBJECTS[object_name])
        return next((name for name in self.candidates(object_name, column) if name in known), None)

    def info(self, object_name: str, column: str) -> FieldInfo | None:
        """The property behind a column, if the portal has it."""
        name = self.property(object_name, column)
        return None if name is None else _info(self.described(OBJECTS[object_name])[name])

    def labels(self, object_name: str, column: str) -> tuple[str, ...]:
        """What people call the options of the property behind a column, but for hidden ones."""
        name = self.property(object_name, column)
        options = self.described(OBJECTS[object_name])[name].get("options") if name else None
        return tuple(
            str(option.get("label") or option.get("value"))
            for option in options or ()
            if not option.get("hidden")
        )

    def writable(self, object_name: str, column: str) -> str:
        """The name of the property behind a column that a run writes. Raises `ConfigProblem` if it may not."""
        info = self.info(object_name, column)
        if info is None or not info.updateable:
            raise ConfigProblem(self.unwritable(object_name, column))
        return info.name

    def unwritable(self, object_name: str, column: str) -> Problem:
        """What to say of an output property that is not there, or that HubSpot lets nobody write."""
        wanted = next(iter(self.candidates(object_name, column)), column)
        where = f"{OBJECTS[object_name]}.{wanted}"
        if self.property(object_name, column) is None:
            return Problem(
                "the property is missing",
                where=where,
                fix="run `foretag setup`, which makes it, or map the output to another property",
            )
        return Problem("the property is read-only", where=where, fix="map the output to another property")


def _info(item: Description) -> FieldInfo:
    """A property as the contract wants it. HubSpot has no lengths: texts may have 65,536 characters."""
    may = item.get("modificationMetadata") or {}
    writable = not (may.get("readOnlyValue") or item.get("calculated"))
    options = [option["value"] for option in item.get("options") or () if option.get("value") is not None]
    return FieldInfo(
        name=item["name"],
        label=item.get("label") or item["name"],
        type=item["type"],
        updateable=writable,
        createable=writable,
        values=tuple(options),
        unique=bool(item.get("hasUniqueValue")),
    )
