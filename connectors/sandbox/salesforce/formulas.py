"""Salesforce formulas to SQL: the part of the language that formula fields and validation rules here need."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lark import Lark, UnexpectedInput

from connectors.sandbox.salesforce.schema import TEXT_TYPES, Field, ObjectType

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.schema import Schema

Column = Callable[[ObjectType, Field, str], str]

GRAMMAR = r"""
?start: expression
?expression: disjunction
?disjunction: conjunction | conjunction ("||" conjunction)+ -> either
?conjunction: equality | equality ("&&" equality)+ -> both
?equality: comparison | comparison EQUAL comparison -> compare
?comparison: joined | joined COMPARE joined -> compare
?joined: sum | sum ("&" sum)+ -> join
?sum: product | product (SIGN product)+ -> arithmetic
?product: power | power (TIMES power)+ -> arithmetic
?power: unary | unary "^" unary -> power
?unary: SIGN unary -> signed | "!" unary -> inverse | atom
?atom: NUMBER -> number | STRING -> text | call | reference | "(" expression ")"
call: NAME "(" [expression ("," expression)*] ")"
reference: NAME ("." NAME)*
EQUAL: "==" | "=" | "<>" | "!="
COMPARE: "<=" | ">=" | "<" | ">"
SIGN: "+" | "-"
TIMES: "*" | "/"
NUMBER: /[0-9]+(\.[0-9]+)?/
STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/
NAME: /[$a-z][a-z0-9_]*/i
COMMENT: /\/\*.*?\*\//s
%ignore COMMENT
%ignore /\s+/
"""


class FormulaError(ValueError):
    """A formula that cannot be understood; the text is what Salesforce would show to its author."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of SQL and what it yields: text, number, boolean, date, datetime or null."""

    sql: str
    kind: str
    raw: str | None = None

    @property
    def unfilled(self) -> str:
        """The same before blank numbers became zero."""
        return self.raw or self.sql


_KINDS = {
    "boolean": "boolean",
    "int": "number",
    "long": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "datetime",
}
NULL = Part("NULL", "null")
# name -> (fewest arguments, most arguments or None, kind of the result, SQL of the arguments' SQL)
_PLAIN: dict[str, tuple[int, int, str, str]] = {
    "TODAY": (0, 0, "date", "getvariable('today')"),
    "NOW": (0, 0, "datetime", "getvariable('now')"),
    "VALUE": (1, 1, "number", "TRY_CAST({0} AS DOUBLE)"),
    "LEN": (1, 1, "number", "length(coalesce({0}, ''))"),
    "UPPER": (1, 1, "text", "upper({0})"),
    "LOWER": (1, 1, "text", "lower({0})"),
    "TRIM": (1, 1, "text", "trim({0})"),
    "LEFT": (2, 2, "text", "left({0}, CAST({1} AS BIGINT))"),
    "RIGHT": (2, 2, "text", "right({0}, CAST({1} AS BIGINT))"),
    "CONTAINS": (2, 2, "boolean", "contains(coalesce({0}, ''), coalesce({1}, ''))"),
    "BEGINS": (2, 2, "boolean", "starts_with(coalesce({0}, ''), coalesce({1}, ''))"),
    "REGEX": (2, 2, "boolean", "regexp_full_match(coalesce({0}, ''), {1})"),
    "ABS": (1, 1, "number", "abs({0})"),
    "ROUND": (2, 2, "number", "round({0}, CAST({1} AS INTEGER))"),
    "FLOOR": (1, 1, "number", "floor({0})"),
    "CEILING": (1, 1, "number", "ceil({0})"),
    "MOD": (2, 2, "number", "({0} % {1})"),
    "YEAR": (1, 1, "number", "year({0})"),
    "MONTH": (1, 1, "number", "month({0})"),
    "DAY": (1, 1, "number", "day({0})"),
    "DATE": (3, 3, "date", "make_date(CAST({0} AS BIGINT), CAST({1} AS BIGINT), CAST({2} AS BIGINT))"),
    "DATEVALUE": (1, 1, "date", "CAST({0} AS DATE)"),
    "ADDMONTHS": (2, 2, "date", "CAST({0} + to_months(CAST({1} AS INTEGER)) AS DATE)"),
}


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


