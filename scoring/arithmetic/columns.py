"""Columns of an Arrow table as numpy arrays, with one way to say "missing" for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def numbers(table: pa.Table, name: str) -> Floats:
    """A numeric column; NaN where it is null."""
    return np.asarray(table[name].combine_chunks().to_numpy(zero_copy_only=False), dtype=np.float64)


def whole(table: pa.Table, name: str) -> Ints:
    """An integer column that is never null."""
    return np.asarray(table[name].combine_chunks().to_numpy(zero_copy_only=False), dtype=np.int64)


def flags(table: pa.Table, name: str) -> Flags:
    """A boolean column that is never null."""
    return np.asarray(table[name].combine_chunks().to_numpy(zero_copy_only=False), dtype=np.bool_)


def coded(column: pa.ChunkedArray) -> tuple[list[str], Ints]:
    """The distinct texts of a column, and each row's place among them; -1 where it is null."""
    encoded = column.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary.to_pylist(), codes


def looked_up(column: pa.ChunkedArray, values: dict[str, float], default: float) -> Floats:
    """A number for each text of a column, from a table of them."""
    texts, codes = coded(column)
    table = np.array([*(values.get(text, default) for text in texts), default], dtype=np.float64)
    return table[codes]


def taken(texts: Sequence[str | None], codes: Ints) -> pa.Array:
    """The text at each code; null where the code is negative."""
    indices = pa.array(codes, mask=codes < 0)
    return pa.array(texts, pa.string()).take(indices)
