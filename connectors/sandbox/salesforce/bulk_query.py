"""Bulk API 2.0 query jobs: a snapshot of a SOQL query, handed out as CSV pages."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from connectors.sandbox.fault_kinds import JobAborted
from connectors.sandbox.poison import poison_table
from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.bulk_csv import Dialect
from connectors.sandbox.salesforce.bulk_jobs import DONE, ENDED, FAILED, Job, Jobs
from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext
    from connectors.sandbox.salesforce.org import QueryResult

_BASE = "/services/data/v{version}/jobs/query"
_PAGES_AT_ONCE = 5
_FIRST_PARALLEL_VERSION = 58.0
_FIRST_VERSION = 47.0
# Rows of a page when the client does not say.
_PAGE_ROWS = 100_000
# Rows written per block of a streamed page: large enough for columns to pay, small enough for memory.
_BLOCK = 32_768
# Errors that show only while a query runs; all others are told when the job is made.
_AT_RUN = frozenset({"QUERY_TIMEOUT", "UNKNOWN_EXCEPTION", "SERVER_UNAVAILABLE", "OPERATION_TOO_LARGE"})
# Small tables of values that Bulk API does not take, whether or not the org shows them otherwise.
_REFUSED = frozenset({
    "acceptedeventrelation", "casestatus", "contractstatus", "declinedeventrelation", "eventwhorelation",
    "orderstatus", "partnerrole", "recentlyviewed", "solutionstatus", "taskpriority", "taskstatus",
    "taskwhorelation", "undecidedeventrelation",
})  # fmt: skip
_FROM = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)
_NO_CHUNKS = re.compile(r"\b(?:order\s+by|limit)\b", re.IGNORECASE)


@dataclass(slots=True)
class QueryJob(Job):
    """A query job and its snapshot."""

    soql: str = ""
    result: QueryResult | None = None
    locators: dict[str, int] = field(default_factory=dict)

    @property
    def num_rows(self) -> int:
        """Rows of the snapshot."""
        return self.result.num_rows if self.result else 0

    def locator(self, start: int) -> str:
        """The name of the place before a row: the same each time, of varying length, and telling nothing."""
        digest = hashlib.blake2b(f"{self.id}:{start}".encode(), digest_size=16).digest()
        text = "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"[byte & 31] for byte in digest)
        text = text[: 8 + digest[0] % 9]
        self.locators[text] = start
        return text

    def place(self, locator: str | None) -> int:
        """The row that a locator stands before. Raises INVALID_QUERY_LOCATOR."""
        if locator in (None, ""):
            return 0
        start = self.locators.get(str(locator))
        if start is None:
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return start


class QueryJobs:
    """The query jobs of one org, and the replies about them."""

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._jobs: Jobs[QueryJob] = Jobs(1000)

    def create(self, call: Call) -> Response:
        """POST jobs/query: the query runs now, so that later changes do not show in its pages."""
        body = call.json_object()
        if float(call.version) < _FIRST_VERSION:
            raise SalesforceError("NOT_FOUND", "The requested resource does not exist")
        _check(body)
        now = self._context.clock()
        job = QueryJob(
            id=self._jobs.new_id(), owner=call.user.id, operation=body["operation"], object_name="",
            dialect=Dialect.of_job(body), version=call.version, created=now, modified=now,
            state="UploadComplete", started=now, soql=body["query"],
        )  # fmt: skip
        self._run(job, call)
        self._jobs.add(job)
        return json_response(job.as_json("UploadComplete"))

    def _run(self, job: QueryJob, call: Call) -> None:
        try:
            result = call.org.query(
                job.soql, call.user, include_deleted=job.operation == "queryAll", bulk=True
            )
        except SalesforceError as error:
            if error.code not in _AT_RUN:
                raise
            job.end(FAILED, self._context.clock(), f"{error.code}: {error.message}")
            return
        self._context.limits.take("DailyBulkV2QueryJobs", 1)
        job.result, job.object_name, job.processed = result, result.object_name, result.num_rows
        fault = self._context.faults.job_end(result.object_name)
        if fault is None:
            job.end(DONE, self._context.clock())
        elif isinstance(fault, JobAborted):
            job.abort(self._context.clock())
        else:
            job.end(FAILED, self._context.clock(), fault.message)

    def listing(self, call: Call) -> Response:
        """GET jobs/query."""
        return json_response(self._jobs.listing(call, _brief))

    def get(self, call: Call) -> Response:
        """GET jobs/query/{id}: one poll."""
        job = self._jobs.find(call)
        return json_response(_full(job, job.poll(self._context.faults.job_pace(), self._context.clock())))

    def patch(self, call: Call) -> Response:
        """PATCH jobs/query/{id}: a query job can only be aborted."""
        job = self._jobs.find(call)
        if call.json_object().get("state") != "Aborted":
            raise SalesforceError("INVALIDJOBSTATE", "The only state a query job can be set to is Aborted")
        if self._visible(job) in ENDED:
            raise SalesforceError("INVALIDJOBSTATE", f"Aborting a job in state {job.state} is not allowed")
        job.abort(self._context.clock())
        job.result = None
        return json_response(job.as_json(job.state))

    def delete(self, call: Call) -> Response:
        """DELETE jobs/query/{id}."""
        self._jobs.remove(self._jobs.find(call))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def results(self, call: Call) -> Response:
        """GET jobs/query/{id}/results: one page of CSV, streamed in blocks."""
        job = self._finished(call)
        start = job.place(call.query.get("locator"))
        stop = min(start + self._page_rows(call), job.num_rows)
        headers = {
            "Sforce-NumberOfRecords": str(stop - start),
            "Sforce-Locator": job.locator(stop) if stop < job.num_rows else "null",
        }
        return StreamingResponse(self._blocks(job, start, stop), headers=headers, media_type="text/csv")

    def result_pages(self, call: Call) -> Response:
        """GET jobs/query/{id}/resultPages: addresses of up to five pages, to be read in parallel."""
        if float(call.version) < _FIRST_PARALLEL_VERSION:
            raise SalesforceError("NOT_FOUND", "The requested resource does not exist")
        job = self._finished(call)
        rows = self._page_rows(call)
        start = job.place(call.query.get("locator"))
        result_key, next_key = self._context.faults.page_links()
        starts = range(start, max(job.num_rows, 1), rows)
        results = call.path.rpartition("/")[0] + "/results"
        size = f"&maxRecords={rows}" if "maxRecords" in call.query else ""
        pages = [
            {result_key: f"{results}?locator={job.locator(place)}{size}"} for place in starts[:_PAGES_AT_ONCE]
        ]
        done = len(starts) <= _PAGES_AT_ONCE
        reply: dict[str, Any] = {"resultPages": pages, "done": done}
        if not done:
            following = job.locator(starts[_PAGES_AT_ONCE])
            reply[next_key] = f"{call.path}?locator={following}{size}"
        return json_response(reply)

    def _visible(self, job: QueryJob) -> str:
        return job.visible_state(self._context.faults.job_pace(), self._context.clock())

    def _blocks(self, job: QueryJob, start: int, stop: int) -> Iterator[bytes]:
        if job.result is None:
            return
        for place in range(start, max(stop, start + 1), _BLOCK):
            table = job.result.csv_table(place, min(place + _BLOCK, stop))
            table = poison_table(self._context.faults, job.object_name, table, place)
            yield job.dialect.write(table, header=place == start).to_pybytes()

    def _page_rows(self, call: Call) -> int:
        wanted = call.query.get("maxRecords")
        if wanted is not None and not (wanted.isdecimal() and int(wanted) > 0):
            raise SalesforceError("INVALID_QUERY_OPTION", f"Invalid maxRecords: {wanted}")
        return max(self._context.faults.page_size(int(wanted or _PAGE_ROWS)), 1)

    def _finished(self, call: Call) -> QueryJob:
        job = self._jobs.find_own(call)
        if call.version != job.version:
            message = f"Use API version {job.version}, with which the job was created"
            raise SalesforceError("CONFLICT", message, status=HTTPStatus.CONFLICT)
        if self._visible(job) != DONE:
            message = f"Job {job.id} is not complete; its state is {job.state}"
            raise SalesforceError("JOB_NOT_COMPLETE", message, status=HTTPStatus.PRECONDITION_FAILED)
        return job


def _check(body: dict[str, Any]) -> None:
    if body.get("operation") not in ("query", "queryAll"):
        raise SalesforceError("INVALIDJOB", f"Invalid operation: {body.get('operation')}")
    if not isinstance(body.get("query"), str) or not body["query"].strip():
        raise SalesforceError("INVALIDJOB", "A query job needs a query")
    if body.get("contentType", "CSV") != "CSV":
        raise SalesforceError("INVALIDJOB", f"Invalid contentType: {body['contentType']}")
    source = _FROM.search(body["query"])
    if source is not None:
        refuse_entity(source[1])


def refuse_entity(name: str, code: str = "INVALIDENTITY") -> None:
    """Raise for an object that Bulk API does not take, though the org may have it."""
    if name.lower() in _REFUSED:
        raise SalesforceError(code, f"Entity '{name}' is not supported by the Bulk API.")


def _brief(job: QueryJob, state: str) -> dict[str, Any]:
    return job.as_json(state) | {"jobType": "V2Query"}


def _full(job: QueryJob, state: str) -> dict[str, Any]:
    problem = {"errorMessage": job.problem} if state == FAILED and job.problem else {}
    return _brief(job, state) | {
        "numberRecordsProcessed": job.processed if state in ENDED else 0,
        "retries": 0,
        "totalProcessingTime": job.milliseconds if state in ENDED else 0,
        "isPkChunkingSupported": _NO_CHUNKS.search(job.soql) is None,
        **problem,
    }


def routes(context: SandboxContext) -> list[Route]:
    """The resources of query jobs."""
    jobs = QueryJobs(context)
    one = _BASE + "/{job_id}"
    return [
        context.resource(_BASE, {"POST": jobs.create, "GET": jobs.listing}),
        context.resource(one, {"GET": jobs.get, "PATCH": jobs.patch, "DELETE": jobs.delete}),
        context.resource(one + "/results", {"GET": jobs.results}),
        context.resource(one + "/resultPages", {"GET": jobs.result_pages}),
    ]
