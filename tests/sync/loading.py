"""A local copy with a few readable records, as a pull would leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from config.records import schema
from sync.store.mirror import Mirror

if TYPE_CHECKING:
    from pathlib import Path

# Placed first, since what hangs on accounts is placed by them.
_ALWAYS = ("owner", "stage", "account", "opportunity")


def loaded(folder: Path, **records: list[dict[str, Any]]) -> Mirror:
    """A mirror that holds these records, by object; a column that a record leaves out is null."""
    mirror = Mirror(folder)
    for name in (*_ALWAYS, *(name for name in records if name not in _ALWAYS)):
        columns = schema(name)
        rows = records.get(name, [])
        mirror.load(name, columns.names, [pa.Table.from_pylist(rows, schema=columns)] if rows else [])
    return mirror
