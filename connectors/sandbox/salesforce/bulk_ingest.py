"""Bulk API 2.0 ingest jobs: an uploaded CSV, saved in internal batches, with one outcome for each row."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from starlette.responses import Response, StreamingResponse

from connectors.sandbox.fault_kinds import JobAborted
from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.bulk_csv import Dialect, UploadProblem
from connectors.sandbox.salesforce.bulk_jobs import ABORTED, DONE, ENDED, FAILED, RUNNING, Job, Jobs
from connectors.sandbox.salesforce.context import not_found
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.multipart import is_multipart, parts
from connectors.sandbox.salesforce.reference_columns import ReferenceColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.routing import Route

    from connectors.sandbox.salesforce.bulk_csv import Upload
    from connectors.sandbox.salesforce.context import Call, SandboxContext
    from connectors.sandbox.salesforce.org import Operation, User

_BASE = "/services/data/v{version}/jobs/ingest"
_OPERATIONS: dict[str, Operation] = {
    "insert": "insert",
    "update": "update",
    "upsert": "upsert",
    "delete": "delete",
    "hardDelete": "hardDelete",
}
_BATCH = 10_000
_BLOCK = 32_768
# The allowance is counted on the upload in base64, which makes 112.5 MB of plain CSV the most.
_MOST_BASE64_BYTES = 150 * 1024 * 1024
_NEEDS_ID = frozenset({"update", "delete", "hardDelete"})


@dataclass(slots=True)
class IngestJob(Job):
    """An ingest job, its upload, and the outcome of every row."""

    external_id: str | None = None
    content: bytes | None = None
    upload: Upload | None = None
    ids: list[str | None] = field(default_factory=list)
    created_flags: list[bool] = field(default_factory=list)
    errors: list[str | None] = field(default_factory=list)

    def count(self) -> None:
        """Bring the counters up to date after a batch."""
        broken = len(self.upload.broken) if self.upload else 0
        self.processed = len(self.ids) + broken
        self.failed = sum(error is not None for error in self.errors) + broken


class IngestJobs:
    """The ingest jobs of one org, and the replies about them."""

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._jobs: Jobs[IngestJob] = Jobs(500_000)

    def create(self, call: Call) -> Response:
        """POST jobs/ingest: an open job, or with a multipart body one that starts at once."""
        if not is_multipart(call):
            job = self._new(call, call.json_object())
            return json_response(_made(job, job.state))
        given = parts(call)
        try:
            body = json.loads(given["job"])
        except (KeyError, ValueError):
            raise SalesforceError("INVALIDJOB", "The part named job must be a JSON object") from None
        job = self._new(call, body)
        job.content = given.get("content", b"")
        self._start(job, call.user)
        return json_response(_made(job, "UploadComplete"))

    def listing(self, call: Call) -> Response:
        """GET jobs/ingest."""
        return json_response(self._jobs.listing(call, _brief))

    def get(self, call: Call) -> Response:
        """GET jobs/ingest/{id}: one poll."""
        job = self._jobs.find(call)
        return json_response(_full(job, job.poll(self._context.faults.job_pace(), self._context.clock())))

    def patch(self, call: Call) -> Response:
        """PATCH jobs/ingest/{id}: close the upload, or abort."""
        job = self._jobs.find(call)
        wanted = call.json_object().get("state")
        with job.lock:
            if wanted == "UploadComplete" and job.state == "Open":
                self._start(job, call.user)
                return json_response(_made(job, "UploadComplete"))
            if wanted == ABORTED and self._visible(job) not in ENDED:
                job.abort(self._context.clock())
                return json_response(_made(job, job.state))
        message = f"A job in state {job.state} can't be set to {wanted}"
        raise SalesforceError("INVALIDJOBSTATE", message)

    def delete(self, call: Call) -> Response:
        """DELETE jobs/ingest/{id}."""
        self._jobs.remove(self._jobs.find(call))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def upload(self, call: Call) -> Response:
        """PUT jobs/ingest/{id}/batches: the whole CSV, once."""
        job = self._jobs.find_own(call)
        if call.path_params["part"].lower() != "batches":
            raise not_found()
        if not call.headers.get("content-type", "").lower().startswith("text/csv"):
            message = "Content-Type must be text/csv"
            raise SalesforceError("UNSUPPORTED_MEDIA_TYPE", message, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if len(call.body) * 4 / 3 > _MOST_BASE64_BYTES:
            message = f"The upload is larger than {_MOST_BASE64_BYTES} bytes in base64"
            raise SalesforceError("EXCEEDED_MAX_SIZE_REQUEST", message)
        with job.lock:
            if job.state != "Open":
                raise SalesforceError("INVALIDJOBSTATE", f"Job {job.id} is in state {job.state}, not Open")
            if job.content is not None:
                message = (
                    f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the "
                    "current Job then create a new Job and make sure you only do 'PUT' once on a given Job."
                )
                raise SalesforceError("CLIENTINPUTERROR", message)
            job.content = call.body
        return Response(status_code=HTTPStatus.CREATED)

    def results(self, call: Call) -> Response:
        """GET jobs/ingest/{id}/successfulResults, failedResults or unprocessedrecords, in any letter case."""
        files: dict[str, Callable[[IngestJob], pa.Table]] = {
            "successfulresults": _successful,
            "failedresults": _failed,
            "unprocessedrecords": _unprocessed,
        }
        make = files.get(call.path_params["part"].lower())
        if make is None:
            raise not_found()
        job = self._jobs.find_own(call)
        if self._visible(job) not in ENDED:
            message = f"Job {job.id} is not complete; its state is {job.state}"
            raise SalesforceError("JOB_NOT_COMPLETE", message, status=HTTPStatus.PRECONDITION_FAILED)
        table = make(job)
        order = self._context.faults.shuffled(table.num_rows)
        if order is not None:
            table = table.take(pa.array(order, pa.int64()))
        return StreamingResponse(_blocks(job.dialect, table), media_type="text/csv")

    def _visible(self, job: IngestJob) -> str:
        return job.visible_state(self._context.faults.job_pace(), self._context.clock())

    def _new(self, call: Call, body: dict[str, Any]) -> IngestJob:
        _check(body, call.user)
        object_name = _object_name(call, body["object"])
        now = self._context.clock()
        job = IngestJob(
            id=self._jobs.new_id(), owner=call.user.id, operation=body["operation"], object_name=object_name,
            dialect=Dialect.of_job(body), version=call.version, created=now, modified=now, state="Open",
            external_id=body.get("externalIdFieldName"),
        )  # fmt: skip
        self._jobs.add(job)
        return job

    def _start(self, job: IngestJob, user: User) -> None:
        job.state = RUNNING
        self._jobs.start(job, partial(self._run, job, user), self._context.clock())

    def _run(self, job: IngestJob, user: User) -> None:
        clock = self._context.clock
        try:
            self._save(job, user)
        except (UploadProblem, SalesforceError) as problem:
            text = (
                str(problem) if isinstance(problem, UploadProblem) else f"{problem.code} : {problem.message}"
            )
            job.end(FAILED, clock(), text)
        except Exception as bug:
            # Nobody waits for the thread: the job itself must tell, or clients would poll for ever.
            job.end(FAILED, clock(), f"InternalServerError : {bug!r}")
            raise
        finally:
            job.content = None

    def _save(self, job: IngestJob, user: User) -> None:
        org = self._context.org
        job.upload = job.dialect.read(job.content or b"")
        self._check_header(job, job.upload.table.column_names, user)
        self._context.limits.take("DailyBulkApiBatches", -(-job.upload.num_rows // _BATCH))
        wanted = _without_empty_ids(job)
        fault = self._context.faults.job_end(job.object_name, lambda: _ids(wanted))
        rows = job.upload.table.num_rows
        last = rows if fault is None else int(rows * fault.share)
        for start in range(0, last, _BATCH):
            if job.state == ABORTED:
                return
            batch = wanted.slice(start, min(_BATCH, last - start))
            saved = org.save_table(
                user, job.object_name, _OPERATIONS[job.operation], batch, external_id=job.external_id
            )
            job.ids += saved.ids
            job.created_flags += saved.created
            job.errors += saved.errors
            job.count()
        job.count()
        if fault is None:
            job.end(DONE, self._context.clock())
        elif isinstance(fault, JobAborted):
            job.abort(self._context.clock())
        else:
            job.end(FAILED, self._context.clock(), fault.message)

    def _check_header(self, job: IngestJob, names: list[str], user: User) -> None:
        described = self._context.org.describe(user, job.object_name)["fields"]
        fields = {one["name"].lower() for one in described}
        relationships = {str(one["relationshipName"]).lower(): one for one in described}
        for name in names:
            column = ReferenceColumn.of(name)
            reference = relationships.get(column.relationship.lower()) if column else None
            known = column is not None and reference is not None and self._is_key(user, reference, column)
            if name.lower() not in fields and not known:
                raise UploadProblem(f"InvalidBatch : Field name not found : {name}")
        for needed in _needed(job):
            if needed.lower() not in [name.lower() for name in names]:
                raise UploadProblem(f"InvalidBatch : Field name not found : {needed}")

    def _is_key(self, user: User, reference: dict[str, Any], column: ReferenceColumn) -> bool:
        """Whether a parent can be found by the field: an external id or one of Salesforce's own."""
        parents = [
            one
            for one in reference["referenceTo"]
            if column.target is None or one.lower() == column.target.lower()
        ]
        return any(
            one["name"].lower() == column.key.lower() and (one["externalId"] or one["idLookup"])
            for parent in parents
            for one in self._context.org.describe(user, parent)["fields"]
        )


