"""What the signed-in user may see of the org: describes, kept for a run, and field paths found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.problems import Problem
from connectors.contract import ConfigProblem, FieldInfo, RecordRefused
from connectors.salesforce.fields import DEFAULTS, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.salesforce.api import Api

Description = dict[str, Any]

# These cannot be had by Bulk, or are no single value.
UNREADABLE_TYPES = frozenset({"address", "location", "base64", "anyType"})


class Schema:
    """Fields of the canonical objects, by canonical name; the connection's mapping lies over ours."""

    def __init__(self, api: Api, mapping: Mapping[str, Mapping[str, str]]) -> None:
        self._api = api
        self._mapping = mapping
        self._described: dict[str, dict[str, Description]] = {}
        self._rights: dict[str, tuple[str, ...]] = {}

    def forget(self) -> None:
        """Describe again when next asked: the org has changed under us."""
        self._described.clear()

    def described(self, sf_object: str) -> dict[str, Description]:
        """An object's fields, by lower-cased name; empty if the user may not see the object at all."""
        if sf_object not in self._described:
            self._described[sf_object] = self._describe(sf_object)
        return self._described[sf_object]

    def _describe(self, sf_object: str) -> dict[str, Description]:
        try:
            description = self._api.describe(sf_object)
        except (RecordRefused, ConfigProblem) as error:
            if isinstance(error, ConfigProblem) and "INVALID_TYPE" not in str(error):
                raise
            return {}
        flags = {"create": "createable", "delete": "deletable"}
        self._rights[sf_object] = tuple(right for right, flag in flags.items() if description.get(flag))
        return {field["name"].lower(): field for field in description["fields"]}

    def surplus(self, sf_object: str) -> tuple[str, ...]:
        """What the user may do with the object's records and we never do."""
        return self._rights.get(sf_object, ()) if self.described(sf_object) else ()

    def candidates(self, object_name: str, column: str) -> Sequence[str]:
        """The paths that may stand behind a column; the connection's mapping alone if there is one."""
        mapped = self._mapping.get(object_name, {}).get(column)
        return (mapped,) if mapped else DEFAULTS[object_name].get(column, ())

    def mapped(self, object_name: str, column: str) -> bool:
        """Whether the connection maps the column by hand."""
        return column in self._mapping.get(object_name, {})

    def path(self, object_name: str, column: str) -> str | None:
        """The field path behind a column, spelled as the org spells it, if the user may read it."""
        found = (self.resolve(OBJECTS[object_name], path) for path in self.candidates(object_name, column))
        return next((path for path, _ in filter(None, found)), None)

    def info(self, object_name: str, column: str) -> FieldInfo | None:
        """The field behind a column, if the user may read it."""
        found = (self.resolve(OBJECTS[object_name], path) for path in self.candidates(object_name, column))
        return next((_info(description) for _, description in filter(None, found)), None)

    def writable(self, object_name: str, column: str) -> str:
        """The name of the field behind a column that a run writes. Raises `ConfigProblem` if it may not."""
        path, info = self.path(object_name, column), self.info(object_name, column)
        if path is None or info is None or not info.updateable or "." in path:
            raise ConfigProblem(self.unwritable(object_name, column))
        return path

    def unwritable(self, object_name: str, column: str) -> Problem:
        """What to say of an output field that is not there, or that the worker's user may not edit."""
        wanted = next(iter(self.candidates(object_name, column)), column)
        where = f"{OBJECTS[object_name]}.{wanted}"
        if self.path(object_name, column) is None:
            return Problem(
                "the field is missing, or the worker's user may not see it",
                where=where,
                fix="run `foretag setup`, or assign the permission set Foretag Worker",
            )
        return Problem(
            "the worker's user may not edit the field",
            where=where,
            fix="assign the permission set Foretag Worker, or map the output to another field",
        )

    def resolve(self, sf_object: str, path: str) -> tuple[str, Description] | None:
        """A path through parent objects, spelled as the org spells it, and the field at its end."""
        head, _, rest = path.partition(".")
        fields = self.described(sf_object)
        if not rest:
            found = fields.get(head.lower())
            return None if found is None or found["type"] in UNREADABLE_TYPES else (found["name"], found)
        for field in fields.values():
            relationship = field.get("relationshipName") or ""
            if relationship.lower() == head.lower() and field["referenceTo"]:
                inner = self.resolve(field["referenceTo"][0], rest)
                return inner and (f"{relationship}.{inner[0]}", inner[1])
        return None


def _info(field: Description) -> FieldInfo:
    values = [value["value"] for value in field.get("picklistValues") or () if value.get("active", True)]
    return FieldInfo(
        name=field["name"],
        label=field["label"],
        type=field["type"],
        updateable=bool(field.get("updateable")),
        createable=bool(field.get("createable")),
        values=tuple(values),
        length=int(field.get("length") or 0),
        unique=bool(field.get("unique") or field.get("externalId") or field.get("idLookup")),
    )
