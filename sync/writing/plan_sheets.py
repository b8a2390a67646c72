"""Plans as CSV and as Excel files: a summary that people read first, then one row for each change."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from sync.writing.plan_cells import as_cells, from_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Schema = Callable[[str], pa.Schema]

# Excel itself ends at 1,048,576 rows, and people's patience sooner.
MOST_EXCEL_ROWS = 100_000
MOST_CELL = 32_767

_BOM = b"\xef\xbb\xbf"
_COMMENT = b"# "
_HEADER = "foretag: "
_SUMMARY, _ROWS = "Plan", "Rows"
_WIDTHS = {"id": 20, "company": 32, "owner": 20, "foretag_reason": 60, "foretag_next_step": 50, "subject": 40}
# What only Foretag needs, and what is empty in each row, is there and hidden: so a person sees what would change.
_FOR_FORETAG = {"clear", "key", "parent_id", "owner_id", "inputs", "state"}


class NotOurs(Exception):  # noqa: N818  # named after what happened
    """It has not the form that we write: it is something else, or it was changed or cut short."""


# Each writer takes the lines of the summary, the header and the rows; each reader gives header and rows back.


def csv_bytes(summary: Sequence[str], header: str, rows: pa.Table) -> bytes:
    """A CSV file in UTF-8: comment lines (the last is the header), the names of the columns, the rows."""
    content = io.BytesIO()
    content.write(_BOM)
    for line in [*summary, _HEADER + header]:
        content.write(_COMMENT + line.encode() + b"\n")
    pacsv.write_csv(as_cells(rows), content)
    return content.getvalue()


def read_csv(content: bytes, schema: Schema) -> tuple[str, pa.Table]:
    """Header and rows of a CSV file. Raises `NotOurs`."""
    rest = memoryview(content.removeprefix(_BOM))
    header = None
    while bytes(rest[: len(_COMMENT)]) == _COMMENT and header is None:
        end = bytes(rest).find(b"\n") if len(rest) < 1 << 20 else bytes(rest[: 1 << 20]).find(b"\n")
        line = bytes(rest[len(_COMMENT) : end]).decode(errors="replace").rstrip("\r")
        rest = rest[end + 1 :] if end >= 0 else rest[:0]
        header = line.removeprefix(_HEADER) if line.startswith(_HEADER) else None
    if header is None:
        raise NotOurs
    wanted = schema(header)
    convert = pacsv.ConvertOptions(
        column_types=dict.fromkeys(wanted.names, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    try:
        table = pacsv.read_csv(pa.py_buffer(rest), convert_options=convert)
    except pa.ArrowInvalid:
        raise NotOurs from None
    return header, _typed(table, wanted)


def excel_bytes(summary: Sequence[str], header: str, rows: pa.Table) -> bytes:
    """An Excel workbook: a sheet with the summary and the header, and one with the rows."""
    from openpyxl import Workbook  # noqa: PLC0415  # a third of a second, for this format only
    from openpyxl.styles import Font  # noqa: PLC0415  # late, as above

    book = Workbook(write_only=True)
    first = book.create_sheet(_SUMMARY)
    first.column_dimensions["A"].width = 100
    for line in summary:
        first.append([_text_cell(first, line)])
    for number, part in enumerate(_parts(_HEADER + header), start=len(summary) + 1):
        first.row_dimensions[number].hidden = True
        first.append([_text_cell(first, part)])
    sheet = book.create_sheet(_ROWS)
    sheet.freeze_panes = "F2"
    for number, name in enumerate(rows.column_names):
        column = sheet.column_dimensions[_letters(number)]
        column.width = _WIDTHS.get(name, 14)
        column.hidden = name in _FOR_FORETAG or rows[name].null_count == rows.num_rows
    sheet.auto_filter.ref = f"A1:{_letters(rows.num_columns - 1)}{rows.num_rows + 1}"
    sheet.append([_text_cell(sheet, name, Font(bold=True)) for name in rows.column_names])
    for batch in as_cells(rows).to_batches(max_chunksize=1000):
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append([_text_cell(sheet, cell) if isinstance(cell, str) else cell for cell in cells])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read_excel(content: bytes, schema: Schema) -> tuple[str, pa.Table]:
    """Header and rows of a workbook. Raises `NotOurs`."""
    from openpyxl import load_workbook  # noqa: PLC0415  # late, as above

    try:
        book = load_workbook(io.BytesIO(content), read_only=True)
        header = "".join(_header_parts(row[0] for row in book[_SUMMARY].iter_rows(values_only=True) if row))
        lines = book[_ROWS].iter_rows(values_only=True)
        names = [str(name) for name in next(lines)]
        # A row ends with its last cell that holds anything.
        whole = [row + (None,) * (len(names) - len(row)) for row in lines]
        columns = list(zip(*whole, strict=True)) or [() for _ in names]
    # What a damaged workbook raises is not told: a zip file in parts, XML in parts.
    except Exception as error:
        raise NotOurs from error
    if not header:
        raise NotOurs
    wanted = schema(header)
    table = pa.table(
        {
            name: pa.array([_as_text(cell) for cell in column], pa.string())
            for name, column in zip(names, columns, strict=False)
        }
    )
    return header, _typed(table, wanted)


def longest_text(rows: pa.Table) -> int:
    """Letters of the longest text among the rows."""
    lengths = [
        pc.max(pc.utf8_length(rows[field.name])).as_py() or 0
        for field in rows.schema
        if field.type == pa.string()
    ]
    return max(lengths, default=0)


def _typed(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    """Texts as what they were; what is no number or day was changed by somebody."""
    if table.column_names != wanted.names:
        raise NotOurs
    table = from_cells(table)
    try:
        return pa.table([table[field.name].cast(field.type) for field in wanted], schema=wanted)
    except pa.ArrowInvalid:
        raise NotOurs from None


def _text_cell(sheet: Any, text: str, font: Any = None) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415  # late, as above

    cell = WriteOnlyCell(sheet, value=text)
    if font is not None:
        cell.font = font
    return cell


def _parts(text: str) -> Iterator[str]:
    """A text in cells, none longer than a cell may be."""
    yield from (text[start : start + MOST_CELL] for start in range(0, len(text), MOST_CELL))


def _header_parts(cells: Iterable[Any]) -> Iterator[str]:
    """The cells from where the header begins."""
    begun = False
    for cell in cells:
        text = str(cell or "")
        if begun or text.startswith(_HEADER):
            yield text.removeprefix(_HEADER) if not begun else text
            begun = True


def _as_text(cell: Any) -> str | None:
    """A cell as CSV would have it."""
    if cell is None:
        return None
    if isinstance(cell, datetime):
        cell = cell.date() if cell == datetime.combine(cell.date(), datetime.min.time()) else cell
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell)


def _letters(number: int) -> str:
    from openpyxl.utils import get_column_letter  # noqa: PLC0415  # late, as above

    return str(get_column_letter(number + 1))
