"""What a client asks of an import: the `importRequest` part, checked against the portal and the uploaded file."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from connectors.sandbox.hubspot.errors import HubSpotError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.portal import Portal
    from connectors.sandbox.multipart import Form, UploadedFile

Operation = Literal["CREATE", "UPDATE", "UPSERT"]
OPERATIONS: tuple[Operation, ...] = ("CREATE", "UPDATE", "UPSERT")
DATE_FORMATS = ("MONTH_DAY_YEAR", "DAY_MONTH_YEAR", "YEAR_MONTH_DAY")
# How a column finds its record, if it does; the last three are words of older bodies.
BY_ID, BY_KEY = "HUBSPOT_OBJECT_ID", "HUBSPOT_ALTERNATE_ID"
_COLUMN_TYPES = {
    "STANDARD": "",
    BY_ID: BY_ID,
    BY_KEY: BY_KEY,
    "EMAIL": BY_KEY,
    "DOMAIN": BY_KEY,
    "UNIQUE_PROPERTY": BY_KEY,
}
MOST_ROWS = 1_048_576
MOST_BYTES = 512 * 1024 * 1024
MOST_COLUMNS = 999
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: the property it fills (empty: it is passed over), and whether it finds the record."""

    name: str
    property: str
    finds: str = ""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A checked request: rows of one file become records of one object type."""

    name: str
    given: dict[str, Any]
    object_type: ObjectType
    operation: Operation
    date_format: str
    columns: tuple[Column, ...]
    rows: list[list[str]]
    file_name: str
    # Lines before the first row of data.
    header_lines: int

    @property
    def key(self) -> int | None:
        """The place of the column that finds the record."""
        return next((place for place, column in enumerate(self.columns) if column.finds), None)

    @classmethod
    def of_form(cls, form: Form, portal: Portal) -> ImportRequest:
        """Read a request and its file. Raises `HubSpotError`: 400 for a wrong one, 429 for a file beyond limits."""
        given = _request_json(form)
        mapping, upload = _file(given, form)
        page = _object(mapping.get("fileImportPage"), "fileImportPage")
        rows = _rows(upload)
        header = rows[0] if page.get("hasHeader", True) and rows else []
        mappings = page.get("columnMappings") or []
        _check_columns(mappings, header or (rows[0] if rows else []), has_header=bool(header))
        object_type = _object_type(mappings, portal)
        columns = tuple(_column(one) for one in mappings)
        operation = _operation(given, object_type)
        _check_operation(operation, object_type, columns)
        return cls(
            name=str(given["name"]),
            given=given,
            object_type=object_type,
            operation=operation,
            date_format=_date_format(given),
            columns=columns,
            rows=rows[1:] if header else rows,
            file_name=upload.name,
            header_lines=1 if header else 0,
        )


def _request_json(form: Form) -> dict[str, Any]:
    part = form.parts().get("importRequest")
    if part is None:
        raise invalid("The multipart request has no part named importRequest")
    try:
        given = json.loads(part)
    except ValueError as error:
        raise invalid(f"Unable to parse the importRequest JSON: {error}") from None
    given = _object(given, "importRequest")
    if not given.get("name") or not given.get("files"):
        missing = [name for name in ("name", "files") if not given.get(name)]
        raise invalid(f"Some required fields were not set: [{', '.join(missing)}]")
    return given


def _object(given: Any, name: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise invalid(f"{name} must be a JSON object")
    return given


def _file(given: Mapping[str, Any], form: Form) -> tuple[dict[str, Any], UploadedFile]:
    """The one file that the request describes. Several files are several object types, which we do not import."""
    described = given["files"]
    if not isinstance(described, list) or len(described) != 1:
        raise invalid("This portal imports one file at a time")
    mapping = _object(described[0], "files[0]")
    kind = str(mapping.get("fileFormat") or "CSV").upper()
    if kind != "CSV":
        raise invalid(f"This portal imports files of the format CSV only, not {kind}")
    uploads = [one for one in form.files if one.part == "files"]
    for upload in uploads:
        if upload.name == mapping.get("fileName"):
            return mapping, upload
    sent = ", ".join(one.name for one in uploads) or "none"
    raise invalid(f"There is no uploaded file named {mapping.get('fileName')!r}; uploaded: {sent}")


def _rows(upload: UploadedFile) -> list[list[str]]:
    if len(upload.content) > MOST_BYTES:
        raise too_large(f"{upload.name} is larger than {MOST_BYTES} bytes")
    try:
        text = upload.content.decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise invalid(f"{upload.name} is not UTF-8 at byte {error.start}") from None
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise invalid(f"{upload.name} is not readable as CSV: {error}") from None
    if len(rows) > MOST_ROWS:
        raise too_large(f"{upload.name} has more than {MOST_ROWS} rows")
    return rows


def too_large(message: str) -> HubSpotError:
    """Beyond what imports may take: 429, as for calls beyond their rate."""
    return HubSpotError("RATE_LIMITS", message, status=429)


def _check_columns(mappings: Any, first_row: Sequence[str], *, has_header: bool) -> None:
    if not isinstance(mappings, list) or not mappings:
        raise invalid("Some required fields were not set: [columnMappings]")
    if len(mappings) > MOST_COLUMNS:
        raise invalid(f"A file can have at most {MOST_COLUMNS} columns")
    if len(mappings) != len(first_row):
        raise invalid(
            f"The file has {len(first_row)} columns, but columnMappings describe {len(mappings)}: every column "
            "needs one, in the same order; propertyName null leaves it out"
        )
    for place, (mapping, name) in enumerate(zip(mappings, first_row, strict=True), 1):
        given = _object(mapping, f"columnMappings[{place - 1}]").get("columnName")
        if has_header and given != name:
            raise invalid(f"Column {place} of the file is called {name!r}, but its columnName is {given!r}")


def _object_type(mappings: Sequence[Mapping[str, Any]], portal: Portal) -> ObjectType:
    named = [one.get("columnObjectTypeId") or one.get("columnObjectType") for one in mappings]
    if any(one.get("toColumnObjectTypeId") or one.get("foreignKeyType") for one in mappings):
        raise invalid("This portal imports no associations")
    types = {portal.object_type(str(one)).name: portal.object_type(str(one)) for one in named if one}
    if len(types) != 1:
        raise invalid("This portal imports records of exactly one object type, named in columnObjectTypeId")
    return next(iter(types.values()))


def _column(mapping: Mapping[str, Any]) -> Column:
    kind = str(mapping.get("columnType") or mapping.get("idColumnType") or "STANDARD").upper()
    if kind not in _COLUMN_TYPES:
        raise invalid(f"{kind} is not a valid columnType: one of {', '.join(_COLUMN_TYPES)}")
    return Column(str(mapping["columnName"]), str(mapping.get("propertyName") or ""), _COLUMN_TYPES[kind])


def _operation(given: Mapping[str, Any], object_type: ObjectType) -> Operation:
    operations = given.get("importOperations") or {}
    found = str(_object(operations, "importOperations").get(object_type.type_id) or "UPSERT").upper()
    for known in OPERATIONS:
        if known == found:
            return known
    raise invalid(f"{found} is not a valid import operation: one of {', '.join(OPERATIONS)}")


def _date_format(given: Mapping[str, Any]) -> str:
    found = str(given.get("dateFormat") or DATE_FORMATS[0]).upper()
    if found not in DATE_FORMATS:
        raise invalid(f"{found} is not a valid dateFormat: one of {', '.join(DATE_FORMATS)}")
    return found


def _check_operation(operation: Operation, object_type: ObjectType, columns: Sequence[Column]) -> None:
    finding = [column for column in columns if column.finds]
    if len(finding) > 1:
        raise invalid(f"Only one column can find the record, not {len(finding)}")
    if operation == "UPDATE" and not finding:
        raise invalid(
            "An UPDATE needs a column that finds the record: HUBSPOT_OBJECT_ID or HUBSPOT_ALTERNATE_ID"
        )
    mapped = {column.property for column in columns}
    missing = [one for one in object_type.required if one not in mapped]
    if operation == "CREATE" and missing:
        name = object_type.singular.upper()
        raise invalid(
            f"Some required properties for {name} creates are missing: {missing}",
            context={f"{name} properties": missing},
        )
