"""How deals alike ended: points for an owner, a product, an industry and each two of them together, from the book.

Each level speaks only for what the levels before it leave unexplained, so that nothing is counted twice, and only as
far as its values differ by more than chance: its effects are drawn towards none by the variance that the level itself
shows (empirical Bayes by moments; C. Morris, "Parametric Empirical Bayes Inference", JASA 78, 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.arithmetic.columns import coded
from scoring.arithmetic.points import DOUBLE
from scoring.reading.past_deals import level_of, levels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from scoring.reading.features import Features

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

BETWEEN = "\x1f"  # between the two values of a pair
_WEIGHT = 1024.0
_MOST = 3.0  # in log-odds
_UNIT = DOUBLE / np.log(2)  # points for one of natural log-odds

# Level, as `owner` or `owner product` → value, or two with BETWEEN → points; what is not there has none.
Effects = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Weighted closed deals of the values of one level: places of the values in each column's texts."""

    codes: tuple[Ints, ...]
    won: Floats
    seen: Floats
    squares: Floats


def like_effects(like: pa.Table, by: Sequence[str]) -> Effects:
    """Points for every value of every level of `PastDeals.like` (of the whole book, sorted)."""
    names = {name: coded(like[name])[0] for name in by}
    counts = {level: _counts(like, level_of(level, by), level, names) for level in levels(by)}
    whole = counts[()]
    if not len(whole.seen) or not whole.seen[0]:
        return {}
    base = float(_logit((whole.won[0] + 0.5) / (whole.seen[0] + 1.0)))
    alone: dict[str, Floats] = {}
    for place, name in enumerate(by):
        expected: Floats = np.full(len(names[name]), base)
        for earlier in by[:place]:
            expected += _explained(counts[earlier, name], alone[earlier], len(names[name]), base)
        mine = counts[name,]
        alone[name] = np.zeros(len(names[name]))
        alone[name][mine.codes[0]] = _drawn(mine, expected[mine.codes[0]])
    found = {name: _as_points(names[name], alone[name]) for name in by}
    for level in levels(by)[1 + len(by) :]:
        mine, (first, second) = counts[level], level
        both = base + alone[first][mine.codes[0]] + alone[second][mine.codes[1]]
        texts = [
            f"{names[first][one]}{BETWEEN}{names[second][two]}"
            for one, two in zip(*(codes.tolist() for codes in mine.codes), strict=True)
        ]
        found[" ".join(level)] = _as_points(texts, _drawn(mine, both))
    return {level: effects for level, effects in found.items() if effects}


def _counts(like: pa.Table, number: int, level: tuple[str, ...], names: Mapping[str, list[str]]) -> _Counts:
    rows = like.filter(pc.equal(like["level"], number))
    codes = []
    for name in level:
        rows = rows.filter(pc.is_valid(rows[name]))
    for name in level:
        texts, found = coded(rows[name])
        where = {text: number for number, text in enumerate(names[name])}
        codes.append(np.array([where[text] for text in texts], dtype=np.int64)[found])
    won, seen = (np.asarray(rows[name], dtype=np.float64) / _WEIGHT for name in ("won", "seen"))
    return _Counts(tuple(codes), won, seen, np.asarray(rows["squares"], dtype=np.float64) / _WEIGHT**2)


def _explained(pairs: _Counts, effects: Floats, size: int, base: float) -> Floats:
    """How far an earlier column's effects alone move the log-odds of each value of a later one, through its mix."""
    earlier, later = pairs.codes
    seen = np.bincount(later, pairs.seen, minlength=size)
    chances = np.bincount(later, pairs.seen * _chance(base + effects[earlier]), minlength=size)
    mean = np.divide(chances, seen, out=np.full(size, _chance(np.array(base))), where=seen > 0)
    explained: Floats = _logit(mean) - base
    return explained


def _drawn(found: _Counts, expected: Floats) -> Floats:
    """The effect of each value in log-odds, beyond what is expected, drawn towards 0; 0 if all differ by chance only.

    With n closed deals of chance p expected, the surplus of wins has the variance n p (1 - p) by chance and
    (n p (1 - p))² t² by effects of variance t²: t² is what the squared surpluses show beyond chance, less one
    standard error of that.
    """
    chances = _chance(expected)
    unit = chances * (1 - chances)
    surplus, weight, noise = found.won - found.seen * chances, found.seen * unit, found.squares * unit
    information = float((weight**2).sum())
    if not information:
        return np.zeros(len(expected))
    error = float(np.sqrt(2 * (noise**2).sum()))
    spread = max(float((surplus**2 - noise).sum()) - error, 0.0) / information
    effects = surplus * weight * spread / np.maximum(noise + weight**2 * spread, 1e-9)
    return np.clip(effects, -_MOST, _MOST)


def _as_points(texts: Sequence[str], effects: Floats) -> dict[str, int]:
    points = np.rint(effects * _UNIT).astype(np.int64).tolist()
    return {text: number for text, number in zip(texts, points, strict=True) if number}


def _logit(chance: Floats | float) -> Floats:
    kept = np.clip(chance, 0.001, 0.999)
    found: Floats = np.log(kept / (1 - kept))
    return found


def _chance(log_odds: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-log_odds))
    return found


def like_points(features: Features, effects: Mapping[str, Mapping[str, int]], most: int) -> Ints:
    """Points of each open deal for how deals alike ended, at most so many up or down."""
    points = np.zeros(features.deals.num_rows, dtype=np.int64)
    for level, found in effects.items():
        points += level_points(features, level, found)
    return np.clip(points, -most, most)


def level_points(features: Features, level: str, effects: Mapping[str, int]) -> Ints:
    """The points of one level, of each open deal."""
    columns = [coded(_column(features, name)) for name in level.split(" ")]
    texts, codes = columns[0]
    if len(columns) == 1:
        return np.array([*(effects.get(text, 0) for text in texts), 0], dtype=np.int64)[codes]
    others, other_codes = columns[1]
    table = np.zeros((len(texts) + 1, len(others) + 1), dtype=np.int64)  # the last of each: not known
    rows, places = ({text: number for number, text in enumerate(found)} for found in (texts, others))
    for pair, number in effects.items():
        first, _, second = pair.partition(BETWEEN)
        if first in rows and second in places:
            table[rows[first], places[second]] = number
    found_points: Ints = table[codes, other_codes]
    return found_points


_OF_ACCOUNT = frozenset({"industry", "country"})


def _column(features: Features, name: str) -> pa.ChunkedArray:
    """What a deal is alike by, for each open deal; an account's facts are its deals'."""
    if name not in _OF_ACCOUNT:
        return features.deals["owner_id" if name == "owner" else name]
    rows = features.deals["account_row"].combine_chunks()
    known = pa.array(np.asarray(rows), mask=np.asarray(rows) < 0)
    return pa.chunked_array([features.accounts[name].combine_chunks().take(known)])
