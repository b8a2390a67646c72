"""Where a query's fields come from: the object asked for, and the parents it reaches, as joins."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.objects import flag, lookup, text
from connectors.sandbox.salesforce.schema import Field, ObjectType
from connectors.sandbox.salesforce.soql import Path, pointed
from connectors.sandbox.salesforce.store import quoted

if TYPE_CHECKING:
    from datetime import date

    from connectors.sandbox.salesforce.access import Access
    from connectors.sandbox.salesforce.errors import SalesforceError
    from connectors.sandbox.salesforce.org import User
    from connectors.sandbox.salesforce.schema import Schema
    from connectors.sandbox.salesforce.store import Store

_WSDL = "Please reference your WSDL or the describe call for the appropriate names."
MAX_LEVELS = 5

# What SOQL sees behind a polymorphic reference such as What.Name or Owner.Name.
NAME_OBJECT = ObjectType(
    "Name",
    "Name",
    "Names",
    None,
    {
        one.name: one
        for one in (
            Field("Id", "ID", "id", 18, nillable=False),
            text("Name", "Name"),
            text("Type", "Type"),
            text("FirstName", "First Name"),
            text("LastName", "Last Name"),
            text("Email", "Email", type="email"),
            text("Phone", "Phone", type="phone"),
            text("Title", "Title"),
            text("Username", "Username"),
            text("Alias", "Alias"),
            flag("IsActive", "Active"),
            lookup("ProfileId", "Profile ID", "Profile", relationship="Profile"),
            lookup("UserRoleId", "Role ID", "UserRole", relationship="UserRole"),
        )
    },
)


@dataclass(slots=True)
class Context:
    """What all parts of one query share."""

    soql: str
    schema: Schema
    store: Store
    access: Access
    user: User
    today: date
    include_deleted: bool = False
    bulk: bool = False
    parameters: dict[str, object] = field(default_factory=dict)
    aliases: int = 0

    def parameter(self, value: object) -> str:
        """A value as a named parameter of the statement."""
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    def alias(self) -> str:
        """A new table alias."""
        self.aliases += 1
        return f"a{self.aliases}"

    def error(self, at: int, message: str, code: str = "INVALID_FIELD") -> SalesforceError:
        """An error that points into the text."""
        return pointed(self.soql, at, message, code)


@dataclass(slots=True)
class Frame:
    """One table of the FROM clause. `names` is the way to it from the object asked for."""

    found: ObjectType
    alias: str
    names: tuple[str, ...] = ()
    key: str = ""
    targets: tuple[str, ...] = ()
    needed: dict[str, None] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """SQL for one field of this table."""
        self.needed[name] = None
        return f"{self.alias}.{quoted(name)}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path that was found: the field, its table, and the names as the schema spells them."""

    field: Field
    frame: Frame

    @property
    def names(self) -> tuple[str, ...]:
        """The way and the field's own name."""
        return (*self.frame.names, self.field.name)

    @property
    def sql(self) -> str:
        """The value."""
        return self.frame.column(self.field.name)


class Frames:
    """The tables of one query (not of its subqueries)."""

    def __init__(self, context: Context, found: ObjectType, alias: str | None) -> None:
        self.context = context
        self.root = Frame(found, context.alias())
        self._own_names = {found.name.lower()} | ({alias.lower()} if alias else set())
        self._parents: dict[tuple[str, ...], Frame] = {}

    def resolve(self, path: Path) -> Resolved:
        """The field behind a path. A field or parent the user may not see looks exactly like a missing one."""
        names = path.names
        if (
            len(names) > 1
            and names[0].lower() in self._own_names
            and self.root.found.relation(names[0]) is None
        ):
            names = names[1:]
        frame = self.frame(names[:-1], path)
        one = frame.found.find(names[-1])
        if one is None or (frame.found is not NAME_OBJECT and not self._sees(frame, one)):
            raise self.context.error(
                path.at,
                f"No such column '{names[-1]}' on entity '{frame.found.name}'. If you are attempting to use a custom "
                f"field, be sure to append the '__c' after the custom field name. {_WSDL}",
            )
        return Resolved(one, frame)

    def frame(self, names: tuple[str, ...], path: Path) -> Frame:
        """The table at the end of a way over parents."""
        if len(names) > MAX_LEVELS:
            raise self.context.error(
                path.at,
                f"SOQL relationship path '{path}' is too long: at most {MAX_LEVELS} levels.",
                "MALFORMED_QUERY",
            )
        frame = self.root
        for name in names:
            frame = self._parent(frame, name, path)
        return frame

    def _parent(self, frame: Frame, name: str, path: Path) -> Frame:
        way = frame.found.relation(name)
        readable = way is not None and (way.polymorphic or self._may_read(way.reference_to[0]))
        if way is None or not readable or not self._sees(frame, way):
            raise self.context.error(
                path.at,
                f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
                f"relationship, be sure to append the '__r' after the custom relationship name. {_WSDL}",
            )
        names = (*frame.names, way.relationship or name)
        if names not in self._parents:
            target = NAME_OBJECT if way.polymorphic else self.context.schema.objects[way.reference_to[0]]
            self._parents[names] = Frame(
                target,
                self.context.alias(),
                names,
                frame.column(way.name),
                way.reference_to if way.polymorphic else (),
            )
        return self._parents[names]

    def typed_parent(self, frame: Frame, way: Field, object_name: str) -> Frame:
        """For TYPEOF: the parent as one of the objects it may be."""
        names = (*frame.names, way.relationship or "", f":{object_name}")
        if names not in self._parents:
            target = self.context.schema.objects[object_name]
            self._parents[names] = Frame(target, self.context.alias(), names, frame.column(way.name))
        return self._parents[names]

    def parents(self) -> list[Frame]:
        """Every parent table that the query reaches, nearest first."""
        return list(self._parents.values())

    def sql(self) -> str:
        """The FROM clause. To be asked last, when all needed columns are known."""
        joins = [
            f'LEFT JOIN {self._source(one)} {one.alias} ON {one.alias}."Id" = {one.key}'
            for one in self._ordered()
        ]
        return " ".join([f"FROM {self._source(self.root)} {self.root.alias}", *joins])

    def _ordered(self) -> list[Frame]:
        for one in self._parents.values():
            one.column("Id")
        return list(self._parents.values())

    def _source(self, frame: Frame) -> str:
        if frame.found is NAME_OBJECT:
            return "(" + " UNION ALL ".join(self._named(frame, target) for target in frame.targets) + ")"
        names = list(frame.needed) or ["Id"]
        return self.context.store.source(frame.found, names)

    def _named(self, frame: Frame, target: str) -> str:
        """One object as the Name pseudo-object."""
        found, store = self.context.schema.objects[target], self.context.store
        parts = []
        for name in frame.needed:
            one = (
                next((field for field in found.fields.values() if field.name_field), None)
                if name == "Name"
                else found.find(name)
            )
            kind = NAME_OBJECT.fields[name].sql_type
            known = f"'{target}'" if name == "Type" else store.expression(found, one) if one else "NULL"
            parts.append(f"CAST({known} AS {kind}) AS {quoted(name)}")
        return f"SELECT {', '.join(parts)} FROM {quoted(target)} t"

    def _sees(self, frame: Frame, one: Field) -> bool:
        return frame.found is NAME_OBJECT or self.context.access.sees(self.context.user, frame.found, one)

    def _may_read(self, object_name: str) -> bool:
        found = self.context.schema.objects[object_name]
        return self.context.access.may(self.context.user, found, "Read")
