"""The first Bulk API (`/services/async`), as far as clients still use it: jobs, batches, results in CSV or JSON."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from connectors.sandbox.salesforce.bulk_csv import Dialect
from connectors.sandbox.salesforce.bulk_query import refuse_entity
from connectors.sandbox.salesforce.bulk_v1_jobs import NOT_PROCESSED, QUERIES, Batch, BatchJob, refusal, told
from connectors.sandbox.salesforce.bulk_v1_saves import save_batch
from connectors.sandbox.salesforce.context import NEWEST_VERSION, OLDEST_VERSION, session_expired
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.ids import long_id, make_id
from connectors.sandbox.salesforce.xml_trees import parse, tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, Handler, SandboxContext
    from connectors.sandbox.salesforce.org import QueryResult, User

_BASE = "/services/async/{api}/job"
_OPERATIONS = QUERIES | {"insert", "update", "upsert", "delete", "hardDelete"}
_MEDIA_TYPES = {"CSV": "text/csv", "JSON": "application/json"}
# Serials of jobs here begin so high that no job of the second Bulk API gets the same id.
_FIRST_JOB = 50_000_000


class BatchJobs:
    """The jobs of one org, and the replies about them."""

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._jobs: dict[str, BatchJob] = {}
        self._serial = _FIRST_JOB
        self._lock = threading.Lock()

    def create(self, call: Call) -> Response:
        """POST job: XML or JSON, and the reply in the same form."""
        asked = _job_info(call)
        job = BatchJob(
            id=self._new_id("750"),
            operation=str(asked.get("operation")),
            object_name=self._object(call, asked),
            content_type=str(asked.get("contentType") or "CSV"),
            owner=call.user.id,
            version=float(call.path_params["api"]),
            created=self._context.clock(),
            external_id=asked.get("externalIdFieldName"),
            chunked="true" in call.headers.get("sforce-enable-pkchunking", "").lower()
            or "chunksize" in call.headers.get("sforce-enable-pkchunking", "").lower(),
        )
        _check(job)
        self._jobs[job.id] = job
        return told("jobInfo", job.info(), in_json=_speaks_json(call), status=201)

    def _object(self, call: Call, asked: dict[str, Any]) -> str:
        name = str(asked.get("object"))
        refuse_entity(name, "InvalidEntity")
        found = call.org.schema.find(name)
        if found is None or not call.org.access.may(call.user, found, "Read"):
            raise SalesforceError("InvalidJob", f"Unable to find object: {name}")
        return found.name

    def get(self, call: Call) -> Response:
        """GET job/{id}."""
        job = self._find(call)
        return told("jobInfo", job.info(), in_json=job.in_json or _speaks_json(call))

    def change(self, call: Call) -> Response:
        """POST job/{id}: close or abort it."""
        job, state = self._find(call), _job_info(call).get("state")
        if state not in ("Closed", "Aborted"):
            raise SalesforceError("InvalidJob", f"Invalid state: {state}")
        job.state = state
        return told("jobInfo", job.info(), in_json=_speaks_json(call))

    def add(self, call: Call) -> Response:
        """POST job/{id}/batch: it is done at once, and says so from the first look on."""
        job = self._find(call)
        if job.state != "Open":
            raise SalesforceError("InvalidJobState", f"Cannot add a batch to a job in state {job.state}")
        self._context.limits.take("DailyBulkApiBatches", 1)
        batch = self._batch(job, call.body)
        fault = self._context.faults.job_end(job.object_name)
        if fault is not None:
            batch.fail(f"InternalServerError : {fault.message}")
        elif job.is_query:
            self._query(job, batch, call.user)
        else:
            save_batch(self._context.org, call.user, job, batch)
        return told("batchInfo", batch.info(state="Queued"), in_json=job.in_json, status=201)

    def _batch(self, job: BatchJob, request: bytes) -> Batch:
        batch = Batch(
            self._new_id("751"), job.id, self._context.clock(), request, _MEDIA_TYPES[job.content_type]
        )
        job.batches[batch.id] = batch
        return batch

    def _query(self, job: BatchJob, batch: Batch, user: User) -> None:
        try:
            result = self._context.org.query(
                batch.request.decode("utf-8"), user, include_deleted=job.operation == "queryAll", bulk=True
            )
        except (SalesforceError, UnicodeDecodeError) as error:
            reason = f"{error.code}: {error.message}" if isinstance(error, SalesforceError) else str(error)
            batch.fail(f"InvalidBatch : Failed to process query: {reason}")
            return
        if result.object_name != job.object_name:
            batch.fail(
                "InvalidBatch : Failed to process query: INVALID_TYPE_FOR_OPERATION: The root entity of the "
                f"requested query ({result.object_name}) does not match the entity of the requested Bulk API "
                f"Job ({job.object_name})."
            )
            return
        if job.chunked:
            # The batch that was sent only stands for its chunks.
            batch.state = NOT_PROCESSED
            batch = self._batch(job, batch.request)
        batch.results[self._new_id("752")] = result
        batch.processed = result.num_rows

    def batches(self, call: Call) -> Response:
        """GET job/{id}/batch."""
        job = self._find(call)
        infos = [batch.info() for batch in job.batches.values()]
        return told("batchInfoList", {"batchInfo": infos}, in_json=job.in_json)

    def batch(self, call: Call) -> Response:
        """GET job/{id}/batch/{id}."""
        job, batch = self._find_batch(call)
        return told("batchInfo", batch.info(), in_json=job.in_json)

    def request(self, call: Call) -> Response:
        """GET job/{id}/batch/{id}/request: what was sent."""
        _, batch = self._find_batch(call)
        return Response(batch.request, media_type=batch.media_type)

    def outcome(self, call: Call) -> Response:
        """GET job/{id}/batch/{id}/result: the ids of a query's results, or one outcome per row."""
        job, batch = self._find_batch(call)
        if batch.problem is not None:
            raise SalesforceError("InvalidBatch", "Records not processed")
        if not job.is_query:
            return Response(batch.outcome, media_type=batch.media_type)
        ids = list(batch.results)
        return told("result-list", ids if job.in_json else {"result": ids}, in_json=job.in_json)

    def result(self, call: Call) -> Response:
        """GET job/{id}/batch/{id}/result/{id}: the rows of a query."""
        job, batch = self._find_batch(call)
        result = batch.results.get(long_id(call.path_params["result_id"]) or "")
        if result is None:
            raise SalesforceError("InvalidBatch", f"Invalid result id: {call.path_params['result_id']}")
        if job.in_json:
            return Response(_json_rows(result, job.version), media_type="application/json")
        rows = Dialect().write(result.csv_table(0, result.num_rows), header=True)
        return Response(rows.to_pybytes(), media_type="text/csv")

    def _new_id(self, prefix: str) -> str:
        with self._lock:
            self._serial += 1
            return make_id(prefix, self._serial)

    def _find(self, call: Call) -> BatchJob:
        given = call.path_params["job_id"]
        job = self._jobs.get(long_id(given) or "")
        if job is None or not (job.owner == call.user.id or call.user.is_admin):
            raise SalesforceError("InvalidJob", f"Invalid job id: {given}")
        return job

    def _find_batch(self, call: Call) -> tuple[BatchJob, Batch]:
        job, given = self._find(call), call.path_params["batch_id"]
        batch = job.batches.get(long_id(given) or "")
        if batch is None:
            raise SalesforceError("InvalidBatch", f"Invalid batch id: {given}")
        return job, batch

    def answering(self, handler: Handler) -> Handler:
        """The handler with this API's own session header, and its errors in this API's form."""

        def answer(call: Call) -> Response:
            try:
                session_id = call.headers.get("x-sfdc-session", "").strip()
                if not session_id:
                    raise session_expired()
                user = self._context.authenticate_session(session_id)
                _check_version(call.path_params["api"])
                return handler(replace(call, caller=user))
            except SalesforceError as error:
                return refusal(error, in_json=self._in_json(call))

        return answer

    def _in_json(self, call: Call) -> bool:
        job = self._jobs.get(long_id(call.path_params.get("job_id", "")) or "")
        return _speaks_json(call) or (job is not None and job.in_json)


