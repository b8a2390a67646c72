"""What is due when: the schedule of a connection as work with its times; pure, the moment is an argument.

Moments are aware and in UTC. The worker asks `Work.turn` of each piece of work; replicas get the same answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from config.clocks import zone_of
from config.sections.blackouts import Blackouts
from config.sections.durations import told
from sync.service.triggers import trigger_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from config.sections.schedule import JobName, Schedule
    from sync.service.triggers import Times

# What a job does besides: due at the same time, only the first is needed.
COVERS: dict[JobName, tuple[JobName, ...]] = {"full": ("increment",)}

# Of days: what is too late on each of them will be so on the next.
_A_YEAR = 366


@dataclass(frozen=True, slots=True)
class Start:
    """Begin it now, for this moment of the schedule (earlier ones not taken are covered by it)."""

    due: datetime


@dataclass(frozen=True, slots=True)
class TooLate:
    """It is too late for this moment of the schedule: note that it was missed, and why."""

    due: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before this moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Coming:
    """A moment of the schedule (`due`), and when it is begun if all goes well: after blackout and spread."""

    due: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """One job of one connection (of owners in one zone, if it makes their tasks), and when it is due.

    `times` is an APScheduler trigger; `grace` says how late it may begin (None: however late), also after the worker
    was down; `offset` spreads the starts of connections, the same on every replica.
    """

    connection: str
    job: JobName
    zone: str
    expression: str
    timezone: str
    times: Times
    grace: timedelta | None
    offset: timedelta
    blackouts: Blackouts

    def last_due(self, before: datetime) -> datetime | None:
        """The latest moment of the schedule that is not after `before`; blackouts and spread not counted."""
        return self.times.last(before)

    def next_fire(self, after: datetime) -> Coming | None:
        """The first that begins after this moment, blackouts and spread counted."""
        return next(self.fires(after), None)

    def fires(self, after: datetime) -> Iterator[Coming]:
        """All that begin after this moment, in order: those that a blackout puts off to one moment are one.

        They end where a year of them is too late in a row: an owner's mornings may all lie in the org's blackouts.
        """
        in_vain = 0
        for fire in self._openings(after):
            in_vain = in_vain + 1 if self._too_late(fire.due, fire.at) else 0
            if in_vain > _A_YEAR:
                return
            if not in_vain:
                yield fire

    def turn(self, taken: datetime | None, now: datetime) -> Start | TooLate | Wait:
        """What to do now, if `taken` is the last moment of the schedule that any worker took (None: none yet).

        Several that were not taken are one: the last counts. What was never taken is never told as missed.
        """
        due = self.last_due(now - self.offset)
        is_new = due is not None and (taken is None or due > taken)
        if due is None or not is_new or self._opening(now) != now:
            return Wait(self._next_opening(now))
        if not self._too_late(due, now):
            return Start(due)
        return Wait(self._next_opening(now)) if taken is None else TooLate(due, self._why(due))

    def _openings(self, after: datetime) -> Iterator[Coming]:
        """Each moment at which something would begin, were nothing too late; with the last that is due by then."""
        put_off = self.last_due(after - self.offset) if self.blackouts.each else None
        due = put_off or self.times.next(after - self.offset)
        while True:
            at = self._opening(due + self.offset)
            if at != due + self.offset:
                due = self.last_due(at - self.offset) or due
            if at > after:
                yield Coming(due, at)
            due = self.times.next(due)

    def _next_opening(self, after: datetime) -> datetime:
        return next(self._openings(after)).at

    def _opening(self, moment: datetime) -> datetime:
        """The first moment from this one on at which it may begin; after a blackout starts are spread anew."""
        while True:
            if (end := self.blackouts.until(moment - self.offset)) is not None:
                moment = end + self.offset
            elif (end := self.blackouts.until(moment)) is not None:
                moment = end
            else:
                return moment

    def _too_late(self, due: datetime, at: datetime) -> bool:
        return self.grace is not None and at - self.offset - due > self.grace

    def _why(self, due: datetime) -> str:
        end = self.blackouts.until(due)
        if end is not None and self._too_late(due, end + self.offset):
            return f"within a blackout that ended {end:%Y-%m-%d %H:%M} UTC"
        return f"it could not begin within {told(self.grace or timedelta())}"


def plan_of(
    connection: str, schedule: Schedule, timezone: str | None, zones: Iterable[str] | None = None
) -> list[Work]:
    """The work on a connection, in the order of `JOBS`.

    `timezone` is the org's and `zones` its owners', as the history last saw them; unknown ones are read as UTC and
    as the org's. With tasks at times of their own there is one `Work` for each zone of owners.
    """
    home = zone_of(schedule.timezone or timezone)
    return [
        _work(connection, schedule, job, zone, home)
        for job in schedule.times()
        for zone in (sorted(set(zones or ())) if job == "tasks" else ()) or ("",)
    ]


def _work(connection: str, schedule: Schedule, job: JobName, zone: str, home: ZoneInfo) -> Work:
    expression = schedule.times()[job]
    place = zone_of(zone, home)
    return Work(
        connection,
        job,
        zone,
        expression,
        place.key,
        trigger_of(expression, place),
        getattr(schedule.late, job),
        offset_of(connection, schedule.jitter),
        Blackouts(schedule.blackouts, home),
    )


def in_blackout(schedule: Schedule, timezone: str | None, now: datetime) -> datetime | None:
    """Until when nothing may run on a connection; None: it may now."""
    return Blackouts(schedule.blackouts, zone_of(schedule.timezone or timezone)).until(now)


def offset_of(connection: str, jitter: timedelta) -> timedelta:
    """How long after their due moment a connection's jobs begin: any whole second below `jitter`, fixed by its name.

    The same for all of its jobs: those that are due together begin together, and one may cover the other.
    """
    seconds = int(jitter.total_seconds())
    digest = sha256(connection.encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % seconds if seconds else 0)
