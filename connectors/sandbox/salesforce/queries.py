"""A SOQL tree as one SQL statement per level, with what is needed to give its rows their wire form."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.conditions import Conditions, Left
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.frames import NAME_OBJECT, Frame, Frames, Resolved
from connectors.sandbox.salesforce.operands import AGGREGATES, Operands, is_aggregate
from connectors.sandbox.salesforce.schema import COMPOUND_TYPES, TEXT_TYPES, Field, ObjectType
from connectors.sandbox.salesforce.soql import (
    AllFields,
    Call,
    Order,
    Path,
    Query,
    Selected,
    TypeOf,
    malformed,
)

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.frames import Context

MAX_OFFSET = 2000
_WSDL = "Please reference your WSDL or the describe call for the appropriate names."
_SCOPES = frozenset(
    {"everything", "mine", "team", "delegated", "mine_and_my_groups", "my_territory", "my_team_territory"}
)


@dataclass(frozen=True, slots=True)
class Output:
    """One selected column. `column` is its name in the result; a compound field has `parts` instead.

    `choices` belongs to TYPEOF: what to show for each object, by name ("" for all others).
    """

    names: tuple[str, ...]
    type: str
    column: str = ""
    aggregate: bool = False
    field: Field | None = None
    parts: tuple[tuple[str, str], ...] = ()
    choices: dict[str, tuple[Output, ...]] | None = None

    @property
    def header(self) -> str:
        """The column's title in CSV."""
        return ".".join(self.names)


@dataclass(slots=True)
class Plan:
    """A compiled query. `parents` maps the way to each selected parent to its id column and object."""

    found: ObjectType
    sql: str = ""
    outputs: list[Output] = field(default_factory=list)
    parents: dict[tuple[str, ...], tuple[str, ObjectType]] = field(default_factory=dict)
    children: list[tuple[str, Plan]] = field(default_factory=list)
    grouped: bool = False
    bare_count: bool = False
    parent_column: str = ""