def _without_empty_ids(job: IngestJob) -> pa.Table:
    """The uploaded rows; some clients send an empty Id column along with new records."""
    table = job.upload.table if job.upload is not None else pa.table({})
    if job.operation in _NEEDS_ID or "Id" not in table.column_names or job.external_id == "Id":
        return table
    return table if pc.any(pc.not_equal(table["Id"], "")).as_py() else table.drop_columns(["Id"])


def _ids(table: pa.Table) -> list[str]:
    ids: list[str] = table["Id"].to_pylist() if "Id" in table.column_names else []
    return ids


def _needed(job: IngestJob) -> list[str]:
    if job.operation == "upsert":
        return [job.external_id or "Id"]
    return ["Id"] if job.operation in _NEEDS_ID else []


def _check(body: dict[str, Any], user: User) -> None:
    operation = body.get("operation")
    if operation not in _OPERATIONS:
        raise SalesforceError("INVALIDJOB", f"Invalid operation: {operation}")
    if not isinstance(body.get("object"), str) or not body["object"]:
        raise SalesforceError("INVALIDJOB", "An ingest job needs an object")
    if operation == "upsert" and not body.get("externalIdFieldName"):
        raise SalesforceError("INVALIDJOB", "External ID was blank for upsert")
    if operation == "hardDelete" and not user.is_admin:
        missing = "hardDelete operation requires special user profile permission"
        message = f"{missing}, please contact your system administrator"
        raise SalesforceError("FEATURENOTENABLED", message)
    if body.get("contentType", "CSV") != "CSV":
        raise SalesforceError("INVALIDJOB", f"Invalid contentType: {body['contentType']}")


