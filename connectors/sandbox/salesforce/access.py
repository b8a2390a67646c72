"""Who may see and change what: object rights and field-level security from permission sets, per user."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Faults, User
    from connectors.sandbox.salesforce.schema import Field, ObjectType, Schema
    from connectors.sandbox.salesforce.store import Store

RIGHTS = ("Create", "Read", "Edit", "Delete")

_SETS = """
    SELECT "PermissionSetId" AS id FROM "PermissionSetAssignment" WHERE "AssigneeId" = $user
    UNION SELECT p."Id" FROM "PermissionSet" p JOIN "User" u ON u."ProfileId" = p."ProfileId" WHERE u."Id" = $user
"""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a user's permission sets add up to.

    Attributes: user permissions, (object, right) pairs, and custom fields by `Object.Field`.
    """

    permissions: frozenset[str]
    objects: frozenset[tuple[str, str]]
    readable: frozenset[str]
    editable: frozenset[str]


class Access:
    """Answers questions about one user's rights; remembers the answers until permissions change."""

    def __init__(self, schema: Schema, store: Store, faults: Faults | None) -> None:
        self._schema, self._store, self._faults = schema, store, faults
        self._grants: dict[str, Grants] = {}

    def forget(self) -> None:
        """Permissions changed: work everything out again."""
        self._grants.clear()

    def grants(self, user: User) -> Grants:
        """The sum of the user's permission sets, the profile's own included."""
        if user.id not in self._grants:
            self._grants[user.id] = self._collect(user)
        return self._grants[user.id]

    def _collect(self, user: User) -> Grants:
        key = {"user": user.id}
        flags = ", ".join(f'"Permissions{right}"' for right in RIGHTS)
        objects = self._store.read(
            f'SELECT "SobjectType", {flags} FROM "ObjectPermissions" WHERE "ParentId" IN ({_SETS})',
            key,
        ).to_pylist()
        fields = self._store.read(
            f'SELECT "Field", "PermissionsEdit" FROM "FieldPermissions" WHERE "ParentId" IN ({_SETS})'
            ' AND ("PermissionsRead" OR "PermissionsEdit")',
            key,
        ).to_pylist()
        return Grants(
            self._permissions(key),
            frozenset(
                (row["SobjectType"], right)
                for row in objects
                for right in RIGHTS
                if row[f"Permissions{right}"]
            ),
            frozenset(row["Field"] for row in fields),
            frozenset(row["Field"] for row in fields if row["PermissionsEdit"]),
        )

    def _permissions(self, key: dict[str, str]) -> frozenset[str]:
        names = sorted(
            name for name in self._store.columns["PermissionSet"] if name.startswith("Permissions")
        )
        sums = ", ".join(f'coalesce(bool_or("{name}"), FALSE) AS "{name}"' for name in names)
        (row,) = self._store.read(
            f'SELECT {sums} FROM "PermissionSet" WHERE "Id" IN ({_SETS})', key
        ).to_pylist()
        return frozenset(name.removeprefix("Permissions") for name, granted in row.items() if granted)

    def may(self, user: User, found: ObjectType, right: str) -> bool:
        """Whether the user may Create, Read, Edit or Delete records of the object."""
        if found.setup and right != "Read":
            return user.is_admin
        if found.permission is not None:
            seen = found.permission in self.grants(user).permissions
            return user.is_admin or (right == "Read" and seen)
        if found.access is None:
            return right == "Read" or user.is_admin
        return user.is_admin or (found.access, right) in self.grants(user).objects

    def sees(self, user: User, found: ObjectType, one: Field) -> bool:
        """Whether the field exists as far as the user can tell; being an admin does not help."""
        if self._faults is not None and one.name in self._faults.hidden_fields(found.name):
            return False
        return not one.custom or self._key(found, one) in self.grants(user).readable

    def edits(self, user: User, found: ObjectType, one: Field) -> bool:
        """Whether field-level security lets the user write the field."""
        return not one.custom or self._key(found, one) in self.grants(user).editable

    def visible(self, user: User, found: ObjectType) -> dict[str, Field]:
        """The object's fields that exist for the user."""
        hidden = self._faults.hidden_fields(found.name) if self._faults is not None else frozenset()
        readable = self.grants(user).readable
        return {
            name: one
            for name, one in found.fields.items()
            if name not in hidden and (not one.custom or self._key(found, one) in readable)
        }

    @staticmethod
    def _key(found: ObjectType, one: Field) -> str:
        return f"{found.name}.{one.name}"
