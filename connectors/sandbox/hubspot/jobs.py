"""The portal's asynchronous work (exports, imports): how many run at once, and when clients may see an end."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from connectors.sandbox.hubspot.errors import not_found

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.sandbox.hubspot.context import HubSpotContext

# (looks, seconds after the start) from when on clients may see that a job has ended.
Pace = tuple[int, float]
# A look waits this long (seconds) for work that is about to end, so that a quick job costs one look.
_PATIENCE = 0.25


@dataclass(slots=True, kw_only=True)
class Job:
    """One piece of work: it waits, runs once a lane is free, and ends; `failure` says that it ended badly."""

    id: str
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    looks: int = 0
    cancelled: bool = False
    failure: str | None = None
    future: Future[None] = field(default_factory=Future)

    def work(self) -> None:
        """Do it; looks at `cancelled` now and then."""
        raise NotImplementedError

    @property
    def waiting(self) -> bool:
        """Whether no lane was free yet."""
        return self.started is None and self.ended is None

    def may_end(self, pace: Pace, now: datetime) -> bool:
        """Whether the work is done, and slow jobs have been slow for long enough."""
        looks, seconds = pace
        waited = (now - self.started).total_seconds() if self.started else 0.0
        # Who never looked may still ask for what came of it, as of a first look.
        return self.future.done() and max(self.looks, 1) >= looks and waited >= seconds


AnyJob = TypeVar("AnyJob", bound=Job)


class Lanes(Generic[AnyJob]):
    """All jobs of one kind: at most `width` run at once, the others wait in their order.

    What clients see goes by the portal's clock: a lane is free again once its job may be seen to have ended.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._jobs: dict[str, AnyJob] = {}
        self._lock = threading.RLock()
        self._threads = ThreadPoolExecutor(width, thread_name_prefix="hubspot-job")

    def add(self, job: AnyJob, context: HubSpotContext) -> None:
        """Take a job in; it runs as soon as a lane is free."""
        with self._lock:
            self._jobs[job.id] = job
        self._advance(context)

    def find(self, job_id: str) -> AnyJob:
        """The job of this id. Raises 404."""
        job = self._jobs.get(job_id)
        if job is None:
            raise not_found(job_id)
        return job

    def all(self) -> list[AnyJob]:
        """Every job, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def look(self, job: AnyJob, context: HubSpotContext) -> None:
        """Count one look at a job and at those that hold it up, and bring all of them up to date."""
        self._advance(context)
        for one in {id(one): one for one in (*self._running(), job)}.values():
            one.looks += 1
        # What waited when the look began may run after it: two rounds.
        for _ in range(2):
            wait([one.future for one in self._running()] if job.waiting else [job.future], timeout=_PATIENCE)
            self._advance(context)

    def cancel(self, job: AnyJob, context: HubSpotContext) -> bool:
        """Stop a job where it stands; False if it had ended."""
        with self._lock:
            self._advance(context)
            if job.ended:
                return False
            job.cancelled, job.ended = True, context.clock()
        self._advance(context)
        return True

    def _running(self) -> list[AnyJob]:
        with self._lock:
            return [one for one in self._jobs.values() if one.started and not one.ended]

    def _advance(self, context: HubSpotContext) -> None:
        """End what may end, and start what has a free lane."""
        with self._lock:
            now, pace = context.clock(), context.faults.job_pace()
            running = 0
            for job in self._jobs.values():
                if job.started and not job.ended and job.may_end(pace, now):
                    job.ended = now
                if job.waiting and running < self._width:
                    job.started = now
                    job.future = self._threads.submit(_run, job)
                running += job.started is not None and job.ended is None


def _run(job: Job) -> None:
    try:
        job.work()
    except Exception as bug:
        # Nobody waits for the thread: the job itself must tell, or clients would look for ever.
        job.failure = f"InternalServerError: {bug!r}"
        raise
