"""Times in which nothing may run: hours of some weekdays, the ends of months, some days of the calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from config.clocks import moment_of
from config.problems import Fault, Faulty
from config.sections.strict import Strict
from config.sections.times import WEEKDAY, read_field

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_HOURS = re.compile(r"^(\d{1,2}):([0-5]\d) ?- ?(\d{1,2}):([0-5]\d)$")
_DATES = re.compile(r"^\d{4}-\d\d-\d\d( to \d{4}-\d\d-\d\d)?$")
_NO_DATES = Fault("is not a range of days", "write it as 2026-12-24 to 2027-01-02")
_DAY = timedelta(days=1)
# What lasts longer is no blackout.
LONGEST = timedelta(days=366)
_MINUTES_OF_DAY = 24 * 60

# YAML reads a lone day as a date of its own.
_Dates = Annotated[
    str, BeforeValidator(lambda value: value.isoformat() if isinstance(value, date) else value)
]


class Blackout(Strict):
    """A time in which nothing runs, by the clock of the schedule's time zone. All that is given must hold."""

    weekdays: str | None = Field(
        default=None,
        description="on these, as in cron: mon-fri, or sat,sun; the day on which the hours begin",
    )
    hours: str | None = Field(
        default=None, description="22:00-06:00, which may reach over midnight; default the whole day"
    )
    dates: _Dates | None = Field(
        default=None, description="2026-12-24 to 2027-01-02, both days included, or a single day"
    )
    month_end: Annotated[int, Field(ge=1, le=15)] | None = Field(
        default=None, description="so many days at the end of each month"
    )
    month_start: Annotated[int, Field(ge=1, le=15)] | None = Field(
        default=None, description="so many days at the start of each month; with month_end, both"
    )
    why: str = Field(default="", max_length=255, description="for those who read it in `foretag schedule`")

    @field_validator("weekdays")
    @classmethod
    def _weekdays(cls, value: str | None) -> str | None:
        faults: list[Fault] = []
        read_field(value or "*", WEEKDAY, faults)
        if faults:
            raise Faulty(*faults)
        return value

    @field_validator("hours")
    @classmethod
    def _hours(cls, value: str | None) -> str | None:
        _read_hours(value)
        return value

    @field_validator("dates")
    @classmethod
    def _dates(cls, value: str | None) -> str | None:
        _read_dates(value)
        return value

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.given == {}:
            raise Faulty(Fault("says no time", "give weekdays, hours, dates, month_end or month_start"))
        return self

    @property
    def given(self) -> dict[str, str | int]:
        """What says when, as it was written."""
        keys = ("weekdays", "hours", "dates", "month_end", "month_start")
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}

    def begins_on(self, day: date) -> tuple[datetime, datetime] | None:
        """From when to before when the one lasts that begins on this day, by the local clock; None: none does."""
        if not self._holds_on(day):
            return None
        start, length = _read_hours(self.hours)
        begin = datetime.combine(day, time()) + start
        return begin, begin + length

    def _holds_on(self, day: date) -> bool:
        first, last = _read_dates(self.dates)
        of_month = self.month_start is None and self.month_end is None
        of_month = of_month or day.day <= (self.month_start or 0)
        of_month = of_month or (day + (self.month_end or 0) * _DAY).month != day.month
        weekday = day.isoweekday() % 7 in {
            number % 7 for number in read_field(self.weekdays or "*", WEEKDAY, [])
        }
        return first <= day <= last and of_month and weekday


@dataclass(frozen=True, slots=True)
class Blackouts:
    """All blackouts of one connection, by the clock of its zone."""

    each: tuple[Blackout, ...]
    zone: ZoneInfo

    def until(self, now: datetime) -> datetime | None:
        """Until when nothing may run, in UTC, through all that follow on each other (a year's); None: it may now."""
        end = self._end(now)
        while end is not None and end - now < LONGEST and (further := self._end(end)) is not None:
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


def _read_hours(text: str | None) -> tuple[timedelta, timedelta]:
    """When it begins, after midnight, and how long it lasts."""
    if text is None:
        return timedelta(), _DAY
    found = _HOURS.match(text)
    begin, end = (
        (60 * int(found[1]) + int(found[2]), 60 * int(found[3]) + int(found[4])) if found else (-1, -1)
    )
    if found is None or begin >= _MINUTES_OF_DAY or end > _MINUTES_OF_DAY or begin == end:
        raise Faulty(Fault("is not a time of the day", "write it as 22:00-06:00"))
    return timedelta(minutes=begin), timedelta(minutes=(end - begin) % _MINUTES_OF_DAY or _MINUTES_OF_DAY)


def _read_dates(text: str | None) -> tuple[date, date]:
    """The first and the last day."""
    if text is None:
        return date.min, date.max
    if not _DATES.match(text):
        raise Faulty(_NO_DATES)
    try:
        first, last = date.fromisoformat(text[:10]), date.fromisoformat(text[-10:])
    except ValueError:
        raise Faulty(_NO_DATES) from None
    if last < first:
        raise Faulty(Fault("ends before it begins", "the earlier day comes first"))
    if last - first >= LONGEST:
        raise Faulty(Fault("is longer than a year", "`foretag pause` stops a connection until it is resumed"))
    return first, last
