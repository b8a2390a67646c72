"""The org's schema: objects and their fields, with every property that describe, SOQL and saves go by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXT_TYPES = frozenset(
    {
        "id",
        "reference",
        "string",
        "picklist",
        "multipicklist",
        "textarea",
        "phone",
        "url",
        "email",
        "combobox",
        "encryptedstring",
        "anyType",
    }
)
NUMBER_TYPES = frozenset({"int", "long", "double", "currency", "percent"})
COMPOUND_TYPES = frozenset({"address", "location"})


@dataclass(frozen=True, slots=True)
class PicklistValue:
    """One choice of a picklist."""

    value: str
    label: str = ""
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `derived` ones are kept by the org itself; `formula` ones are computed at every read."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    custom: bool = False
    default: Any = None
    picklist: tuple[PicklistValue, ...] = ()
    restricted: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    cascade_delete: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    name_field: bool = False
    compound: str | None = None
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    aggregatable: bool = True
    html: bool = False
    formula: str | None = None
    blank_as_zero: bool = False
    help: str | None = None
    description: str | None = None

    @property
    def calculated(self) -> bool:
        """Whether the value is computed at read."""
        return self.formula is not None

    @property
    def sql_type(self) -> str | None:
        """The DuckDB type of the column; compound fields have none."""
        if self.type in TEXT_TYPES:
            return "VARCHAR"
        if self.type in {"double", "currency", "percent"}:
            return "DOUBLE" if self.scale > 8 else f"DECIMAL(18,{self.scale})"
        return {
            "boolean": "BOOLEAN",
            "int": "BIGINT",
            "long": "BIGINT",
            "date": "DATE",
            "datetime": "TIMESTAMP",
            "time": "TIME",
        }.get(self.type)

    @property
    def polymorphic(self) -> bool:
        """Whether it may point at records of several objects."""
        return len(self.reference_to) > 1


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object. `access` names the object whose permissions govern it (None: every user may read it).

    `permission` is the user permission without which nobody but an admin sees it.
    """

    name: str
    label: str
    plural: str
    prefix: str | None
    fields: dict[str, Field] = field(hash=False)
    access: str | None = None
    permission: str | None = None
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    undeletable: bool = False
    mergeable: bool = False
    replicateable: bool = True
    layoutable: bool = True
    searchable: bool = True
    setup: bool = False
    bulk: bool = True
    record_types: bool = False

    def find(self, name: str) -> Field | None:
        """The field of this name in any letter case."""
        exact = self.fields.get(name)
        if exact is not None:
            return exact
        lowered = name.lower()
        return next((found for key, found in self.fields.items() if key.lower() == lowered), None)

    def relation(self, name: str) -> Field | None:
        """The reference field whose parent is reached by this relationship name."""
        lowered = name.lower()
        return next(
            (one for one in self.fields.values() if one.relationship and one.relationship.lower() == lowered),
            None,
        )

    def stored(self) -> Iterator[Field]:
        """Fields that have a column of their own."""
        return (one for one in self.fields.values() if one.sql_type is not None and not one.calculated)


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """Records of `object_name` point with `field` at the parent; SOQL calls them by `name`."""

    name: str | None
    object_name: str
    field: Field


class Schema:
    """All objects by name, in any letter case."""

    def __init__(self, objects: Iterable[ObjectType]) -> None:
        self.objects = {one.name: one for one in objects}
        self.version = 0

    def find(self, name: str) -> ObjectType | None:
        """The object of this name in any letter case."""
        exact = self.objects.get(name)
        if exact is not None:
            return exact
        lowered = name.lower()
        return next((one for key, one in self.objects.items() if key.lower() == lowered), None)

    def by_prefix(self, record_id: str) -> ObjectType | None:
        """The object whose key prefix a record id begins with."""
        return next(
            (one for one in self.objects.values() if one.prefix and record_id.startswith(one.prefix)), None
        )

    def children(self, parent: str) -> list[ChildRelationship]:
        """Every relationship that ends at the parent object."""
        return [
            ChildRelationship(one.children, child.name, one)
            for child in self.objects.values()
            for one in child.fields.values()
            if parent in one.reference_to
        ]

    def put_field(self, object_name: str, new: Field) -> None:
        """Add a field to an object, or replace it."""
        found = self.objects[object_name]
        self.objects[object_name] = replace(found, fields={**found.fields, new.name: new})
        self.version += 1

    def drop_field(self, object_name: str, name: str) -> None:
        """Take a field away."""
        found = self.objects[object_name]
        kept = {key: one for key, one in found.fields.items() if key != name}
        self.objects[object_name] = replace(found, fields=kept)
        self.version += 1

    def put_object(self, new: ObjectType) -> None:
        """Add an object."""
        self.objects[new.name] = new
        self.version += 1
