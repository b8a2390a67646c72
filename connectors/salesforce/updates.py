"""Setting fields of existing records: checked against what may be written, then sent small or in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from connectors.changes import changed_fields, parted, text_cells
from connectors.contract import ConfigProblem, ConnectorError
from connectors.outcomes import NOT_SENT, Outcome, outcome_table, unknown
from connectors.salesforce.bulk_write import JOB_FAILED, NULL, BulkWrite, left_over
from connectors.salesforce.collections import LOCKED, MOST_RECORDS, Collections
from connectors.salesforce.fields import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from connectors.salesforce.api import Api
    from connectors.salesforce.schema import Schema

log = structlog.get_logger(__name__)

# A record that fails a job of 100,000 is found by 12 jobs or so; this many are cut at most, whatever fails them.
MOST_PARTS = 40


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
        outcomes |= self._parted(sf_object, left_over(rows, outcomes, JOB_FAILED))
        again = left_over(rows, outcomes, *LOCKED)
        # In bulk once more if many; whatever is still locked then goes in small company.
        if again.num_rows >= self._threshold:
            outcomes |= self._bulk.update(sf_object, again)
            again = left_over(rows, outcomes, *LOCKED)
        return outcomes | self._send_small(sf_object, again)

    def _parted(self, sf_object: str, rows: pa.Table) -> dict[str, Outcome]:
        """What two jobs failed before: cut in halves until what fails jobs is in company small enough to go by itself.

        The first way down leads to a few records: if not even those can be written, the trouble is not a record's.
        """
        not_sent = unknown("not sent: bulk jobs with this record fail", NOT_SENT)
        outcomes = dict.fromkeys(rows["Id"].to_pylist(), not_sent)
        parts = _halves(rows)
        try:
            for _ in range(MOST_PARTS):
                if not parts:
                    break
                part = parts.pop(0)
                if part.num_rows <= max(self._threshold, MOST_RECORDS):
                    outcomes |= self._send_small(sf_object, part)
                    continue
                outcomes |= self._bulk.run(sf_object, part)
                parts = _halves(left_over(part, outcomes, JOB_FAILED)) + parts
        except (ConnectorError, ConfigProblem) as error:
            log.warning("bulk.not_parted", why=str(error))
        return {name: not_sent if one.code == JOB_FAILED else one for name, one in outcomes.items()}

    def _send_small(self, sf_object: str, rows: pa.Table) -> dict[str, Outcome]:
        described = self._schema.described(sf_object)
        records = [_record(row, described) for row in rows.to_pylist()]
        outcomes = self._collections.update(sf_object, records) if records else []
        return dict(zip(rows["Id"].to_pylist(), outcomes, strict=True))


def _halves(rows: pa.Table) -> list[pa.Table]:
    half = -(-rows.num_rows // 2)
    return [part for part in (rows.slice(0, half), rows.slice(half)) if part.num_rows]


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
