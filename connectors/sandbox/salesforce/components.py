"""The kinds of metadata that the sandbox keeps, by their type name, and who may touch them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from connectors.sandbox.salesforce.custom_fields import CustomFields, field_id
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.permission_sets import PermissionSets

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org, User


class ComponentKind(Protocol):
    """What every kind of metadata can do, by full name. Refusals are `SalesforceError`s."""

    @property
    def type_name(self) -> str:
        """The kind's name in the metadata schema."""
        ...

    def check(self, full_name: str, metadata: dict[str, Any], pending: frozenset[str] = frozenset()) -> None:
        """Raise if the declaration cannot be saved; `pending` names come with the same request."""
        ...

    def exists(self, full_name: str) -> bool:
        """Whether there is such a component."""
        ...

    def save(self, full_name: str, metadata: dict[str, Any]) -> bool:
        """Make or change it; tells whether it is new."""
        ...

    def read(self, full_name: str) -> dict[str, Any] | None:
        """Its declaration, or None."""
        ...

    def delete(self, full_name: str) -> None:
        """Remove it."""
        ...

    def names(self) -> list[str]:
        """The full names of all that there are."""
        ...


class Components:
    """All kinds of metadata of one org."""

    def __init__(self, org: Org) -> None:
        self.org = org
        kinds: tuple[ComponentKind, ...] = (CustomFields(org), PermissionSets(org))
        self._kinds = {kind.type_name: kind for kind in kinds}

    def kind(self, type_name: str) -> ComponentKind:
        """The kind of this type name. Raises INVALID_TYPE for one that the sandbox does not keep."""
        found = self._kinds.get(type_name)
        if found is None:
            known = ", ".join(self._kinds)
            message = f"This sandbox has no metadata of type {type_name}; it keeps {known}"
            raise SalesforceError("INVALID_TYPE", message)
        return found

    def knows(self, type_name: str) -> bool:
        """Whether the sandbox keeps this kind."""
        return type_name in self._kinds

    def duplicate(self, type_name: str, full_name: str) -> tuple[str, str]:
        """(code, message) for creating what is there already."""
        if type_name == CustomFields.type_name:
            object_name, _, name = full_name.partition(".")
            return "DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name} on {object_name}."
        return "DUPLICATE_DEVELOPER_NAME", f"The name {full_name} is already used by another {type_name}."

    def demand_presence(self, kind: ComponentKind, full_name: str, wanted: bool | None) -> None:  # noqa: FBT001  # data
        """Raise if the component is there but should not be, or the other way round; None demands nothing."""
        if wanted is None or kind.exists(full_name) == wanted:
            return
        if not wanted:
            raise SalesforceError(*self.duplicate(kind.type_name, full_name))
        message = f"In field: fullName - no {kind.type_name} named {full_name} found"
        raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", message)

    def file_properties(self, type_name: str, user: User, now: str) -> list[dict[str, Any]]:
        """What `listMetadata` tells of each component of a type; nothing for a type that is not kept."""
        if type_name == "CustomObject":
            return [
                self._properties("CustomObject", one, user, now) for one in sorted(self.org.schema.objects)
            ]
        if not self.knows(type_name):
            return []
        return [self._properties(type_name, name, user, now) for name in self.kind(type_name).names()]

    def _properties(self, type_name: str, full_name: str, user: User, now: str) -> dict[str, Any]:
        return {
            "createdById": user.id,
            "createdByName": user.name,
            "createdDate": now,
            "fileName": file_name(type_name, full_name),
            "fullName": full_name,
            "id": field_id(full_name) if type_name == CustomFields.type_name else "",
            "lastModifiedById": user.id,
            "lastModifiedByName": user.name,
            "lastModifiedDate": now,
            "type": type_name,
        }


def file_name(type_name: str, full_name: str) -> str:
    """Where a component stands in a package."""
    if type_name == PermissionSets.type_name:
        return f"permissionsets/{full_name}.permissionset"
    return f"objects/{full_name.partition('.')[0]}.object"


def demand_admin(user: User) -> None:
    """Only administrators may look at or change metadata. Raises INSUFFICIENT_ACCESS."""
    if not user.is_admin:
        message = (
            "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
        )
        raise SalesforceError("INSUFFICIENT_ACCESS", message)
