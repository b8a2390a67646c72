"""The CSV of Bulk API 2.0: its dialects, Arrow columns written as CSV, and uploads read into columns."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
UNESCAPED_QUOTE = "Found unescaped quote. A value with quote should be within a quote"
_QUOTE, _LINEFEED, _RETURN = b'"'[0], b"\n"[0], b"\r"[0]
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UploadProblem(Exception):  # noqa: N818  # it is the job's errorMessage, not a refused request
    """The upload cannot be read at all: the job ends as Failed with this text."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a job's CSV is delimited, by Salesforce's own names."""

    delimiter: str = "COMMA"
    line_ending: str = "LF"

    @classmethod
    def of_job(cls, body: Mapping[str, Any]) -> Dialect:
        """The dialect that a job's JSON asks for. Raises `INVALIDJOB` for one that does not exist."""
        dialect = cls(body.get("columnDelimiter") or "COMMA", body.get("lineEnding") or "LF")
        if dialect.delimiter not in DELIMITERS:
            raise SalesforceError("INVALIDJOB", f"Invalid columnDelimiter: {dialect.delimiter}")
        if dialect.line_ending not in LINE_ENDINGS:
            raise SalesforceError("INVALIDJOB", f"Invalid lineEnding: {dialect.line_ending}")
        return dialect

    def write(self, table: pa.Table, *, header: bool) -> pa.Buffer:
        """The rows as CSV bytes, every cell quoted. Columns must be strings; nulls become `""`."""
        columns = [column.fill_null("") if column.null_count else column for column in table.columns]
        sink = pa.BufferOutputStream()
        options = arrow_csv.WriteOptions(
            include_header=header,
            batch_size=65_536,
            delimiter=DELIMITERS[self.delimiter],
            eol=LINE_ENDINGS[self.line_ending],
            quoting_style="all_valid",
            quoting_header="all_valid",
        )
        arrow_csv.write_csv(pa.table(columns, names=table.column_names), sink, options)
        return sink.getvalue()

    def read(self, content: bytes) -> Upload:
        """The rows of an upload, all cells as strings. Raises `UploadProblem` when no row can be read."""
        self._check_start(content)
        if b"\n" not in content:
            content += LINE_ENDINGS[self.line_ending].encode()
        clean = is_well_formed(content, ord(DELIMITERS[self.delimiter]), crlf=self.line_ending == "CRLF")
        try:
            upload = self._read_columns(content) if clean else self._read_rows(content.decode("utf-8"))
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise UploadProblem(f"ClientInputError : Failed to parse CSV: {error}") from None
        twice = [name for name, count in Counter(upload.table.column_names).items() if count > 1]
        if twice:
            raise UploadProblem(f"InvalidBatch : Field name found more than once : {twice[0]}")
        return upload

    def _check_start(self, content: bytes) -> None:
        if not content.strip():
            raise UploadProblem("InvalidBatch : The CSV has no header row")
        if content.startswith(_BYTE_ORDER_MARK):
            # Salesforce reads the mark as part of the first field's name.
            first_line = content.partition(b"\n")[0].decode("utf-8", "replace")
            name = first_line.split(DELIMITERS[self.delimiter])[0].strip('"\r')
            raise UploadProblem(f"InvalidBatch : Field name not found : {name}")
        header, line_feed, _ = content.partition(b"\n")
        if line_feed and header.endswith(b"\r") != (self.line_ending == "CRLF"):
            setting = f"Current LineEnding setting is {self.line_ending}"
            raise UploadProblem(f"ClientInputError : LineEnding is invalid on user data. {setting}")

    def _read_columns(self, content: bytes) -> Upload:
        broken: list[BrokenRow] = []

        def note(row: arrow_csv.InvalidRow) -> str:
            broken.append(
                BrokenRow(self._cells(row.text), _miscounted(row.actual_columns, row.expected_columns))
            )
            return "skip"

        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            # Several threads would hand over the broken rows in any order.
            arrow_csv.ReadOptions(use_threads=False, block_size=8 << 20),
            arrow_csv.ParseOptions(
                delimiter=DELIMITERS[self.delimiter], newlines_in_values=True, invalid_row_handler=note
            ),
            arrow_csv.ConvertOptions(default_column_type=pa.string(), strings_can_be_null=False),
        )
        return Upload(table, broken)

    def _read_rows(self, text: str) -> Upload:
        """The careful way, row by row, for uploads with a quote or a line break out of place somewhere."""
        rows: list[tuple[str, ...]] = []
        broken: list[BrokenRow] = []
        lines = self._rows(text)
        well_formed, header = next(lines)
        if not well_formed:
            raise UploadProblem(f"InvalidBatch : Failed to parse CSV header. {UNESCAPED_QUOTE}")
        names = self._cells(header)
        for well_formed, line in lines:
            cells = self._cells(line)
            if not well_formed:
                broken.append(BrokenRow(cells, f"ClientInputError:{UNESCAPED_QUOTE}:--"))
            elif len(cells) != len(names):
                broken.append(BrokenRow(cells, _miscounted(len(cells), len(names))))
            else:
                rows.append(cells)
        return Upload(_string_table(names, rows), broken)

    def _rows(self, text: str) -> Iterator[tuple[bool, str]]:
        """(is well-formed, text) of each row; after a bad one, reading goes on at the next line."""
        value, delimiter = self._value(), re.escape(DELIMITERS[self.delimiter])
        row = re.compile(rf"({value}(?:{delimiter}{value})*+)(?:{LINE_ENDINGS[self.line_ending]}|\Z)")
        position = 0
        while position < len(text):
            match = row.match(text, position)
            end = text.find("\n", position)
            if match:
                line, position = match[1], match.end()
            else:
                line, position = (text[position:end], end + 1) if end >= 0 else (text[position:], len(text))
            if line:
                yield match is not None, line

    def _cells(self, line: str) -> tuple[str, ...]:
        """The values of a row: of a well-formed one exactly, of another as far as they can be told."""
        delimiter = DELIMITERS[self.delimiter]
        values = re.compile(rf"{re.escape(delimiter)}({self._value()})").findall(delimiter + line)
        return tuple(value[1:-1].replace('""', '"') if value.startswith('"') else value for value in values)

    def _value(self) -> str:
        return rf'(?:"(?:[^"]|"")*+"|[^"{re.escape(DELIMITERS[self.delimiter])}\r\n]*+)'


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be read: its cells as far as they are known, and its `sf__Error`."""

    cells: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True)
class Upload:
    """The readable rows as string columns, and the rows that were not readable."""

    table: pa.Table
    broken: list[BrokenRow]

    @property
    def num_rows(self) -> int:
        """All rows, readable or not."""
        return int(self.table.num_rows) + len(self.broken)

    def broken_table(self) -> pa.Table:
        """The unreadable rows under the upload's own header, cut or padded to it."""
        names = self.table.column_names
        return _string_table(names, [(*row.cells, *[""] * len(names))[: len(names)] for row in self.broken])


