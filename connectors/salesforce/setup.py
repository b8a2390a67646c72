"""Making what is missing in the org, as an administrator: fields, permission sets, assignment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.contract import ConfigProblem, Problem, RecordRefused, SetupStep
from connectors.salesforce.collections import Collections
from connectors.salesforce.metadata import (
    OBJECT_RIGHTS,
    PERMISSION_SETS,
    READINGS,
    WORKER,
    CustomField,
    Outputs,
    PermissionSet,
    custom_fields,
    reading,
    reading_rights,
)
from connectors.salesforce.soql import one_of, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from connectors.salesforce.api import Api

_EXISTS = frozenset({"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"})


class Setup:
    """Compares the org with what the worker needs. `worker` is the username that the worker signs in with."""

    def __init__(self, api: Api, worker: str) -> None:
        self._api = api
        self._worker = worker
        self._collections = Collections(api)

    # Looking.

    def missing(self, outputs: Outputs, reads: Collection[str]) -> list[SetupStep]:
        """What is not there yet, in the order in which it can be made. `reads`: canonical objects."""
        fields = custom_fields(outputs)
        there = self._existing_fields()
        steps = [
            SetupStep("field", field.full_name, f"{field.output.label} ({field.output.type})")
            for field in fields
            if field.full_name not in there
        ]
        for permissions in PERMISSION_SETS:
            steps += self._missing_permissions(permissions, fields)
        return [*steps, *self._missing_rights(reads), *self._missing_assignment()]

    def _existing_fields(self) -> set[str]:
        """Our fields by the Tooling API, which shows them whatever field-level security says."""
        soql = (
            "SELECT DeveloperName, EntityDefinition.QualifiedApiName FROM CustomField "
            "WHERE DeveloperName LIKE 'Foretag%'"
        )
        reply = self._api.sdk.toolingexecute("query", method="GET", params={"q": soql}) or {}
        return {
            f"{row['EntityDefinition']['QualifiedApiName']}.{row['DeveloperName']}__c"
            for row in reply["records"]
        }

    def _missing_permissions(
        self, permissions: PermissionSet, fields: Sequence[CustomField]
    ) -> list[SetupStep]:
        found = self._permission_set(permissions)
        if found is None:
            step = SetupStep("permission set", permissions.name, permissions.description)
            return [step, self._grant_step(permissions, len(fields))]
        lacking = self._lacking(permissions, fields, found)
        return [self._grant_step(permissions, len(lacking))] if lacking else []

    @staticmethod
    def _grant_step(permissions: PermissionSet, count: int) -> SetupStep:
        doing = "edit" if permissions.edits else "read"
        return SetupStep("permissions", permissions.name, f"{doing} {count} fields")

    def _missing_rights(self, reads: Collection[str]) -> Iterator[SetupStep]:
        """What the worker's permission set lacks to read what rules name."""
        more, parent = reading(reads), self._permission_set(WORKER)
        objects = set() if parent is None else self._granted_objects(parent, more.objects)
        fields = set() if parent is None else self._granted_fields(parent, more.fields)
        for name in more.objects:
            own = {field for field in more.fields if field.partition(".")[0] == name}
            if name not in objects or not own <= fields:
                yield SetupStep("object permission", f"{WORKER.name}.{name}", "read")
        wanted = (*(WORKER.user_permissions if parent is not None else ()), *more.user_permissions)
        held = self._switches(parent, wanted)
        for name in wanted:
            # What the org has no switch for is a feature that it does not have.
            if held.get(name) is False:
                yield SetupStep("user permission", f"{WORKER.name}.{name}", "on")

    def _switches(self, parent: str | None, names: Sequence[str]) -> dict[str, bool]:
        """User permissions of a permission set (one that is not there yet: none), as far as the org has them."""
        known = {field["name"] for field in self._api.describe("PermissionSet")["fields"]} if names else set()
        there = [name for name in names if f"Permissions{name}" in known]
        if parent is None or not there:
            return dict.fromkeys(there, False)
        selected = ", ".join(f"Permissions{name}" for name in there)
        (row,) = self._api.rows(f"SELECT {selected} FROM PermissionSet WHERE Id = {quoted(parent)}")  # noqa: S608  # quoted
        return {name: bool(row[f"Permissions{name}"]) for name in there}

    def _missing_assignment(self) -> list[SetupStep]:
        if not self._worker:
            return []
        soql = (
            "SELECT Id FROM PermissionSetAssignment "  # noqa: S608  # quoted
            f"WHERE PermissionSet.Name = {quoted(WORKER.name)} AND Assignee.Username = {quoted(self._worker)}"
        )
        return [] if self._api.rows(soql) else [SetupStep("assignment", WORKER.name, f"to {self._worker}")]

    def _permission_set(self, permissions: PermissionSet) -> str | None:
        soql = f"SELECT Id FROM PermissionSet WHERE Name = {quoted(permissions.name)}"  # noqa: S608  # quoted
        rows = self._api.rows(soql)
        return rows[0]["Id"] if rows else None

    def _lacking(
        self, permissions: PermissionSet, fields: Sequence[CustomField], parent: str
    ) -> list[CustomField]:
        """The fields that a permission set does not show, or not as it should."""
        soql = f"SELECT Field, PermissionsEdit FROM FieldPermissions WHERE ParentId = {quoted(parent)}"  # noqa: S608  # the id is quoted
        granted = {row["Field"]: bool(row["PermissionsEdit"]) for row in self._api.rows(soql)}
        return [
            field
            for field in fields
            if granted.get(field.permission_name) != (permissions.edits and field.editable)
        ]

    # Making.

    def ensure(self, steps: Sequence[SetupStep]) -> list[SetupStep]:
        """Make each of these; what exists counts as done. Raises `ConfigProblem` on the first refusal."""
        return [self._made(step) for step in steps]

    def _made(self, step: SetupStep) -> SetupStep:
        make = {
            "field": self._make_field,
            "permission set": self._make_permission_set,
            "permissions": self._grant,
            "object permission": self._let_read,
            "user permission": self._switch_on,
            "assignment": self._assign,
        }[step.kind]
        try:
            make(step.name)
        except RecordRefused as error:
            if error.code not in _EXISTS:
                raise self._refused(step, error) from None
        return replace(step, done=True)

    @staticmethod
    def _refused(step: SetupStep, error: RecordRefused) -> ConfigProblem:
        return ConfigProblem(
            Problem(
                f"could not be made: {error}",
                where=f"{step.kind} {step.name}",
                fix="use an administrator's credentials, or deploy `foretag setup --print DIR`",
            )
        )

    def _make_field(self, full_name: str) -> None:
        field = _field(full_name)
        if field.output.group == "tasks":
            try:
                self._declare(field, external_id=True)
            except RecordRefused as error:
                # Not every org lets a field of activities be an external id.
                if error.code in _EXISTS:
                    raise
            else:
                return
        self._declare(field, external_id=False)

    def _declare(self, field: CustomField, *, external_id: bool) -> None:
        body = {"FullName": field.full_name, "Metadata": field.metadata(external_id=external_id)}
        self._api.call("POST", "tooling/sobjects/CustomField", json=body, idempotent=True, kind="setup")

    def _make_permission_set(self, name: str) -> None:
        permissions = _permissions(name)
        body = {"Name": name, "Label": permissions.label, "Description": permissions.description}
        flags = {f"Permissions{right}": True for right in permissions.user_permissions}
        self._api.call("POST", "sobjects/PermissionSet", json=body | flags, idempotent=True, kind="setup")

    def _grant(self, name: str) -> None:
        permissions = _permissions(name)
        parent = self._there(name)
        self._grant_objects(parent, dict.fromkeys(permissions.objects, OBJECT_RIGHTS))
        there = self._existing_fields()
        fields = [field for field in custom_fields("full") if field.full_name in there]
        self._grant_fields(permissions, self._lacking(permissions, fields, parent), parent)

    def _let_read(self, name: str) -> None:
        """Reading of one object and of those of its fields that field-level security may hide."""
        set_name, _, sf_object = name.partition(".")
        parent = self._there(set_name)
        self._grant_objects(parent, {sf_object: reading_rights(sf_object)})
        fields = [field for one in READINGS.values() if sf_object in one.objects for field in one.fields]
        held = self._granted_fields(parent, fields)
        self._insert(
            "FieldPermissions",
            [_field_row(parent, field, edit=False) for field in fields if field not in held],
        )

    def _switch_on(self, name: str) -> None:
        set_name, _, permission = name.partition(".")
        path = f"sobjects/PermissionSet/{self._there(set_name)}"
        self._api.call("PATCH", path, json={f"Permissions{permission}": True}, idempotent=True, kind="setup")

    def _there(self, name: str) -> str:
        """The id of a permission set. Raises `RecordRefused` if it is not there."""
        parent = self._permission_set(_permissions(name))
        if parent is None:
            raise RecordRefused(f"there is no permission set {name}", code="NOT_FOUND")
        return parent

    def _granted_objects(self, parent: str, names: Collection[str]) -> set[str]:
        if not names:
            return set()
        condition = f"ParentId = {quoted(parent)} AND {one_of('SobjectType', names)}"
        rows = self._api.rows(f"SELECT SobjectType FROM ObjectPermissions WHERE {condition}")  # noqa: S608  # quoted
        return {row["SobjectType"] for row in rows}

    def _granted_fields(self, parent: str, names: Collection[str]) -> set[str]:
        if not names:
            return set()
        condition = f"ParentId = {quoted(parent)} AND {one_of('Field', names)}"
        rows = self._api.rows(f"SELECT Field FROM FieldPermissions WHERE {condition}")  # noqa: S608  # quoted
        return {row["Field"] for row in rows}

    def _grant_objects(self, parent: str, wanted: Mapping[str, Mapping[str, bool]]) -> None:
        held = self._granted_objects(parent, wanted)
        rows = [
            {"ParentId": parent, "SobjectType": name}
            | {f"Permissions{right}": value for right, value in rights.items()}
            for name, rights in wanted.items()
            if name not in held
        ]
        self._insert("ObjectPermissions", rows)

    def _grant_fields(self, permissions: PermissionSet, fields: Sequence[CustomField], parent: str) -> None:
        """Grant what is lacking; a grant that says something else is replaced."""
        names = [field.permission_name for field in fields]
        if not names:
            return
        condition = f"ParentId = {quoted(parent)} AND {one_of('Field', names)}"
        wrong = self._api.rows(f"SELECT Id FROM FieldPermissions WHERE {condition}")  # noqa: S608  # quoted
        if wrong:
            self._collections.delete([row["Id"] for row in wrong])
        self._insert(
            "FieldPermissions",
            [
                _field_row(parent, field.permission_name, edit=permissions.edits and field.editable)
                for field in fields
            ],
        )

    def _assign(self, name: str) -> None:
        users = self._api.rows(f"SELECT Id FROM User WHERE Username = {quoted(self._worker)}")  # noqa: S608  # quoted
        if not users:
            raise RecordRefused(f"there is no user {self._worker}", code="NOT_FOUND")
        parent = self._permission_set(_permissions(name))
        self._insert("PermissionSetAssignment", [{"PermissionSetId": parent, "AssigneeId": users[0]["Id"]}])

    def _insert(self, sf_object: str, rows: Sequence[dict[str, Any]]) -> None:
        for outcome in self._collections.insert(sf_object, rows) if rows else []:
            if outcome.status != "done" and outcome.code not in _EXISTS:
                raise RecordRefused(f"{sf_object}: {outcome.code} {outcome.message}", code=outcome.code)


def _field_row(parent: str, name: str, *, edit: bool) -> dict[str, Any]:
    return {
        "ParentId": parent,
        "SobjectType": name.partition(".")[0],
        "Field": name,
        "PermissionsRead": True,
        "PermissionsEdit": edit,
    }


def _field(full_name: str) -> CustomField:
    return next(field for field in custom_fields("full") if field.full_name == full_name)


def _permissions(name: str) -> PermissionSet:
    return next(permissions for permissions in PERMISSION_SETS if permissions.name == name)
