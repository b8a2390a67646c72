"""Records as they come: JSON, or columns of an export; one column of text cells for each property."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.hubspot.casting import soft, text_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Record = dict[str, Any]

ID = "hs_object_id"
# What stands beside the properties of a record, in case HubSpot leaves the property out.
_BESIDE = {
    ID: "id",
    "hs_lastmodifieddate": "updatedAt",
    "createdate": "createdAt",
    "hs_createdate": "createdAt",
}


def number(record: Record) -> int | None:
    """A record's id as a number, by which lists and searches are ordered; nothing if it is none."""
    text = record.get("id")
    return int(text) if isinstance(text, str) and text.isdecimal() else None


class Cells:
    """Text cells of some records, by property; a property that did not come is null in every row."""

    def __init__(self, columns: Mapping[str, pa.Array], rows: int) -> None:
        self._columns = columns
        self.rows = rows

    @classmethod
    def of_records(cls, records: Sequence[Record], properties: Sequence[str]) -> Cells:
        """The cells of JSON records."""
        held = [record.get("properties") or {} for record in records]
        columns = {name: text_array([one.get(name) for one in held]) for name in properties}
        for name, beside in _BESIDE.items():
            if name in columns and (name == ID or columns[name].null_count):
                # The id is the one that the record goes by, whatever its properties say.
                found = columns[name].to_pylist() if name != ID else [None] * len(records)
                columns[name] = text_array(
                    [cell or record.get(beside) for cell, record in zip(found, records, strict=True)]
                )
        return cls(columns, len(records))

    def of(self, name: str) -> pa.Array:
        """The cells of a property."""
        found = self._columns.get(name)
        return pa.nulls(self.rows, pa.string()) if found is None else found

    def words(self, name: str) -> pa.Array:
        """The same, null where a cell is no text: for what only supplements other properties."""
        cells = self.of(name)
        return cells if cells.type == pa.string() else soft(pa.string(), cells)

    def has(self, name: str) -> bool:
        """Whether the property was asked for."""
        return name in self._columns
