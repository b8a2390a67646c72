"""The old and the new value of everything that was sent, by run: what an undo reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.dataset as pads
from deltalake import DeltaTable

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Journal:
    """Delta tables `changes_OBJECT`, one partition a run, as `Applier` writes them: a plan's columns, run and batch."""

    folder: Path

    def holds(self, object_name: str, run: str) -> bool:
        """Whether a run was about to write anything of an object; no row is read."""
        rows = self._rows(object_name)
        return rows is not None and rows.count_rows(filter=pads.field("run") == run) > 0

    def changes(self, object_name: str, run: str) -> pa.Table | None:
        """What a run was about to write of an object, each record once; None if there is nothing."""
        rows = self._rows(object_name)
        found = None if rows is None else rows.to_table(filter=pads.field("run") == run)
        return found if found is not None and found.num_rows else None

    def _rows(self, object_name: str) -> pads.Dataset | None:
        uri = str(self.folder / f"changes_{object_name}")
        return DeltaTable(uri).to_pyarrow_dataset() if DeltaTable.is_deltatable(uri) else None
