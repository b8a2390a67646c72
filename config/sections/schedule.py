"""When which work on a connection is due."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Literal, get_args
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from config.problems import Fault, Faulty
from config.sections.blackouts import Blackout
from config.sections.durations import Duration
from config.sections.strict import Strict
from config.sections.times import read_times

# Read what changed; read everything anew; compare the local copy with the CRM; make the owners' tasks.
JobName = Literal["increment", "full", "reconcile", "tasks"]
JOBS: tuple[JobName, ...] = get_args(JobName)


class Late(Strict):
    """How late each job may still begin; later it is missed, and waits for its next time. null: however late."""

    increment: Duration | None = None
    full: Duration | None = timedelta(hours=12)
    reconcile: Duration | None = timedelta(days=2)
    tasks: Duration | None = timedelta(hours=3)


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
        if value is not None and value not in _zones():
            raise Faulty(Fault(f"{value!r} is no time zone", _nearest(value)))
        return value

    def times(self) -> dict[JobName, str]:
        """The jobs that are due at all, with their times."""
        return {job: text for job in JOBS if (text := getattr(self, job)) is not None}


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _nearest(zone: str) -> str:
    from config.files.documents import did_you_mean  # noqa: PLC0415  # reads YAML: of use for a mistake alone

    hint = did_you_mean(zone, sorted(_zones()))
    return hint or "write a name such as Europe/Stockholm, America/New_York or UTC"
