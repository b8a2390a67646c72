"""Large writes: Bulk API 2.0 ingest, a CSV of at most 100 MB to a job, an outcome for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from connectors.contract import ConfigProblem, ConnectorError, RecordRefused, Truncated
from connectors.downloads import fetch
from connectors.outcomes import NOT_SENT, Outcome, unknown
from connectors.salesforce.bulk_job import BulkJob
from connectors.salesforce.outcomes import from_bulk_error
from connectors.transport import LostReply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.downloads import Download
    from connectors.salesforce.api import Api

# 150 MB after base64, says the documentation: 100 MB before.
MOST_BYTES = 100_000_000
NULL = "#N/A"
# Few looks at a job that takes a while anyway: each one costs an API call.
PATIENCE = 0.5
UPLOADS = 3
# Of a record that a job failed before: like NOT_SENT, and a smaller job may come to it. Stays in this package.
JOB_FAILED = "JOB_FAILED"


class BulkWrite:
    """Sets fields of many existing records of one org."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def update(self, sf_object: str, rows: pa.Table) -> dict[str, Outcome]:
        """Outcome by id. `rows` holds text: `Id` and fields; null leaves a field, `#N/A` empties it."""
        outcomes: dict[str, Outcome] = {}
        for number, part in enumerate(_parts(rows)):
            try:
                outcomes |= self._update(sf_object, part)
            except (ConnectorError, ConfigProblem) as error:
                if number == 0:
                    raise
                outcomes |= dict.fromkeys(part["Id"].to_pylist(), unknown(f"not sent: {error}", NOT_SENT))
        return outcomes

    def _update(self, sf_object: str, rows: pa.Table) -> dict[str, Outcome]:
        """One job; what a failed job left unprocessed gets a second one."""
        outcomes = self.run(sf_object, rows)
        again = left_over(rows, outcomes, NOT_SENT, JOB_FAILED)
        return outcomes | self.run(sf_object, again) if again.num_rows else outcomes

    def run(self, sf_object: str, rows: pa.Table) -> dict[str, Outcome]:
        """One job, and what became of each record; those that it failed before have the code JOB_FAILED."""
        moment = self._api.transport.server_date
        try:
            job = self._upload(sf_object, rows)
        except RecordRefused as error:
            return dict.fromkeys(rows["Id"].to_pylist(), unknown(f"bulk job refused: {error}", JOB_FAILED))
        try:
            report = job.wait()
            found = self._results(job, report, moment)
        except (ConnectorError, ConfigProblem) as error:
            # The job is on its way and nobody tells us how far it came.
            return dict.fromkeys(rows["Id"].to_pylist(), unknown(f"bulk job {job.id}: {error}"))
        missing = unknown(f"bulk job {job.id} ended as {report['state']} without a word on this record")
        return {record_id: found.get(record_id, missing) for record_id in rows["Id"].to_pylist()}

    # Sending.

    def _upload(self, sf_object: str, rows: pa.Table) -> BulkJob:
        """A job with its data, released to be processed; until then it may be begun again."""
        body = {
            "object": sf_object,
            "operation": "update",
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        content = _csv(rows)
        for _ in range(UPLOADS - 1):
            job = BulkJob.create(self._api, "ingest", body, PATIENCE)
            try:
                return self._fill(job, content)
            except (LostReply, RecordRefused):
                job.set_state("Aborted")
        return self._fill(BulkJob.create(self._api, "ingest", body, PATIENCE), content)

    def _fill(self, job: BulkJob, content: pa.Buffer) -> BulkJob:
        self._api.call(
            "PUT",
            f"{job.path}/batches",
            data=memoryview(content),
            headers={"Content-Type": "text/csv"},
            kind="upload",
            idempotent=False,
        )
        try:
            job.set_state("UploadComplete")
        except RecordRefused:
            # The reply to the first asking was lost, if the job is no longer open.
            if job.report()["state"] == "Open":
                raise
        return job

    # Reading what became of it.

    def _results(self, job: BulkJob, report: dict[str, Any], moment: datetime | None) -> dict[str, Outcome]:
        done = Outcome("done", modified_at=moment)
        outcomes = dict.fromkeys(self._column(job, "successfulResults", "sf__Id"), done)
        if report["state"] != "JobComplete" or int(report.get("numberRecordsFailed") or 0):
            outcomes |= self._failed(job)
        if report["state"] != "JobComplete":
            said = report.get("errorMessage") or report["state"]
            code = JOB_FAILED if report["state"] == "Failed" else NOT_SENT
            left = unknown(f"bulk job {job.id} did not come to this record: {said}", code)
            outcomes |= dict.fromkeys(self._column(job, "unprocessedrecords", "Id"), left)
        return outcomes

    def _failed(self, job: BulkJob) -> dict[str, Outcome]:
        table = self._table(job, "failedResults")
        if not table.num_rows:
            return {}
        pairs = zip(table["Id"].to_pylist(), table["sf__Error"].to_pylist(), strict=True)
        return {record_id: from_bulk_error(text or "") for record_id, text in pairs}

    def _column(self, job: BulkJob, results: str, column: str) -> list[str]:
        table = self._table(job, results)
        ids: list[str] = table[column].to_pylist() if column in table.column_names else []
        return ids

    def _table(self, job: BulkJob, results: str) -> pa.Table:
        return fetch(
            self._api.transport, self._api.url(f"{job.path}/{results}"), _read_results, kind="results"
        )


def left_over(rows: pa.Table, outcomes: Mapping[str, Outcome], *codes: str) -> pa.Table:
    """The rows whose outcomes have one of these codes."""
    ids = [record_id for record_id, outcome in outcomes.items() if outcome.code in codes]
    return rows.filter(pc.is_in(rows["Id"], pa.array(ids, pa.string())))


def _read_results(download: Download) -> pa.Table:
    download.require_whole_csv()
    try:
        with download.open() as stream:
            content = stream.read()
        if not content.strip():
            return pa.table({})
        header = content.partition(b"\n")[0].decode("utf-8", "replace").strip("\r")
        names = [name.strip('"') for name in header.split(",")]
        return pa_csv.read_csv(
            pa.BufferReader(content),
            read_options=pa_csv.ReadOptions(block_size=64 << 20),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                include_columns=[name for name in names if name in ("sf__Id", "sf__Error", "Id")],
            ),
        )
    except (pa.ArrowInvalid, OSError, EOFError):
        raise Truncated("a result file breaks off or is not CSV") from None


def _parts(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows in parts whose CSV stays below the limit."""
    # A cell's quotes, its comma, and room for doubled quotes.
    size = rows.nbytes * 1.2 + rows.num_rows * rows.num_columns * 3
    parts = int(size // MOST_BYTES) + 1
    step = -(-rows.num_rows // parts)
    for start in range(0, rows.num_rows, step):
        yield rows.slice(start, step)


def _csv(rows: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(rows, sink, pa_csv.WriteOptions(include_header=True, quoting_style="needed"))
    return sink.getvalue()