def is_well_formed(content: bytes, delimiter: int, *, crlf: bool) -> bool:
    """Whether every quoted value fills its cell, inner quotes are doubled, and other line breaks end rows.

    A superset check in columns, so that clean uploads, nearly all of them, are read at full speed.
    """
    text = np.frombuffer(content, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if len(quotes) % 2:
        return False
    # A doubled quote looks like one value ending where the next begins.
    allowed = np.zeros(256, bool)
    allowed[[delimiter, _LINEFEED, _QUOTE]] = True
    opens = allowed[np.concatenate(([_LINEFEED], text[quotes[2::2] - 1]))] if len(quotes) else allowed[:0]
    if len(quotes) and quotes[0] and not allowed[text[quotes[0] - 1]]:
        return False
    allowed[_RETURN] = crlf
    last = len(text) - 1
    closes = allowed[np.where(quotes[1::2] < last, text[np.minimum(quotes[1::2] + 1, last)], _LINEFEED)]
    return bool(opens.all() and closes.all()) and _line_breaks_are_row_ends(text, quotes, crlf=crlf)


def _line_breaks_are_row_ends(text: np.ndarray, quotes: np.ndarray, *, crlf: bool) -> bool:
    returns = np.flatnonzero(text == _RETURN)
    if crlf:
        linefeeds = np.flatnonzero(text == _LINEFEED)
        # Each by its own place: a linefeed right behind a closing quote is outside, the quote before it is not.
        stray = np.concatenate((np.setdiff1d(returns, linefeeds - 1), np.setdiff1d(linefeeds, returns + 1)))
    else:
        stray = returns
    # Inside a quoted value an odd number of quotes stands before it.
    return bool((np.searchsorted(quotes, stray) % 2 == 1).all())


def _miscounted(actual: int, expected: int) -> str:
    return f"ClientInputError:The row has {actual} cells but the header has {expected}:--"


def _string_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=list(names))
