"""Cells to canonical types: one unreadable cell sets its own record aside, and no other.

Every cell arrives as bytes (CSV cells are; JSON values are turned into the same text). A column is cast
whole; only if that fails, halves are tried until the guilty cells are found. No reason shows content.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.records import MONEY, RECORDS, STAMP, Column
from connectors.contract import Page, SetAside
from connectors.salesforce.fields import KEY_PREFIXES
from connectors.salesforce.ids import SHAPE, long_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Salesforce's longest text field holds this many characters; more cannot be right.
LONGEST_TEXT = 131_072
# Salesforce's own range of dates.
_FIRST_DAY, _LAST_DAY = date(1700, 1, 1), date(4000, 12, 31)
_FIRST_STAMP = datetime(1700, 1, 1, tzinfo=UTC)
_LAST_STAMP = datetime(4000, 12, 31, 23, 59, 59, tzinfo=UTC)
_WIDE_MONEY = pa.decimal128(38, 12)


def cast_records(object_name: str, columns: Sequence[str], cells: Mapping[str, pa.Array]) -> Page:
    """Typed records from columns of bytes; a column that is not among the cells is null in every row."""
    rows = len(next(iter(cells.values())))
    wanted = [column for column in RECORDS[object_name] if column.name in columns]
    typed: dict[str, pa.Array] = {}
    reasons: dict[int, str] = {}
    for column in wanted:
        if column.name not in cells:
            typed[column.name] = pa.nulls(rows, column.type)
            continue
        typed[column.name], bad = _cast(object_name, column, cells[column.name])
        for row in bad:
            reasons.setdefault(row, f"{column.name} {_COMPLAINTS[column.type]}")
        if column.need == "key":
            for row in pc.indices_nonzero(pc.is_null(typed[column.name])).to_pylist():
                reasons.setdefault(row, f"{column.name} is missing")
    schema = pa.schema([(column.name, column.type) for column in wanted])
    return _page(object_name, pa.table(typed, schema=schema), reasons)


def _page(object_name: str, table: pa.Table, reasons: Mapping[int, str]) -> Page:
    if not reasons:
        return Page(table)
    ids = table["id"].take(pa.array(list(reasons), pa.int64())).to_pylist()
    aside = [SetAside(object_name, name or "", why) for name, why in zip(ids, reasons.values(), strict=True)]
    kept = pa.array(sorted(set(range(table.num_rows)) - reasons.keys()), pa.int64())
    return Page(table.take(kept), tuple(aside))


def _cast(object_name: str, column: Column, cells: pa.Array) -> tuple[pa.Array, list[int]]:
    """The typed column, null where a cell cannot be read, and the places of those cells."""
    convert = _CONVERTERS[column.type]
    if column.name == "id":
        convert = _key_ids
    elif column.name.endswith("_id"):
        prefix = KEY_PREFIXES.get((object_name, column.name), "")
        convert = lambda cells: _references(cells, prefix)  # noqa: E731  # a converter with its prefix
    bad: list[int] = []
    parts = list(_halving(convert, column.type, cells, 0, bad))
    return (parts[0] if len(parts) == 1 else pa.concat_arrays(parts)), bad


def _halving(
    convert: Callable[[pa.Array], pa.Array], kind: pa.DataType, cells: pa.Array, start: int, bad: list[int]
) -> list[pa.Array]:
    try:
        return [convert(cells)]
    except (pa.ArrowException, ValueError, OverflowError):
        if len(cells) == 1:
            bad.append(start)
            return [pa.nulls(1, kind)]
    half = len(cells) // 2
    first = _halving(convert, kind, cells.slice(0, half), start, bad)
    return first + _halving(convert, kind, cells.slice(half), start + half, bad)


def _texts(cells: pa.Array) -> pa.Array:
    texts = cells.cast(pa.string())
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest > LONGEST_TEXT and (pc.max(pc.utf8_length(texts)).as_py() or 0) > LONGEST_TEXT:
        raise ValueError
    return texts


def _key_ids(cells: pa.Array) -> pa.Array:
    ids = _texts(cells)
    _require(pc.match_substring_regex(ids, SHAPE.pattern))
    return long_ids(ids)


def _references(cells: pa.Array, prefix: str) -> pa.Array:
    ids = long_ids(_texts(cells))
    return pc.if_else(pc.starts_with(ids, prefix), ids, None) if prefix else ids


def _numbers(cells: pa.Array) -> pa.Array:
    numbers = cells.cast(pa.string()).cast(pa.float64())
    _require(pc.is_finite(numbers))
    return numbers


def _integers(cells: pa.Array) -> pa.Array:
    """Salesforce sends whole numbers of a Number field as 81.0, large ones as 1.2E7."""
    return pc.round(_numbers(cells)).cast(pa.int64())


def _money(cells: pa.Array) -> pa.Array:
    texts = cells.cast(pa.string())
    try:
        return texts.cast(MONEY)
    except pa.ArrowInvalid:
        return pc.round(texts.cast(_WIDE_MONEY), 2, round_mode="half_towards_infinity").cast(MONEY)


def _days(cells: pa.Array) -> pa.Array:
    days = cells.cast(pa.string()).cast(pa.date32())
    _within(days, _FIRST_DAY, _LAST_DAY)
    return days


def _stamps(cells: pa.Array) -> pa.Array:
    stamps = cells.cast(pa.string()).cast(STAMP)
    _within(stamps, pa.scalar(_FIRST_STAMP, STAMP), pa.scalar(_LAST_STAMP, STAMP))
    return stamps


def _flags(cells: pa.Array) -> pa.Array:
    return cells.cast(pa.string()).cast(pa.bool_())


def _require(holds: pa.Array) -> None:
    if pc.all(holds).as_py() is False:
        raise ValueError


def _within(values: pa.Array, first: Any, last: Any) -> None:
    _require(pc.and_(pc.greater_equal(values, first), pc.less_equal(values, last)))


_CONVERTERS: dict[pa.DataType, Callable[[pa.Array], pa.Array]] = {
    pa.string(): _texts,
    pa.float64(): _numbers,
    pa.int64(): _integers,
    MONEY: _money,
    pa.date32(): _days,
    STAMP: _stamps,
    pa.bool_(): _flags,
}

_COMPLAINTS: dict[pa.DataType, str] = {
    pa.string(): "is not UTF-8 text of a possible length",
    pa.float64(): "is not a finite number",
    pa.int64(): "is not a finite number",
    MONEY: "is not an amount of money",
    pa.date32(): "is not a date between 1700 and 4000",
    STAMP: "is not a time between 1700 and 4000",
    pa.bool_(): "is neither true nor false",
}
