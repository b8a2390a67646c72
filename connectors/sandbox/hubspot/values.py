"""Property values as HubSpot takes them: checked by type, brought into its own form, or refused in its words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.stamps import DAY, parse_date, parse_stamp, wire_date, wire_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from connectors.sandbox.hubspot.definitions import Property

MAX_TEXT = 65_536
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
# Blanks and characters that nobody sees: not allowed around anything but texts.
_EDGES = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff"


class BadValue(ValueError):  # noqa: N818 (it becomes one entry of HubSpot's list)
    """A value that a property does not take: HubSpot's code and message for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def problem(self, name: str, value: Any, portal_id: int) -> dict[str, Any]:
        """The entry in the list inside the error's message."""
        return {
            "isValid": False,
            "message": self.message,
            "error": self.code,
            "name": name,
            "localizedErrorMessage": self.message,
            "propertyValue": as_text(value),
            "portalId": portal_id,
        }


def as_text(value: Any) -> str:
    """A JSON value as the text that HubSpot would keep."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def checked(one: Property, value: Any, allowed: Collection[str]) -> str:
    """The value in HubSpot's form; the empty text stands for no value. Raises `BadValue`.

    `allowed` are the values of an enumeration: its options, or ids of what it refers to.
    """
    if isinstance(value, (dict, list)):
        raise BadValue("INVALID_STRING", f"{value} was not a valid string.")
    text = as_text(value)
    if text == "":
        return text
    if one.type != "string" and text.strip(_EDGES) != text:
        raise BadValue("LEADING_TRAILING_WHITESPACE", f'"{text}" includes leading or trailing whitespace.')
    if one.type == "enumeration":
        return _choice(one, text, allowed)
    return _FORMS[one.type](one, text)


def _string(one: Property, text: str) -> str:
    if len(text) > MAX_TEXT:
        raise BadValue("STRING_TOO_LONG", f"The value is longer than the {MAX_TEXT} characters allowed.")
    if one.name != "email":
        return text
    if not _EMAIL.fullmatch(text):
        raise BadValue("INVALID_EMAIL", f"Email address {text} is invalid")
    return text.lower()


def _number(_: Property, text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise BadValue("INVALID_INTEGER", f"{text} was not a valid number.")
    return text


def _bool(_: Property, text: str) -> str:
    if text.lower() not in {"true", "false"}:
        raise BadValue("INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]")
    return text.lower()


def _date(_: Property, text: str) -> str:
    stamp = parse_date(text)
    if stamp is None:
        raise BadValue("INVALID_LONG", f"{text} was not a valid long.")
    try:
        day = wire_date(stamp)
    except OverflowError:
        raise BadValue("INVALID_LONG", f"{text} was not a valid long.") from None
    if stamp % DAY:
        seconds, milliseconds = divmod(stamp % DAY, 1000)
        hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
        at = f"{hour}:{minute}:{second}.{milliseconds}"
        raise BadValue("INVALID_DATE", f"{text} is at {at} UTC, not midnight!")
    return day


def _datetime(_: Property, text: str) -> str:
    stamp = parse_stamp(text)
    if stamp is None:
        raise BadValue("INVALID_LONG", f"{text} was not a valid long.")
    try:
        return wire_stamp(stamp)
    except OverflowError:
        raise BadValue("INVALID_LONG", f"{text} was not a valid long.") from None


_FORMS: Mapping[str, Callable[[Property, str], str]] = {
    "string": _string,
    "number": _number,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
}


def _choice(one: Property, text: str, allowed: Collection[str]) -> str:
    parts = [part for part in text.split(";") if part] if one.many else [text]
    for part in parts:
        if part not in allowed:
            raise BadValue(
                "INVALID_OPTION", f"{part} was not one of the allowed options: [{', '.join(allowed)}]"
            )
    joined = ";".join(dict.fromkeys(parts))
    # Said before the value, a semicolon means: besides what is chosen already.
    return f";{joined}" if one.many and text.startswith(";") else joined


def appended(before: str | None, value: str) -> str:
    """What a multiple choice holds after `;c` was added to `a;b`."""
    if not value.startswith(";"):
        return value
    return ";".join(dict.fromkeys([*(before or "").split(";"), *value[1:].split(";")])).strip(";")
