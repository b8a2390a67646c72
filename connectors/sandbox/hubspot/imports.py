"""Imports: a file taken in at once, worked off three at a time, with its errors row by row."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.sandbox.fault_kinds import JobAborted
from connectors.sandbox.hubspot.batches import stamp
from connectors.sandbox.hubspot.context import Endpoint, found
from connectors.sandbox.hubspot.errors import invalid, not_found
from connectors.sandbox.hubspot.import_requests import ImportRequest, too_large
from connectors.sandbox.hubspot.import_work import ImportWork
from connectors.sandbox.hubspot.jobs import Job, Lanes
from connectors.sandbox.hubspot.paging import paged
from connectors.sandbox.hubspot.scopes import one_of
from connectors.sandbox.hubspot.stamps import milliseconds
from connectors.sandbox.multipart import is_multipart, read_form

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from connectors.sandbox.hubspot.context import Call, HubSpotContext
    from connectors.sandbox.hubspot.import_work import ImportProblem

AT_ONCE = 3
MOST_PER_DAY = 500
MOST_ROWS_PER_DAY = 80_000_000
ERRORS_PER_PAGE = 100
_DAY = timedelta(hours=24)
_MAY = one_of("crm.import")


@dataclass(slots=True, kw_only=True)
class ImportJob(Job):
    """One import of one app."""

    app_id: str
    context: HubSpotContext
    request: ImportRequest
    file_id: int
    doing: ImportWork = field(init=False)

    @property
    def state(self) -> str:
        """As HubSpot names it."""
        if self.cancelled:
            return "CANCELED"
        if self.ended:
            return "FAILED" if self.failure else "DONE"
        if self.waiting:
            return "DEFERRED"
        return "PROCESSING" if self.looks else "STARTED"

    def work(self) -> None:
        """Save the rows; a fault may end it half-way."""
        fault = self.context.faults.job_end(self.request.object_type.name)
        self.doing.run(1.0 if fault is None else fault.share)
        if isinstance(fault, JobAborted):
            self.cancelled = True
        elif fault is not None:
            self.failure = fault.message

    def told(self) -> dict[str, Any]:
        """As the API tells it; counters that are zero are left out."""
        counters = {name: count for name, count in self.doing.counters.items() if count}
        changed = self.ended or self.started or self.created
        return {
            "id": self.id,
            "state": self.state,
            "importName": self.request.name,
            "importSource": "API",
            "optOutImport": False,
            "importRequestJson": self.request.given,
            "mappedObjectTypeIds": [self.request.object_type.type_id],
            "metadata": {"counters": counters, "fileIds": [str(self.file_id)], "objectLists": []},
            "createdAt": stamp(self.created),
            "updatedAt": stamp(changed),
        }


class Imports:
    """The imports of one portal, and the replies about them."""

    def __init__(self) -> None:
        self._lanes: Lanes[ImportJob] = Lanes(AT_ONCE)
        self._lock = threading.Lock()
        self._last_id = 29_801_000

    def start(self, call: Call) -> Response:
        """POST imports: a multipart body with the request and the file."""
        if not is_multipart(call.headers):
            raise invalid("The request must be multipart/form-data with the parts importRequest and files")
        try:
            form = read_form(call.headers, call.body)
        except ValueError as error:
            raise invalid(f"The multipart body cannot be read: {error}") from None
        request = ImportRequest.of_form(form, call.portal)
        with self._lock:
            self._check_allowance(len(request.rows), call.context.clock())
            self._last_id += 1
            job = self._job(call, request)
            self._lanes.add(job, call.context)
        return found(job.told())

    def _job(self, call: Call, request: ImportRequest) -> ImportJob:
        job = ImportJob(
            id=str(self._last_id),
            created=call.context.clock(),
            app_id=call.caller.app_id,
            context=call.context,
            request=request,
            file_id=9_037_000_000 + self._last_id,
        )
        job.doing = ImportWork(call.portal, call.caller, request, lambda: job.cancelled)
        return job

    def _check_allowance(self, rows: int, now: datetime) -> None:
        recent = [job for job in self._lanes.all() if job.created > now - _DAY]
        if len(recent) >= MOST_PER_DAY:
            raise too_large(f"You have reached the limit of {MOST_PER_DAY} imports in 24 hours")
        if rows + sum(len(job.request.rows) for job in recent) > MOST_ROWS_PER_DAY:
            raise too_large(f"You have reached the limit of {MOST_ROWS_PER_DAY} imported rows in 24 hours")

    def listing(self, call: Call) -> Response:
        """GET imports: those of the same app, newest first."""
        mine = [job for job in reversed(self._lanes.all()) if job.app_id == call.caller.app_id]
        page, after = _page(call, mine, call.whole("limit", 10))
        return found(paged(call, [job.told() for job in page], after))

    def get(self, call: Call) -> Response:
        """GET imports/{id}: one look."""
        job = self._find(call)
        self._lanes.look(job, call.context)
        return found(job.told())

    def cancel(self, call: Call) -> Response:
        """POST imports/{id}/cancel: what is written stays written."""
        job = self._find(call)
        if not self._lanes.cancel(job, call.context):
            raise invalid(f"Import {job.id} is {job.state} and cannot be canceled")
        begun, ended = job.started or job.created, job.ended or call.context.clock()
        return found({"status": "CANCELED", "startedAt": stamp(begun), "completedAt": stamp(ended)})

    def errors(self, call: Call) -> Response:
        """GET imports/{id}/errors: page by page, with the row's cells and the message where asked for."""
        job = self._find(call)
        problems = list(enumerate(job.doing.errors))
        page, after = _page(call, problems, call.whole("limit", ERRORS_PER_PAGE))
        return found(paged(call, [_error(call, job, place, problem) for place, problem in page], after))

    def _find(self, call: Call) -> ImportJob:
        job = self._lanes.find(call.params["id"])
        if job.app_id != call.caller.app_id:
            raise not_found(job.id)
        return job


def _page(call: Call, everything: list[Any], limit: int) -> tuple[list[Any], str | None]:
    start = call.whole("after", 0)
    end = start + max(limit, 1)
    return everything[start:end], str(end) if end < len(everything) else None


def _error(call: Call, job: ImportJob, place: int, problem: ImportProblem) -> dict[str, Any]:
    object_type = job.request.object_type
    told: dict[str, Any] = {
        "id": str(int(job.id) * 100_000 + place),
        "createdAt": milliseconds(job.started or job.created),
        "errorType": problem.error_type,
        "objectType": object_type.singular.upper(),
        "objectTypeId": object_type.type_id,
        "sourceData": {
            "rowData": list(problem.row) if call.flag("includeRowData") else [],
            "containsEncryptedProperties": False,
            "lineNumber": problem.line,
            "pageName": job.request.file_name,
            "fileId": job.file_id,
        },
    }
    if call.flag("includeErrorMessage"):
        told["errorMessage"] = problem.message
    if problem.column is not None:
        told |= {"knownColumnNumber": problem.column, "invalidValue": problem.value}
    return told


def endpoints() -> list[Endpoint]:
    """The endpoints of imports."""
    imports = Imports()
    return [
        Endpoint("imports", "", {"POST": (imports.start, _MAY), "GET": (imports.listing, _MAY)}),
        Endpoint("imports", "/{id}", {"GET": (imports.get, _MAY)}),
        Endpoint("imports", "/{id}/cancel", {"POST": (imports.cancel, _MAY)}),
        Endpoint("imports", "/{id}/errors", {"GET": (imports.errors, _MAY)}),
    ]