def _check(job: BatchJob) -> None:
    if job.operation not in _OPERATIONS:
        raise SalesforceError("InvalidJob", f"Invalid operation: {job.operation}")
    if job.content_type not in _MEDIA_TYPES:
        raise SalesforceError("InvalidJob", f"The sandbox takes CSV and JSON only, not {job.content_type}")
    if job.operation == "upsert" and not job.external_id:
        raise SalesforceError("InvalidJob", "External ID was blank for upsert")


def _check_version(version: str) -> None:
    try:
        known = OLDEST_VERSION <= float(version) <= NEWEST_VERSION
    except ValueError:
        known = False
    if not known:
        raise SalesforceError("InvalidVersion", f"Api version {version} not supported")


def _speaks_json(call: Call) -> bool:
    return "json" in call.headers.get("content-type", "") or "json" in call.headers.get("accept", "")


def _job_info(call: Call) -> dict[str, Any]:
    if _speaks_json(call):
        return call.json_object()
    content = tree(parse(call.body.strip()))
    return content if isinstance(content, dict) else {}


def _json_rows(result: QueryResult, version: float) -> bytes:
    """The rows as JSON; here moments and days are milliseconds since 1970."""
    rows = result.records(0, result.num_rows, f"{version:.1f}")
    timed = [output.names for output in result.columns if output.type in ("date", "datetime")]
    for row in rows:
        for names in timed:
            _count_milliseconds(row, names)
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def _count_milliseconds(row: dict[str, Any] | None, names: tuple[str, ...]) -> None:
    *parents, name = names
    for parent in parents:
        row = row[parent] if row is not None else None
    if row is not None and row[name] is not None:
        moment = datetime.fromisoformat(row[name])
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        row[name] = round(aware.timestamp() * 1000)


def routes(context: SandboxContext) -> list[Route]:
    """The resources of this module."""
    jobs = BatchJobs(context)
    one, batches = f"{_BASE}/{{job_id}}", f"{_BASE}/{{job_id}}/batch"
    batch = f"{batches}/{{batch_id}}"
    table: dict[str, dict[str, Callable[[Call], Response]]] = {
        _BASE: {"POST": jobs.create},
        one: {"GET": jobs.get, "POST": jobs.change},
        batches: {"GET": jobs.batches, "POST": jobs.add},
        batch: {"GET": jobs.batch},
        f"{batch}/request": {"GET": jobs.request},
        f"{batch}/result": {"GET": jobs.outcome},
        f"{batch}/result/{{result_id}}": {"GET": jobs.result},
    }
    return [
        context.resource(
            path,
            {method: jobs.answering(handler) for method, handler in handlers.items()},
            authenticated=False,
        )
        for path, handlers in table.items()
    ]
