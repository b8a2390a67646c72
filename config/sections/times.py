"""Times as people write them in a schedule: a cron expression, or `every 15m`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from config.problems import Fault, Faulty
from config.sections.durations import told

if TYPE_CHECKING:
    from collections.abc import Iterator

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five parts of a cron expression; `names` stand for the numbers from `first` on."""

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        names = f", or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.first} to {self.last}{names}"


MINUTE = _Field("minute", 0, 59)
HOUR = _Field("hour", 0, 23)
DAY = _Field("day of the month", 1, 31)
MONTH = _Field("month", 1, 12, _MONTHS)
WEEKDAY = _Field("weekday", 0, 7, _WEEKDAYS)
_FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)

_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ITEM = re.compile(r"^(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?$", re.ASCII)
_EVERY = re.compile(r"^every\s+(?P<number>\d{1,6})\s*(?P<unit>[smhd])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_EXAMPLES = 'write "every 15m", or "0 2 * * *" for 02:00 each day'

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again after the same length of time, counted from a midnight in which a week and a year began."""

    length: timedelta
    ANCHOR: ClassVar = datetime(2001, 1, 1)  # noqa: DTZ001  # of whichever zone

    def between(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Its times from one moment to before another, while no clock is changed."""
        moment = begin - (begin.replace(tzinfo=None) - self.ANCHOR) % self.length
        while moment < end:
            if moment >= begin:
                yield moment
            moment += self.length


@dataclass(frozen=True, slots=True)
class Cron:
    """Minutes of the local clock; weekdays as in crontab, 0 to 6 from Sunday on."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def every_hour(self) -> bool:
        """Whether it means hours as they pass, not certain ones of the clock."""
        return len(self.hours) == 24

    def _holds_on(self, day: datetime) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def between(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Its times from one midnight to before another, while no clock is changed."""
        while begin < end:
            if self._holds_on(begin):
                for minute in range(24 * 60):
                    if minute // 60 in self.hours and minute % 60 in self.minutes:
                        yield begin + timedelta(minutes=minute)
            begin += timedelta(days=1)


def read_times(text: str) -> Cron | Every:
    """Read a cron expression of five parts, or `every 15m`. Raises `Faulty`: what is wrong, and at which characters."""
    written = text.strip().lower()
    if written.startswith("every"):
        return _every(text)
    if written.startswith("@"):
        if written not in _NICKNAMES:
            raise Faulty(
                Fault(f"{text.strip()!r} is not known", f"known here: {', '.join(sorted(_NICKNAMES))}")
            )
        return read_times(_NICKNAMES[written])
    return _cron(text)


def _every(text: str) -> Every:
    found = _EVERY.match(text.strip().lower())
    if found is None:
        raise Faulty(Fault("is not a length of time", "write every 15m, every 6h or every 1d"))
    length = timedelta(**{_UNITS[found["unit"]]: int(found["number"])})
    if not SHORTEST <= length <= LONGEST:
        raise Faulty(Fault("is too often or too seldom", f"from {told(SHORTEST)} to {told(LONGEST)}"))
    return Every(length)


def _cron(text: str) -> Cron:
    parts = list(re.finditer(r"\S+", text))
    if len(parts) != len(_FIELDS):
        raise Faulty(Fault(f"has {len(parts)} of the five parts of a cron expression", _EXAMPLES))
    faults: list[Fault] = []
    sets = [
        read_field(part.group(), field, faults, part.start())
        for part, field in zip(parts, _FIELDS, strict=True)
    ]
    if faults:
        raise Faulty(*faults)
    minutes, hours, days, months, weekdays = sets
    cron = Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays))
    _refuse_never(cron, parts)
    return cron


def _refuse_never(cron: Cron, parts: list[re.Match[str]]) -> None:
    """A day that no month has; and a day of the month beside a weekday, which means another thing in each cron."""
    if len(cron.days) < 31 and len(cron.weekdays) < 7:
        raise Faulty(
            Fault(
                "has a day of the month and a weekday: some would take both, some either",
                'write "*" for one of the two',
                start=parts[2].start(),
                end=parts[4].end(),
            )
        )
    if min(cron.days) > max(_DAYS_IN_MONTH[month - 1] for month in cron.months):
        raise Faulty(
            Fault(
                "never comes: none of these months has such a day",
                "another day, or other months",
                start=parts[2].start(),
                end=parts[3].end(),
            )
        )


def read_field(text: str, field: _Field, faults: list[Fault], start: int = 0) -> frozenset[int]:
    """The numbers that one part means: `*`, `5`, `1-5`, `*/15`, `mon-fri`, several with commas; adds what is wrong."""
    numbers: set[int] = set()
    for word in text.split(","):
        try:
            numbers.update(_item(word, field))
        except ValueError as error:
            faults.append(
                Fault(f"{field.name} {word!r}: {error}", start=start, end=start + max(len(word), 1))
            )
        start += len(word) + 1
    return frozenset(numbers)


def _item(word: str, field: _Field) -> Iterator[int]:
    found = _ITEM.match(word)
    if found is None:
        raise ValueError(f"write {field.allowed}; also 1-5, */15, or several with commas")
    first, last = field.first, field.last
    if found["first"]:
        first = _number(found["first"], field)
        last = _number(found["last"], field) if found["last"] else last if found["step"] else first
    elif field is WEEKDAY:
        last = 6
    if found["last"] and field is WEEKDAY and last == 0:
        last = 7
    step = int(found["step"] or 1)
    if step == 0:
        raise ValueError("a step of 0 goes nowhere")
    if last < first:
        raise ValueError("begins after it ends; write it as two, with a comma")
    return iter(range(first, last + 1, step))


def _number(word: str, field: _Field) -> int:
    if word.lower() in field.names:
        return field.names.index(word.lower()) + (field.first if field is MONTH else 0)
    if not word.isdigit() or not field.first <= int(word) <= field.last:
        raise ValueError(f"write {field.allowed}")
    return int(word)
