"""SOQL text to a tree of plain values, with Salesforce's complaints about what it cannot read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, Union

from lark import (
    Lark,
    Token,
    Transformer,
    UnexpectedCharacters,
    UnexpectedInput,
    UnexpectedToken,
    v_args,
)
from lark.exceptions import VisitError

from connectors.sandbox.salesforce.errors import SalesforceError

MAX_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Path:
    """A field, reached over parents: `Account.Owner.Name`. `at` is its place in the text."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a field, or of nothing: `COUNT(Id)`, `COUNT()`, `CALENDAR_YEAR(CloseDate)`."""

    name: str
    argument: Path | Call | None
    at: int


Operand = Path | Call


@dataclass(frozen=True, slots=True)
class Selected:
    """A selected field or call, with its alias."""

    what: Operand
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class AllFields:
    """`FIELDS(ALL | STANDARD | CUSTOM)`."""

    kind: str


@dataclass(frozen=True, slots=True)
class TypeOf:
    """`TYPEOF What WHEN Account THEN Name ELSE Id END`."""

    path: Path
    branches: tuple[tuple[Token, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: kind tells how it was written."""

    kind: Literal["text", "number", "datetime", "date", "null", "boolean", "named_date"]
    value: Any
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of an operand: `=`, `<`, `like`, `in`, `not in`, `includes`, `excludes`."""

    operand: Operand
    operator: str
    values: tuple[Value, ...] = ()
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class Logic:
    """`and`, `or` of several conditions, or `not` of one."""

    operator: Literal["and", "or", "not"]
    parts: tuple[Condition, ...]


Condition = Comparison | Logic


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    operand: Operand
    descending: bool
    nulls_last: bool


Item = Union[Selected, AllFields, TypeOf, "Query"]


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query, or one in parentheses."""

    select: tuple[Item, ...]
    object_name: Token
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Operand, ...] = ()
    having: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    scope: str | None = None
    purposes: tuple[str, ...] = ()
    all_rows: bool = False


def pointed(soql: str, at: int, message: str, code: str) -> SalesforceError:
    """An error that shows the place in the text, the way Salesforce does."""
    line_start = soql.rfind("\n", 0, at) + 1
    line_end = soql.find("\n", at)
    line = soql[line_start : line_end if line_end >= 0 else len(soql)]
    row, column = soql.count("\n", 0, at) + 1, at - line_start + 1
    return SalesforceError(
        code, f"\n{line}\n{' ' * (column - 1)}^\nERROR at Row:{row}:Column:{column}\n{message}"
    )


def malformed(message: str) -> SalesforceError:
    """A query that is well written but not allowed."""
    return SalesforceError("MALFORMED_QUERY", message)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files("connectors.sandbox.salesforce").joinpath("soql.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=True, propagate_positions=True)


def parse(soql: str) -> Query:
    """The query as a tree. Raises MALFORMED_QUERY with the place of the first token that does not fit."""
    if not soql.strip():
        raise malformed("unexpected token: <EOF>")
    if len(soql) > MAX_LENGTH:
        raise malformed(f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    try:
        tree = _parser().parse(soql)
    except UnexpectedInput as error:
        raise _complaint(soql, error) from None
    try:
        query: Query = _Reader().transform(tree)
    except VisitError as error:
        # What a reader refuses must reach the caller as it is.
        raise error.orig_exc from None
    return query


def _complaint(soql: str, error: UnexpectedInput) -> SalesforceError:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return malformed("unexpected token: '<EOF>'")
    at = error.pos_in_stream or 0
    if isinstance(error, UnexpectedCharacters):
        if soql[at] == "'":
            return pointed(soql, at, "unterminated string literal", "MALFORMED_QUERY")
        if soql[at] == ":":
            return malformed("Bind variables only allowed in Apex code")
        word = re.match(r"\w+|.", soql[at:], re.DOTALL)
        return pointed(
            soql, at, f"unexpected token: '{word.group() if word else soql[at]}'", "MALFORMED_QUERY"
        )
    token = error.token if isinstance(error, UnexpectedToken) else ""
    return pointed(soql, at, f"unexpected token: '{token}'", "MALFORMED_QUERY")


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


def _unquoted(token: Token) -> str:
    def plain(found: re.Match[str]) -> str:
        escape = found.group(1)
        if escape.startswith("u") and len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape in "_%":
            return "\\" + escape
        if escape not in _ESCAPES:
            raise malformed(
                f"Invalid string literal '{token[1:-1]}'. Illegal character sequence '\\{escape}' in string literal."
            )
        return _ESCAPES[escape]

    return _ESCAPE.sub(plain, token[1:-1])


def _moment(token: Token) -> datetime:
    text = token.upper().replace("Z", "+00:00")
    text = re.sub(r"\.(\d{1,6})\d*", lambda found: "." + found.group(1).ljust(6, "0"), text)
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


@v_args(inline=True)
class _Reader(Transformer):  # type: ignore[type-arg]
    """Grammar rules to tree values; each method is named after its rule."""

    def start(self, query: Query) -> Query:
        return query

    def query(self, *parts: Any) -> Query:
        found: dict[str, Any] = {}
        purposes = []
        for part in parts:
            if isinstance(part, Token):
                if part.type == "NAME":
                    found["object_name"] = part
            elif part is None:
                continue
            elif part[0] == "purpose":
                purposes.append(part[1])
            else:
                found[part[0]] = part[1]
        return Query(**found, purposes=tuple(purposes))

    def source(self, *parts: Any) -> tuple[str, str] | None:
        return parts[-1] if parts else None

    def alias(self, name: Token) -> tuple[str, str]:
        return "alias", str(name)

    def select_list(self, *items: Item) -> tuple[str, tuple[Item, ...]]:
        return "select", items

    def field_item(self, path: Path, alias: tuple[str, str] | None = None) -> Selected:
        return Selected(path, alias[1] if alias else None)

    call_item = field_item

    def sub_item(self, query: Query) -> Query:
        return query

    def fields_item(self, _fields: Token, kind: Token) -> AllFields:
        return AllFields(kind.upper())

    def typeof_item(self, _typeof: Token, path: Path, *parts: Any) -> TypeOf:
        branches = tuple(part[1] for part in parts if isinstance(part, tuple) and part[0] == "when")
        otherwise = next((part[1] for part in parts if isinstance(part, tuple) and part[0] == "else"), ())
        return TypeOf(path, branches, otherwise)

    def when(self, _when: Token, name: Token, _then: Token, *paths: Path) -> tuple[str, Any]:
        return "when", (name, paths)

    def otherwise(self, _else: Token, *paths: Path) -> tuple[str, Any]:
        return "else", paths

    def call(self, name: Token, argument: Operand | None) -> Call:
        return Call(name.upper(), argument, name.start_pos or 0)

    def path(self, *names: Token) -> Path:
        return Path(tuple(str(name) for name in names), names[0].start_pos or 0)

    def using(self, *words: Token) -> tuple[str, str] | None:
        return ("scope", str(words[-1])) if words else None

    def where(self, *parts: Any) -> tuple[str, Condition] | None:
        return ("where", parts[1]) if parts else None

    def with_(self, *words: Token) -> tuple[str, str] | None:
        return ("purpose", "WITH") if words else None

    def having(self, *parts: Any) -> tuple[str, Condition] | None:
        return ("having", parts[1]) if parts else None

    def conjunction(self, *parts: Any) -> Logic:
        return Logic("and", tuple(part for part in parts if not isinstance(part, Token)))

    def disjunction(self, *parts: Any) -> Logic:
        return Logic("or", tuple(part for part in parts if not isinstance(part, Token)))

    def inverse(self, _not: Token, part: Condition) -> Logic:
        return Logic("not", (part,))

    def compare(self, operand: Operand, operator: Token, value: Value) -> Comparison:
        return Comparison(operand, "!=" if operator == "<>" else str(operator), (value,))

    def like(self, operand: Operand, _like: Token, value: Value) -> Comparison:
        return Comparison(operand, "like", (value,))

    def within(self, operand: Operand, _in: Token, *values: Value) -> Comparison:
        return Comparison(operand, "in", values)

    def not_within(self, operand: Operand, _not: Token, _in: Token, *values: Value) -> Comparison:
        return Comparison(operand, "not in", values)

    def within_query(self, operand: Operand, _in: Token, query: Query) -> Comparison:
        return Comparison(operand, "in", query=query)

    def not_within_query(self, operand: Operand, _not: Token, _in: Token, query: Query) -> Comparison:
        return Comparison(operand, "not in", query=query)

    def includes(self, operand: Operand, _includes: Token, *values: Value) -> Comparison:
        return Comparison(operand, "includes", values)

    def excludes(self, operand: Operand, _excludes: Token, *values: Value) -> Comparison:
        return Comparison(operand, "excludes", values)

    def text(self, token: Token) -> Value:
        return Value("text", _unquoted(token), token.start_pos or 0)

    def number(self, token: Token) -> Value:
        return Value("number", Decimal(str(token)), token.start_pos or 0)

    def datetime(self, token: Token) -> Value:
        try:
            return Value("datetime", _moment(token), token.start_pos or 0)
        except (ValueError, OverflowError):
            raise malformed(
                f"line 1:{token.start_pos} no viable alternative at character '{token}'"
            ) from None

    def date(self, token: Token) -> Value:
        try:
            return Value("date", date.fromisoformat(str(token)), token.start_pos or 0)
        except ValueError:
            raise malformed(f"Invalid date: {token}") from None

    def null(self, token: Token) -> Value:
        return Value("null", None, token.start_pos or 0)

    def true(self, token: Token) -> Value:
        return Value("boolean", value=True, at=token.start_pos or 0)

    def false(self, token: Token) -> Value:
        return Value("boolean", value=False, at=token.start_pos or 0)

    def named_date(self, token: Token) -> Value:
        return Value("named_date", re.sub(r"\s", "", token).upper(), token.start_pos or 0)

    def group(self, *parts: Any) -> tuple[str, tuple[Operand, ...]] | None:
        return ("group", parts[2:]) if parts else None

    def order(self, *parts: Any) -> tuple[str, tuple[Order, ...]] | None:
        return ("order", parts[2:]) if parts else None

    def order_item(self, operand: Operand, *parts: Any) -> Order:
        descending = any(isinstance(part, Token) and part.lower() == "desc" for part in parts)
        return Order(operand, descending, nulls_last=("nulls", "last") in parts)

    def nulls(self, _nulls: Token, place: Token) -> tuple[str, str]:
        return "nulls", place.lower()

    def limit(self, *words: Token) -> tuple[str, int] | None:
        return ("limit", int(words[1])) if words else None

    def offset(self, *words: Token) -> tuple[str, int] | None:
        return ("offset", int(words[1])) if words else None

    def for_clause(self, _for: Token, purpose: Token) -> tuple[str, str]:
        return "purpose", purpose.upper()

    def all_rows(self, *words: Token) -> tuple[str, bool] | None:
        return ("all_rows", True) if words else None


setattr(_Reader, "with", _Reader.with_)
