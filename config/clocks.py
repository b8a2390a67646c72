"""What a clock on the wall says, as moments: also on the days on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_UTC = ZoneInfo("UTC")


def moment_of(wall: datetime, zone: ZoneInfo, *, again: bool = False) -> datetime:
    """When the clock on the wall shows this, in UTC: the first time, or the second (`again`) if it comes twice.

    A time that the clocks leave out is the moment at which they are changed.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if again else first
    # Left out: `fold=1` reads it by the offset of after the change, and so comes out before it.
    return _change_between(second, first, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment, to the second, at which the clocks are changed."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def zone_of(name: str | None, otherwise: ZoneInfo = _UTC) -> ZoneInfo:
    """The time zone of that name; the other one if there is none (yet), or none that this machine knows."""
    return (name and find_zone(name)) or otherwise


def find_zone(name: str) -> ZoneInfo | None:
    """The time zone of that name, if this machine knows one."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # whatever ZoneInfo makes of a name that is none
        return None
