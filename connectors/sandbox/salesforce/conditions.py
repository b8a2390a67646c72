"""SOQL conditions as SQL. SOQL knows only true and false: `!=` and NOT find nulls too, text ignores case."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.date_ranges import date_range
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.ids import long_id
from connectors.sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES
from connectors.sandbox.salesforce.soql import Comparison, Condition, Logic, Operand, Query, Value, malformed

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.frames import Context

_ORDERED = frozenset({"<", "<=", ">", ">="})
_WRITTEN_AS = {
    "boolean": "boolean",
    "int": "int",
    "long": "int",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "date": "date",
    "datetime": "dateTime",
}


class Left:
    """The left side of a test: SQL, describe type, and the name that messages use."""

    __slots__ = ("at", "filterable", "kind", "name", "sql")

    def __init__(self, sql: str, kind: str, name: str, at: int, *, filterable: bool = True) -> None:
        self.sql, self.kind, self.name, self.at, self.filterable = sql, kind, name, at, filterable


LeftOf = Callable[[Operand], Left]
SubqueryOf = Callable[[Query, Left], str]


class Conditions:
    """Writes the conditions of one query; the query tells what an operand and a subquery mean."""

    def __init__(self, context: Context, left_of: LeftOf, subquery_of: SubqueryOf) -> None:
        self._context, self._left_of, self._subquery_of = context, left_of, subquery_of

    def sql(self, condition: Condition, *, negated: bool = False) -> str:
        """The condition; inside a NOT, null counts as false."""
        if isinstance(condition, Logic):
            if condition.operator == "not":
                return f"(NOT {self.sql(condition.parts[0], negated=True)})"
            word = f" {condition.operator.upper()} "
            return "(" + word.join(self.sql(part, negated=negated) for part in condition.parts) + ")"
        text = self._comparison(condition)
        return f"coalesce({text}, FALSE)" if negated else text

    def _comparison(self, test: Comparison) -> str:
        left = self._left_of(test.operand)
        if not left.filterable:
            raise self._context.error(left.at, f"field '{left.name}' can not be filtered in a query call")
        if test.query is not None:
            inner = self._subquery_of(test.query, left)
            if test.operator == "in":
                return f"{left.sql} IN ({inner})"
            return f"({left.sql} IS NULL OR {left.sql} NOT IN (SELECT * FROM ({inner}) s(x) WHERE x IS NOT NULL))"
        if test.operator in {"includes", "excludes"}:
            return self._choices(left, test)
        if test.operator == "like":
            return self._like(left, test.values[0])
        if test.operator in {"in", "not in"}:
            return self._among(left, test)
        return self._compare(left, test.operator, test.values[0])

    def _compare(self, left: Left, operator: str, value: Value) -> str:
        self._check_operator(left, operator)
        if value.kind == "named_date" and left.kind in {"date", "datetime"}:
            return self._in_range(left, operator, value)
        plain = self._plain(left, value)
        if plain is None:
            if operator in _ORDERED:
                return "FALSE"
            return f"{left.sql} IS {'NOT ' if operator == '!=' else ''}NULL"
        side, other = self._sides(left, self._context.parameter(plain))
        return f"({side} IS DISTINCT FROM {other})" if operator == "!=" else f"({side} {operator} {other})"

    @staticmethod
    def _sides(left: Left, other: str) -> tuple[str, str]:
        if left.kind in TEXT_TYPES and left.kind not in {"id", "reference"}:
            return f"lower({left.sql})", f"lower({other})"
        return left.sql, other

    def _check_operator(self, left: Left, operator: str) -> None:
        if operator in _ORDERED and left.kind in {"id", "reference", "boolean"}:
            # Ids are ordered in Salesforce, and keyset paging leans on it; only booleans are not.
            if left.kind != "boolean":
                return
            raise SalesforceError(
                "INVALID_QUERY_FILTER_OPERATOR", self._message(left, "invalid operator on boolean field")
            )

    def _message(self, left: Left, message: str) -> str:
        return self._context.error(left.at, message).message

    def _in_range(self, left: Left, operator: str, value: Value) -> str:
        found = date_range(value.value, self._context.today)
        if found is None:
            raise malformed(f"unexpected token: '{value.value}'")
        bounds = [datetime.combine(day, time()) if left.kind == "datetime" else day for day in found]
        first, after = (self._context.parameter(bound) for bound in bounds)
        return {
            "=": f"({left.sql} >= {first} AND {left.sql} < {after})",
            "!=": f"NOT coalesce({left.sql} >= {first} AND {left.sql} < {after}, FALSE)",
            "<": f"({left.sql} < {first})",
            "<=": f"({left.sql} < {after})",
            ">": f"({left.sql} >= {after})",
            ">=": f"({left.sql} >= {first})",
        }[operator]

    def _like(self, left: Left, value: Value) -> str:
        if left.kind not in TEXT_TYPES or left.kind in {"id", "reference", "multipicklist"}:
            name = "id" if left.kind in {"id", "reference"} else left.kind
            raise SalesforceError(
                "INVALID_QUERY_FILTER_OPERATOR", self._message(left, f"invalid operator on {name} field")
            )
        plain = self._plain(left, value)
        if plain is None:
            return f"{left.sql} IS NULL"
        return f"({left.sql} ILIKE {self._context.parameter(plain)} ESCAPE '\\')"

    def _among(self, left: Left, test: Comparison) -> str:
        if any(value.kind == "named_date" for value in test.values) and left.kind in {"date", "datetime"}:
            parts = [
                self._compare(left, "=" if test.operator == "in" else "!=", value) for value in test.values
            ]
            return "(" + (" OR " if test.operator == "in" else " AND ").join(parts) + ")"
        plain = [self._plain(left, value) for value in test.values]
        known = [value for value in plain if value is not None]
        text = "FALSE"
        if known:
            folded = (
                [value.lower() for value in known] if left.kind in TEXT_TYPES - {"id", "reference"} else known
            )
            side, _ = self._sides(left, "")
            text = f"{side} IN (SELECT unnest({self._context.parameter(folded)}))"
        if test.operator == "in":
            return f"({text} OR {left.sql} IS NULL)" if None in plain else text
        missing = f" AND {left.sql} IS NOT NULL" if None in plain else ""
        return f"(NOT coalesce({text}, FALSE){missing})"

    def _choices(self, left: Left, test: Comparison) -> str:
        if left.kind != "multipicklist":
            raise SalesforceError(
                "INVALID_QUERY_FILTER_OPERATOR",
                self._message(
                    left, "'includes' and 'excludes' operators are only valid on multipicklist field"
                ),
            )
        held = f"string_split({left.sql}, ';')"
        parts = []
        for value in test.values:
            plain = self._plain(left, value)
            parts.append(
                f"{left.sql} IS NULL"
                if plain is None
                else f"list_has_all({held}, string_split({self._context.parameter(plain)}, ';'))"
            )
        text = "coalesce(" + " OR ".join(parts) + ", FALSE)"
        return text if test.operator == "includes" else f"(NOT {text})"

    def _plain(self, left: Left, value: Value) -> Any:
        """The literal as a value of the field's type; None stands for null."""
        if value.kind == "null" or (value.kind == "text" and value.value == "" and left.kind in TEXT_TYPES):
            return None
        if left.kind in {"id", "reference"}:
            return self._record_id(left, value)
        if value.kind == self._expected(left):
            return value.value
        raise self._context.error(left.at, self._mismatch(left, value))

    @staticmethod
    def _expected(left: Left) -> str:
        if left.kind in NUMBER_TYPES:
            return "number"
        return left.kind if left.kind in {"boolean", "date", "datetime"} else "text"

    def _mismatch(self, left: Left, value: Value) -> str:
        if value.kind == "named_date" and left.kind not in {"date", "datetime"}:
            # A bare word where a value should be is taken for an Apex variable.
            raise malformed("Bind variables only allowed in Apex code")
        kind = _WRITTEN_AS.get(left.kind, "string")
        quotes = "should be enclosed in quotes" if kind == "string" else "should not be enclosed in quotes"
        return f"value of filter criterion for field '{left.name}' must be of type {kind} and {quotes}"

    def _record_id(self, left: Left, value: Value) -> str:
        full = long_id(value.value) if value.kind == "text" else None
        if full is None:
            raise SalesforceError(
                "INVALID_QUERY_FILTER_OPERATOR", self._message(left, f"invalid ID field: {value.value}")
            )
        return full
