"""Very large writes: the Imports API, which takes a CSV of a million rows in one call and works by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import structlog

from connectors.contract import AuthProblem, ConfigProblem, ConnectorError, RetryLater, Truncated
from connectors.hubspot.batches import Batches
from connectors.hubspot.fields import TYPE_IDS
from connectors.hubspot.inputs import EMPTY, inputs
from connectors.hubspot.rates import APART
from connectors.outcomes import NOT_SENT, Outcome, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from connectors.hubspot.api import Api

log = structlog.get_logger(__name__)

# A file may have a million rows and 512 MB; but all of an import's records may get one modification stamp, and more
# than these of one stamp break readers that page by it.
MOST_ROWS = 10_000
MOST_BYTES = 400_000_000
ERRORS_IN_A_PAGE = 100
# An import has no promise of time, and waits while three others are worked on.
FIRST_WAIT, LONGEST_WAIT = 2.0, 30.0
PATIENCE = 6 * 3600.0
_ID_COLUMN = "Record ID"
# By a person, in HubSpot's pages.
_STOPPED = frozenset({"CANCELED", "REVERTED"})
_ENDED = _STOPPED | {"DONE", "FAILED"}
# How HubSpot counts the records that an import wrote; a portal names one of these.
_WRITTEN = ("UPDATED_OBJECTS", "UNIQUE_OBJECTS_WRITTEN")


class Imports:
    """Sets properties of a great many existing records of one portal."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._batches = Batches(api)

    def update(self, hs_object: str, rows: pa.Table, names: Mapping[str, str]) -> dict[str, Outcome]:
        """Outcome by id of what an import settled; records that are missing there are left to batches.

        `rows` holds text: `id` and canonical columns. Left over are rows that empty a property (to an import an
        empty cell says nothing), rows in which HubSpot found an error (the good cells of such a row are written;
        a batch is all or nothing, waits for locks and names the property), and everything where the portal takes
        no import, for want of the scope or of its allowance of imports, or does not work it off.
        """
        rows = rows.filter(pc.invert(_empties(rows, names)))
        outcomes: dict[str, Outcome] = {}
        for number, part in enumerate(_parts(rows)):
            if number:
                self._api.transport.sleep(APART)
            try:
                outcomes |= self._update(hs_object, part, names)
            except AuthProblem:
                raise
            except (ConnectorError, ConfigProblem) as error:
                log.warning("import.not_taken", why=str(error))
                break
        return outcomes

    def _update(self, hs_object: str, rows: pa.Table, names: Mapping[str, str]) -> dict[str, Outcome]:
        moment = self._api.transport.server_date
        job = self._start(hs_object, rows, names)
        try:
            report = self._wait(job)
            return self._outcomes(hs_object, report, rows, names, moment)
        except (ConnectorError, ConfigProblem) as error:
            # The import is on its way and nobody tells us how far it came.
            lost = unknown(f"import {job}: {error}")
            return dict.fromkeys(rows["id"].to_pylist(), lost)

    # Sending.

    def _start(self, hs_object: str, rows: pa.Table, names: Mapping[str, str]) -> str:
        """The id of a new import. To send it twice, after a lost reply, only sets the same values twice."""
        file_name = f"foretag-{hs_object}.csv"
        request = _request(hs_object, file_name, list(names.values()))
        reply = self._api.call(
            "POST",
            "imports",
            files=[
                ("importRequest", (None, json.dumps(request), "application/json")),
                ("files", (file_name, _csv(rows, names), "text/csv")),
            ],
            idempotent=True,
        )
        return str(reply["id"])

    def _wait(self, job: str) -> dict[str, Any]:
        """The import's last report. Raises `RetryLater` if it takes longer than anybody should wait."""
        waited, pause = 0.0, FIRST_WAIT
        while True:
            report: dict[str, Any] = self._api.get("imports", job)
            if report["state"] in _ENDED:
                return report
            if waited >= PATIENCE:
                raise RetryLater(f"import {job} is still {report['state']} after {waited / 3600:.0f} hours")
            self._api.transport.sleep(pause)
            waited += pause
            pause = min(pause * 1.5, LONGEST_WAIT)

    # Reading what became of it.

    def _outcomes(
        self,
        hs_object: str,
        report: Mapping[str, Any],
        rows: pa.Table,
        names: Mapping[str, str],
        moment: datetime | None,
    ) -> dict[str, Outcome]:
        """Done is what an import that came to its end counts as written; all else is in doubt, and left over."""
        state = report["state"]
        if state in _STOPPED:
            return self._read_back(hs_object, str(report["id"]), rows, names)
        ids: list[str] = rows["id"].to_pylist()
        errors = self._errors(str(report["id"]), ids) if state == "DONE" else None
        written = [] if errors is None else [record_id for record_id in ids if record_id not in errors]
        if _count(report) < len(written):
            written = []
        if len(written) < len(ids):
            log.warning("import.incomplete", id=report["id"], state=state, left=len(ids) - len(written))
        return dict.fromkeys(written, Outcome("done", modified_at=moment))

    def _read_back(
        self, hs_object: str, job: str, rows: pa.Table, names: Mapping[str, str]
    ) -> dict[str, Outcome]:
        """After a person stopped or undid an import: what the records hold decides, and nothing is sent again."""
        wanted = {record["id"]: record["properties"] for record in inputs(rows, names)}
        stopped = unknown(f"import {job} was stopped in HubSpot, and the record holds other values", NOT_SENT)
        held = self._batches.held(hs_object, wanted)
        return {
            record_id: stopped if outcome.status == "unknown" else outcome
            for record_id, outcome in held.items()
        }

    def _errors(self, job: str, ids: Sequence[str]) -> set[str] | None:
        """Ids of the records whose rows HubSpot has something against; None if it has against the whole file."""
        known = set(ids)
        found = {_record_of(error, ids, known) for error in self._error_rows(job)}
        return None if None in found else {record_id for record_id in found if record_id is not None}

    def _error_rows(self, job: str) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {
            "limit": ERRORS_IN_A_PAGE,
            "includeRowData": "true",
        }
        seen: set[str] = set()
        while True:
            page = self._api.get("imports", f"{job}/errors", asked)
            yield from page["results"]
            after = ((page.get("paging") or {}).get("next") or {}).get("after")
            if after is None:
                return
            if after in seen:
                raise Truncated("the pages of the import's errors do not advance")
            seen.add(after)
            asked["after"] = after


