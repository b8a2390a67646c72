"""Lengths of time as people write them: 90s, 15m, 6h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FORM = r"^\d+[smhd]$"


def _read(value: object) -> object:
    if not isinstance(value, str):
        if isinstance(value, timedelta):
            return value
        raise ValueError("needs a unit: 90s, 15m, 6h or 7d")  # pydantic collects ValueError
    if not re.match(_FORM, value):
        raise ValueError("write a whole number and a unit: 90s, 15m, 6h or 7d")
    return timedelta(**{_UNITS[value[-1]]: int(value[:-1])})


def told(length: timedelta) -> str:
    """The same in words that `Duration` reads."""
    seconds = int(length.total_seconds())
    size, unit = next((size, unit) for size, unit in _SIZES if seconds % size == 0)
    return f"{seconds // size}{unit}"


_SIZES = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))

Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(told),
    WithJsonSchema({"type": "string", "pattern": _FORM}),
]
