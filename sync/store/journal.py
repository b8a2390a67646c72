"""The old and the new value of everything that is about to be sent, by run: what an undo reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as pads

from sync.store.delta import flush

if TYPE_CHECKING:
    from sync.store.place import Place


@dataclass(frozen=True, slots=True)
class Journal:
    """Delta tables `changes_OBJECT`, one partition a run: a plan's columns, run and batch."""

    place: Place

    def append(self, object_name: str, rows: pa.Table, run: str, batch: int) -> None:
        """Write a batch down; on return it is on the disk."""
        labelled = rows.append_column("run", pa.repeat(pa.scalar(run), rows.num_rows)).append_column(
            "batch", pa.repeat(pa.scalar(batch, pa.int32()), rows.num_rows)
        )
        place = self._at(object_name)
        place.write_table(labelled, mode="append", schema_mode="merge", partition_by=["run"])
        flush(place)

    def holds(self, object_name: str, run: str) -> bool:
        """Whether a run was about to write anything of an object; no row is read."""
        rows = self.rows(object_name)
        return rows is not None and rows.count_rows(filter=pads.field("run") == run) > 0

    def changes(self, object_name: str, run: str) -> pa.Table | None:
        """What a run was about to write of an object, each record once; None if there is nothing."""
        rows = self.rows(object_name)
        found = None if rows is None else rows.to_table(filter=pads.field("run") == run)
        return found if found is not None and found.num_rows else None

    def rows(self, object_name: str) -> pads.Dataset | None:
        """All that is kept of an object, to be filtered; None if nothing ever was."""
        table = self._at(object_name).table()
        return None if table is None else table.to_pyarrow_dataset()

    def _at(self, object_name: str) -> Place:
        return self.place / f"changes_{object_name}"