def _record_of(error: Mapping[str, Any], ids: Sequence[str], known: set[str]) -> str | None:
    """The record that an error's row is about: the row itself tells, else its line (the header is line 1)."""
    source = error.get("sourceData") or {}
    cells = source.get("rowData") or ()
    if cells and str(cells[0]) in known:
        return str(cells[0])
    line = int(source.get("lineNumber") or 0)
    return ids[line - 2] if 2 <= line < len(ids) + 2 else None


def _count(report: Mapping[str, Any]) -> int:
    """How many records the import says that it wrote."""
    counters = (report.get("metadata") or {}).get("counters") or {}
    return max(int(counters.get(name) or 0) for name in _WRITTEN)


def _request(hs_object: str, file_name: str, hs_names: Sequence[str]) -> dict[str, Any]:
    """What the file is: existing records by their id, every column named, in the file's order."""
    type_id = TYPE_IDS[hs_object]
    columns: list[dict[str, Any]] = [
        {
            "columnObjectTypeId": type_id,
            "columnName": _ID_COLUMN,
            "propertyName": "hs_object_id",
            "columnType": "HUBSPOT_OBJECT_ID",
        },
        *({"columnObjectTypeId": type_id, "columnName": name, "propertyName": name} for name in hs_names),
    ]
    page = {"hasHeader": True, "columnMappings": columns}
    return {
        "name": f"Foretag: scores of {hs_object}",
        "importOperations": {type_id: "UPDATE"},
        "dateFormat": "YEAR_MONTH_DAY",
        "files": [{"fileName": file_name, "fileFormat": "CSV", "fileImportPage": page}],
    }


def _csv(rows: pa.Table, names: Mapping[str, str]) -> bytes:
    table = rows.select(["id", *names]).rename_columns([_ID_COLUMN, *names.values()])
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(include_header=True, quoting_style="needed"))
    return bytes(sink.getvalue())


def _empties(rows: pa.Table, names: Mapping[str, str]) -> pa.Array:
    """Where a row empties a property."""
    found = pa.array([False] * rows.num_rows)
    for name in names:
        found = pc.or_(found, pc.fill_null(pc.equal(rows[name], EMPTY), fill_value=False))
    return found


def _parts(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows in files that HubSpot takes."""
    if not rows.num_rows:
        return
    # A cell's quotes, its comma, and room for doubled quotes.
    size = rows.nbytes * 1.2 + rows.num_rows * rows.num_columns * 3
    parts = max(-(-rows.num_rows // MOST_ROWS), int(size // MOST_BYTES) + 1)
    step = -(-rows.num_rows // parts)
    for start in range(0, rows.num_rows, step):
        yield rows.slice(start, step)
