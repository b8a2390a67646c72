"""The saves of the first Bulk API: a batch of rows in CSV or JSON, and one outcome per row, in order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.sandbox.salesforce.bulk_csv import Dialect, UploadProblem
from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.bulk_v1_jobs import Batch, BatchJob
    from connectors.sandbox.salesforce.errors import SaveResult
    from connectors.sandbox.salesforce.org import Org, User

_MAX_ROWS = 10_000


def save_batch(org: Org, user: User, job: BatchJob, batch: Batch) -> None:
    """Do what the job says with the batch's rows; a batch that cannot be read at all fails as a whole."""
    try:
        if job.in_json:
            _save_json(org, user, job, batch)
        else:
            _save_csv(org, user, job, batch)
    except UploadProblem as problem:
        batch.fail(str(problem))
    except SalesforceError as error:
        batch.fail(f"InvalidBatch : {error.code}: {error.message}")


def _save_json(org: Org, user: User, job: BatchJob, batch: Batch) -> None:
    try:
        rows = json.loads(batch.request)
    except ValueError as error:
        raise UploadProblem(f"InvalidBatch : Failed to parse JSON: {error}") from None
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise UploadProblem("InvalidBatch : Failed to parse JSON: a list of records is needed")
    _check_size(len(rows))
    results = _saved(org, user, job, rows)
    batch.processed = len(results)
    batch.failed = sum(not one.success for one in results)
    batch.outcome = json.dumps([_outcome(one) for one in results], separators=(",", ":")).encode()


def _saved(org: Org, user: User, job: BatchJob, rows: list[dict[str, Any]]) -> list[SaveResult]:
    if job.operation == "insert":
        return org.insert(user, job.object_name, rows)
    if job.operation == "update":
        return org.update(user, job.object_name, rows)
    if job.operation == "upsert":
        return org.upsert(user, job.object_name, str(job.external_id), rows)
    ids = [str(next((row[key] for key in row if key.lower() == "id"), "")) for row in rows]
    return org.delete(user, job.object_name, ids, hard=job.operation == "hardDelete")


def _outcome(one: SaveResult) -> dict[str, Any]:
    errors = [{**error.body(), "extendedErrorDetails": None} for error in one.errors]
    return {"success": one.success, "created": one.created, "id": one.id, "errors": errors}


def _save_csv(org: Org, user: User, job: BatchJob, batch: Batch) -> None:
    first_line = batch.request.partition(b"\n")[0]
    upload = Dialect(line_ending="CRLF" if first_line.endswith(b"\r") else "LF").read(batch.request)
    if upload.broken:
        raise UploadProblem(f"InvalidBatch : Failed to parse CSV: {upload.broken[0].error}")
    _check_size(upload.num_rows)
    _check_header(org, user, job, upload.table.column_names)
    saved = org.save_table(
        user,
        job.object_name,
        job.operation,  # type: ignore[arg-type]  # checked when the job was made
        upload.table,
        external_id=job.external_id,
    )
    batch.processed = upload.num_rows
    batch.failed = sum(error is not None for error in saved.errors)
    table = pa.table(
        {
            "Id": pa.array(saved.ids, pa.string()),
            "Success": ["true" if error is None else "false" for error in saved.errors],
            "Created": ["true" if one else "false" for one in saved.created],
            "Error": pa.array([error or "" for error in saved.errors], pa.string()),
        }
    )
    batch.outcome = Dialect().write(table, header=True).to_pybytes()


def _check_size(rows: int) -> None:
    if rows > _MAX_ROWS:
        raise UploadProblem(f"InvalidBatch : Records batch size limit of {_MAX_ROWS} exceeded")


def _check_header(org: Org, user: User, job: BatchJob, names: list[str]) -> None:
    known = {name.lower() for name in org.access.visible(user, org.schema.objects[job.object_name])}
    for name in names:
        if "." not in name and name.lower() not in known:
            raise UploadProblem(f"InvalidBatch : Field name not found : {name}")
