"""Counts that add up: histograms of money and scores, from which ranks, medians and quintiles are read.

A summary is a mapping of names to `Counter`s of integers. Adding integers depends on no order, so a book gives
the same numbers however its rows are shuffled and however it is cut into buckets.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

Summary = dict[str, Counter[str]]

Spreads = dict[str, "Ints"]  # for each owner, how often each score from 0 to 100 occurs

STEPS = 16  # bins per doubling of money: about 4 % wide


def merge(summaries: Iterable[Mapping[str, Mapping[str, int]]]) -> Summary:
    """The sum of summaries, in any order and grouping."""
    total: Summary = {}
    for summary in summaries:
        for name, counts in summary.items():
            total.setdefault(name, Counter()).update(counts)
    return total


def count(keys: Ints) -> Counter[str]:
    """How often each integer occurs."""
    values, counts = np.unique(keys, return_counts=True)
    return Counter(dict(zip(map(str, values.tolist()), counts.tolist(), strict=True)))


def count_pairs(names: Iterable[str], codes: Ints, keys: Ints) -> Counter[str]:
    """How often each (name, integer) occurs, keyed `name|integer`; `codes` index `names`, -1 is left out."""
    texts = list(names)
    known = codes >= 0
    pairs, counts = np.unique(codes[known] * 100_000 + keys[known], return_counts=True)
    return Counter(
        {
            f"{texts[pair // 100_000]}|{pair % 100_000}": number
            for pair, number in zip(pairs.tolist(), counts.tolist(), strict=True)
        }
    )


def scores_by_name(names: list[str], codes: Ints, scores: Ints) -> Spreads:
    """For each name, how often each score from 0 to 100 occurs; `codes` index `names`, -1 is left out."""
    known = codes >= 0
    cells = np.bincount(codes[known] * 101 + scores[known], minlength=101 * len(names)).reshape(-1, 101)
    return {names[place]: cells[place] for place in np.flatnonzero(cells.any(axis=1)).tolist()}


def merge_spreads(spreads: Iterable[Mapping[str, Spreads]]) -> dict[str, Spreads]:
    """The sum of named groups of spreads, in any order and grouping."""
    total: dict[str, Spreads] = {}
    for groups in spreads:
        for group, rows in groups.items():
            sums = total.setdefault(group, {})
            for name, row in rows.items():
                sums[name] = sums[name] + row if name in sums else row
    return total


def money_bin(cents: Ints | Floats) -> Ints:
    """A bin from 1 for money above 0, growing with it; 0 for nothing. Exact arithmetic: no logarithm."""
    mantissa, exponent = np.frexp(np.maximum(cents, 0).astype(np.float64))
    bins = np.maximum(exponent, 0) * STEPS + ((mantissa - 0.5) * (2 * STEPS)).astype(np.int64) + 1
    return np.where(mantissa > 0, bins, 0).astype(np.int64)


def money_of(bin_number: int) -> float:
    """The middle of a money bin, in cents."""
    if bin_number <= 0:
        return 0.0
    exponent, step = divmod(bin_number - 1, STEPS)
    return float(np.ldexp(0.5 + (step + 0.5) / (2 * STEPS), exponent))


def as_integers(counts: Mapping[str, int]) -> dict[int, int]:
    """A histogram with its keys as integers, in order."""
    return dict(sorted((int(key), number) for key, number in counts.items()))


def quantile(histogram: Mapping[int, int], share: float) -> int | None:
    """The smallest key that at least `share` of the counted are at or below; None if nothing was counted."""
    wanted, seen = share * sum(histogram.values()), 0
    for key in sorted(histogram):
        seen += histogram[key]
        if seen >= wanted:
            return key
    return None


def ranks(histogram: Mapping[int, int]) -> tuple[Ints, Ints]:
    """Keys and their rank in the book, 0-100: the share below, ties counted half."""
    keys = np.array(sorted(histogram), dtype=np.int64)
    counts = np.array([histogram[key] for key in keys.tolist()], dtype=np.int64)
    below = np.cumsum(counts) - counts
    return keys, (100 * (2 * below + counts)) // max(2 * int(counts.sum()), 1)


def rank_of(keys: Ints, table: tuple[Ints, Ints]) -> Ints:
    """The rank of each key; one that the book has not seen ranks like the next below it, else 0."""
    known, values = table
    if len(known) == 0:
        return np.full(len(keys), 50, dtype=np.int64)
    places = np.searchsorted(known, keys, side="right") - 1
    return np.where(places >= 0, values[np.maximum(places, 0)], 0)


def fifth_of(bins: Ints, fifths: tuple[int, ...]) -> Ints:
    """The fifth of the book, 1 to 5, that a bin of money falls in."""
    return np.searchsorted(np.array(fifths, dtype=np.int64), bins, side="right").astype(np.int64) + 1
