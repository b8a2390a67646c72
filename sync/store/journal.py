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

    def changes(self, object_name: str, run: str) -> pa.Table | None:
        """What a run was about to write of an object, each record once; None if there is nothing."""
        uri = str(self.folder / f"changes_{object_name}")
        if not DeltaTable.is_deltatable(uri):
            return None
        found = DeltaTable(uri).to_pyarrow_dataset().to_table(filter=pads.field("run") == run)
        return found if found.num_rows else None
