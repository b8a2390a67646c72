"""Until when nothing may run: the blackouts of a connection as moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sync.service.triggers import moment_of

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from config.sections.blackouts import Blackout

_DAY = timedelta(days=1)
# What lasts longer has no end for us.
_LONGEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Blackouts:
    """All blackouts of one connection, by the clock of its zone."""

    each: tuple[Blackout, ...]
    zone: ZoneInfo

    def until(self, now: datetime) -> datetime | None:
        """Until when nothing may run, in UTC, through all that follow on each other; None: it may now."""
        end = self._end(now)
        while end is not None and end - now < _LONGEST and (further := self._end(end)) is not None:
            end = further
        return end

    def _end(self, now: datetime) -> datetime | None:
        """The latest end of those that hold now."""
        today = now.astimezone(self.zone).date()
        lasting = (blackout.begins_on(day) for blackout in self.each for day in (today - _DAY, today))
        moments = (
            (moment_of(begin, self.zone), moment_of(end, self.zone, again=True))
            for begin, end in filter(None, lasting)
        )
        return max((end for begin, end in moments if begin <= now < end), default=None)