def _object_name(call: Call, name: str) -> str:
    try:
        return str(call.org.describe(call.user, name)["name"])
    except SalesforceError:
        raise SalesforceError("INVALIDJOB", f"InvalidJob : Unable to find object: {name}") from None


def _made(job: IngestJob, state: str) -> dict[str, Any]:
    """The reply to a create and to a change of state."""
    external = {"externalIdFieldName": job.external_id} if job.external_id else {}
    address = (
        {"contentUrl": f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"}
        if state == "Open"
        else {}
    )
    return job.as_json(state) | external | address


def _brief(job: IngestJob, state: str) -> dict[str, Any]:
    return _made(job, state) | {"jobType": "V2Ingest"}


def _full(job: IngestJob, state: str) -> dict[str, Any]:
    problem = {"errorMessage": job.problem} if state == FAILED and job.problem else {}
    milliseconds = job.milliseconds if state in ENDED else 0
    return _brief(job, state) | {
        "numberRecordsProcessed": job.processed,
        "numberRecordsFailed": job.failed,
        "retries": 0,
        "totalProcessingTime": milliseconds,
        "apiActiveProcessingTime": milliseconds,
        "apexProcessingTime": 0,
        "isPkChunkingSupported": False,
        **problem,
    }


def _successful(job: IngestJob) -> pa.Table:
    table, places = _saved(job, lambda error: error is None)
    ids = pa.array([job.ids[place] or "" for place in places], pa.string())
    created = pa.array(["true" if job.created_flags[place] else "false" for place in places], pa.string())
    return table.add_column(0, "sf__Id", ids).add_column(1, "sf__Created", created)


def _failed(job: IngestJob) -> pa.Table:
    table, places = _saved(job, lambda error: error is not None)
    ids = [job.ids[place] or "" for place in places]
    errors = [job.errors[place] or "" for place in places]
    if job.upload is not None:
        table = pa.concat_tables([table, job.upload.broken_table()])
        ids += [""] * len(job.upload.broken)
        errors += [row.error for row in job.upload.broken]
    columns = {"sf__Id": ids, "sf__Error": errors}
    for place, (name, values) in enumerate(columns.items()):
        table = table.add_column(place, name, pa.array(values, pa.string()))
    return table


def _unprocessed(job: IngestJob) -> pa.Table:
    if job.upload is None:
        return pa.table({})
    return job.upload.table.slice(len(job.ids))


def _saved(job: IngestJob, wanted: Callable[[str | None], bool]) -> tuple[pa.Table, list[int]]:
    """The uploaded rows with the wanted kind of outcome, and their places."""
    places = [place for place, error in enumerate(job.errors) if wanted(error)]
    table = job.upload.table if job.upload is not None else pa.table({})
    return table.take(pa.array(places, pa.int64())) if table.num_columns else table, places


def _blocks(dialect: Dialect, table: pa.Table) -> Iterator[bytes]:
    if not table.num_columns:
        return
    for start in range(0, max(table.num_rows, 1), _BLOCK):
        yield dialect.write(table.slice(start, _BLOCK), header=start == 0).to_pybytes()


def routes(context: SandboxContext) -> list[Route]:
    """The resources of ingest jobs."""
    jobs = IngestJobs(context)
    one = _BASE + "/{job_id}"
    return [
        context.resource(_BASE, {"POST": jobs.create, "GET": jobs.listing}),
        context.resource(one, {"GET": jobs.get, "PATCH": jobs.patch, "DELETE": jobs.delete}),
        context.resource(one + "/{part}", {"PUT": jobs.upload, "GET": jobs.results}),
    ]
