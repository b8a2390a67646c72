"""The one line a rep reads: `A 82 · closes 14 Mar +41 · good margin +22 · 95k +19`, whose numbers add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.columns import taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scoring.texts import Texts

    Ints = NDArray[np.int64]

LONGEST = 255
_MOST_ITEMS = 5
_SIGNED = [f"{points:+d}" for points in range(-400, 401)]


@dataclass(frozen=True)
class Reasons:
    """What reasons are made of: per row a `head` (tier and score), items with their points, and notes without.

    `shares` has one column per item and adds up to the score; an item without a text, or of no points, is
    not named: its points are in `other`.
    """

    head: pa.Array
    items: Sequence[Texts]
    shares: Ints
    notes: Sequence[pa.Array] = field(default=())

    def lines(self) -> pa.Array:
        """The reasons: strongest items first, cut by weight and never within an item, at most 255 characters."""
        found = self._lines(np.arange(len(self.shares)), _MOST_ITEMS)
        for most in range(_MOST_ITEMS - 1, -1, -1):
            long = np.flatnonzero(pc.greater(pc.utf8_length(found), LONGEST).to_numpy(zero_copy_only=False))
            if not len(long):
                break
            mask = np.zeros(len(found), dtype=np.bool_)
            mask[long] = True
            found = pc.replace_with_mask(found, pa.array(mask), self._lines(long, most))
        return found

    @cached_property
    def strongest(self) -> tuple[Ints, Ints]:
        """Per row, the items in order of weight (hidden ones last), and the weights in that order."""
        weights = np.abs(self.shares)
        for place, item in enumerate(self.items):
            weights[:, place] *= item.codes >= 0
        order = np.argsort(-weights, axis=1, kind="stable")
        return order, np.take_along_axis(weights, order, axis=1)

    def _lines(self, rows: Ints, most: int) -> pa.Array:
        order, weights = self.strongest
        offsets = np.cumsum([0, *(len(item.table) for item in self.items)])[:-1]
        codes = np.column_stack(
            [item.codes + offset for item, offset in zip(self.items, offsets, strict=True)]
        )
        table = pa.array([text for item in self.items for text in item.table], pa.string())
        left = self.shares[rows].sum(axis=1)
        slots = []
        for place in range(min(most, codes.shape[1])):
            item, shown = order[rows, place], weights[rows, place] > 0
            points = self.shares[rows, item]
            left = left - points * shown
            slots.append(_item(table.take(pa.array(codes[rows, item], mask=~shown)), points, shown))
        other = _item(pa.array(np.full(len(rows), "other")), left, left != 0)
        chosen = pa.array(rows)
        # Arrow drops a row in which everything is null: a row without a head gets an empty one.
        head = pc.fill_null(self.head.take(chosen), "")
        pieces = [head, *slots, other, *(note.take(chosen) for note in self.notes)]
        return pc.binary_join_element_wise(*pieces, " · ", null_handling="skip")


def _item(text: pa.Array, points: Ints, shown: NDArray[np.bool_]) -> pa.Array:
    """`closes 14 Mar +41`; null where it is not shown."""
    signed = taken(_SIGNED, np.where(shown, np.clip(points, -400, 400) + 400, -1))
    return pc.binary_join_element_wise(text, signed, " ")