class Planner:
    """Compiles one query; subqueries get planners of their own in the same context."""

    def __init__(self, context: Context, query: Query, parent: ObjectType | None = None) -> None:
        self._context, self._query = context, query
        self._way: Field | None = None
        found = self._object() if parent is None else self._child(parent)
        self._frames = Frames(context, found, query.alias)
        self._plan = Plan(found)
        self._columns: dict[str, str] = {}
        self._operands = Operands(self._frames)
        self._conditions = Conditions(context, self._operands.left, self._subquery)
        self._groups: dict[str, str] = {}

    @property
    def relationship(self) -> str:
        """For a child query: what the parent calls these records."""
        return (self._way.children if self._way else None) or ""

    def plan(self) -> Plan:
        """The compiled query."""
        self._check()
        query = self._query
        grouped = bool(query.group) or any(
            isinstance(item, Selected) and is_aggregate(item.what) for item in query.select
        )
        self._plan.grouped = grouped
        self._group()
        for item in query.select:
            self._select(item)
        if not grouped:
            self._keep_ids()
        self._plan.sql = self._statement()
        return self._plan

    def inner(self, left: Left) -> str:
        """The compiled query as the right side of IN."""
        if len(self._query.select) != 1 or not isinstance(self._query.select[0], Selected):
            raise malformed("semi join sub-selects must select exactly one field")
        selected = self._query.select[0].what
        if left.kind in {"id", "reference"} and isinstance(selected, Path):
            kind = self._frames.resolve(selected).field.type
            if kind not in {"id", "reference"}:
                raise malformed(
                    f"The inner select field '{selected}' cannot have a different type than the outer "
                    f"field: '{left.name}'"
                )
        self._select(self._query.select[0])
        return self._statement(only=self._plan.outputs[0].column)

    # The object.

    def _object(self) -> ObjectType:
        name = self._query.object_name
        found = self._context.schema.find(name)
        if found is None or not self._context.access.may(self._context.user, found, "Read"):
            raise self._context.error(
                name.start_pos or 0,
                f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to "
                f"append the '__c' after the entity name. {_WSDL}",
                "INVALID_TYPE",
            )
        return found

    def _child(self, parent: ObjectType) -> ObjectType:
        name = self._query.object_name
        for one in self._context.schema.children(parent.name):
            child = self._context.schema.objects[one.object_name]
            if (
                one.name
                and one.name.lower() == name.lower()
                and self._context.access.may(self._context.user, child, "Read")
            ):
                self._way = one.field
                return child
        raise self._context.error(
            name.start_pos or 0,
            f"Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a "
            f"custom relationship, be sure to append the '__r' after the custom relationship name. {_WSDL}",
            "INVALID_TYPE",
        )

    def _check(self) -> None:
        query = self._query
        if query.all_rows:
            raise malformed("ALL ROWS not allowed in this context")
        if query.scope and query.scope.lower() not in _SCOPES:
            raise malformed(f"Invalid scope: {query.scope}")
        if query.offset is not None and query.offset > MAX_OFFSET:
            raise SalesforceError(
                "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            )
        if self._context.bulk:
            self._check_bulk()

    def _check_bulk(self) -> None:
        query = self._query
        aggregates = any(
            isinstance(item, Selected) and isinstance(item.what, Call) and item.what.name in AGGREGATES
            for item in query.select
        )
        for refused, what in (
            (query.group or aggregates, "Aggregate Relationships not supported in Bulk Query"),
            (query.offset is not None, "OFFSET clause not supported in Bulk Query"),
            (any(isinstance(item, TypeOf) for item in query.select), "TYPEOF not supported in Bulk Query"),
            (
                any(isinstance(item, Query) for item in query.select),
                "Nested queries not supported in Bulk Query",
            ),
        ):
            if refused:
                raise SalesforceError("FUNCTIONALITY_NOT_ENABLED", what)

    # SELECT.

    def _column(self, sql: str) -> str:
        """The result column that carries this SQL value."""
        return self._columns.setdefault(sql, f"c{len(self._columns)}")

    def _select(self, item: object) -> None:
        if isinstance(item, Selected):
            self._select_one(item)
        elif isinstance(item, AllFields):
            self._select_all(item)
        elif isinstance(item, TypeOf):
            self._select_typed(item)
        elif isinstance(item, Query):
            child = Planner(self._context, item, self._plan.found)
            self._plan.children.append((child.relationship, child.plan()))

    def _select_one(self, item: Selected) -> None:
        if isinstance(item.what, Call):
            self._select_call(item.what, item.alias)
            return
        found = self._frames.resolve(item.what)
        if item.alias and not self._plan.grouped:
            raise malformed("only aggregate expressions use field aliasing")
        if self._plan.grouped and found.sql not in self._groups:
            raise malformed(f"Field must be grouped or aggregated: {item.what}")
        output = self._output(found)
        if self._plan.grouped:
            output = replace(output, names=(item.alias or found.field.name,))
        if any(one.names == output.names for one in self._plan.outputs):
            raise malformed(f"duplicate field selected: {item.what}")
        self._plan.outputs.append(output)

    def _output(self, found: Resolved) -> Output:
        one = found.field
        if one.type not in COMPOUND_TYPES:
            return Output(found.names, one.type, self._column(found.sql), field=one)
        if self._context.bulk:
            raise SalesforceError(
                "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query"
            )
        parts = tuple(
            (_part_name(part.name, one.name), self._column(found.frame.column(part.name)))
            for part in found.frame.found.fields.values()
            if part.compound == one.name
        )
        return Output(found.names, one.type, field=one, parts=parts)

    def _select_call(self, call: Call, alias: str | None) -> None:
        if call.name == "COUNT" and call.argument is None:
            if len(self._query.select) > 1 or self._query.group:
                raise malformed("Grouped query cannot use COUNT(); use COUNT(Id)")
            self._plan.bare_count = True
            return
        left = self._operands.left(call)
        automatic = f"expr{sum(1 for one in self._plan.outputs if one.names[0].startswith('expr'))}"
        name = alias or (_call_name(call) if call.name in {"TOLABEL", "FORMAT"} else automatic)
        aggregate = call.name in AGGREGATES
        if not aggregate and not self._plan.grouped and call.name not in {"TOLABEL", "FORMAT"}:
            raise malformed(f"date function {call.name} must be used in a GROUP BY clause or a filter")
        if self._plan.grouped and not aggregate and left.sql not in self._groups:
            raise malformed(f"Field must be grouped or aggregated: {_text(call)}")
        self._plan.outputs.append(Output((name,), left.kind, self._column(left.sql), aggregate=True))

    def _select_all(self, item: AllFields) -> None:
        wanted = {"ALL": (True, False), "STANDARD": (False,), "CUSTOM": (True,)}.get(item.kind)
        if wanted is None:
            raise malformed("The SOQL FIELDS function must specify ALL, STANDARD or CUSTOM")
        if item.kind != "STANDARD" and (self._query.limit is None or self._query.limit > 200):
            raise malformed("The SOQL FIELDS function must have a LIMIT of at most 200")
        named = {one.names for one in self._plan.outputs}
        for one in self._context.access.visible(self._context.user, self._plan.found).values():
            if one.custom in wanted and (one.name,) not in named:
                if self._context.bulk and one.type in COMPOUND_TYPES:
                    continue
                self._plan.outputs.append(self._output(Resolved(one, self._frames.root)))

    def _select_typed(self, item: TypeOf) -> None:
        way = self._plan.found.relation(item.path.names[-1])
        if way is None or len(item.path.names) > 1:
            self._frames.frame(item.path.names, item.path)
            raise malformed(f"TYPEOF is only allowed on a polymorphic relationship: {item.path}")
        root = self._frames.root
        choices: dict[str, tuple[Output, ...]] = {}
        for name, paths in item.branches:
            target = self._context.schema.find(name)
            if target is None or target.name not in way.reference_to:
                raise self._context.error(
                    name.start_pos or 0, f"sObject type '{name}' is not supported.", "INVALID_TYPE"
                )
            frame = self._frames.typed_parent(root, way, target.name)
            choices[target.name] = tuple(self._typed_output(frame, path) for path in paths)
        if item.otherwise:
            generic = self._frames.frame((way.relationship or "",), item.path)
            choices[""] = tuple(self._typed_output(generic, path) for path in item.otherwise)
        key = self._column(root.column(way.name))
        self._plan.outputs.append(Output((way.relationship or "",), "typeof", key, choices=choices))

    def _typed_output(self, frame: Frame, path: Path) -> Output:
        one = frame.found.find(path.names[-1])
        if (
            one is None
            or len(path.names) > 1
            or not (
                frame.found is NAME_OBJECT or self._context.access.sees(self._context.user, frame.found, one)
            )
        ):
            raise self._context.error(path.at, f"No such column '{path}' on entity '{frame.found.name}'.")
        return replace(self._output(Resolved(one, frame)), names=(one.name,))

    def _keep_ids(self) -> None:
        """Rows and parents carry their URL, and children must find their parents: keep the ids."""
        if "Id" in self._plan.found.fields:
            self._plan.parents[()] = (self._column(self._frames.root.column("Id")), self._plan.found)
        selected = {
            output.names[:length] for output in self._plan.outputs for length in range(1, len(output.names))
        }
        for frame in self._frames.parents():
            if frame.names in selected:
                self._plan.parents[frame.names] = (self._column(frame.column("Id")), frame.found)

    def _subquery(self, query: Query, left: Left) -> str:
        return Planner(self._context, query).inner(left)

    # The clauses.

    def _group(self) -> None:
        for operand in self._query.group:
            left = self._operands.left(operand)
            if isinstance(operand, Path) and not self._frames.resolve(operand).field.groupable:
                raise self._context.error(
                    operand.at, f"field '{left.name}' can not be grouped in a query call"
                )
            self._groups[left.sql] = left.sql

    def _statement(self, only: str | None = None) -> str:
        query = self._query
        where = self._where()
        having = f" HAVING {self._conditions.sql(query.having)}" if query.having is not None else ""
        order = self._order()
        if self._way is not None:
            parent = self._plan.parent_column = self._column(self._frames.root.column(self._way.name))
            where.append(f"{self._frames.root.column(self._way.name)} IN (SELECT id FROM parent_ids)")
        columns = ", ".join(f"{sql} AS {name}" for sql, name in self._columns.items()) or "count(*) AS c0"
        if only:
            columns = next(f"{sql} AS {name}" for sql, name in self._columns.items() if name == only)
        cut = self._cut()
        if self._way is not None and cut:
            # LIMIT and OFFSET of a child query count for each parent.
            columns += f", row_number() OVER (PARTITION BY {self._sql_of(parent)} {order}) AS place"
        group = f" GROUP BY {', '.join(self._groups)}" if self._groups else ""
        filters = f" WHERE {' AND '.join(where)}" if where else ""
        body = f"{self._frames.sql()}{filters}{group}{having}"
        if self._plan.bare_count:
            return f"SELECT count(*) AS c0 FROM (SELECT 1 {body}{cut})"
        if self._way is not None and cut:
            first = (query.offset or 0) + 1
            last = f" AND place < {first + query.limit}" if query.limit is not None else ""
            return f"SELECT * FROM (SELECT {columns} {body}) WHERE place >= {first}{last} ORDER BY place"
        return f"SELECT {columns} {body} {order}{cut}"

    def _sql_of(self, column: str) -> str:
        return next(sql for sql, name in self._columns.items() if name == column)

    def _cut(self) -> str:
        limit = "" if self._query.limit is None else f" LIMIT {self._query.limit}"
        return limit + (f" OFFSET {self._query.offset}" if self._query.offset else "")

    def _where(self) -> list[str]:
        root, query = self._frames.root, self._query
        tests = []
        if not self._context.include_deleted:
            tests += [
                f"NOT {root.column(name)}"
                for name in ("IsDeleted", "IsArchived")
                if name in root.found.fields
            ]
        if query.scope and query.scope.lower() == "mine" and "OwnerId" in root.found.fields:
            tests.append(f"{root.column('OwnerId')} = {self._context.parameter(self._context.user.id)}")
        if query.where is not None:
            tests.append(self._conditions.sql(query.where))
        return tests

    def _order(self) -> str:
        keys = [self._order_key(order) for order in self._query.order]
        # Ties in a fixed order, so that pages of equal queries fit together.
        if keys and not self._plan.grouped and "Id" in self._plan.found.fields:
            keys.append(self._frames.root.column("Id"))
        return "ORDER BY " + ", ".join(keys) if keys else ""

    def _order_key(self, order: Order) -> str:
        left = self._operands.left(order.operand)
        if isinstance(order.operand, Path):
            one = self._frames.resolve(order.operand).field
            if not one.sortable:
                raise self._context.error(
                    order.operand.at, f"field '{one.name}' can not be sorted in a query call"
                )
            if self._plan.grouped and left.sql not in self._groups:
                raise malformed(f"Ordered field must be grouped or aggregated: {order.operand}")
        folded = left.kind in TEXT_TYPES and left.kind not in {"id", "reference"}
        sql = f"lower({left.sql})" if folded and not self._plan.grouped else left.sql
        return (
            f"{sql} {'DESC' if order.descending else 'ASC'} NULLS {'LAST' if order.nulls_last else 'FIRST'}"
        )


def _call_name(call: Call) -> str:
    return str(call.argument) if isinstance(call.argument, Path) else call.name


def _text(call: Call) -> str:
    inner = _text(call.argument) if isinstance(call.argument, Call) else str(call.argument)
    return f"{call.name}({inner})"


def _part_name(part: str, compound: str) -> str:
    """`BillingCity` of `BillingAddress` is called `city` inside the compound value."""
    bare = part.removeprefix(compound.removesuffix("Address"))
    return bare[:1].lower() + bare[1:]
