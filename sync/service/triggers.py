"""Times as APScheduler triggers that also look back, and whose local times come once a day when clocks are changed.

A wall time that a change of clocks leaves out comes when the clocks have changed; one that comes twice is taken at
its first, unless the expression means every hour: then hours are taken as they pass.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from config.clocks import moment_of
from config.sections.times import Cron, Every, read_times

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from zoneinfo import ZoneInfo

# No change of clocks is longer.
_LONGEST_CHANGE = timedelta(hours=3)
# How far to look back, step by step; the last finds a 29th of February.
_LOOKING_BACK = tuple(
    timedelta(hours=hours) for hours in (0.1, 2, 26, 24 * 8, 24 * 63, 24 * 800, 24 * 366 * 9)
)


class Times(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """An APScheduler trigger that depends on nothing but the moment it is asked about."""

    @abstractmethod
    def after(self, moment: datetime) -> Iterator[datetime]:
        """All that come after this moment, in UTC and in order."""

    def next(self, after: datetime) -> datetime:
        """The first that comes after this moment, in UTC."""
        return next(self.after(after))

    def last(self, before: datetime) -> datetime | None:
        """The latest that is not after this moment, in UTC; None if in living memory there was none."""
        for back in _LOOKING_BACK:
            found = None
            for moment in self.after(before - back):
                if moment > before:
                    break
                found = moment
            if found is not None:
                return found
        return None

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """What APScheduler asks: the first after the one before, or not before now."""
        return self.next(previous_fire_time or now - timedelta(microseconds=1))


class WallTimes(Times):
    """A cron expression, by the clock on the wall of a zone."""

    def __init__(self, cron: Cron, zone: ZoneInfo) -> None:
        self._zone = zone
        self._twice = cron.every_hour
        # In UTC no clock is ever changed: so it tells wall times, which are moments of the zone only below.
        self._walls = CronTrigger(
            minute=_listed(cron.minutes, 60),
            hour=_listed(cron.hours, 24),
            day=_listed(cron.days, 31),
            month=_listed(cron.months, 12),
            day_of_week=_listed({(day - 1) % 7 for day in cron.weekdays}, 7),  # APScheduler's begin on Monday
            timezone=UTC,
        )

    def after(self, moment: datetime) -> Iterator[datetime]:
        """All that come after this moment, in UTC and in order."""
        told, waiting = moment, list[datetime]()
        for wall in self._walls_from(self._start(moment)):
            first = moment_of(wall, self._zone)
            heappush(waiting, first)
            if self._twice:
                heappush(waiting, moment_of(wall, self._zone, again=True))
            # Whatever is still to come is not before `first`.
            while waiting and waiting[0] <= first:
                coming = heappop(waiting)
                if coming > told:
                    told = coming
                    yield told

    def _start(self, moment: datetime) -> datetime:
        """From which wall time on to look: earlier, if clocks are changed about then and show a time again."""
        around = (moment - _LONGEST_CHANGE, moment + _LONGEST_CHANGE)
        before, after = (one.astimezone(self._zone).utcoffset() for one in around)
        start = moment if before == after else around[0]
        return start.astimezone(self._zone).replace(tzinfo=None)

    def _walls_from(self, wall: datetime) -> Iterator[datetime]:
        at = wall.replace(tzinfo=UTC)
        while True:
            at = self._walls.get_next_fire_time(None, at)
            yield at.replace(tzinfo=None)
            at += timedelta(seconds=1)


class Intervals(Times):
    """Again and again after the same length of time, counted from a midnight in the zone."""

    def __init__(self, every: Every, zone: ZoneInfo) -> None:
        self._every = IntervalTrigger(
            seconds=int(every.length.total_seconds()), start_date=moment_of(every.ANCHOR, zone), timezone=UTC
        )

    def after(self, moment: datetime) -> Iterator[datetime]:
        """All that come after this moment, in UTC and in order."""
        at = self._every.get_next_fire_time(None, moment + timedelta(microseconds=1))
        while True:
            yield at
            at = self._every.get_next_fire_time(at, at)


def trigger_of(expression: str, zone: ZoneInfo) -> Times:
    """The trigger of a cron expression or `every 15m`. Raises `Faulty`."""
    times = read_times(expression)
    return WallTimes(times, zone) if isinstance(times, Cron) else Intervals(times, zone)


def _listed(numbers: Collection[int], every: int) -> str:
    """As APScheduler reads it; it walks through a list, but not through all."""
    return "*" if len(numbers) == every else ",".join(map(str, sorted(numbers)))
