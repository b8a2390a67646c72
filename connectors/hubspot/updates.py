"""Setting properties of existing records: checked against what may be written, then sent in batches or as imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from connectors.changes import changed_fields, parted, text_cells
from connectors.hubspot.batches import Batches
from connectors.hubspot.fields import OBJECTS
from connectors.hubspot.imports import Imports
from connectors.hubspot.inputs import EMPTY, inputs
from connectors.outcomes import Outcome, outcome_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.hubspot.api import Api
    from connectors.hubspot.schema import Schema


class Updates:
    """Writes output fields of companies and deals."""

    def __init__(self, api: Api, schema: Schema, bulk_threshold: int) -> None:
        self._schema = schema
        self._threshold = bulk_threshold
        self._batches = Batches(api)
        self._imports = Imports(api)

    def update(self, object_name: str, changes: pa.Table) -> pa.Table:
        """As in the contract. A field that is not ours is a `ConfigProblem`, before anything is sent."""
        if not changes.num_rows:
            return outcome_table([], [])
        fields = changed_fields(object_name, changes)
        names = {name: self._schema.writable(object_name, name) for name in fields}
        rows, outcomes = parted(text_cells(object_name, changes, names, EMPTY))
        idle = rows.filter(_says_nothing(rows, names))
        outcomes |= dict.fromkeys(idle["id"].to_pylist(), Outcome("done"))
        rows = rows.filter(pc.invert(_says_nothing(rows, names)))
        outcomes |= self._send(object_name, rows, names)
        ids = changes["id"].to_pylist()
        return outcome_table(ids, [outcomes[record_id] for record_id in ids])

    def _send(self, object_name: str, rows: pa.Table, names: Mapping[str, str]) -> dict[str, Outcome]:
        """In batches; or as an import, if there are very many, with what that leaves over in batches."""
        outcomes: dict[str, Outcome] = {}
        hs_object = OBJECTS[object_name]
        if rows.num_rows >= self._threshold:
            # A batch refuses a record whole; an import would write the rest of a row that has a wrong option.
            outcomes = self._imports.update(hs_object, rows.filter(self._optional(object_name, rows)), names)
            rows = rows.filter(pc.invert(pc.is_in(rows["id"], pa.array(list(outcomes), pa.string()))))
        records = inputs(rows, names)
        return outcomes | self._batches.update(hs_object, records, rows["parent_id"].to_pylist())

    def _optional(self, object_name: str, rows: pa.Table) -> pa.Array:
        """Where every value for a list of options is one of them, as far as the portal told."""
        good = pa.array([True] * rows.num_rows)
        for name in rows.column_names:
            info = self._schema.info(object_name, name)
            if info is not None and info.values:
                known = pa.array([None, *info.values], pa.string())
                good = pc.and_(good, pc.is_in(rows[name], known))
        return good


def _says_nothing(rows: pa.Table, names: Mapping[str, str]) -> pa.Array:
    """Where a row neither sets nor empties any property: there is nothing to send."""
    nothing = pa.array([True] * rows.num_rows)
    for name in names:
        nothing = pc.and_(nothing, pc.is_null(rows[name]))
    return nothing
