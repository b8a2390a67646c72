"""Cells to canonical types."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce.casting import LONGEST_TEXT, cast_records
from connectors.salesforce.ids import long_id

ID = b"0065g0000000001AAA"
STAMP = b"2026-11-22T10:00:00.123Z"
GOOD = {
    "amount": [
        (b"1054", Decimal("1054.00")), (b"1054.5", Decimal("1054.50")), (b"1.2345678E7", Decimal("12345678.00")),
        (b"0.125", Decimal("0.13")), (b"-3.14159", Decimal("-3.14")), (None, None),
    ],
    "probability": [(b"10", 10.0), (b"12.5", 12.5), (None, None)],
    "push_count": [(b"3", 3), (b"3.0", 3), (b"1.0E2", 100), (None, None)],
    "close_date": [(b"2026-02-28", date(2026, 2, 28)), (b"1700-01-01", date(1700, 1, 1)), (None, None)],
    "is_won": [(b"true", True), (b"false", False), (None, None)],
    "stage_changed_at": [
        (STAMP, datetime(2026, 11, 22, 10, 0, 0, 123000, UTC)),
        (b"2026-11-22T10:00:00.123+0000", datetime(2026, 11, 22, 10, 0, 0, 123000, UTC)),
    ],
    "name": [('Zoë, \U0001f600 "x"\n'.encode(), 'Zoë, \U0001f600 "x"\n'), (b"a" * LONGEST_TEXT, "a" * LONGEST_TEXT)],
    "account_id": [(b"0015g0000000009", "0015g0000000009AAA"), (b"0015g0000000009AAA", "0015g0000000009AAA")],
}  # fmt: skip
BAD = {
    "amount": [b"NaN", b"Infinity", b"1e400", b"12,5", b"\xff"],
    "probability": [b"NaN", b"-Infinity", b"1e400", b"ten"],
    "push_count": [b"NaN", b"1e400", b"many"],
    "close_date": [b"0001-01-01", b"9999-12-31", b"2026-02-30", b"yesterday"],
    "stage_changed_at": [b"0001-01-01T00:00:00.000Z", b"soon"],
    "is_won": [b"perhaps"],
    "name": [b"\xff\xfe", b"\xed\xa0\x80", b"a" * (LONGEST_TEXT + 1)],
}


def cast(column: str, cells: list[bytes | None]):
    """Cast one column beside good ids and stamps."""
    rows = len(cells)
    ids = [f"0065g{place:010d}AAA".encode() for place in range(rows)]
    return cast_records(
        "opportunity",
        ["id", "modified_at", column],
        {name: pa.array(values, pa.binary()) for name, values in
         (("id", ids), ("modified_at", [STAMP] * rows), (column, cells))},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "value"), [(c, *pair) for c, pairs in GOOD.items() for pair in pairs]
)
def test_what_salesforce_writes_is_read(column, cell, value) -> None:
    """As CSV and as JSON spell it, with or without decimals or exponents."""
    page = cast(column, [cell])
    assert page.table[column].to_pylist() == [value]
    assert page.set_aside == ()


@pytest.mark.parametrize(("column", "cell"), [(c, cell) for c, cells in BAD.items() for cell in cells])
def test_a_bad_cell_sets_its_record_aside_and_no_other(column, cell) -> None:
    """Wherever it stands; the reason names the column."""
    good, value = GOOD[column][0]
    page = cast(column, [good, cell, good])
    assert page.table[column].to_pylist() == [value, value]
    (aside,) = page.set_aside
    assert aside.id == "0065g0000000001AAA"
    assert aside.reason.startswith(f"{column} is ")


@given(st.lists(st.one_of(st.floats(), st.sampled_from(["x", "1e400"])), min_size=1, max_size=60))
def test_every_row_is_either_read_or_set_aside(values) -> None:
    """None is lost, none is doubled, and the readable ones keep their values and their order."""
    page = cast("probability", [str(value).encode() for value in values])
    assert page.table.num_rows + len(page.set_aside) == len(values)
    readable = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    assert page.table["probability"].to_pylist() == readable


@pytest.mark.parametrize("cell", [None, b"", b"not an id", b"001"])
def test_a_record_without_a_proper_id_is_set_aside(cell) -> None:
    """There is nothing to keep it by."""
    cells = {"id": pa.array([cell, ID], pa.binary()), "modified_at": pa.array([STAMP] * 2, pa.binary())}
    page = cast_records("opportunity", ["id", "modified_at"], cells)
    assert page.table["id"].to_pylist() == [ID.decode()]
    assert len(page.set_aside) == 1


def test_a_column_that_the_org_lacks_is_null_in_every_row() -> None:
    """Present, and typed."""
    cells = {"id": pa.array([ID], pa.binary()), "modified_at": pa.array([STAMP], pa.binary())}
    page = cast_records("opportunity", ["id", "modified_at", "margin"], cells)
    assert page.table["margin"].to_pylist() == [None]
    assert page.table["margin"].type == pa.float64()


def test_a_task_about_something_else_is_about_no_opportunity() -> None:
    """WhatId points to several kinds of record."""
    cells = {
        "id": pa.array([b"00T5g0000000001AAA"] * 2, pa.binary()),
        "modified_at": pa.array([STAMP] * 2, pa.binary()),
        "opportunity_id": pa.array([ID, b"0015g0000000009AAA"], pa.binary()),
    }
    page = cast_records("task", list(cells), cells)
    assert page.table["opportunity_id"].to_pylist() == [ID.decode(), None]


@pytest.mark.parametrize(("short", "long"), [
    ("0015g0000000009", "0015g0000000009AAA"), ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
    ("00D000000000062", "00D000000000062EAA"), ("001A0000006Vm9rIAC", "001A0000006Vm9rIAC"), ("", ""),
])  # fmt: skip
def test_ids_get_the_three_characters_that_spell_out_their_case(short, long) -> None:
    """So that they compare without regard to who sent them."""
    assert long_id(short) == long
