"""Line items by the bucket of their deal's account: the CRM knows them by deal, scores are made by account.

A deal that moves to another account takes its line items along without a stamp of theirs, so their place is looked
up in each run, and not kept.
"""

from __future__ import annotations

import shutil
import weakref
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as pads

from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.store.mirror import Mirror

_DEAL = ("id", "account_id")


class LineItems:
    """The line items of a mirror, with the columns asked for and `account_id`, that of their deal."""

    def __init__(self, mirror: Mirror, columns: Sequence[str]) -> None:
        self._mirror = mirror
        self._columns = columns
        self._folder: str | None = None

    def cut(self) -> None:
        """Read all of them once and put them by bucket, to be removed with this object: before all buckets are read."""
        self._folder = mkdtemp(prefix="foretag-")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        deals = self._mirror.read("opportunity", _DEAL, bucketed=True)
        items = self._mirror.read("line_item", self._columns)
        with database(deals=deals, items=items) as db:
            db.execute(
                f"""
                COPY (SELECT items.*, account_id, bucket FROM items JOIN deals ON opportunity_id = deals.id)
                TO '{self._folder}' (FORMAT parquet, PARTITION_BY (bucket), OVERWRITE_OR_IGNORE)
                """  # noqa: S608  # a folder of our own
            )

    def bucket(self, number: int) -> pa.Table:
        """Those of one bucket's deals."""
        if self._folder is not None:
            return self._cut_bucket(self._folder, number)
        deals = self._mirror.read("opportunity", _DEAL, number)
        with database(deals=deals, items=self._mirror.read("line_item", self._columns)) as db:
            return db.sql(
                "SELECT items.*, account_id FROM items JOIN deals ON opportunity_id = deals.id"
            ).to_arrow_table()

    def _cut_bucket(self, folder: str, number: int) -> pa.Table:
        placed = pads.dataset(
            folder, partitioning=pads.partitioning(pa.schema([("bucket", pa.int32())]), flavor="hive")
        )
        wanted = [*self._columns, "account_id"]
        return placed.to_table(columns=wanted, filter=pads.field("bucket") == number)
