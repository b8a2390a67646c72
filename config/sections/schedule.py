"""When which work on a connection is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, Self, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from config.clocks import find_zone
from config.problems import Fault, Faulty
from config.sections.blackouts import LONGEST, Blackout, Blackouts
from config.sections.durations import Duration, told
from config.sections.strict import Strict
from config.sections.times import read_times

# Read what changed; read everything anew; compare the local copy with the CRM; make the owners' tasks.
JobName = Literal["increment", "full", "reconcile", "tasks"]
JOBS: tuple[JobName, ...] = get_args(JobName)

_LONGEST_JITTER = timedelta(hours=1)
_UTC = ZoneInfo("UTC")
_SOME_DAY = datetime(2027, 1, 1, tzinfo=UTC)  # before a leap year


class Late(Strict):
    """How late each job may still begin; later it is missed, and waits for its next time. null: however late."""

    increment: Duration | None = Field(default=None, description="how late this may be; null: however late")
    full: Duration | None = Field(
        default=timedelta(hours=12), description="rather tonight than tomorrow noon"
    )
    reconcile: Duration | None = Field(default=timedelta(days=2), description="how late this may be")
    tasks: Duration | None = Field(
        default=timedelta(hours=3), description="tasks of the morning do not appear at night"
    )


class Schedule(Strict):
    """When which work on a connection is due. A time is a cron expression, or `every 15m`; null: never."""

    increment: str | None = Field(default="every 15m", description="read what changed, score, write")
    full: str | None = Field(default="0 2 * * *", description="the same, but read everything anew")
    reconcile: str | None = Field(default="0 4 * * sun", description="compare the local copy with the CRM")
    tasks: str | None = Field(
        default=None,
        description="make and change tasks at this time of each owner's own zone; default with every run",
    )
    timezone: str | None = Field(default=None, description="in which times are read; default the org's own")
    jitter: Duration = Field(default=timedelta(seconds=60), description="starts are spread over so long")
    late: Late = Late()
    blackouts: tuple[Blackout, ...] = Field(
        default=(),
        description="times in which nothing runs: what is due then waits for the end, and is done once",
    )

    @field_validator(*JOBS)
    @classmethod
    def _times(cls, value: str | None) -> str | None:
        if value is not None:
            read_times(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and find_zone(value) is None:
            raise Faulty(Fault(f"{value!r} is no time zone", _nearest(value)))
        return value

    @field_validator("jitter")
    @classmethod
    def _short(cls, value: timedelta) -> timedelta:
        if value > _LONGEST_JITTER:
            raise Faulty(Fault("is too long", f"{told(_LONGEST_JITTER)} at most"))
        return value

    @model_validator(mode="after")
    def _can_run(self) -> Self:
        """No job may have all of its times in blackouts; those of certain days of the calendar come to an end."""
        returning = Blackouts(tuple(one for one in self.blackouts if one.dates is None), _UTC)
        if (returning.until(_SOME_DAY) or _SOME_DAY) - _SOME_DAY >= LONGEST:
            raise Faulty(Fault("the blackouts leave no time to run at all", path=("blackouts",)))
        if returning.each:
            faults = [_never(job) for job in self.times() if not self._runs(job, returning)]
            if faults:
                raise Faulty(*faults)
        return self

    def _runs(self, job: JobName, blackouts: Blackouts) -> bool:
        """Whether any of its times within two years is outside of blackouts, or begins late enough after one."""
        times, late = read_times(self.times()[job]), getattr(self.late, job)
        if late is None:
            return True
        moments = times.between(_SOME_DAY, _SOME_DAY + timedelta(days=731))
        return any((blackouts.until(moment) or moment) - moment <= late for moment in moments)

    def times(self) -> dict[JobName, str]:
        """The jobs that are due at all, with their times."""
        return {job: text for job in JOBS if (text := getattr(self, job)) is not None}


def _never(job: JobName) -> Fault:
    return Fault(
        f"{job} would never run: all its times lie in blackouts, and after their end it is too late",
        f"another time, or a longer `late: {{{job}: …}}`",
        path=(job,),
    )


def _nearest(zone: str) -> str:
    from config.files.documents import did_you_mean  # noqa: PLC0415  # reads YAML: of use for a mistake alone

    zones = available_timezones()
    same_place = [name for name in zones if name.lower().endswith(f"/{zone.lower()}")]
    if same_place:
        return f'did you mean "{min(same_place, key=len)}"?'
    # An abbreviation names several zones, or half of one.
    hint = did_you_mean(zone, sorted(zones)) if "/" in zone else ""
    return hint or "write a name such as Europe/Stockholm or UTC"
