"""What a client asks of an export: read from its JSON in every spelling the documentation uses, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.portal import Portal

TYPES = ("VIEW", "LIST")
FORMATS = ("CSV", "XLSX", "XLS")
LANGUAGES = (
    "DA_DK", "DE", "EN", "ES", "FI", "FR", "IT", "JA", "NL", "NO", "PL", "PT", "PT_BR", "SV", "ZH_TW",
)  # fmt: skip
INTERNAL = ("NAMES", "VALUES")
_NEEDED = ("exportType", "format", "exportName", "language", "objectType", "objectProperties")
_MOST_ASSOCIATED_TYPES = 4
# The documentation spells it DES, its own examples DESC, the search DESCENDING.
_DESCENDING = frozenset({"DES", "DESC", "DESCENDING"})


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A checked request. `search` is a search body without limits; `internal` says what is told as internal."""

    name: str
    object_type: ObjectType
    properties: tuple[str, ...]
    search: Mapping[str, Any]
    internal_names: bool
    internal_values: bool
    associated: tuple[ObjectType, ...]
    labelled: bool
    with_names: bool
    all_associated: bool

    @classmethod
    def of_json(cls, body: Mapping[str, Any], portal: Portal) -> ExportRequest:
        """Read a request. Raises `HubSpotError` (400) for one that cannot be done."""
        _check(body)
        internal = [str(one).upper() for one in _several(body.get("exportInternalValuesOptions"))]
        _one_of("exportInternalValuesOptions", internal, INTERNAL)
        associated = [str(one) for one in _several(body.get("associatedObjectType"))]
        if len(associated) > _MOST_ASSOCIATED_TYPES:
            raise invalid(f"At most {_MOST_ASSOCIATED_TYPES} associated object types can be exported")
        object_type = portal.object_type(str(body["objectType"]))
        search = search_of(body.get("publicCrmSearchRequest") or {})
        # A search that cannot be made is told now, not by a job that ends badly.
        portal.search(object_type.name, {**search, "limit": 1})
        return cls(
            name=str(body["exportName"]),
            object_type=object_type,
            properties=tuple(dict.fromkeys(str(one) for one in body["objectProperties"])),
            search=search,
            internal_names="NAMES" in internal,
            internal_values="VALUES" in internal,
            associated=tuple(portal.object_type(one) for one in associated),
            labelled=bool(body.get("includeLabeledAssociations")),
            with_names=bool(body.get("includePrimaryDisplayPropertyForAssociatedObjects")),
            all_associated=bool(body.get("overrideAssociatedObjectsPerDefinitionPerRowLimit")),
        )


def _check(body: Mapping[str, Any]) -> None:
    missing = [name for name in _NEEDED if body.get(name) in (None, "", [])]
    if missing:
        raise invalid(f"Some required fields were not set: [{', '.join(missing)}]")
    _one_of("exportType", [str(body["exportType"]).upper()], TYPES)
    _one_of("format", [str(body["format"]).upper()], FORMATS)
    _one_of("language", [str(body["language"]).upper()], LANGUAGES)
    if str(body["exportType"]).upper() == "LIST":
        raise invalid(f"There is no list with the id {body.get('listId')}: this portal has no lists")
    if str(body["format"]).upper() != "CSV":
        raise invalid(f"This portal exports CSV only, not {body['format']}")


def _one_of(name: str, given: Sequence[str], known: Sequence[str]) -> None:
    for one in given:
        if one not in known:
            raise invalid(f"{one} is not a valid {name}: one of {', '.join(known)}")


def _several(given: Any) -> list[Any]:
    """A list, however it was given: absent, one value, or a list."""
    if given is None:
        return []
    return list(given) if isinstance(given, list) else [given]


def search_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The view's filters, query and sorts as a search body. `property` stands for `propertyName` in older texts."""
    groups = given.get("filterGroups") or ([{"filters": given["filters"]}] if given.get("filters") else [])
    body: dict[str, Any] = {
        "filterGroups": [
            {"filters": [_named(one) for one in _several(group.get("filters"))]} for group in groups
        ]
    }
    if given.get("query"):
        body["query"] = given["query"]
    sorts = [_sort(one) for one in _several(given.get("sorts"))]
    return body | ({"sorts": sorts} if sorts else {})


def _named(given: Mapping[str, Any]) -> dict[str, Any]:
    name = given.get("propertyName") or given.get("property")
    return {key: value for key, value in given.items() if key != "property"} | {"propertyName": name}


def _sort(given: Any) -> dict[str, str]:
    if isinstance(given, str):
        falling = given.startswith("-")
        return {"propertyName": given.removeprefix("-"), "direction": _direction(falling=falling)}
    order = str(given.get("order") or given.get("direction") or "ASC").upper()
    name = str(given.get("propertyName") or given.get("property"))
    return {"propertyName": name, "direction": _direction(falling=order in _DESCENDING)}


def _direction(*, falling: bool) -> str:
    return "DESCENDING" if falling else "ASCENDING"
