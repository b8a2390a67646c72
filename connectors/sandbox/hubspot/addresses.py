"""Where each kind of resource lives: one table from kind and version to path, so that every handler exists once.

HubSpot is moving from numbered to dated paths; both families lead to the same handlers. `{date}` stands for any
of the dated versions.
"""

from __future__ import annotations

from dataclasses import dataclass

DATES = ("2026-03", "2026-09")
DATED = "dated"

PATHS: dict[str, dict[str, str]] = {
    "objects": {"v3": "/crm/v3/objects", "v4": "/crm/v4/objects", DATED: "/crm/objects/{date}"},
    "associations": {
        "v3": "/crm/v3/associations",
        "v4": "/crm/v4/associations",
        DATED: "/crm/associations/{date}",
    },
    "definitions": {
        "v4": "/crm/v4/associations/definitions/configurations",
        "v4, as specified": "/crm/associations/v4/definitions/configurations",
        DATED: "/crm/associations/{date}/definitions/configurations",
    },
    "properties": {"v3": "/crm/v3/properties", DATED: "/crm/properties/{date}"},
    "validations": {"v3": "/crm/v3/property-validations", DATED: "/crm/property-validations/{date}"},
    "limits": {"v3": "/crm/v3/limits", DATED: "/crm/limits/{date}"},
    "owners": {"v3": "/crm/v3/owners", DATED: "/crm/owners/{date}"},
    "pipelines": {"v3": "/crm/v3/pipelines", DATED: "/crm/pipelines/{date}"},
    "schemas": {
        "v3": "/crm/v3/schemas",
        "v3, as specified": "/crm-object-schemas/v3/schemas",
        DATED: "/crm-object-schemas/{date}/schemas",
    },
    "imports": {"v3": "/crm/v3/imports", DATED: "/crm/imports/{date}"},
    "exports": {"v3": "/crm/v3/exports", DATED: "/crm/exports/{date}"},
    "account": {"v3": "/account-info/v3", DATED: "/account-info/{date}"},
    "users": {"v3": "/settings/v3/users", DATED: "/settings/users/{date}"},
    "oauth": {"v1": "/oauth/v1", "v2": "/oauth/v2", "v3": "/oauth/v3", DATED: "/oauth/{date}"},
    # Older interfaces, each with its own shape of path.
    "legacy": {"old": ""},
}


@dataclass(frozen=True, slots=True)
class Address:
    """A path taken apart: the kind of resource, the version by which it is called, and what follows."""

    kind: str
    version: str
    rest: str


def _prefixes() -> list[tuple[str, str, str]]:
    found = [
        (path.format(date=date), kind, date if version == DATED else version.partition(",")[0])
        for kind, paths in PATHS.items()
        for version, path in paths.items()
        for date in (DATES if version == DATED else ("",))
    ]
    # The longest first: definitions lie below associations.
    return sorted(found, key=lambda entry: -len(entry[0]))


_PREFIXES = _prefixes()


def address(path: str) -> Address:
    """What a path addresses. Every path has some address; whether anything lives there is another question."""
    for prefix, kind, version in _PREFIXES:
        if path == prefix or path.startswith(f"{prefix}/"):
            return Address(kind, version, path[len(prefix) :])
    return Address("legacy", "old", path)


def same_version(version: str, wanted: str) -> bool:
    """Whether an endpoint that is there for the wanted version (`dated` for all of them) is there for this one."""
    return version == wanted or (wanted == DATED and version in DATES)
