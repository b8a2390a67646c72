"""How `foretag worker` runs, and whom it tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from config.sections.durations import Duration
from config.sections.notify import Notify
from config.sections.secret import Secret
from config.sections.strict import Strict


class Service(Strict):
    """How `foretag worker` runs, and whom it tells."""

    listen: str = Field(
        default="127.0.0.1:9464",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$",
        description="HOST:PORT of /healthz, /readyz and /metrics",
    )
    runs_at_once: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2, description="of different connections; each is a process of its own"
    )
    grace: Duration = Field(
        default=timedelta(seconds=25),
        description="how long a run may take to finish or park what it is sending, once the worker is told to stop",
    )
    longest_run: Duration = Field(
        default=timedelta(hours=6),
        description="a run that takes longer is told to stop, and goes on at its next turn",
    )
    logs: Literal["json", "console"] | None = Field(
        default=None, description="how log lines look; default console on a terminal, else json"
    )
    notify: Notify = Notify()
    dead_man: Secret | None = Field(
        default=None,
        description="a web address that is asked for after each good run, unless a connection is in trouble:"
        " whoever watches it raises an alarm once it falls silent",
    )
