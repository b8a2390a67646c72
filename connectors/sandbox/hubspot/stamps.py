"""Moments as the portal keeps them (milliseconds since 1970, UTC) and as HubSpot writes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

DAY = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?[0-9]{1,17}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """An aware moment as milliseconds, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=65_536)
def wire_stamp(stamp: int) -> str:
    """`2024-01-17T19:55:04.281Z`; whole seconds have no fraction, as Java writes them."""
    moment = _EPOCH + stamp * _MILLISECOND
    text = moment.replace(tzinfo=None).isoformat(timespec="milliseconds" if stamp % 1000 else "seconds")
    return text + "Z"


def parse_stamp(value: str) -> int | None:
    """ISO 8601 (a date means its midnight in UTC, a missing zone UTC) or milliseconds; None if it is neither."""
    if _NUMBER.fullmatch(value):
        return int(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def parse_date(value: str) -> int | None:
    """`YYYY-MM-DD` or milliseconds, as milliseconds of whatever moment that is; None if it is neither."""
    if _DATE.fullmatch(value):
        try:
            return (date.fromisoformat(value) - _EPOCH.date()).days * DAY
        except ValueError:
            return None
    return int(value) if _NUMBER.fullmatch(value) else None


def wire_date(stamp: int) -> str:
    """The day of a moment, `YYYY-MM-DD`."""
    return (_EPOCH + stamp * _MILLISECOND).date().isoformat()
