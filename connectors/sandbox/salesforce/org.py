"""One Salesforce org in memory, without HTTP: what it tells, what changes it, and how its admins shape it."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.errors import SaveError, SaveResult
from connectors.sandbox.salesforce.formulas import check_formula
from connectors.sandbox.salesforce.org_writes import OrgWrites
from connectors.sandbox.salesforce.parties import Clock, Faults, Journal, Operation, Row, SaveTable, User
from connectors.sandbox.salesforce.results import Result as QueryResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.sandbox.salesforce.schema import Field

__all__ = [
    "Clock",
    "Faults",
    "Journal",
    "Operation",
    "Org",
    "QueryResult",
    "Row",
    "SaveError",
    "SaveResult",
    "SaveTable",
    "User",
]

_OBJECT_RIGHTS = ("Create", "Read", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")


class Org(OrgWrites):
    """The org. All methods are thread-safe; a refusal of the whole request raises `SalesforceError`.

    Reads are in `OrgReads`, writes of records in `OrgWrites`; here are the schema and the permissions, as
    metadata and tooling change them.
    """

    def add_field(self, object_name: str, new: Field) -> None:
        """Add or replace a custom field; nobody sees it before a permission set grants it.

        `Activity` means both Task and Event. A formula must be sound, else INVALID_... `FormulaError`.
        """
        with self.store.lock:
            for name in ("Task", "Event") if object_name == "Activity" else (object_name,):
                if new.formula is not None:
                    check_formula(self.schema, self.schema.objects[name], new.formula)
                self.schema.put_field(
                    name,
                    replace(new, custom=True, createable=new.formula is None, updateable=new.formula is None),
                )
            self.access.forget()

    def drop_field(self, object_name: str, name: str) -> None:
        """Delete a custom field, its values and what was granted on it."""
        with self.store.lock:
            for target in ("Task", "Event") if object_name == "Activity" else (object_name,):
                self.store.drop_column(target, name)
                self.schema.drop_field(target, name)
                self.store.write(f'DELETE FROM "FieldPermissions" WHERE "Field" = \'{target}.{name}\'')
            self.access.forget()

    def track(self, object_name: str, *fields: str) -> None:
        """Track the history of these fields of an object, and of no others, from now on."""
        with self.store.lock:
            self.saver.tracking.track(object_name, *fields)

    def grant_fields(self, permission_set_id: str, fields: Mapping[str, bool]) -> None:
        """Grant fields (`Account.X__c`: may it be edited?) in a permission set, replacing what was granted on them."""
        rows = [
            {
                "SobjectType": name.partition(".")[0],
                "Field": name,
                "PermissionsRead": True,
                "PermissionsEdit": edit,
            }
            for name, edit in fields.items()
        ]
        self._replace("FieldPermissions", permission_set_id, "Field", rows)

    def grant_objects(self, permission_set_id: str, objects: Mapping[str, Sequence[str]]) -> None:
        """Grant rights on objects (`Account`: ["Read", "Edit"]) in a permission set, replacing what was granted."""
        rows = [
            {"SobjectType": name} | {f"Permissions{right}": right in rights for right in _OBJECT_RIGHTS}
            for name, rights in objects.items()
        ]
        self._replace("ObjectPermissions", permission_set_id, "SobjectType", rows)

    def _replace(
        self, object_name: str, permission_set_id: str, key: str, rows: Sequence[dict[str, Any]]
    ) -> None:
        """Put a permission set's grants, found by their key; all in two saves, since each is checked as a whole."""
        with self.store.lock:
            found = self.query(
                f"SELECT Id, {key} FROM {object_name} WHERE ParentId = '{permission_set_id}'", self.admin
            )
            held = {row[key]: row["Id"] for row in found.records(0, found.num_rows, "62.0")}
            changed = [{"Id": held[row[key]], **_granted(row)} for row in rows if row[key] in held]
            added = [{"ParentId": permission_set_id, **row} for row in rows if row[key] not in held]
            results = [
                *(self.update(self.admin, object_name, changed) if changed else ()),
                *(self.insert(self.admin, object_name, added) if added else ()),
            ]
        for result in results:
            if not result.success:
                raise result.errors[0].raised()

    def create_permission_set(self, name: str, label: str) -> str:
        """The id of the permission set of this name, made if there is none."""
        with self.store.lock:
            found = self.query(f"SELECT Id FROM PermissionSet WHERE Name = '{name}'", self.admin).records(
                0, 1, "62.0"
            )
            if found:
                return str(found[0]["Id"])
            result = self.insert(self.admin, "PermissionSet", [{"Name": name, "Label": label}])[0]
            return str(result.id)

    def assign(self, permission_set_id: str, user_id: str) -> None:
        """Assign a permission set to a user; again is harmless."""
        with self.store.lock:
            held = self.query(
                f"SELECT Id FROM PermissionSetAssignment WHERE PermissionSetId = '{permission_set_id}' "
                f"AND AssigneeId = '{user_id}'",
                self.admin,
            )
            if held.num_rows == 0:
                self.insert(
                    self.admin,
                    "PermissionSetAssignment",
                    [{"PermissionSetId": permission_set_id, "AssigneeId": user_id}],
                )


def _granted(row: Mapping[str, Any]) -> dict[str, Any]:
    """The rights alone of a grant."""
    return {name: value for name, value in row.items() if name.startswith("Permissions")}
