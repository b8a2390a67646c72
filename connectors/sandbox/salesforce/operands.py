"""What SOQL compares, selects, groups and sorts by, as SQL: fields, functions of dates, aggregates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.conditions import Left
from connectors.sandbox.salesforce.schema import COMPOUND_TYPES, NUMBER_TYPES, TEXT_TYPES
from connectors.sandbox.salesforce.soql import Call, Operand, Path, malformed

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.frames import Frames

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_DATE_PARTS = {
    "CALENDAR_YEAR": "year({0})",
    "CALENDAR_QUARTER": "quarter({0})",
    "CALENDAR_MONTH": "month({0})",
    "FISCAL_YEAR": "year({0})",
    "FISCAL_QUARTER": "quarter({0})",
    "FISCAL_MONTH": "month({0})",
    "DAY_IN_MONTH": "day({0})",
    "DAY_IN_WEEK": "dayofweek({0}) + 1",
    "DAY_IN_YEAR": "dayofyear({0})",
    "HOUR_IN_DAY": "hour({0})",
    "WEEK_IN_MONTH": "((day({0}) - 1) // 7 + 1)",
    "WEEK_IN_YEAR": "((dayofyear({0}) - 1) // 7 + 1)",
}


@dataclass(frozen=True, slots=True)
class Operands:
    """Turns operands of one query level into SQL."""

    _frames: Frames

    def left(self, operand: Operand) -> Left:
        """The operand as SQL, with its type and what may be done with it."""
        if isinstance(operand, Path):
            found = self._frames.resolve(operand)
            one = found.field
            compound = one.type in COMPOUND_TYPES
            sql = "NULL" if compound else found.sql
            return Left(sql, one.type, one.name, operand.at, filterable=one.filterable and not compound)
        if operand.name in AGGREGATES:
            return self._aggregate(operand)
        if operand.argument is None:
            raise malformed(f"unexpected token: '{operand.name}'")
        inner = self.left(operand.argument)
        if operand.name in {"TOLABEL", "CONVERTTIMEZONE"}:
            return inner
        if operand.name == "FORMAT":
            return Left(f"CAST({inner.sql} AS VARCHAR)", "string", inner.name, operand.at)
        return self._date_part(operand, inner)

    @staticmethod
    def _date_part(operand: Call, inner: Left) -> Left:
        if operand.name == "CONVERTCURRENCY":
            raise malformed("convertCurrency() is only supported in multi-currency organizations")
        if inner.kind not in {"date", "datetime"}:
            raise malformed(f"Invalid argument for function {operand.name}: {inner.name}")
        if operand.name == "DAY_ONLY":
            return Left(f"CAST({inner.sql} AS DATE)", "date", inner.name, operand.at)
        if operand.name not in _DATE_PARTS:
            raise malformed(f"unexpected token: '{operand.name}'")
        return Left(_DATE_PARTS[operand.name].format(inner.sql), "int", inner.name, operand.at)

    def _aggregate(self, call: Call) -> Left:
        if call.argument is None:
            return Left("count(*)", "int", "COUNT", call.at)
        inner = self.left(call.argument)
        if call.name in {"COUNT", "COUNT_DISTINCT"}:
            distinct = "DISTINCT " if call.name == "COUNT_DISTINCT" else ""
            return Left(f"count({distinct}{inner.sql})", "int", inner.name, call.at)
        summable, textual = inner.kind in NUMBER_TYPES, inner.kind in TEXT_TYPES
        if (call.name in {"SUM", "AVG"} and not summable) or inner.kind == "boolean" or not inner.filterable:
            raise malformed(f"field {inner.name} does not support aggregate operator {call.name}")
        if call.name == "AVG":
            # Exact sums: an average must not depend on the order in which rows were added up.
            return Left(
                f"(CAST(sum({inner.sql}) AS DOUBLE) / nullif(count({inner.sql}), 0))",
                "double",
                inner.name,
                call.at,
            )
        kind = "double" if call.name == "SUM" else "string" if textual else inner.kind
        return Left(f"{call.name.lower()}({inner.sql})", kind, inner.name, call.at)


def is_aggregate(operand: Operand) -> bool:
    """Whether it sums up rows, so that a query without GROUP BY has one row."""
    return isinstance(operand, Call) and (operand.name in AGGREGATES and operand.argument is not None)
