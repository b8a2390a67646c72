"""HubSpot's texts to canonical values: odd numbers, moments and days, and what says that there is nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from connectors.casting import cast_records
from connectors.hubspot.casting import portal_casting, text_array

if TYPE_CHECKING:
    from connectors.contract import Page

STAMP = "2026-11-22T10:00:00.123Z"
EXPANSION = "0.90000000000000002220446049250313080847263336181640625"
GOOD = {
    "amount": [
        ("1500.00", Decimal("1500.00")), ("1.2E7", Decimal(12_000_000)), (" 15 ", Decimal(15)),
        (EXPANSION, Decimal("0.90")), ("1234567.125", Decimal("1234567.13")), ("-3.5", Decimal("-3.50")),
        ("", None), (None, None),
    ],
    "probability": [(EXPANSION, 0.9), ("5e-1", 0.5), (None, None)],
    "push_count": [("3", 3), ("3.0", 3), ("1.0E2", 100), (" 4 ", 4)],
    "close_date": [
        ("2026-02-28", date(2026, 2, 28)), ("2026-03-31T22:30:00Z", date(2026, 4, 1)),
        ("1774996200000", date(2026, 4, 1)), ("2026-03-31T21:30:00.000Z", date(2026, 3, 31)), (None, None),
    ],
    "stage_changed_at": [
        (STAMP, datetime(2026, 11, 22, 10, 0, 0, 123000, UTC)),
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("1795341600123", datetime(2026, 11, 22, 10, 0, 0, 123000, UTC)),
    ],
    "is_won": [("true", True), ("false", False), (None, None)],
    "name": [("Zoë \U0001f600\n", "Zoë \U0001f600\n")],
    "account_id": [("512", "512"), ("512.0", "512"), (" 512 ", "512")],
}  # fmt: skip
NOTHING = ["N/A", "-", "a;b", "NaN", "Infinity", "tbd"]
BAD = {
    "amount": ["12,5", "10-50", "1e400", "12.000 EUR", "1 000"],
    "probability": ["1e400", "50 percent"],
    "push_count": ["1e400", "3 or 4"],
    "close_date": ["0001-01-01", "9999-12-31", "2026-02-30", "yesterday"],
    "stage_changed_at": ["0001-01-01T00:00:00.000Z", "soon"],
    "is_won": ["perhaps"],
    "name": ["\ud800", "a" * 131_073],
}


def cast(column: str, cells: list[Any]) -> Page:
    """Cast one column beside good ids and stamps, in a portal in Berlin."""
    columns = {
        "id": text_array([str(512 + place) for place in range(len(cells))]),
        "modified_at": text_array([STAMP] * len(cells)),
        column: text_array(cells),
    }
    return cast_records(
        "opportunity", ["id", "modified_at", column], columns, portal_casting("Europe/Berlin")
    )


@pytest.mark.parametrize(
    ("column", "cell", "value"), [(c, *pair) for c, pairs in GOOD.items() for pair in pairs]
)
def test_what_hubspot_writes_is_read(column: str, cell: str | None, value: Any) -> None:
    """Whatever form it chose."""
    page = cast(column, [cell])
    assert page.table[column].to_pylist() == [pytest.approx(value) if isinstance(value, float) else value]
    assert page.set_aside == ()


@pytest.mark.parametrize("cell", NOTHING)
@pytest.mark.parametrize("column", ["amount", "probability", "push_count"])
def test_a_number_without_a_digit_says_that_there_is_none(column: str, cell: str) -> None:
    """A property that was text before it became a number keeps such words; the record stays in the book."""
    page = cast(column, [cell, "7"])
    assert page.table[column].to_pylist() == [None, 7]
    assert page.set_aside == ()


@pytest.mark.parametrize(("column", "cell"), [(c, cell) for c, cells in BAD.items() for cell in cells])
def test_a_bad_cell_sets_its_record_aside_and_no_other(column: str, cell: str) -> None:
    """A number that would have to be guessed is not guessed; the reason names the column, not the content."""
    good, value = GOOD[column][0]
    page = cast(column, [good, cell, good])
    assert page.table[column].to_pylist() == [value, value]
    (aside,) = page.set_aside
    assert aside.id == "513"
    assert aside.reason.startswith(f"{column} is ")
    assert cell not in aside.reason


def test_values_of_another_json_type_are_read_as_their_text() -> None:
    """Everything should be text; what is not spoils nothing."""
    assert text_array([1, True, None, "x"]).cast(pa.string()).to_pylist() == ["1", "true", None, "x"]


def test_a_zone_that_nobody_knows_is_utc() -> None:
    """A portal may name one that this machine does not have."""
    casting = portal_casting("Mars/Olympus")
    columns = {"id": text_array(["1"]), "modified_at": text_array([STAMP]), "close_date": text_array([STAMP])}
    page = cast_records("opportunity", ["id", "modified_at", "close_date"], columns, casting)
    assert page.table["close_date"].to_pylist() == [date(2026, 11, 22)]