@lru_cache(maxsize=256)
def _tree(text: str) -> Any:
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        at = error.pos_in_stream or 0
        raise FormulaError(
            f"Syntax error. Found '{text[at : at + 20]}'" if at >= 0 else "Syntax error"
        ) from None


def formula_sql(schema: Schema, found: ObjectType, one: Field, column: Column) -> str:
    """SQL of a formula field over row `t`; an empty text is null, as everywhere in Salesforce."""
    part = _Writer(schema, found, column, blank_as_zero=one.blank_as_zero).write(_tree(one.formula or ""))
    return f"nullif({part.sql}, '')" if part.kind == "text" else part.sql


def rule_sql(schema: Schema, found: ObjectType, formula: str, column: Column) -> str:
    """SQL of a validation rule's condition over row `t`; true for a bad record."""
    part = _Writer(schema, found, column, blank_as_zero=True).write(_tree(formula))
    if part.kind not in {"boolean", "null"}:
        raise FormulaError("Formula result is not of type Checkbox (boolean)")
    return f"coalesce({part.sql}, FALSE)"


def check_formula(schema: Schema, found: ObjectType, formula: str) -> str:
    """What the formula yields (text, number, boolean, date, datetime). Raises `FormulaError`."""
    return (
        _Writer(schema, found, lambda _object, one, alias: f'{alias}."{one.name}"').write(_tree(formula)).kind
    )


