"""The form of a portal's records and associations, and how columns of a book become texts of properties."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# First id and the usual step to the next, by type: records of other times and people lie between.
IDS = {
    "owners": (41_203_377, 1_311),
    "companies": (8_214_503_311, 7),
    "deals": (11_467_902_885, 3),
    "tickets": (5_120_884_410, 9),
    "calls": (40_115_220_904, 5),
    "emails": (52_870_115_336, 5),
    "meetings": (46_318_770_912, 5),
    "goal_targets": (44_027_423_340, 13),
    "products": (1_288_340_117, 11),
    "line_items": (8_214_503_318, 2),
}
_NOON = 12 * 3_600_000
Texts = list["str | None"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Records of one type: ascending ids, texts by property, stamps in milliseconds.

    `beginnings` has, by property, each record's first value and when the present one replaced it (None: never).
    """

    ids: Sequence[int]
    columns: dict[str, Texts]
    created: Sequence[int]
    modified: Sequence[int]
    beginnings: dict[str, tuple[Texts, list[int | None]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinkRows:
    """Associations of the same kinds between records of two types, with the kinds of the way back."""

    from_type: str
    to_type: str
    from_ids: Sequence[int]
    to_ids: Sequence[int]
    kinds: tuple[int, ...]
    kinds_back: tuple[int, ...]


def new_ids(name: str, count: int) -> Any:
    """Ascending numbers with uneven gaps."""
    first, step = IDS[name]
    rows = np.arange(count, dtype=np.int64)
    return first + rows * step + (rows * 7_919 % 1_009) // 1_008 + np.cumsum(rows % 5 == 4)


def milliseconds(column: Any) -> Any:
    """Stamps as milliseconds since 1970."""
    return column.cast(pa.int64()).to_numpy()


def present(column: Any) -> Any:
    """Numbers of the rows that have a value."""
    return np.flatnonzero(column.is_valid().to_numpy())


def texts(column: Any) -> Texts:
    """A column as texts; few different ones are shared by all rows that have them."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = column.cast(pa.string()).dictionary_encode()
    words = [*encoded.dictionary.to_pylist(), None]
    return [words[code] for code in pc.fill_null(encoded.indices, len(words) - 1).to_pylist()]


def numbers(column: Any) -> Texts:
    """Numbers as people type them: whole ones without a point, others with two places."""
    return [
        None if one is None else str(int(one)) if one == int(one) else f"{one:.2f}"
        for one in column.to_pylist()
    ]


def pointed(ids: Any, rows: Any) -> Texts:
    """Row numbers as ids; null stays null."""
    texts = [str(one) for one in ids.tolist()]
    return [None if row is None else texts[row] for row in rows.to_pylist()]


def mapped(column: Any, values: Mapping[str, str]) -> Texts:
    """Each word's value; a word that has none stays."""
    return [None if one is None else values.get(one, one) for one in column.to_pylist()]


def option_value(label: str) -> str:
    """A label as the internal value of an option, in HubSpot's upper case."""
    return re.sub(r"\W+", "_", label.upper())


def stamp_texts(column: Any) -> list[str]:
    """Milliseconds as HubSpot writes moments."""
    moments = pa.array(column, pa.int64()).cast(pa.timestamp("ms"))
    texts = pc.strftime(moments, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
    return [text.replace(".000Z", "Z") for text in texts]


def close_dates(column: Any) -> Texts:
    """Days as the noon in UTC, which is the same day in nearly every time zone."""
    days = column.cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.float64)
    known = ~np.isnan(days)
    stamps = np.where(known, days, 0).astype(np.int64) * 86_400_000 + _NOON
    return [text if there else None for text, there in zip(stamp_texts(stamps), known.tolist(), strict=True)]


def pointed_names(names: Any, rows: Any) -> Texts:
    """Row numbers as names; null stays null."""
    words = names.to_pylist()
    return [None if row is None else words[row] for row in rows.to_pylist()]
