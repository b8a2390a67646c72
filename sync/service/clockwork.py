"""What wakes a worker at the moments of its schedule: APScheduler, with all that is due in memory."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sync.service.schedule import Work


class _Openings(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The moments at which some work begins, blackouts and spread counted."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """What APScheduler asks."""
        fire = self._work.next_fire(previous_fire_time or now)
        return None if fire is None else fire.at


class Clockwork:
    """Calls `wake` with each work whose moment has come, from a thread of its own.

    Nothing is lost by a call that comes late or not at all: what is due is asked of the work itself.
    """

    def __init__(self, wake: Callable[[Work], object]) -> None:
        self._wake = wake
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self) -> None:
        """From now on it calls."""
        self._scheduler.start()

    def stop(self) -> None:
        """It calls no more."""
        self._scheduler.shutdown(wait=False)

    def set(self, works: Iterable[Work], connection: str | None = None) -> None:
        """Call for these and no others: on this connection, or on all."""
        for job in self._scheduler.get_jobs():
            if connection in (None, job.args[0].connection):
                job.remove()
        for work in works:
            self._scheduler.add_job(self._call, _Openings(work), args=(work,))

    def _call(self, work: Work) -> None:
        self._wake(work)
