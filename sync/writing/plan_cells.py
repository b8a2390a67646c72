"""Cells of text as spreadsheets hold them without loss, and without taking any for a formula."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

# An empty text would be taken for none, one that begins so for a formula.
_MARK = "'"
_MARKED = r"^$|^[=+\-@']"
# Control characters do not come back from a spreadsheet; the backslash says that one was there.
_UNHEARD = "[\\x00-\\x1f\\x7f\\\\\ufffe\uffff]"
_SAID = re.compile(r"\\u([0-9a-f]{4})")


def as_cells(table: pa.Table) -> pa.Table:
    """The table with texts that a spreadsheet holds as they are."""
    return _each_text(table, f"{_MARKED}|{_UNHEARD}", _said)


def from_cells(table: pa.Table) -> pa.Table:
    """The table as it was before `as_cells`."""
    return _each_text(table, rf"^{_MARK}|\\", _heard)


def _said(text: str) -> str:
    plain = re.sub(_UNHEARD, lambda found: f"\\u{ord(found[0]):04x}", text)
    return (_MARK if re.match(_MARKED, text) else "") + plain


def _heard(text: str) -> str:
    return _SAID.sub(lambda found: chr(int(found[1], 16)), text.removeprefix(_MARK))


def _each_text(table: pa.Table, pattern: str, change: Callable[[str], str]) -> pa.Table:
    """Change the texts that match: few, so that a million rows need no loop."""
    for place, field in enumerate(table.schema):
        if field.type != pa.string():
            continue
        column = table[field.name].combine_chunks()
        matching = pc.fill_null(pc.match_substring_regex(column, pattern), False)  # noqa: FBT003  # Arrow's
        if pc.any(matching).as_py():
            changed = pa.array([change(text) for text in column.filter(matching).to_pylist()], pa.string())
            table = table.set_column(place, field, pc.replace_with_mask(column, matching, changed))
    return table
