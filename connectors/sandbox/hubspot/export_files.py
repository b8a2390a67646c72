"""The files of an export: columns of records as CSV with labels or internal values, cut and zipped by size."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from connectors.sandbox.hubspot.labels import SEPARATOR, labels_of, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from connectors.sandbox.hubspot.export_requests import ExportRequest
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.portal import Portal

RECORD_ID = "Record ID"
ROWS_PER_FILE = 1_000_000
MOST_BYTES_UNZIPPED = 2_000_000
# Associated ids in one row, unless the limit is overridden.
IDS_PER_ROW = 1_000


@dataclass(frozen=True, slots=True)
class ExportFile:
    """What the signed address gives: one CSV, or a zip with several."""

    name: str
    media_type: str
    content: bytes


def make_file(table: pa.Table, name: str, today: date, *, rows_per_file: int = ROWS_PER_FILE) -> ExportFile:
    """The table as a download: plain up to 2 MB, zipped above, cut into files of a million rows."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "export"
    stem = f"hubspot-crm-exports-{slug}-{today.isoformat()}"
    parts = [_csv(part) for part in _cut(table, rows_per_file)]
    if len(parts) == 1 and len(parts[0]) <= MOST_BYTES_UNZIPPED:
        return ExportFile(f"{stem}.csv", "text/csv", parts[0].to_pybytes())
    packed = io.BytesIO()
    # Downloads are many and large, so speed counts more than the last percent of size.
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, part in enumerate(parts, 1):
            archive.writestr(f"{stem}-{number}.csv" if len(parts) > 1 else f"{stem}.csv", part)
    return ExportFile(f"{stem}.zip", "application/zip", packed.getvalue())


def _cut(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    for start in range(0, max(table.num_rows, 1), rows):
        yield table.slice(start, rows)


def _csv(table: pa.Table) -> pa.Buffer:
    """Every cell quoted, empty ones as `""`."""
    filled = pa.Table.from_arrays([column.fill_null("") for column in table.columns], table.column_names)
    sink = pa.BufferOutputStream()
    options = arrow_csv.WriteOptions(quoting_style="all_valid", quoting_header="all_valid", batch_size=65_536)
    arrow_csv.write_csv(filled, sink, options)
    return sink.getvalue()


def export_table(portal: Portal, request: ExportRequest) -> pa.Table:
    """The records of a view as string columns: record id, the properties asked for, associated ids.

    Properties that do not exist are left out. Without NAMES headers are labels; without VALUES options, owners
    and stages are told by label, and moments in the portal's time zone.
    """
    known = {one["name"]: one for one in portal.properties(request.object_type.name)}
    asked = [known[name] for name in request.properties if name in known]
    found = portal.table(request.object_type.name, [one["name"] for one in asked], request.search)
    ids = found["hs_object_id"]
    columns: dict[str, Any] = {RECORD_ID: ids}
    for one in asked:
        header = one["name"] if request.internal_names else one["label"]
        column = found[one["name"]]
        # The id's own label is that of the first column.
        columns.setdefault(header, column if request.internal_values else _told(portal, one, column))
    for associated in request.associated:
        columns |= _associated(portal, request, associated, ids.to_pylist())
    return pa.table(columns)


def _told(portal: Portal, definition: Mapping[str, Any], column: Any) -> Any:
    """A column as people read it."""
    if definition["type"] == "datetime":
        moments = pc.cast(column, pa.timestamp("ms", "UTC")).cast(pa.timestamp("ms", portal.timezone))
        return pc.strftime(moments, format="%Y-%m-%d %H:%M").cast(pa.string())
    labels = labels_of(portal, definition)
    if not labels:
        return column
    encoded = pa.chunked_array([column.combine_chunks()]).combine_chunks().dictionary_encode()
    texts = [told(value, labels) for value in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _associated(
    portal: Portal, request: ExportRequest, other: ObjectType, ids: list[str]
) -> dict[str, pa.Array]:
    """The ids of associated records; by label and with names too, where asked for."""
    found = portal.associated(request.object_type.name, ids, other.name)
    if not request.all_associated:
        found = [dict(islice(one.items(), IDS_PER_ROW)) if len(one) > IDS_PER_ROW else one for one in found]
    header = f"Associated {other.label}"
    columns = {f"{header} IDs": _joined([list(one) for one in found])}
    if request.labelled:
        for kind in portal.association_labels(request.object_type.name, other.name):
            if kind["label"]:
                of_kind = [[key for key, kinds in one.items() if kind["typeId"] in kinds] for one in found]
                columns[f"{header} IDs ({kind['label']})"] = _joined(of_kind)
    if request.with_names:
        names = _names(portal, other)
        columns[header] = _joined([[names.get(key, key) for key in one] for one in found])
    return columns


def _joined(rows: list[list[Any]]) -> pa.Array:
    return pa.array([SEPARATOR.join(map(str, row)) for row in rows], pa.string())


def _names(portal: Portal, one: ObjectType) -> dict[int, str]:
    """What records are called, by id."""
    name = one.searchable[0]
    table = portal.table(one.name, [name], {})
    ids = table["hs_object_id"].to_pylist()
    return {int(key): told or key for key, told in zip(ids, table[name].to_pylist(), strict=True)}
