"""Reading very many records by export: one job, its file, and a way back to lists when it cannot be used."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from connectors.contract import ConfigProblem, RecordRefused, RetryLater, Truncated
from connectors.downloads import Download, fetch
from connectors.hubspot.fields import TYPE_IDS
from connectors.hubspot.records import ID, Cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connectors.hubspot.api import Api
    from connectors.hubspot.schema import Schema

DONE, RUNNING = "COMPLETE", frozenset({"PENDING", "PROCESSING", "QUEUED", "DEFERRED"})
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# One export runs at a time; one that waits longer than this behind others is not waited for.
DEADLINE = 30 * 60.0
# An address of the result lives five minutes, and another one can be asked for.
ADDRESSES = 3
_BLOCK = 8 << 20
_LONGEST_HEADER = 1 << 18
_ROWS = 1000
_ZIP = b"PK"
# What HubSpot may call the column of ids, beside its property's name.
_ID_HEADERS = ("hs_object_id", "record id")


# How values of these types of properties are written everywhere else.
_FORMS = {
    "datetime": r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)|-?[0-9]+)$",
    "date": r"^([0-9]{4}-[0-9]{2}-[0-9]{2}|-?[0-9]+)$",
    "bool": r"^(true|false)$",
}


class NotExportable(Exception):  # noqa: N818  # says why the lists are read instead
    """This portal does not export now, or not in a form that we can be sure of."""


def export(api: Api, hs_object: str, properties: Sequence[str], schema: Schema) -> Iterator[Cells]:
    """All records of an object. Raises `NotExportable` when the lists must be read instead, after some even."""
    try:
        yield from _Export(api, hs_object, properties, schema).cells()
    except (RecordRefused, ConfigProblem, RetryLater, Truncated) as error:
        raise NotExportable(str(error)) from None


class _Export:
    """One export: asked for, waited for, fetched."""

    def __init__(self, api: Api, hs_object: str, properties: Sequence[str], schema: Schema) -> None:
        self._api = api
        self._object = hs_object
        self._properties = properties
        self._described = schema.described(hs_object)

    def cells(self) -> Iterator[Cells]:
        """The rows of the files, a thousand at a time."""
        reply = self._api.call(
            "POST", "exports", "async", json=self._request(), idempotent=False, counted="export"
        )
        for file in _files(self._fetch(str(reply["id"]))):
            yield from self._rows(file)

    def _fetch(self, name: str) -> bytes:
        for _ in range(ADDRESSES):
            address = self._wait(name)
            with contextlib.suppress(RecordRefused, ConfigProblem, Truncated):
                return fetch(self._api.transport, address, _bytes, foreign=True, kind="download")
        raise NotExportable("the file of the export cannot be fetched")

    def _request(self) -> dict[str, Any]:
        return {
            "exportType": "VIEW",
            "exportName": f"Foretag {self._object}",
            "format": "CSV",
            "language": "EN",
            "objectType": TYPE_IDS[self._object],
            "objectProperties": list(self._properties),
            "exportInternalValuesOptions": ["NAMES", "VALUES"],
            "associatedObjectType": [],
            "publicCrmSearchRequest": {
                "filters": [],
                "sorts": [{"propertyName": ID, "order": "ASC"}],
            },
        }

    def _wait(self, name: str) -> str:
        """The address of the result, once it is there."""
        pause, waited = FIRST_PAUSE, 0.0
        while waited < DEADLINE:
            report = self._api.get("exports", f"async/tasks/{name}/status", counted="poll")
            if report.get("status") == DONE and report.get("result"):
                return self._own(str(report["result"]))
            if report.get("status") not in RUNNING:
                raise NotExportable(f"the export ended as {report.get('status')}")
            self._api.transport.sleep(pause)
            waited += pause
            pause = min(pause * 2, LONGEST_PAUSE)
        raise NotExportable("the export waits too long behind others")

    def _own(self, address: str) -> str:
        if urlsplit(address).scheme not in ("http", "https"):
            raise NotExportable("the export has no usable address")
        return address

    def _rows(self, file: IO[bytes]) -> Iterator[Cells]:
        """The rows of one file, under the names of the properties."""
        header = _header(file)
        places = self._places(header)
        try:
            for batch in _batches(file, header):
                for start in range(0, batch.num_rows, _ROWS):
                    part = batch.slice(start, _ROWS)
                    columns = {name: part.column(place) for name, place in places.items()}
                    self._require_forms(columns)
                    yield Cells(columns, part.num_rows)
        except pa.ArrowInvalid:
            raise NotExportable("the file of the export is not a CSV of text") from None
        except zipfile.BadZipFile:
            raise Truncated("the archive of the export is damaged") from None

    def _places(self, header: Sequence[str]) -> Mapping[str, int]:
        """Where each property is; the header has names or labels, which no documentation promises."""
        words = [word.strip().lower() for word in header]
        found = {name: self._standing(name, words) for name in self._properties}
        for name, places in found.items():
            if len(places) != 1:
                many = "more than one column" if places else "no column"
                raise NotExportable(f"the file of the export has {many} {name}")
        return {name: place for name, (place,) in found.items()}

    def _standing(self, name: str, words: Sequence[str]) -> list[int]:
        """All places of a property's name or label; an export may tell the id twice, of its own accord."""
        label = str(self._described.get(name, {}).get("label") or name).lower()
        told = {name.lower(), label}
        if name == ID:
            told = {next((word for word in _ID_HEADERS if word in words), label)}
        return [place for place, word in enumerate(words) if word in told]

    def _require_forms(self, columns: Mapping[str, pa.Array]) -> None:
        """Values as every other interface writes them: read otherwise, all records would be set aside, or wrong."""
        for name, cells in columns.items():
            form = _FORMS.get(str(self._described.get(name, {}).get("type")))
            if form and pc.all(pc.match_substring_regex(cells, form)).as_py() is False:
                raise NotExportable(f"the export writes {name} in a form of its own")


def _bytes(download: Download) -> bytes:
    try:
        with download.open() as stream:
            content: bytes = stream.read()
    except (OSError, EOFError):
        raise Truncated("the file of the export ends before its compressed end") from None
    if not content.startswith(_ZIP):
        download.require_whole_csv()
    return content


def _files(content: bytes) -> Iterator[IO[bytes]]:
    """The CSV, or those in the zip that HubSpot makes of more than two megabytes; unpacked while they are read."""
    if not content.startswith(_ZIP):
        yield io.BytesIO(content)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = sorted(name for name in packed.namelist() if name.lower().endswith(".csv"))
            for name in names:
                with packed.open(name) as file:
                    yield file
    except (zipfile.BadZipFile, OSError):
        raise Truncated("the archive of the export is damaged") from None
    if not names:
        raise NotExportable("the archive of the export holds no CSV")


def _header(file: IO[bytes]) -> list[str]:
    """The words of the first row; a byte order mark before them is none."""
    line = file.readline(_LONGEST_HEADER).decode("utf-8-sig", "replace")
    return next(csv.reader(io.StringIO(line)), [])


def _batches(file: IO[bytes], header: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Columns of text, by place: labels may stand in a header twice."""
    names = [str(place) for place in range(len(header))]
    with pa_csv.open_csv(
        file,
        read_options=pa_csv.ReadOptions(block_size=_BLOCK, use_threads=False, column_names=names),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    ) as reader:
        yield from reader
