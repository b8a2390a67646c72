"""When which work on a connection is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, get_args

from pydantic import Field

from config.sections.durations import Duration
from config.sections.strict import Strict

# Read what changed; read everything anew; compare the local copy with the CRM; make the owners' tasks.
JobName = Literal["increment", "full", "reconcile", "tasks"]
JOBS: tuple[JobName, ...] = get_args(JobName)


class Schedule(Strict):
    """When which work on a connection is due. A time is a cron expression, or `every 15m`."""

    increment: str | None = Field(default="every 15m", description="read what changed, score, write")
    full: str | None = Field(default="0 2 * * *", description="the same, but read everything anew")
    reconcile: str | None = Field(default="0 4 * * sun", description="compare the local copy with the CRM")
    tasks: str | None = Field(
        default=None,
        description="make and change tasks at this time of each owner's own zone; default with every run",
    )
    timezone: str | None = Field(default=None, description="in which times are read; default the org's own")
    jitter: Duration = Field(default=timedelta(seconds=60), description="starts are spread over so long")
