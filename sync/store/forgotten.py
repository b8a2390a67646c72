"""What must not come back into the local copy: records that somebody had erased, known by a digest alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sync.ledger.forgetting import digest
from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What a record may hang on: with that, it is forgotten too.
_HANGS_ON = {"account_id": "account", "opportunity_id": "opportunity"}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Digests of records; without any, all may come. `left` is told of records that are gone from the CRM."""

    digests: frozenset[str] = frozenset()
    left: Callable[[str, Sequence[str]], None] = lambda _object_name, _ids: None

    def without(self, object_name: str, rows: pa.Table) -> pa.Table:
        """The rows but for those of forgotten records, and of what hangs on one."""
        if not self.digests:
            return rows
        named = {"id": object_name, **_HANGS_ON}
        forgotten = [
            f"coalesce(sha256('{what}' || chr(10) || {column}) IN (FROM digests), FALSE)"
            for column, what in named.items()
            if column in rows.column_names
        ]
        with database(rows=rows, digests=pa.table({"digest": sorted(self.digests)})) as db:
            # Names of our own schema.
            kept = db.sql(f"SELECT * FROM rows WHERE NOT ({' OR '.join(forgotten)})").to_arrow_table()  # noqa: S608  # names of our own schema
        return kept.cast(rows.schema)

    def has(self, object_name: str, record_id: str) -> bool:
        """Whether a record is forgotten."""
        return bool(self.digests) and digest(object_name, record_id) in self.digests
