"""One filter of a search: which rows it lets through."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.hubspot.stamps import parse_date, parse_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.sandbox.hubspot.definitions import Property

Key = Any
_WORD = re.compile(r"[\w*]+")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, checked: `value`, `high` and `values` are comparable with `key` of what a row holds."""

    name: str
    operator: str
    value: Key = None
    high: Key = None
    values: frozenset[Key] = frozenset()
    text: str = ""


def comparable(one: Property, text: str) -> Key | None:
    """A value in the form in which it is compared: numbers and moments as numbers, texts without case.

    Only enumerations tell cases apart. None if it is not of the property's type.
    """
    if one.type == "number":
        try:
            return float(text)
        except ValueError:
            return None
    if one.type == "datetime":
        return parse_stamp(text)
    if one.type == "date":
        return parse_date(text[:10] if "T" in text else text)
    return text if one.type == "enumeration" else text.lower()


def _order(compare: Callable[[Key, Key], bool]) -> Callable[[Filter, Key], bool]:
    return lambda wanted, key: compare(key, wanted.value)


def _tokens(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def contains(text: str, wanted: str) -> bool:
    """Whether every word of `wanted` (with `*` for any letters) is a word of the text."""
    words = _tokens(text)
    return all(any(fnmatchcase(word, pattern) for word in words) for pattern in _tokens(wanted))


# Operator: what it says of a row that has a value. Rows without one only pass what is named below.
OPERATORS: Mapping[str, Callable[[Filter, Key], bool]] = {
    "EQ": _order(lambda key, value: key == value),
    "NEQ": _order(lambda key, value: key != value),
    "LT": _order(lambda key, value: key < value),
    "LTE": _order(lambda key, value: key <= value),
    "GT": _order(lambda key, value: key > value),
    "GTE": _order(lambda key, value: key >= value),
    "BETWEEN": lambda wanted, key: wanted.value <= key <= wanted.high,
    "IN": lambda wanted, key: key in wanted.values,
    "NOT_IN": lambda wanted, key: key not in wanted.values,
    "HAS_PROPERTY": lambda _wanted, _key: True,
    "NOT_HAS_PROPERTY": lambda _wanted, _key: False,
    "CONTAINS_TOKEN": lambda wanted, key: contains(str(key), wanted.text),
    "NOT_CONTAINS_TOKEN": lambda wanted, key: not contains(str(key), wanted.text),
}
PASS_WITHOUT_VALUE = frozenset({"NOT_HAS_PROPERTY"})
_WITHOUT_OPERAND = frozenset({"HAS_PROPERTY", "NOT_HAS_PROPERTY"})
_LISTS = frozenset({"IN", "NOT_IN"})
_WORDS = frozenset({"CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"})


def parse_filter(one: Property, body: Mapping[str, Any]) -> Filter:
    """A filter of a search body on this property. Raises HubSpotError for what HubSpot refuses."""
    operator = str(body.get("operator", ""))
    if operator not in OPERATORS:
        raise invalid(f"Invalid input JSON: {operator or 'no operator'} is not one of {', '.join(OPERATORS)}")
    if operator in _WITHOUT_OPERAND:
        return Filter(one.name, operator)
    if operator in _LISTS:
        given = body.get("values")
        if not isinstance(given, list) or not given:
            raise invalid(f"The operator {operator} needs a list of values for {one.name}")
        return Filter(one.name, operator, values=frozenset(_strict(one, value) for value in given))
    value = body.get("value")
    if value is None:
        raise invalid(f"The operator {operator} needs a value for {one.name}")
    if operator in _WORDS:
        return Filter(one.name, operator, text=str(value))
    high = body.get("highValue")
    if operator == "BETWEEN" and high is None:
        raise invalid(f"The operator BETWEEN needs a highValue for {one.name}")
    return Filter(one.name, operator, _operand(one, value), None if high is None else _operand(one, high))


def _operand(one: Property, value: Any) -> Key:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    key = comparable(one, text)
    if key is None:
        raise invalid(f"{text} is not a valid value for {one.name}, which is of type {one.type}")
    return key


def _strict(one: Property, value: Any) -> Key:
    """A value of a list. Lists of texts are compared as they are with texts in lower case."""
    return str(value) if one.type == "string" else _operand(one, value)