class _Writer:
    """Writes a formula's tree as SQL."""

    def __init__(
        self, schema: Schema, found: ObjectType, column: Column, *, blank_as_zero: bool = False
    ) -> None:
        self._schema, self._object, self._column, self._zero = schema, found, column, blank_as_zero

    def write(self, node: Any) -> Part:
        rule: Callable[[list[Any]], Part] = getattr(self, f"_{node.data}")
        return rule(node.children)

    def _number(self, children: list[Any]) -> Part:
        return Part(str(children[0]), "number")

    def _text(self, children: list[Any]) -> Part:
        plain = (
            children[0][1:-1]
            .replace('\\"', '"')
            .replace("\\'", "'")
            .replace("\\n", "\n")
            .replace("\\\\", "\\")
        )
        return Part("'" + plain.replace("'", "''") + "'", "text")

    def _reference(self, children: list[Any]) -> Part:
        names = [str(name) for name in children]
        if len(names) == 1 and names[0].upper() in {"TRUE", "FALSE"}:
            return Part(names[0].upper(), "boolean")
        if len(names) == 1 and names[0].upper() == "NULL":
            return NULL
        return self._field(self._object, names, "t", 0)

    def _field(self, found: ObjectType, names: list[str], alias: str, depth: int) -> Part:
        if len(names) == 1:
            one = found.find(names[0])
            if one is None or one.sql_type is None or one.formula is not None:
                raise FormulaError(f"Field {names[0]} does not exist. Check spelling.")
            return self._filled(self._column(found, one, alias), one)
        way = found.relation(names[0])
        if way is None or way.polymorphic:
            raise FormulaError(f"Field {names[0]} does not exist. Check spelling.")
        parent, inner = self._schema.objects[way.reference_to[0]], f"p{depth}"
        part = self._field(parent, names[1:], inner, depth + 1)
        key = self._column(found, way, alias)
        text = f'(SELECT {part.unfilled} FROM "{parent.name}" {inner} WHERE {inner}."Id" = {key})'
        return Part(f"coalesce({text}, 0)", part.kind, text) if part.raw else Part(text, part.kind)

    def _filled(self, sql: str, one: Field) -> Part:
        kind = "text" if one.type in TEXT_TYPES else _KINDS[one.type]
        if kind == "number" and self._zero:
            return Part(f"coalesce({sql}, 0)", kind, sql)
        return Part(sql, kind)

    def _both(self, children: list[Any]) -> Part:
        return self._logic("AND", [self.write(child) for child in children])

    def _either(self, children: list[Any]) -> Part:
        return self._logic("OR", [self.write(child) for child in children])

    @staticmethod
    def _logic(word: str, parts: list[Part]) -> Part:
        for part in parts:
            if part.kind not in {"boolean", "null"}:
                raise FormulaError(
                    f"Incorrect parameter type for function '{word}()'. Expected Boolean, received {part.kind.title()}"
                )
        return Part("(" + f" {word} ".join(f"coalesce({part.sql}, FALSE)" for part in parts) + ")", "boolean")

    def _inverse(self, children: list[Any]) -> Part:
        return Part(f"(NOT coalesce({self.write(children[0]).sql}, FALSE))", "boolean")

    def _signed(self, children: list[Any]) -> Part:
        return Part(f"({children[0]}{self.write(children[1]).sql})", "number")

    def _power(self, children: list[Any]) -> Part:
        return Part(f"pow({self.write(children[0]).sql}, {self.write(children[1]).sql})", "number")

    def _join(self, children: list[Any]) -> Part:
        return Part(
            "("
            + " || ".join(f"coalesce(CAST({self.write(child).sql} AS VARCHAR), '')" for child in children)
            + ")",
            "text",
        )

    def _compare(self, children: list[Any]) -> Part:
        left, operator, right = self.write(children[0]), str(children[1]), self.write(children[2])
        dates = {"date", "datetime"}
        if (
            left.kind != right.kind
            and "null" not in {left.kind, right.kind}
            and {left.kind, right.kind} != dates
        ):
            raise FormulaError(
                f"Incorrect parameter type for operator '{operator}'. "
                f"Expected {left.kind.title()}, received {right.kind.title()}"
            )
        if operator in {"=", "=="}:
            return Part(
                f"(nullif({left.sql}, '') IS NOT DISTINCT FROM nullif({right.sql}, ''))"
                if left.kind == "text"
                else f"({left.sql} IS NOT DISTINCT FROM {right.sql})",
                "boolean",
            )
        if operator in {"<>", "!="}:
            return Part(f"(NOT {self._compare([children[0], '=', children[2]]).sql})", "boolean")
        return Part(f"({left.sql} {operator} {right.sql})", "boolean")

    def _arithmetic(self, children: list[Any]) -> Part:
        result = self.write(children[0])
        for operator, node in zip(children[1::2], children[2::2], strict=True):
            result = self._step(result, str(operator), self.write(node))
        return result

    @staticmethod
    def _step(left: Part, operator: str, right: Part) -> Part:
        if left.kind == "text" and operator == "+":
            return Part(f"(coalesce({left.sql}, '') || coalesce({right.sql}, ''))", "text")
        if left.kind == "date" and right.kind == "number":
            return Part(f"({left.sql} {operator} CAST({right.sql} AS INTEGER))", "date")
        if left.kind == "datetime" and right.kind == "number":
            return Part(f"({left.sql} {operator} to_seconds(({right.sql}) * 86400))", "datetime")
        if left.kind == right.kind == "date":
            return Part(f"({left.sql} - {right.sql})", "number")
        if left.kind == right.kind == "datetime":
            return Part(f"(epoch({left.sql} - {right.sql}) / 86400)", "number")
        if left.kind == right.kind == "number":
            return Part(
                f"({left.sql} {operator} nullif({right.sql}, 0))"
                if operator == "/"
                else f"({left.sql} {operator} {right.sql})",
                "number",
            )
        raise FormulaError(
            f"Incorrect parameter type for operator '{operator}'. Expected Number, received {right.kind.title()}"
        )

    def _call(self, children: list[Any]) -> Part:
        name, arguments = str(children[0]).upper(), children[1:]
        special = getattr(self, f"_function_{name.lower()}", None)
        if special is not None:
            try:
                part: Part = special(arguments)
            except (ValueError, IndexError) as error:
                if isinstance(error, FormulaError):
                    raise
                raise FormulaError(f"Incorrect number of parameters for function '{name}()'") from None
            return part
        if name not in _PLAIN:
            raise FormulaError(f"Unknown function {name}. Check spelling.")
        fewest, most, kind, template = _PLAIN[name]
        if not fewest <= len(arguments) <= most:
            raise FormulaError(
                f"Incorrect number of parameters for function '{name}()'. Expected {most}, received {len(arguments)}"
            )
        return Part(template.format(*(self.write(argument).sql for argument in arguments)), kind)

    def _function_if(self, arguments: list[Any]) -> Part:
        test, yes, no = (self.write(argument) for argument in arguments)
        kind = no.kind if yes.kind == "null" else yes.kind
        if "null" not in {yes.kind, no.kind} and yes.kind != no.kind:
            raise FormulaError(
                f"Incorrect parameter type for function 'IF()'. Expected {yes.kind.title()}, received {no.kind.title()}"
            )
        return Part(f"(CASE WHEN {test.sql} THEN {yes.sql} ELSE {no.sql} END)", kind)

    def _function_and(self, arguments: list[Any]) -> Part:
        return self._both(arguments)

    def _function_or(self, arguments: list[Any]) -> Part:
        return self._either(arguments)

    def _function_not(self, arguments: list[Any]) -> Part:
        (argument,) = arguments
        return self._inverse([argument])

    def _function_isblank(self, arguments: list[Any]) -> Part:
        (argument,) = arguments
        part = self.write(argument)
        return Part(
            f"(nullif({part.sql}, '') IS NULL)" if part.kind == "text" else f"({part.unfilled} IS NULL)",
            "boolean",
        )

    _function_isnull = _function_isblank

    def _function_blankvalue(self, arguments: list[Any]) -> Part:
        first, second = (self.write(argument) for argument in arguments)
        text = f"nullif({first.sql}, '')" if first.kind == "text" else first.unfilled
        return Part(f"coalesce({text}, {second.sql})", second.kind if first.kind == "null" else first.kind)

    _function_nullvalue = _function_blankvalue

    def _function_ispickval(self, arguments: list[Any]) -> Part:
        first, second = (self.write(argument) for argument in arguments)
        return Part(f"(coalesce({first.sql}, '') = coalesce({second.sql}, ''))", "boolean")

    def _function_text(self, arguments: list[Any]) -> Part:
        (argument,) = arguments
        part = self.write(argument)
        if part.kind != "number":
            return Part(f"CAST({part.sql} AS VARCHAR)", "text")
        plain = f"CAST({part.sql} AS VARCHAR)"
        return Part(
            f"(CASE WHEN contains({plain}, '.') THEN rtrim(rtrim({plain}, '0'), '.') ELSE {plain} END)",
            "text",
        )

    def _function_case(self, arguments: list[Any]) -> Part:
        subject, *pairs = (self.write(argument) for argument in arguments)
        if len(pairs) < 3 or len(pairs) % 2 == 0:
            raise FormulaError("Incorrect number of parameters for function 'CASE()'")
        whens = " ".join(
            f"WHEN {one.sql} THEN {two.sql}" for one, two in zip(pairs[:-1:2], pairs[1:-1:2], strict=True)
        )
        return Part(f"(CASE {subject.sql} {whens} ELSE {pairs[-1].sql} END)", pairs[1].kind)

    def _function_min(self, arguments: list[Any]) -> Part:
        return Part("least(" + ", ".join(self.write(argument).sql for argument in arguments) + ")", "number")

    def _function_max(self, arguments: list[Any]) -> Part:
        return Part(
            "greatest(" + ", ".join(self.write(argument).sql for argument in arguments) + ")", "number"
        )
