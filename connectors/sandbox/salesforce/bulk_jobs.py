"""What query and ingest jobs of Bulk API 2.0 share: identity, dialect, visible state, listing, visibility."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from connectors.sandbox.salesforce.context import not_found
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.ids import long_id, make_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.sandbox.salesforce.bulk_csv import Dialect
    from connectors.sandbox.salesforce.context import Call

RUNNING, DONE, FAILED, ABORTED = "InProgress", "JobComplete", "Failed", "Aborted"
ENDED = frozenset({DONE, FAILED, ABORTED})
_PAGE = 1000
# A poll waits this long (seconds) for a job that is about to end, so that a quick job costs one poll.
_PATIENCE = 0.25


# (poll, seconds after the start) from when on clients may see that a job has ended.
Pace = tuple[int, float]


@dataclass(slots=True)
class Job:
    """One bulk job. `state` is where the work really stands; `visible_state` is what a client is told."""

    id: str
    owner: str
    operation: str
    object_name: str
    dialect: Dialect
    version: str
    created: datetime
    modified: datetime
    state: str
    content_type: str = "CSV"
    polls: int = 0
    started: datetime | None = None
    work: Future[None] | None = None
    problem: str | None = None
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def poll(self, pace: Pace, now: datetime) -> str:
        """Count one look at the job, and tell its visible state."""
        self.polls += 1
        if self.work is not None:
            wait([self.work], timeout=_PATIENCE)
        return self.visible_state(pace, now)

    def visible_state(self, pace: Pace, now: datetime) -> str:
        """The state as clients see it: the end shows only after the configured polls and seconds."""
        with self.lock:
            if self.started is None or self.state == ABORTED:
                return self.state
            polls, seconds = pace
            waited = (now - self.started).total_seconds()
            # Who never polled may still ask for results, as of a first look.
            if max(self.polls, 1) >= polls and waited >= seconds:
                return self.state
            return RUNNING if self.polls else "UploadComplete"

    def end(self, state: str, now: datetime, problem: str | None = None) -> None:
        """Put down how the work ended, unless somebody aborted it meanwhile."""
        with self.lock:
            if self.state != ABORTED:
                self.state, self.problem = state, problem
            self.modified = now
            if self.started is not None:
                self.milliseconds = max(int((now - self.started).total_seconds() * 1000), 1)

    def abort(self, now: datetime) -> None:
        """Stop the job where it stands; what is written stays written."""
        with self.lock:
            self.state, self.modified = ABORTED, now

    def as_json(self, state: str) -> dict[str, Any]:
        """The keys that every reply about a job has."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.object_name,
            "createdById": self.owner,
            "createdDate": _stamp(self.created),
            "systemModstamp": _stamp(self.modified),
            "state": state,
            "concurrencyMode": "Parallel",
            "contentType": self.content_type,
            "apiVersion": float(self.version),
            "lineEnding": self.dialect.line_ending,
            "columnDelimiter": self.dialect.delimiter,
        }


AnyJob = TypeVar("AnyJob", bound=Job)


class Jobs(Generic[AnyJob]):
    """The jobs of one kind in one org, newest last, and the threads that work on them."""

    def __init__(self, first_serial: int) -> None:
        self._jobs: dict[str, AnyJob] = {}
        self._serial = first_serial
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="bulk-job")

    def new_id(self) -> str:
        """The id of the next job."""
        with self._lock:
            self._serial += 1
            return make_id("750", self._serial)

    def add(self, job: AnyJob) -> None:
        """Keep a new job."""
        self._jobs[job.id] = job

    def start(self, job: AnyJob, work: Callable[[], None], now: datetime) -> None:
        """Let a thread work on the job."""
        job.started = now
        job.work = self._threads.submit(work)

    def find(self, call: Call) -> AnyJob:
        """The job that the path names, if the caller made it or is an admin. Raises NOT_FOUND."""
        job = self._jobs.get(long_id(call.path_params["job_id"]) or "")
        if job is None or not _may_see(job, call):
            raise not_found()
        return job

    def find_own(self, call: Call) -> AnyJob:
        """The job that the path names, for those who made it: rows are for nobody else, not even admins."""
        job = self.find(call)
        if job.owner != call.user.id:
            raise SalesforceError("INSUFFICIENT_ACCESS", "You can only get the results of your own jobs")
        return job

    def remove(self, job: AnyJob) -> None:
        """Forget a job that has ended. Raises INVALIDJOBSTATE for one that has not."""
        if job.state not in ENDED:
            raise SalesforceError("INVALIDJOBSTATE", f"A job in state {job.state} can't be deleted")
        self._jobs.pop(job.id, None)

    def listing(self, call: Call, show: Callable[[AnyJob, str], dict[str, Any]]) -> dict[str, Any]:
        """The reply to a GET of the collection, 1,000 jobs at a time, newest first."""
        mine = [job for job in reversed(list(self._jobs.values())) if _may_see(job, call)]
        start = int(call.query.get("queryLocator") or 0)
        pace, now = call.context.faults.job_pace(), call.context.clock()
        more = len(mine) > start + _PAGE
        return {
            "done": not more,
            "records": [show(job, job.visible_state(pace, now)) for job in mine[start : start + _PAGE]],
            "nextRecordsUrl": f"{call.path}?queryLocator={start + _PAGE}" if more else None,
        }


def _may_see(job: Job, call: Call) -> bool:
    return job.owner == call.user.id or call.user.is_admin


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
