"""Cells to canonical types: one unreadable cell sets its own record aside, and no other.

Every cell arrives as text or bytes (CSV cells are bytes; JSON values are turned into the same text). A column is
cast whole; only if that fails, halves are tried until the guilty cells are found. No reason shows content.
What differs between CRMs comes in as data, a `Casting`: how it writes ids, and whatever else it writes its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.clocks import zone_of
from config.records import MONEY, RECORDS, STAMP, Column
from connectors.contract import Page, SetAside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    # A whole column of cells to its values. Raises `ArrowException`, `ValueError` or `OverflowError` if one is bad.
    Converter = Callable[[pa.Array], pa.Array]

# The longest text field of any CRM (Salesforce's) holds this many characters; more cannot be right.
LONGEST_TEXT = 131_072
# Dates outside are typing mistakes; Salesforce itself keeps to this range.
_FIRST_DAY, _LAST_DAY = date(1700, 1, 1), date(4000, 12, 31)
_FIRST_STAMP = datetime(1700, 1, 1, tzinfo=UTC)
_LAST_STAMP = datetime(4000, 12, 31, 23, 59, 59, tzinfo=UTC)
_WIDE_MONEY = pa.decimal128(38, 12)
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@dataclass(frozen=True, slots=True)
class Casting:
    """How one CRM writes values.

    Args:
        ids: reads a record's own id; `references` the ids of others, by object and column.
        others: by canonical type, for what this CRM writes in its own way.
    """

    ids: Converter
    references: Callable[[str, str], Converter]
    others: Mapping[pa.DataType, Converter] = field(default_factory=dict)

    def converter(self, object_name: str, column: Column) -> Converter:
        """What reads the cells of a column."""
        if column.name == "id":
            return self.ids
        if column.name.endswith("_id"):
            return self.references(object_name, column.name)
        return self.others.get(column.type) or CONVERTERS[column.type]


def cast_records(
    object_name: str, columns: Sequence[str], cells: Mapping[str, pa.Array], casting: Casting
) -> Page:
    """Typed records from columns of cells; a column that is not among the cells is null in every row.

    A column that has its canonical type already is taken as it is, unless that type is text.
    """
    rows = len(next(iter(cells.values())))
    wanted = [column for column in RECORDS[object_name] if column.name in columns]
    typed: dict[str, pa.Array] = {}
    reasons: dict[int, str] = {}
    for column in wanted:
        if column.name not in cells:
            typed[column.name] = pa.nulls(rows, column.type)
            continue
        typed[column.name], bad = _cast(column, cells[column.name], casting.converter(object_name, column))
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


def _cast(column: Column, cells: pa.Array, convert: Converter) -> tuple[pa.Array, list[int]]:
    """The typed column, null where a cell cannot be read, and the places of those cells."""
    if cells.type == column.type and column.type != pa.string():
        return cells, []
    return convert_each(convert, column.type, cells)


def convert_each(convert: Converter, kind: pa.DataType, cells: pa.Array) -> tuple[pa.Array, list[int]]:
    """The values of a column, null where a cell cannot be read, and the places of those cells."""
    bad: list[int] = []
    parts = list(_halving(convert, kind, cells, 0, bad))
    return (parts[0] if len(parts) == 1 else pa.concat_arrays(parts)), bad


def _halving(
    convert: Converter, kind: pa.DataType, cells: pa.Array, start: int, bad: list[int]
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


def texts(cells: pa.Array) -> pa.Array:
    """Text in UTF-8, of a possible length."""
    found = cells.cast(pa.string())
    longest = pc.max(pc.binary_length(found)).as_py() or 0
    if longest > LONGEST_TEXT and (pc.max(pc.utf8_length(found)).as_py() or 0) > LONGEST_TEXT:
        raise ValueError
    return found


def numbers(cells: pa.Array) -> pa.Array:
    """Finite numbers."""
    found = cells.cast(pa.string()).cast(pa.float64())
    require(pc.is_finite(found))
    return found


def integers(cells: pa.Array) -> pa.Array:
    """Whole numbers, which may come as 81.0 or 1.2E7."""
    return pc.round(numbers(cells)).cast(pa.int64())


def money(cells: pa.Array) -> pa.Array:
    """Amounts; fractions of a cent are rounded, half a cent away from zero."""
    found = cells.cast(pa.string())
    try:
        return found.cast(MONEY)
    except pa.ArrowInvalid:
        return pc.round(found.cast(_WIDE_MONEY), 2, round_mode="half_towards_infinity").cast(MONEY)


def days(cells: pa.Array) -> pa.Array:
    """ISO dates."""
    return possible_days(cells.cast(pa.string()).cast(pa.date32()))


def local_days(cells: pa.Array, timezone: str, moments: Converter | None = None) -> pa.Array:
    """Days: as such, or the day of a moment (read by `moments`) in a time zone; an unknown zone is UTC."""
    found = pc.utf8_trim_whitespace(cells.cast(pa.string()))
    plain = pc.match_substring_regex(found, _DAY)
    if pc.all(plain).as_py() is not False:
        return days(found)
    instants = (moments or stamps)(pc.if_else(plain, None, found))
    local = instants.cast(pa.timestamp("ms", tz=zone_of(timezone).key))
    of_instants = pc.local_timestamp(local).cast(pa.date32(), safe=False)
    return possible_days(pc.coalesce(pc.if_else(plain, found, None).cast(pa.date32()), of_instants))


def possible_days(found: pa.Array) -> pa.Array:
    """The days, none of which is a typing mistake."""
    _within(found, _FIRST_DAY, _LAST_DAY)
    return found


def stamps(cells: pa.Array) -> pa.Array:
    """ISO stamps with their zone."""
    found = cells.cast(pa.string()).cast(STAMP)
    _within(found, pa.scalar(_FIRST_STAMP, STAMP), pa.scalar(_LAST_STAMP, STAMP))
    return found


def flags(cells: pa.Array) -> pa.Array:
    """Yes and no, as `true` and `false`."""
    return cells.cast(pa.string()).cast(pa.bool_())


def require(holds: pa.Array) -> None:
    """Raise `ValueError` unless it holds for every cell that is there."""
    if pc.all(holds).as_py() is False:
        raise ValueError


def _within(values: pa.Array, first: Any, last: Any) -> None:
    require(pc.and_(pc.greater_equal(values, first), pc.less_equal(values, last)))


CONVERTERS: dict[pa.DataType, Converter] = {
    pa.string(): texts,
    pa.float64(): numbers,
    pa.int64(): integers,
    MONEY: money,
    pa.date32(): days,
    STAMP: stamps,
    pa.bool_(): flags,
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
