"""Permission sets as metadata: their declaration, turned into the records that grant rights, and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.custom_fields import SHARED_OBJECTS
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.xml_trees import as_list, is_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.sandbox.salesforce.errors import SaveResult
    from connectors.sandbox.salesforce.org import Org

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_|$))*")
_FIELD_RIGHTS = {"readable": "PermissionsRead", "editable": "PermissionsEdit"}
_OBJECT_RIGHTS = {
    "allowCreate": "PermissionsCreate",
    "allowDelete": "PermissionsDelete",
    "allowEdit": "PermissionsEdit",
    "allowRead": "PermissionsRead",
    "modifyAllRecords": "PermissionsModifyAllRecords",
    "viewAllRecords": "PermissionsViewAllRecords",
}
# What else a permission set may name: (key in the entry, type it names). The sandbox has only standard ones.
_OTHERS = {
    "applicationVisibilities": ("application", "CustomApplication"),
    "classAccesses": ("apexClass", "ApexClass"),
    "customPermissions": ("name", "CustomPermission"),
    "flowAccesses": ("flow", "Flow"),
    "pageAccesses": ("apexPage", "ApexPage"),
    "recordTypeVisibilities": ("recordType", "RecordType"),
    "tabSettings": ("tab", "CustomTab"),
}
_STANDARD = "standard-"


class PermissionSets:
    """The permission sets of an org, by name. What they grant is kept as ordinary records."""

    type_name = "PermissionSet"

    def __init__(self, org: Org) -> None:
        self._org = org

    def check(self, full_name: str, metadata: dict[str, Any], pending: frozenset[str] = frozenset()) -> None:
        """Raise `SalesforceError` if it cannot be saved. `pending` names come with the same request."""
        if not _NAME.fullmatch(full_name) or len(full_name) > 80:
            raise SalesforceError(
                "INVALID_FULL_NAME", f"Invalid name for a permission set: {full_name}", ("fullName",)
            )
        if not metadata.get("label"):
            raise SalesforceError("REQUIRED_FIELD_MISSING", "Required field is missing: label", ("label",))
        for problem in self._dangling(metadata, pending):
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", problem)
        for entry in as_list(metadata.get("fieldPermissions")):
            self._check_field_entry(entry)
        self._user_permissions(metadata)

    def exists(self, full_name: str) -> bool:
        """Whether there is such a permission set."""
        return self._record(full_name, "Id") is not None

    def save(self, full_name: str, metadata: dict[str, Any]) -> bool:
        """Make the permission set grant exactly what is declared; tells whether it is new."""
        self.check(full_name, metadata)
        found = self._record(full_name, "Id")
        values = {"Label": metadata["label"], "Description": metadata.get("description")}
        values |= self._user_permissions(metadata)
        if found is None:
            _demand(self._org.insert(self._org.admin, "PermissionSet", [{"Name": full_name, **values}]))
            found = self._record(full_name, "Id") or {}
            created = True
        else:
            _demand(self._org.update(self._org.admin, "PermissionSet", [{"Id": found["Id"], **values}]))
            created = False
        parent = str(found["Id"])
        objects = as_list(metadata.get("objectPermissions"))
        fields = as_list(metadata.get("fieldPermissions"))
        self._grant(parent, "ObjectPermissions", "SobjectType", {
            one["object"]: {"SobjectType": one["object"]} | _rights(one, _OBJECT_RIGHTS) for one in objects
        })  # fmt: skip
        self._grant(parent, "FieldPermissions", "Field", {
            field: {"SobjectType": field.partition(".")[0], "Field": field} | _rights(one, _FIELD_RIGHTS)
            for one in fields for field in self._real_names(one["field"])
        })  # fmt: skip
        return created

    def read(self, full_name: str) -> dict[str, Any] | None:
        """What `readMetadata` tells of the permission set; None if there is none of this name."""
        switches = [field.name for field in self._switches()]
        found = self._record(full_name, "Id", "Label", "Description", *switches)
        if found is None:
            return None
        tree = {
            "description": found["Description"],
            "fieldPermissions": [
                {
                    "editable": one["PermissionsEdit"],
                    "field": one["Field"],
                    "readable": one["PermissionsRead"],
                }
                for one in self._granted(found["Id"], "FieldPermissions", "Field", *_FIELD_RIGHTS.values())
            ],
            "hasActivationRequired": False,
            "label": found["Label"],
            "objectPermissions": [
                {key: one[right] for key, right in _OBJECT_RIGHTS.items()} | {"object": one["SobjectType"]}
                for one in self._granted(
                    found["Id"], "ObjectPermissions", "SobjectType", *_OBJECT_RIGHTS.values()
                )
            ],
            "userPermissions": [
                {"enabled": True, "name": name.removeprefix("Permissions")}
                for name in switches
                if found[name]
            ],
        }
        return {key: value for key, value in tree.items() if value not in (None, [])}

    def delete(self, full_name: str) -> None:
        """Remove it with all that it grants. Raises INVALID_CROSS_REFERENCE_KEY if there is none."""
        found = self._record(full_name, "Id")
        if found is None:
            message = f"In field: fullName - no PermissionSet named {full_name} found"
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", message)
        _demand(self._org.delete(self._org.admin, "PermissionSet", [found["Id"]]))

    def names(self) -> list[str]:
        """The names of all permission sets that are not a profile's."""
        rows = self._rows("SELECT Name FROM PermissionSet WHERE IsOwnedByProfile = false ORDER BY Name")
        return [row["Name"] for row in rows]

    def _dangling(self, metadata: dict[str, Any], pending: frozenset[str]) -> Iterator[str]:
        for entry in as_list(metadata.get("objectPermissions")):
            if self._org.schema.find(str(entry.get("object"))) is None and entry.get("object") not in pending:
                yield f"In field: field - no CustomObject named {entry.get('object')} found"
        for entry in as_list(metadata.get("fieldPermissions")):
            name = str(entry.get("field"))
            if name not in pending and not self._has_field(name, pending):
                yield f"In field: field - no CustomField named {name} found"
        for key, (part, kind) in _OTHERS.items():
            for entry in as_list(metadata.get(key)):
                if not str(entry.get(part)).startswith(_STANDARD):
                    yield f"In field: {part} - no {kind} named {entry.get(part)} found"

    def _check_field_entry(self, entry: dict[str, Any]) -> None:
        if is_true(entry.get("editable")) and not is_true(entry.get("readable")):
            message = f"Field {entry['field']} depends on: read permission"
            raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, ("fieldPermissions",))
        for name in self._real_names(entry["field"]):
            object_name, _, field_name = name.partition(".")
            found = self._org.schema.find(object_name)
            field = found.find(field_name) if found else None
            if field is not None and not field.nillable and field.type != "boolean":
                message = f"You cannot deploy to a required field: {name}"
                raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, ("fieldPermissions",))

    def _has_field(self, name: str, pending: frozenset[str]) -> bool:
        object_name, _, field_name = name.partition(".")
        shared = [f"{one}.{field_name}" for one, names in SHARED_OBJECTS.items() if object_name in names]
        if pending.intersection(shared):
            return True
        objects = [self._org.schema.find(one.partition(".")[0]) for one in self._real_names(name)]
        return bool(objects) and all(one is not None and one.find(field_name) is not None for one in objects)

    def _real_names(self, name: str) -> list[str]:
        """`Activity.X__c` stands for the field of tasks and of events."""
        object_name, _, field_name = name.partition(".")
        return [f"{one}.{field_name}" for one in SHARED_OBJECTS.get(object_name, (object_name,))]

    def _user_permissions(self, metadata: dict[str, Any]) -> dict[str, bool]:
        known = {field.name for field in self._switches()}
        wanted = {
            f"Permissions{entry.get('name')}": is_true(entry.get("enabled"))
            for entry in as_list(metadata.get("userPermissions"))
        }
        unknown = sorted(wanted.keys() - known)
        if unknown:
            message = f"Unknown user permission: {unknown[0].removeprefix('Permissions')}"
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", message, ("userPermissions",))
        return dict.fromkeys(known, False) | wanted

    def _switches(self) -> Iterator[Any]:
        found = self._org.schema.find("PermissionSet")
        fields = found.fields.values() if found else ()
        return (field for field in fields if field.name.startswith("Permissions"))

    def _grant(self, parent: str, object_name: str, key: str, wanted: dict[str, dict[str, Any]]) -> None:
        """Bring the granting records of one kind in line with the wanted ones."""
        held = {row[key]: row["Id"] for row in self._granted(parent, object_name, key, "Id")}
        admin = self._org.admin
        gone = [held[name] for name in held.keys() - wanted.keys()]
        changed = [{"Id": held[name], **_changeable(row)} for name, row in wanted.items() if name in held]
        new = [{"ParentId": parent, **row} for name, row in wanted.items() if name not in held]
        if gone:
            _demand(self._org.delete(admin, object_name, gone))
        if changed:
            _demand(self._org.update(admin, object_name, changed))
        if new:
            _demand(self._org.insert(admin, object_name, new))

    def _granted(self, parent: str, object_name: str, *fields: str) -> list[dict[str, Any]]:
        selected = ", ".join(fields)
        soql = f"SELECT {selected} FROM {object_name} WHERE ParentId = '{parent}' ORDER BY Id"  # noqa: S608  # our own id
        return self._rows(soql)

    def _record(self, full_name: str, *fields: str) -> dict[str, Any] | None:
        if not _NAME.fullmatch(full_name):
            return None
        selected = ", ".join(fields)
        rows = self._rows(f"SELECT {selected} FROM PermissionSet WHERE Name = '{full_name}'")  # noqa: S608  # checked
        return rows[0] if rows else None

    def _rows(self, soql: str) -> list[dict[str, Any]]:
        result = self._org.query(soql, self._org.admin)
        return result.records(0, result.num_rows, "62.0")


def _rights(entry: dict[str, Any], rights: dict[str, str]) -> dict[str, bool]:
    return {right: is_true(entry.get(key)) for key, right in rights.items()}


def _changeable(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key.startswith("Permissions")}


def _demand(results: list[SaveResult]) -> None:
    """Raise the first refusal."""
    for result in results:
        if not result.success:
            raise result.errors[0].raised()
