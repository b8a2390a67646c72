"""The CSV of bulk jobs: what is written can be read back, and what is malformed is refused row by row."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.sandbox.salesforce.bulk_csv import (
    DELIMITERS,
    LINE_ENDINGS,
    Dialect,
    UploadProblem,
    is_well_formed,
)
from connectors.sandbox.salesforce.errors import SalesforceError

# NUL is the one character that Python's own reader, used as the second opinion here, does not take.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
ROWS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8)
DIALECTS = st.builds(Dialect, st.sampled_from(sorted(DELIMITERS)), st.sampled_from(sorted(LINE_ENDINGS)))


def table_of(rows):
    """Rows of three texts as an upload's columns."""
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table(
        [pa.array(column, pa.string()) for column in columns], names=["Id", "Name", "Account.Ext__c"]
    )


def rows_of(table):
    """The cells, row by row."""
    return [tuple(row.values()) for row in table.to_pylist()]


@given(ROWS, DIALECTS)
def test_every_text_survives_writing_and_reading(rows, dialect):
    """Quotes, delimiters and line breaks inside values come back as they went, in every dialect."""
    upload = dialect.read(bytes(dialect.write(table_of(rows), header=True)))
    assert rows_of(upload.table) == rows
    assert upload.broken == []


@given(ROWS, DIALECTS)
def test_an_independent_reader_agrees(rows, dialect):
    """Python's csv module reads the same cells from what we write."""
    text = bytes(dialect.write(table_of(rows), header=True)).decode()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[dialect.delimiter], strict=True)
    assert [tuple(row) for row in reader] == [("Id", "Name", "Account.Ext__c"), *rows]


@given(st.text(alphabet='ab,"\n\r ', max_size=30), st.sampled_from(["LF", "CRLF"]))
@example('"a\n"\n', "CRLF")
def test_the_quick_look_never_lets_a_malformed_upload_pass(body, line_ending):
    """Whatever the columnar check passes, the careful row reader reads to the same cells."""
    dialect = Dialect("COMMA", line_ending)
    content = f"A,B{LINE_ENDINGS[line_ending]}{body}".encode()
    if not is_well_formed(content, ord(","), crlf=line_ending == "CRLF"):
        return
    quick, careful = dialect._read_columns(content), dialect._read_rows(content.decode())
    assert rows_of(quick.table) == rows_of(careful.table)
    assert len(quick.broken) == len(careful.broken)


def test_all_cells_are_quoted_and_nulls_are_empty():
    """The form of result pages: header and cells in quotes, null as an empty text."""
    table = pa.table({"Id": ["1", None], "Name": ['a "b"', "c"]})
    assert bytes(Dialect().write(table, header=True)) == b'"Id","Name"\n"1","a ""b"""\n"","c"\n'


def test_a_quote_out_of_place_costs_one_row():
    """A space after a closing quote, a quote in plain text, an open quote: each spoils its own row."""
    upload = Dialect().read(b'Id,Name\n1,"a" \n2,b\n3,c"d\n4,"e\n5,"f"\n')
    assert rows_of(upload.table) == [("2", "b"), ("5", "f")]
    assert [row.cells[0] for row in upload.broken] == ["1", "3", "4"]
    assert all("unescaped quote" in row.error for row in upload.broken)


def test_rows_of_another_width_are_refused_one_by_one():
    """Missing and surplus cells are told per row, and the others are saved."""
    upload = Dialect().read(b"Id,Name\n1\n2,b\n3,c,d\n")
    assert rows_of(upload.table) == [("2", "b")]
    assert [row.error for row in upload.broken] == [
        "ClientInputError:The row has 1 cells but the header has 2:--",
        "ClientInputError:The row has 3 cells but the header has 2:--",
    ]
    assert upload.broken_table().to_pylist() == [{"Id": "1", "Name": ""}, {"Id": "3", "Name": "c"}]


def test_a_bare_carriage_return_ends_no_row():
    """A CR must be quoted; unquoted it spoils its own row, and is not taken for the end of one."""
    upload = Dialect().read(b'Id,Name\n1,a\rb\n2,"c\rd"\n')
    assert rows_of(upload.table) == [("2", "c\rd")]
    assert len(upload.broken) == 1


@pytest.mark.parametrize(("line_ending", "content"), [("LF", b"Id\r\n1\r\n"), ("CRLF", b"Id\n1\n")])
def test_the_wrong_line_ending_fails_the_job(line_ending, content):
    """The upload must end its lines as the job said, in the words that users search for."""
    words = f"LineEnding is invalid on user data. Current LineEnding setting is {line_ending}"
    with pytest.raises(UploadProblem, match=words):
        Dialect("COMMA", line_ending).read(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no header row"),
        (b"\xef\xbb\xbfId,Name\n1,a\n", "Field name not found : \ufeffId"),
        (b"Id,Name\n1,\xff\n", "invalid UTF8"),
        (b"Id,Name,Id\n1,a,2\n", "more than once : Id"),
        (b'Id,"Na"me\n1,a\n', "Failed to parse CSV header"),
    ],
)
def test_an_upload_that_cannot_be_read_at_all_says_why(content, message):
    """No header, a byte order mark, other encodings, doubled and malformed headers end the job."""
    with pytest.raises(UploadProblem, match=message):
        Dialect().read(content)


@pytest.mark.parametrize("body", [{"columnDelimiter": "COLON"}, {"lineEnding": "CR"}])
def test_unknown_dialects_are_refused(body):
    """Only the six delimiters and two line endings exist."""
    with pytest.raises(SalesforceError, match="INVALIDJOB"):
        Dialect.of_job(body)
