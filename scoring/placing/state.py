"""What must be remembered of a tag between runs, so that tags stay calm and overrides end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import LEAVE_ALONE, TIERS
from scoring.arithmetic.columns import coded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

CAUSES = ("new", "data", "time", "rules")
WORDS = (*TIERS, LEAVE_ALONE)  # what a person may say

STATE_SCHEMA = pa.schema(
    [
        ("object", pa.string()),  # account or opportunity
        ("id", pa.string()),
        ("tier", pa.string()),  # null: not scored
        ("since", pa.date32()),  # when the tier was given
        ("cause", pa.string()),  # of the last change of tier: new, data, time, rules
        ("score", pa.int64()),
        ("rules", pa.string()),  # digests of all the rules, and of those that it came under
        ("fingerprint", pa.int64()),  # of the record's own inputs, to tell data from time
        ("parent_id", pa.string()),  # the last one known; its own id: made by a merge, not seen yet
        ("parent_since", pa.date32()),  # when the parent last changed; null: as first seen
        ("override", pa.string()),  # the person's word, as last seen
        ("override_seen", pa.date32()),  # when it was first seen
    ]
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The kept state, lined up with the rows of one table; -1 stands for nothing kept.

    `known` where there was a row, `tier` a place in TIERS, days since 1970-01-01, `override` a place in WORDS;
    `rules` are distinct texts, and each row's place among them.
    """

    known: Flags
    tier: Ints
    since: Ints
    cause: Ints
    rules: tuple[list[str], Ints]
    fingerprint: Ints
    parent_id: pa.Array
    parent_since: Ints
    override: Ints
    override_seen: Ints


def lined_up(kept: pa.Table | None, object_name: str, ids: pa.ChunkedArray) -> Kept:
    """The kept state of each id, in the order of the ids."""
    table = STATE_SCHEMA.empty_table() if kept is None else kept.select(STATE_SCHEMA.names)
    table = table.filter(pc.equal(table["object"], object_name))
    places = pc.index_in(ids.combine_chunks(), value_set=table["id"].combine_chunks())
    found = table.take(places)

    def days(name: str) -> Ints:
        return _filled(found[name].cast(pa.int32()).cast(pa.int64()))

    return Kept(
        known=np.asarray(pc.is_valid(places).to_numpy(zero_copy_only=False), dtype=np.bool_),
        tier=_places(found["tier"], TIERS), since=days("since"), cause=_places(found["cause"], CAUSES),
        rules=coded(found["rules"]), fingerprint=_filled(found["fingerprint"]),
        parent_id=found["parent_id"].combine_chunks(), parent_since=days("parent_since"),
        override=_places(found["override"], WORDS), override_seen=days("override_seen"),
    )  # fmt: skip


def _filled(column: pa.ChunkedArray) -> Ints:
    return np.asarray(
        pc.fill_null(column, -1).combine_chunks().to_numpy(zero_copy_only=False), dtype=np.int64
    )


def _places(column: pa.ChunkedArray, words: tuple[str, ...]) -> Ints:
    return _filled(pc.index_in(column, value_set=pa.array(words)).cast(pa.int64()))


def word_places(column: pa.ChunkedArray) -> Ints:
    """An override column as places in WORDS; any other text is no override."""
    return _places(column, WORDS)


def day_array(days: Ints) -> pa.Array:
    """Days since 1970-01-01 as dates; negative ones are null."""
    return pa.array(days.astype(np.int32), pa.int32(), mask=days < 0).cast(pa.date32())
