"""What the last scoring said: tags, their points and the state that keeps tags calm, beside the mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as pads
from deltalake import DeltaTable, write_deltalake

if TYPE_CHECKING:
    from pathlib import Path

    from scoring import Tagged


class TagStore:
    """Delta tables `tags_OBJECT`, `points_OBJECT` and `state`, one partition for each bucket."""

    def __init__(self, location: str | Path) -> None:
        self._location = str(location)

    def keep(self, bucket: int, tagged: Tagged) -> None:
        """Replace what was said of a bucket, for `explain` and `book`."""
        self._replace("tags_account", bucket, tagged.accounts)
        self._replace("tags_opportunity", bucket, tagged.opportunities)
        self._replace("points_account", bucket, tagged.account_points)
        self._replace("points_opportunity", bucket, tagged.opportunity_points)

    def keep_state(self, bucket: int, state: pa.Table) -> None:
        """Remember a bucket's tag state; only when its tags are about to be written to the CRM."""
        self._replace("state", bucket, state)

    def state(self, bucket: int) -> pa.Table | None:
        """The tag state that the CRM's tags were made with, or None before the first write."""
        return self.read("state", bucket)

    def read(self, name: str, bucket: int | None = None) -> pa.Table | None:
        """One of the tables, or a bucket of it; None if it was never written."""
        uri = self._uri(name)
        if not DeltaTable.is_deltatable(uri):
            return None
        where = None if bucket is None else pads.field("bucket") == bucket
        return DeltaTable(uri).to_pyarrow_dataset().to_table(filter=where).drop_columns(["bucket"])

    def _replace(self, name: str, bucket: int, rows: pa.Table) -> None:
        placed = rows.append_column("bucket", pa.repeat(pa.scalar(bucket, pa.int32()), rows.num_rows))
        exists = DeltaTable.is_deltatable(self._uri(name))
        write_deltalake(
            self._uri(name),
            placed,
            mode="overwrite",
            predicate=f"bucket = {bucket}" if exists else None,
            schema_mode="merge" if exists else "overwrite",
            partition_by=["bucket"],
        )

    def _uri(self, name: str) -> str:
        return f"{self._location}/{name}"
