"""Salesforce ids: 15 characters that depend on case, or the same and 3 that spell the case out."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHAPE = re.compile(r"^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$")


def long_id(record_id: str) -> str:
    """The 18-character form of an id; anything else is returned as it is."""
    if len(record_id) != 15:
        return record_id
    blocks = (record_id[start : start + 5] for start in (0, 5, 10))
    return record_id + "".join(
        _ALPHABET[sum(1 << place for place, letter in enumerate(block) if "A" <= letter <= "Z")]
        for block in blocks
    )


def long_ids(ids: pa.Array) -> pa.Array:
    """The 18-character forms of a column of ids; cheap when they are long already, as the API sends them."""
    short = pc.any(pc.equal(pc.utf8_length(ids), 15)).as_py()
    if not short:
        return ids
    return pa.array([value and long_id(value) for value in ids.to_pylist()], pa.string())
