"""Families of companies: every account with what it and all accounts above, below and beside it spend together.

An account's parent may lie in another bucket, be missing, or lead back to the account itself; the accounts of such a
ring are one family like any other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.arithmetic.columns import numbers, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scoring.reading.features import Features

    Ints = NDArray[np.int64]

# Column of the features → column of `scoring.reading.features.FAMILY`.
COLUMNS = {"group_size": "size", "group_year_spend": "year_spend", "group_open_value": "open_value"}
_LOW = 20  # bits that are summed apart, so that no sum of cents overflows
_MOST = 900_000_000_000_000_000


def with_families(parts: Sequence[Features]) -> tuple[Features, ...]:
    """The same buckets, with the sums over each account's family."""
    family, size = _families([part.accounts for part in parts])
    if size == 0:
        return tuple(parts)
    sums = {
        "group_size": _sums(family, [np.ones(len(codes), dtype=np.int64) for codes in family], size),
        "group_year_spend": _sums(family, [whole(part.accounts, "year_spend") for part in parts], size),
        "group_open_value": _sums(family, [whole(part.accounts, "open_value") for part in parts], size),
    }
    return tuple(
        replace(part, accounts=_with_sums(part.accounts, codes, sums))
        for part, codes in zip(parts, family, strict=True)
    )


def kept_families(part: Features) -> pa.Table:
    """What to hand in as the table `family` when one bucket is read alone, in `scoring.reading.features.FAMILY`."""
    several = part.accounts.filter(pc.greater(part.accounts["group_size"], 1))
    return several.select(["id", *COLUMNS]).rename_columns(["id", *COLUMNS.values()])


def _families(tables: Sequence[pa.Table]) -> tuple[list[Ints], int]:
    """For each account the number of its family, -1 for one that stands alone, and how many numbers there are."""
    pairs = [table.select(["id", "parent_id"]).filter(pc.is_valid(table["parent_id"])) for table in tables]
    children = pa.concat_tables(pairs)
    if children.num_rows == 0:
        return [np.full(table.num_rows, -1) for table in tables], 0
    both = pa.chunked_array([*children["id"].chunks, *children["parent_id"].chunks], pa.string())
    nodes = pc.unique(both).sort()
    heads = _heads(len(nodes), _places(children["id"], nodes), _places(children["parent_id"], nodes))
    codes = [_places(table["id"], nodes) for table in tables]
    return [np.where(found >= 0, heads[found], -1) for found in codes], len(nodes)


def _places(ids: pa.ChunkedArray, nodes: pa.Array) -> Ints:
    """The place of each id among the nodes; -1 where it is none of them."""
    found = pc.fill_null(pc.index_in(ids, value_set=nodes), -1).combine_chunks()
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _heads(size: int, child: Ints, parent: Ints) -> Ints:
    """The topmost node above each; of a ring, the first of its nodes.

    Pointer jumping: each round doubles how far a node looks up, so that any depth takes log2(size) rounds.
    """
    above = np.arange(size)
    above[child] = parent
    first = np.arange(size)  # the first of all nodes on the way so far
    for _ in range(int(size).bit_length() + 1):
        first = np.minimum(first, first[above])
        further = above[above]
        if np.array_equal(further, above):
            break
        above = further
    # Whoever looked far enough stands in a ring, of one node or more, and has seen all of it.
    heads: Ints = first[above]
    return heads


def _sums(family: Sequence[Ints], values: Sequence[Ints], size: int) -> Ints:
    """The sum of values for each family, limited to what fits."""
    low, high = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for codes, found in zip(family, values, strict=True):
        known = codes >= 0
        np.add.at(low, codes[known], found[known] & ((1 << _LOW) - 1))
        np.add.at(high, codes[known], found[known] >> _LOW)
    high += low >> _LOW
    return np.where(
        high >= _MOST >> _LOW, _MOST, (np.minimum(high, _MOST >> _LOW) << _LOW) + (low & ((1 << _LOW) - 1))
    )


def _with_sums(accounts: pa.Table, codes: Ints, sums: dict[str, Ints]) -> pa.Table:
    for name, found in sums.items():
        own = np.nan_to_num(numbers(accounts, name)).astype(np.int64)
        column = pa.array(np.where(codes >= 0, found[codes], own))
        accounts = accounts.set_column(accounts.schema.get_field_index(name), name, column)
    return accounts
