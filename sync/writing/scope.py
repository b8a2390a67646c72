"""What a plan may touch: which objects, fields and records, of all that the scores want."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync.writing.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from config.outputs import OutputField
    from scoring import Tagged


@dataclass(frozen=True)
class Scope:
    """What a plan may touch: `fields` that may be written, by object; of an object without any, nothing.

    `selection` chooses among the records.
    """

    fields: Mapping[str, tuple[OutputField, ...]]
    selection: Selection = EVERYTHING

    def chosen(self, object_name: str, changes: pa.Table, tagged: Tagged) -> pa.Table:  # noqa: ARG002  # chooses none yet
        """Of a bucket's changes, those of chosen records."""
        return changes
