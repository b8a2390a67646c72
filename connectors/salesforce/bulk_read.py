"""Reading many records by Bulk API 2.0: a job, its result pages several at a time, in bounded memory."""

from __future__ import annotations

import contextlib
import csv
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from connectors.contract import ConfigProblem, ConnectorError, RecordRefused, RetryLater, Truncated
from connectors.downloads import fetch
from connectors.in_flight import in_flight
from connectors.salesforce.bulk_job import BulkJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.contract import Page
    from connectors.downloads import Download
    from connectors.reading import Convert, Tally
    from connectors.salesforce.api import Api
    from connectors.salesforce.soql import Query

# The job was deleted under us, or its place in the result forgotten.
_RESULT_GONE = frozenset({"INVALID_QUERY_LOCATOR", "NOT_FOUND", "ENTITY_IS_DELETED", "INVALIDJOB"})
PAGES_IN_FLIGHT = 3
PAGE_RECORDS = 100_000
# resultPages came with this version; before it, pages follow one another.
PARALLEL_SINCE = 58.0
# A cell must fit a block of the CSV reader.
_BLOCKS = (4 << 20, 64 << 20, 1 << 30)


def read_bulk(api: Api, query: Query, convert: Convert, tally: Tally) -> Iterator[Page]:
    """Pages of a query's result, read by a job of its own, which is deleted afterwards.

    Raises:
        RecordRefused: the Bulk API refuses the query; QUERY_TIMEOUT if it took too long.
        Truncated: fewer rows arrived than the job counts.
    """
    job = _create(api, query)
    try:
        report = job.wait()
        _require_complete(query, report)
        tally.expected = int(report["numberRecordsProcessed"])
        for pages in _result_pages(api, job, tally.expected, convert):
            for page in pages:
                tally.add(page)
                yield page
    except RecordRefused as error:
        if error.code not in _RESULT_GONE:
            raise
        raise RetryLater(f"{error}; the result of a bulk query is gone, the next run asks again") from None
    finally:
        with contextlib.suppress(ConnectorError, ConfigProblem):
            job.delete()
    if tally.read != tally.expected:
        raise Truncated(f"{query.sf_object}: {tally.read} of {tally.expected} rows arrived")


def _create(api: Api, query: Query) -> BulkJob:
    body = {
        "operation": "queryAll" if query.include_deleted else "query",
        "query": query.select(),
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    return BulkJob.create(api, "query", body)


def _require_complete(query: Query, report: dict[str, Any]) -> None:
    if report["state"] == "JobComplete":
        return
    said = str(report.get("errorMessage") or "no reason given")
    if "QUERY_TIMEOUT" in said or "timeout" in said.lower():
        raise RecordRefused(f"{query.sf_object}: {said}", code="QUERY_TIMEOUT")
    if "INVALID_FIELD" in said:
        raise RecordRefused(f"{query.sf_object}: {said}", code="INVALID_FIELD")
    raise RetryLater(
        f"the bulk query on {query.sf_object} ended as {report['state']}: {said} (job {report['id']}); "
        "the next run asks again, see Setup > Bulk Data Load Jobs if it stays so"
    )


def _result_pages(api: Api, job: BulkJob, expected: int, convert: Convert) -> Iterator[list[Page]]:
    if expected == 0:
        return iter(())
    if api.version >= PARALLEL_SINCE and expected > PAGE_RECORDS:
        return _parallel(api, _page_paths(api, job), convert)
    return _one_by_one(api, job, convert)


def _parallel(api: Api, paths: Iterator[str], convert: Convert) -> Iterator[list[Page]]:
    """Several pages at a time, in order; no more are fetched than are being looked at."""
    return in_flight(lambda path: _fetch(api, path, convert), paths, PAGES_IN_FLIGHT)


def _page_paths(api: Api, job: BulkJob) -> Iterator[str]:
    """Addresses of result pages; documentation and practice spell the keys in several ways."""
    path = f"{job.path}/resultPages"
    while path:
        reply = api.call("GET", path, kind="pages")
        for page in reply.get("resultPages") or ():
            yield page.get("resultUrl") or page["resultLink"]
        path = "" if reply.get("done") else reply.get("nextRecordsUrl") or reply.get("nextRecordUrl") or ""


def _one_by_one(api: Api, job: BulkJob, convert: Convert) -> Iterator[list[Page]]:
    locator = ""
    while locator != "null":
        tail = f"&locator={locator}" if locator else ""
        pages, locator = fetch(
            api.transport,
            api.url(f"{job.path}/results?maxRecords={PAGE_RECORDS}{tail}"),
            lambda download: (_parse(download, convert), download.headers.get("Sforce-Locator") or "null"),
            kind="page",
        )
        yield pages


def _fetch(api: Api, path: str, convert: Convert) -> list[Page]:
    return fetch(api.transport, api.url(path), lambda download: _parse(download, convert), kind="page")


def _parse(download: Download, convert: Convert) -> list[Page]:
    """The typed records of one result page. Raises `Truncated` if it holds less than its header says."""
    download.require_whole_csv()
    pages = _parse_in_blocks(download, convert)
    rows = sum(page.table.num_rows + len(page.set_aside) for page in pages)
    promised = download.headers.get("Sforce-NumberOfRecords", "")
    if promised.isdigit() and int(promised) != rows:
        raise Truncated(f"a result page holds {rows} of {promised} rows")
    return pages


def _parse_in_blocks(download: Download, convert: Convert) -> list[Page]:
    for block in _BLOCKS:
        try:
            return [convert(_columns(batch)) for batch in _batches(download, block)]
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error):
                break
        except (OSError, EOFError, csv.Error):
            break
    # Not CSV, or cut within a cell or within the compressed stream.
    raise Truncated("a result page breaks off or is not CSV")


def _batches(download: Download, block: int) -> Iterator[pa.RecordBatch]:
    header = _header(download)
    if not header:
        return
    with pa_csv.open_csv(
        download.open(),
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=block),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(header, pa.binary()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    ) as reader:
        yield from reader


def _header(download: Download) -> list[str]:
    with download.open() as stream:
        first = stream.read(1 << 16)
    line = first.partition(b"\n")[0].decode("utf-8", "replace")
    return next(csv.reader(io.StringIO(line)), [])


def _columns(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    return dict(zip(batch.schema.names, batch.columns, strict=True))
