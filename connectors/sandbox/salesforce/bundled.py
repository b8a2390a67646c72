"""What every sandbox org holds besides its data set: the organization, its stages, profiles and two bundled users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.sandbox.salesforce.ids import make_id
from connectors.sandbox.salesforce.objects import PICKLIST_OBJECTS, STAGES, STANDARD_OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.sandbox.datasets import Dataset
    from connectors.sandbox.salesforce.schema import Schema

ORG_ID = make_id("00D", 1)
ORG_NAME = "Foretag Sandbox"
ADMIN_ID = make_id("005", 1)
WORKER_ID = make_id("005", 2)
PROFILES = ("System Administrator", "Integration", "Standard User")
_SALES = ("Account", "Contact", "Lead", "Opportunity", "Task", "Case", "Product2", "Pricebook2")

# Rights of each profile: objects, and C(reate) R(ead) E(dit) D(elete). The worker's own fields are not among them:
# a permission set has to grant those.
_RIGHTS: dict[str, dict[str, str]] = {
    "System Administrator": dict.fromkeys(_SALES, "CRED"),
    "Integration": {
        "Account": "RE",
        "Opportunity": "RE",
        "Task": "CRED",
        "Contact": "R",
    },
    "Standard User": {**dict.fromkeys(_SALES, "CRED"), "Product2": "R", "Pricebook2": "R"},
}
_WORDS = {"C": "Create", "R": "Read", "E": "Edit", "D": "Delete"}
_SETUP = (
    "ApiEnabled",
    "ModifyAllData",
    "ViewAllData",
    "ViewSetup",
    "CustomizeApplication",
    "ActivitiesAccess",
    "EditTask",
    "ViewAllForecasts",
)


def profile_id(name: str) -> str:
    """The id of a bundled profile."""
    return make_id("00e", PROFILES.index(name) + 1)


def profile_set_id(name: str) -> str:
    """The id of the permission set that a profile owns."""
    return make_id("0PS", PROFILES.index(name) + 1)


def bundled_rows(
    dataset: Dataset, born: datetime, *, production: bool, timezone: str
) -> dict[str, list[dict[str, Any]]]:
    """Rows by object. `born` stamps them: the org is as old as its oldest record."""
    rows = {
        "Organization": [_organization(production=production, timezone=timezone)],
        "OpportunityStage": [_stage(number, stage) for number, stage in enumerate(STAGES, 1)],
        **{one[0]: _values(*one) for one in PICKLIST_OBJECTS},
        "Profile": [{"Id": profile_id(name), "Name": name, "UserType": "Standard"} for name in PROFILES],
        "PermissionSet": [_profile_set(name) for name in PROFILES],
        "PermissionSetAssignment": [
            {"Id": make_id("0Pa", number), "PermissionSetId": profile_set_id(profile), "AssigneeId": user}
            for number, (profile, user) in enumerate(
                (("System Administrator", ADMIN_ID), ("Integration", WORKER_ID)), 1
            )
        ],
        "ObjectPermissions": _object_permissions(),
        "FieldPermissions": _field_permissions(
            f"{name}.{one.name}" for name, one in dataset.fields if one.custom
        ),
        "User": [
            _user(ADMIN_ID, "admin@foretag-sandbox.example", "Alex", "Admin", "System Administrator"),
            _user(WORKER_ID, "worker@foretag-sandbox.example", "Foretag", "Worker", "Integration"),
        ],
    }
    for name, many in rows.items():
        for row in many:
            row |= {
                "CreatedDate": born,
                "CreatedById": ADMIN_ID,
                "LastModifiedDate": born,
                "LastModifiedById": ADMIN_ID,
                "SystemModstamp": born,
            }
            if name == "User":
                row["IsDeleted"] = False
    return rows


def users_with_profile(users: pa.Table) -> pa.Table:
    """The data set's people as standard users."""
    return users.append_column(
        "ProfileId", pa.array([profile_id("Standard User")] * users.num_rows, pa.string())
    )


def as_table(schema: Schema, object_name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as columns of the object's fields; a field that no row has is left out."""
    fields = schema.objects[object_name].fields
    names = [name for name in fields if any(name in row for row in rows)]
    return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})


def _organization(*, production: bool, timezone: str) -> dict[str, Any]:
    return {
        "Id": ORG_ID,
        "Name": ORG_NAME,
        "DefaultLocaleSidKey": "en_US",
        "TimeZoneSidKey": timezone,
        "LanguageLocaleKey": "en_US",
        "FiscalYearStartMonth": 1,
        "InstanceName": "CS1",
        "IsSandbox": not production,
        "OrganizationType": "Enterprise Edition",
    }


def _stage(number: int, stage: tuple[str, int, bool, bool, str, str]) -> dict[str, Any]:
    name, probability, closed, won, category, label = stage
    return {
        "Id": make_id("01J", number),
        "MasterLabel": name,
        "ApiName": name,
        "IsActive": True,
        "SortOrder": number,
        "IsClosed": closed,
        "IsWon": won,
        "ForecastCategory": category,
        "ForecastCategoryName": label,
        "DefaultProbability": probability,
    }


def _values(
    name: str, object_name: str, picklist: str, means: str, holds: frozenset[str]
) -> list[dict[str, Any]]:
    """The rows of a small object that lists the values of a picklist."""
    objects = {one.name: one for one in STANDARD_OBJECTS}
    return [
        {
            "Id": make_id(str(objects[name].prefix), number),
            "MasterLabel": value.value,
            "ApiName": value.value,
            "SortOrder": number,
            "IsDefault": value.default,
            means: value.value in holds,
        }
        for number, value in enumerate(objects[object_name].fields[picklist].picklist, 1)
    ]


def _profile_set(name: str) -> dict[str, Any]:
    admin = name == "System Administrator"
    granted = {"ApiEnabled", "ActivitiesAccess", "EditTask"} | (set(_SETUP) if admin else set())
    return {
        "Id": profile_set_id(name),
        "Name": f"X{profile_id(name)}",
        "Label": profile_id(name),
        "ProfileId": profile_id(name),
        "IsOwnedByProfile": True,
        "IsCustom": name != "System Administrator",
        "Type": "Profile",
        **{f"Permissions{right}": right in granted for right in _SETUP},
    }


def _object_permissions() -> list[dict[str, Any]]:
    pairs = [
        (profile, name, letters) for profile, rights in _RIGHTS.items() for name, letters in rights.items()
    ]
    return [
        {
            "Id": make_id("110", number),
            "ParentId": profile_set_id(profile),
            "SobjectType": name,
            **{f"Permissions{word}": letter in letters for letter, word in _WORDS.items()},
            "PermissionsViewAllRecords": profile == "System Administrator",
            "PermissionsModifyAllRecords": profile == "System Administrator",
        }
        for number, (profile, name, letters) in enumerate(pairs, 1)
    ]


def _field_permissions(names: Iterable[str]) -> list[dict[str, Any]]:
    pairs = [(profile, name) for name in names for profile in PROFILES]
    return [
        {
            "Id": make_id("01k", number),
            "ParentId": profile_set_id(profile),
            "SobjectType": name.partition(".")[0],
            "Field": name,
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
        for number, (profile, name) in enumerate(pairs, 1)
    ]


def _user(user_id: str, username: str, first: str, last: str, profile: str) -> dict[str, Any]:
    return {
        "Id": user_id,
        "Username": username,
        "Email": username,
        "FirstName": first,
        "LastName": last,
        "Name": f"{first} {last}",
        "Alias": last[:8].lower(),
        "IsActive": True,
        "ProfileId": profile_id(profile),
        "UserType": "Standard",
    }
