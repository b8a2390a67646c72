"""The one line a rep reads: `A 82 · closes 14 Mar +41 · good margin +22 · 95k +19`, whose numbers add up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.arithmetic.columns import taken
from scoring.arithmetic.points import descending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scoring.arithmetic.texts import Texts

    Ints = NDArray[np.int64]
    Body = Callable[[Ints, int], pa.Array]  # lines of items for some records, of at most so many items

LONGEST = 255
MOST_ITEMS = 5
BETWEEN = " · "
_SIGNED = [f" {points:+d}" for points in range(-400, 401)]


@dataclass(frozen=True)
class Items:
    """Named contributions of records: one text per item and record, and their whole points (one row per item).

    An item without a text, or of no points, is not named: its points are in `other`.
    """

    texts: Sequence[Texts]
    shares: Ints

    @cached_property
    def order(self) -> Ints:
        """One row per place: the item that stands there, heaviest first, those without a text last."""
        place = descending(self._weights)
        order = np.empty(place.shape, dtype=np.int64)
        records = np.arange(place.shape[1])
        for item, places in enumerate(place):
            order[places, records] = item
        return order

    @cached_property
    def _weights(self) -> Ints:
        named = np.stack([text.codes >= 0 for text in self.texts])
        return np.abs(self.shares) * named

    @cached_property
    def _table(self) -> tuple[pa.Array, Ints]:
        offsets = np.cumsum([0, *(len(text.table) for text in self.texts)])[:-1]
        codes = np.stack([text.codes + offset for text, offset in zip(self.texts, offsets, strict=True)])
        return pa.array([BETWEEN + line for text in self.texts for line in text.table], pa.string()), codes

    def named(self, place: int) -> Ints:
        """The item at a place, counted from the heaviest; -1 where no named one is left."""
        item, records = self.order[place], np.arange(self.shares.shape[1])
        return np.where(self._weights[item, records] > 0, item, -1)

    @cached_property
    def all_lines(self) -> pa.Array:
        """The lines of all records, with as many items as a reason may have."""
        return self._lines(np.arange(self.shares.shape[1]), MOST_ITEMS)

    def lines(self, records: Ints, most: int) -> pa.Array:
        """` · closes 14 Mar +41 · good margin +22 · other +3` for some records, of at most so many items."""
        if most == MOST_ITEMS:
            return self.all_lines.take(pa.array(records))
        return self._lines(records, most)

    def _lines(self, records: Ints, most: int) -> pa.Array:
        table, codes = self._table
        left = self.shares[:, records].sum(axis=0)
        pieces = []
        for place in range(min(most, len(self.shares))):
            item = self.order[place, records]
            points = self.shares[item, records]
            shown = self._weights[item, records] > 0
            left = left - points * shown
            pieces += [table.take(pa.array(codes[item, records], mask=~shown)), _signed(points, shown)]
        pieces += [taken([f"{BETWEEN}other"], np.where(left != 0, 0, -1)), _signed(left, left != 0)]
        return _joined(pieces)


def _signed(points: Ints, shown: NDArray[np.bool_]) -> pa.Array:
    return taken(_SIGNED, np.where(shown, np.clip(points, -400, 400) + 400, -1))


def reasons(head: pa.Array, body: Body, notes: Sequence[pa.Array]) -> pa.Array:
    """Head (tier and score), items and notes on one line of at most 255 characters, cut by weight between items.

    What still is too long without any item loses its last notes, one after another.
    """
    lines = _joined([head, body(np.arange(len(head)), MOST_ITEMS), *notes])
    steps = [(most, len(notes)) for most in range(MOST_ITEMS - 1, -1, -1)]
    steps += [(0, kept) for kept in range(len(notes) - 1, -1, -1)]
    for most, kept in steps:
        long = np.flatnonzero(pc.greater(pc.utf8_length(lines), LONGEST).to_numpy(zero_copy_only=False))
        if not len(long):
            break
        mask, rows = np.zeros(len(lines), dtype=np.bool_), pa.array(long)
        mask[long] = True
        shorter = _joined([head.take(rows), body(long, most), *(note.take(rows) for note in notes[:kept])])
        lines = pc.replace_with_mask(lines, pa.array(mask), shorter)
    return lines


def _joined(pieces: Sequence[pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(*pieces, "", null_handling="replace", null_replacement="")
