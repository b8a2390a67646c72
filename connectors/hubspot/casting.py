"""How HubSpot writes values: everything is text, numbers in odd forms, days as moments in the portal's zone.

A number property may hold text in HubSpot: it keeps what was there before the property became a number. Where
such a cell has no digit in it ("N/A", "-", "tbd"), it says that there is no number, and is null. Where it has
one ("10-50", "12.000 EUR"), it says a number that we would have to guess: then the record is set aside, as on
Salesforce, and the report names the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.records import MONEY, STAMP
from connectors import casting
from connectors.casting import Casting, local_days, require, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.casting import Converter

_ID = r"^[0-9]{1,19}$"
_DIGIT = "[0-9]"
_MILLISECONDS = r"^-?[0-9]{11,15}$"
# Longer fractions are binary expansions of a few decimals; beyond this they say nothing about money.
_LONG_FRACTION = r"^([+-]?[0-9]*\.[0-9]{10})[0-9]+$"


def portal_casting(timezone: str) -> Casting:
    """The casting of a portal: a day is a day of its time zone."""
    return Casting(
        ids=_ids,
        references=lambda *_: _references,
        others={
            pa.float64(): _tolerant(casting.numbers),
            pa.int64(): _tolerant(casting.integers),
            MONEY: _tolerant(_money),
            pa.date32(): lambda cells: local_days(cells, timezone, stamps),
            STAMP: stamps,
        },
    )


def text_array(values: Sequence[object]) -> pa.Array:
    """Cells of JSON values; an empty text is none. Odd ones become bytes that no cast accepts."""
    try:
        return pa.array([None if value == "" else value for value in values], pa.string())
    except (pa.ArrowException, UnicodeEncodeError, TypeError):
        return pa.array([_bytes(value) for value in values], pa.binary())


def _bytes(value: object) -> bytes | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return b"true" if value else b"false"
    # Lone surrogates, too, become bytes.
    return str(value).encode("utf-8", "surrogatepass")


def soft(kind: pa.DataType, cells: pa.Array) -> pa.Array:
    """The values of a column that only supplements others: null wherever a cell cannot be read."""
    convert = {pa.float64(): casting.numbers, MONEY: _money}.get(kind, casting.CONVERTERS[kind])
    values, _ = casting.convert_each(_tolerant(convert), kind, cells)
    return values


def stamps(cells: pa.Array) -> pa.Array:
    """Moments: ISO with their zone, or milliseconds since 1970."""
    found = cells.cast(pa.string())
    counted = pc.match_substring_regex(found, _MILLISECONDS)
    if pc.any(counted).as_py():
        numbers = pc.if_else(counted, found, None).cast(pa.int64())
        iso = pc.strftime(numbers.cast(STAMP), "%Y-%m-%dT%H:%M:%SZ")
        found = pc.if_else(counted, iso, found)
    return casting.stamps(found)


def _ids(cells: pa.Array) -> pa.Array:
    ids = texts(cells)
    require(pc.match_substring_regex(ids, _ID))
    return ids


def _references(cells: pa.Array) -> pa.Array:
    """An id, or what a property of text holds in its place; a number property may write 512.0."""
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(texts(cells)), r"^([0-9]+)\.0+$", r"\1")


def _tolerant(convert: Converter) -> Converter:
    def tolerant(cells: pa.Array) -> pa.Array:
        try:
            return convert(cells)
        except (pa.ArrowException, ValueError, OverflowError):
            found = pc.utf8_trim_whitespace(cells.cast(pa.string()))
            return convert(pc.if_else(pc.match_substring_regex(found, _DIGIT), found, None))

    return tolerant


def _money(cells: pa.Array) -> pa.Array:
    try:
        return casting.money(cells)
    except pa.ArrowInvalid:
        return casting.money(pc.replace_substring_regex(cells.cast(pa.string()), _LONG_FRACTION, r"\1"))
