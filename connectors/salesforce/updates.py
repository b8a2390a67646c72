"""Setting fields of existing records: checked against what may be written, then sent small or in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.changes import changed_fields, parted, text_cells
from connectors.outcomes import Outcome, outcome_table
from connectors.salesforce.bulk_write import NULL, BulkWrite
from connectors.salesforce.collections import LOCKED, Collections
from connectors.salesforce.fields import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.salesforce.api import Api
    from connectors.salesforce.schema import Schema


class Updates:
    """Writes output fields of accounts and opportunities."""

    def __init__(self, api: Api, schema: Schema, bulk_threshold: int) -> None:
        self._schema = schema
        self._threshold = bulk_threshold
        self._collections = Collections(api)
        self._bulk = BulkWrite(api)

    def update(self, object_name: str, changes: pa.Table) -> pa.Table:
        """As in the contract. A field that is not ours is a `ConfigProblem`, before anything is sent."""
        if not changes.num_rows:
            return outcome_table([], [])
        fields = changed_fields(object_name, changes)
        names = {name: self._schema.writable(object_name, name) for name in fields}
        rows, outcomes = parted(text_cells(object_name, changes, names, NULL))
        rows = rows.drop_columns("parent_id").rename_columns({"id": "Id", **names})
        outcomes |= self._send(object_name, rows)
        ids = changes["id"].to_pylist()
        return outcome_table(ids, [outcomes[record_id] for record_id in ids])

    def _send(self, object_name: str, rows: pa.Table) -> dict[str, Outcome]:
        sf_object = OBJECTS[object_name]
        if rows.num_rows < self._threshold:
            return self._send_small(sf_object, rows)
        outcomes = self._bulk.update(sf_object, rows)
        locked = [record_id for record_id, outcome in outcomes.items() if outcome.code in LOCKED]
        if locked:
            again = rows.filter(pc.is_in(rows["Id"], pa.array(locked, pa.string())))
            # In bulk once more if many; whatever is still locked then goes in small company.
            if again.num_rows >= self._threshold:
                outcomes |= self._bulk.update(sf_object, again)
                locked = [record_id for record_id in locked if outcomes[record_id].code in LOCKED]
                again = rows.filter(pc.is_in(rows["Id"], pa.array(locked, pa.string())))
            outcomes |= self._send_small(sf_object, again)
        return outcomes

    def _send_small(self, sf_object: str, rows: pa.Table) -> dict[str, Outcome]:
        described = self._schema.described(sf_object)
        records = [_record(row, described) for row in rows.to_pylist()]
        outcomes = self._collections.update(sf_object, records) if records else []
        return dict(zip(rows["Id"].to_pylist(), outcomes, strict=True))


def _record(row: dict[str, Any], described: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A JSON record from text cells: absent leaves a field, null empties it."""
    record: dict[str, Any] = {"id": row.pop("Id")}
    for name, cell in row.items():
        if cell is not None:
            record[name] = None if cell == NULL else _json_value(cell, described[name.lower()]["type"])
    return record


def _json_value(cell: str, sf_type: str) -> Any:
    if sf_type in ("double", "currency", "percent", "int"):
        number = float(cell)
        return int(number) if number.is_integer() else number
    return cell
