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

    def grant_fields(self, permission_set_id: str, fields: Mapping[str, bool]) -> None:
        """Grant fields (`Account.X__c`: may it be edited?) in a permission set, replacing what was granted on them."""
        with self.store.lock:
            for name, edit in fields.items():
                key = {"ParentId": permission_set_id, "SobjectType": name.partition(".")[0], "Field": name}
                self._replace("FieldPermissions", key, {"PermissionsRead": True, "PermissionsEdit": edit})

    def grant_objects(self, permission_set_id: str, objects: Mapping[str, Sequence[str]]) -> None:
        """Grant rights on objects (`Account`: ["Read", "Edit"]) in a permission set, replacing what was granted."""
        with self.store.lock:
            for name, rights in objects.items():
                self._replace(
                    "ObjectPermissions",
                    {"ParentId": permission_set_id, "SobjectType": name},
                    {
                        f"Permissions{right}": right in rights
                        for right in (
                            "Create",
                            "Read",
                            "Edit",
                            "Delete",
                            "ViewAllRecords",
                            "ModifyAllRecords",
                        )
                    },
                )

    def _replace(self, object_name: str, key: dict[str, str], values: dict[str, Any]) -> None:
        where = " AND ".join(f"{name} = '{value}'" for name, value in key.items())
        found = self.query(f"SELECT Id FROM {object_name} WHERE {where}", self.admin).records(0, 1, "62.0")
        results = (
            self.update(self.admin, object_name, [{"Id": found[0]["Id"], **values}])
            if found
            else self.insert(self.admin, object_name, [{**key, **values}])
        )
        if not results[0].success:
            raise results[0].errors[0].raised()

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
