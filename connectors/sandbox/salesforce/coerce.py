"""One value from outside into a field's own type, or the complaint that Salesforce would make about it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.errors import SaveError
from connectors.sandbox.salesforce.ids import long_id
from connectors.sandbox.salesforce.schema import NUMBER_TYPES, Field

if TYPE_CHECKING:
    from collections.abc import Callable

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FIRST, _LAST = date(1700, 1, 1), date(4000, 12, 31)
_TRUTHS = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}


class Unfit(Exception):  # noqa: N818 (named like the contract's errors: by what it means)
    """The value does not fit the field; `error` tells why."""

    def __init__(self, error: SaveError) -> None:
        super().__init__(error.message)
        self.error = error


def coerce(one: Field, value: Any) -> Any:
    """The value as the store keeps it. Raises `Unfit`."""
    if value is None or value == "":
        return one.default if one.type == "boolean" else None
    if isinstance(value, (dict, list)):
        kind = "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"
        raise Unfit(
            SaveError("JSON_PARSER_ERROR", f"Cannot deserialize instance of {one.type} from {kind} value")
        )
    read: Callable[[Field, Any], Any] = _READERS.get(_kind(one), _text)
    return read(one, value)


def _kind(one: Field) -> str:
    return "number" if one.type in NUMBER_TYPES else one.type


def _wrong_type(one: Field, value: Any) -> Unfit:
    kind = "VALUE_STRING" if isinstance(value, str) else "VALUE_TRUE" if value is True else "VALUE_NUMBER"
    return Unfit(
        SaveError(
            "INVALID_TYPE_ON_FIELD_IN_RECORD" if kind == "VALUE_STRING" else "JSON_PARSER_ERROR",
            f"{one.label}: value not of required type: {value}"
            if kind == "VALUE_STRING"
            else f"Cannot deserialize instance of {one.type} from {kind} value {value}",
            (one.name,),
        )
    )


def _text(one: Field, value: Any) -> str | None:
    plain = str(value).lower() if isinstance(value, bool) else str(value)
    # A lone surrogate cannot be stored as UTF-8.
    plain = plain.encode("utf-8", "replace").decode("utf-8").strip()
    if one.length and len(plain) > one.length:
        raise Unfit(
            SaveError(
                "STRING_TOO_LONG",
                f"{one.label}: data value too large: {plain[:255]} (max length={one.length})",
                (one.name,),
            )
        )
    if one.type == "email" and plain and not _EMAIL.fullmatch(plain):
        raise Unfit(
            SaveError("INVALID_EMAIL_ADDRESS", f"{one.label}: invalid email address: {plain}", (one.name,))
        )
    return plain or None


def _choice(one: Field, value: Any) -> str | None:
    plain = _text(one, value)
    if plain is None:
        return None
    known = {choice.value.lower(): choice.value for choice in one.picklist if choice.active}
    parts = plain.split(";") if one.type == "multipicklist" else [plain]
    for part in parts:
        if one.restricted and part.lower() not in known:
            raise Unfit(
                SaveError(
                    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                    f"{one.label}: bad value for restricted picklist field: {part}",
                    (one.name,),
                )
            )
    return ";".join(known.get(part.lower(), part) for part in parts)


def _number(one: Field, value: Any) -> Decimal | int:
    if isinstance(value, bool):
        raise _wrong_type(one, value)
    try:
        exact = Decimal(str(value).strip())
    except InvalidOperation:
        raise _wrong_type(one, value) from None
    limit = Decimal(10) ** (one.precision - one.scale)
    if not exact.is_finite() or abs(exact) >= limit:
        raise Unfit(
            SaveError(
                "NUMBER_OUTSIDE_VALID_RANGE",
                f"{one.label}: value outside of valid range on numeric field: {value}",
                (one.name,),
            )
        )
    if one.type in {"int", "long"}:
        if exact != exact.to_integral_value():
            raise _wrong_type(one, str(value))
        return int(exact)
    return exact.quantize(Decimal(1).scaleb(-min(one.scale, 8)), rounding=ROUND_HALF_UP)


def _boolean(one: Field, value: Any) -> bool:
    plain = value.strip().lower() if isinstance(value, str) else value
    if not isinstance(plain, (bool, str)) or plain not in _TRUTHS:
        raise _wrong_type(one, value)
    return _TRUTHS[plain]


def _date(one: Field, value: Any) -> date:
    try:
        day = date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        raise _wrong_type(one, str(value)) from None
    return _within(one, day)


def _within(one: Field, day: date) -> date:
    if not _FIRST <= day <= _LAST:
        raise Unfit(
            SaveError(
                "FIELD_INTEGRITY_EXCEPTION", f"{one.label}: invalid date: {day.isoformat()}", (one.name,)
            )
        )
    return day


def _moment(one: Field, value: Any) -> datetime:
    text = str(value).strip()
    try:
        moment = datetime.fromisoformat(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text).upper())
        utc = moment.astimezone(UTC) if moment.tzinfo else moment
        _within(one, utc.date())
    except (ValueError, OverflowError):
        raise _wrong_type(one, text) from None
    # The platform keeps whole seconds of what users write.
    return utc.replace(tzinfo=None, microsecond=0)


def _reference(one: Field, value: Any) -> str:
    full = long_id(str(value).strip())
    if full is None:
        raise Unfit(
            SaveError("MALFORMED_ID", f"{one.label}: id value of incorrect type: {value}", (one.name,))
        )
    return full


_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _moment,
    "reference": _reference,
    "id": _reference,
    "picklist": _choice,
    "multipicklist": _choice,
}
