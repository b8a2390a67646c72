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
from scoring.engine import HERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from scoring.engine import Engine
    from scoring.reading.features import Features

    Ints = NDArray[np.int64]

# Column of the features → column of `scoring.reading.features.FAMILY`.
COLUMNS = {"group_size": "size", "group_year_spend": "year_spend", "group_open_value": "open_value"}
_LOW = 20  # bits that are summed apart, so that no sum of cents overflows
_MOST = 900_000_000_000_000_000
_NO_LINKS = pa.table({"id": pa.array([], pa.string()), "parent_id": pa.array([], pa.string())})


def with_families(parts: Sequence[Features], engine: Engine = HERE) -> Sequence[Features]:
    """The same buckets, with the sums over each account's family."""
    nodes, heads = _families(list(engine.each(_links, parts)))
    if not len(nodes):
        return parts
    codes = engine.keep(_codes, parts, nodes=nodes, heads=heads)
    sums = _added(engine.each(_sums, parts, codes), len(nodes))
    return engine.keep(_with_sums, parts, codes, sums=sums)


def kept_families(part: Features) -> pa.Table:
    """What to hand in as the table `family` when one bucket is read alone, in `scoring.reading.features.FAMILY`."""
    several = part.accounts.filter(pc.greater(part.accounts["group_size"], 1))
    return several.select(["id", *COLUMNS]).rename_columns(["id", *COLUMNS.values()])


def _links(part: Features) -> pa.Table:
    """The accounts of a bucket that have a parent."""
    return part.accounts.select(["id", "parent_id"]).filter(pc.is_valid(part.accounts["parent_id"]))


def _families(links: Sequence[pa.Table]) -> tuple[pa.Array, Ints]:
    """The ids of all that are a parent or have one, sorted, and for each the place of the family's head."""
    children = pa.concat_tables(links) if links else _NO_LINKS
    both = pa.chunked_array([*children["id"].chunks, *children["parent_id"].chunks], pa.string())
    nodes = pc.unique(both).sort()
    return nodes, _heads(len(nodes), _places(children["id"], nodes), _places(children["parent_id"], nodes))


def _codes(part: Features, nodes: pa.Array, heads: Ints) -> Ints:
    """For each account of a bucket the number of its family, -1 for one that stands alone."""
    found = _places(part.accounts["id"], nodes)
    return np.where(found >= 0, heads[found], -1)


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


def _sums(part: Features, codes: Ints) -> tuple[Ints, dict[str, tuple[Ints, Ints]]]:
    """What one bucket adds to the sums of families: their numbers, and for each sum its low bits and the rest."""
    known = codes >= 0
    families, places = np.unique(codes[known], return_inverse=True)
    ones = np.ones(len(codes), dtype=np.int64)
    values = {name: whole(part.accounts, name) for name in ("year_spend", "open_value")} | {"size": ones}
    found = {}
    for name, column in COLUMNS.items():
        cents = values[column][known]
        low, high = np.zeros(len(families), dtype=np.int64), np.zeros(len(families), dtype=np.int64)
        np.add.at(low, places, cents & ((1 << _LOW) - 1))
        np.add.at(high, places, cents >> _LOW)
        found[name] = low, high
    return families, found


def _added(parts: Iterable[tuple[Ints, dict[str, tuple[Ints, Ints]]]], size: int) -> dict[str, Ints]:
    """The sums of each family, limited to what fits."""
    sums = {name: (np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)) for name in COLUMNS}
    for families, found in parts:
        for name, (low, high) in found.items():
            sums[name][0][families] += low
            sums[name][1][families] += high
    return {name: _limited(low, high + (low >> _LOW)) for name, (low, high) in sums.items()}


def _limited(low: Ints, high: Ints) -> Ints:
    return np.where(
        high >= _MOST >> _LOW, _MOST, (np.minimum(high, _MOST >> _LOW) << _LOW) + (low & ((1 << _LOW) - 1))
    )


def _with_sums(part: Features, codes: Ints, sums: Mapping[str, Ints]) -> Features:
    accounts = part.accounts
    for name, found in sums.items():
        own = np.nan_to_num(numbers(accounts, name)).astype(np.int64)
        column = pa.array(np.where(codes >= 0, found[codes], own))
        accounts = accounts.set_column(accounts.schema.get_field_index(name), name, column)
    return replace(part, accounts=accounts)
