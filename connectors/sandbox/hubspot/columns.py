"""Whole columns of many records at once, for exports, imports and pages: no wire form for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.hubspot.records import LIVING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.sandbox.hubspot.links import Kinds
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.reading import Reader
    from connectors.sandbox.hubspot.state import State


class Columns:
    """Reads of one portal by column. The caller holds the lock."""

    def __init__(self, state: State, reader: Reader) -> None:
        self._state, self._reader = state, reader

    def table(self, one: ObjectType, names: Sequence[str], rows: Sequence[int]) -> pa.Table:
        """`hs_object_id` and these properties of the rows, as text; a property that does not exist is null."""
        ids = self._state.records(one).ids
        columns = {"hs_object_id": pa.array([str(ids[row]) for row in rows], pa.string())}
        for name in names:
            if name not in columns:
                columns[name] = self._column(one, name, rows)
        return pa.table(columns)

    def _column(self, one: ObjectType, name: str, rows: Sequence[int]) -> pa.Array:
        if self._state.schema.find(one.name, name) is None:
            return pa.nulls(len(rows), pa.string())
        stamps = self._stamps(one, name)
        if stamps is not None:
            return _wire_stamps([stamps[row] for row in rows])
        if self._reader.computed.getter(one.name, name) is not None:
            get = self._reader.getter(one, name)
            return pa.array([get(row) for row in rows], pa.string())
        column = self._state.records(one).columns.get(name)
        if column is None:
            return pa.nulls(len(rows), pa.string())
        return pa.array([column[row] for row in rows], pa.string())

    def _stamps(self, one: ObjectType, name: str) -> Sequence[int] | None:
        """The milliseconds behind a stamp that every record has."""
        records = self._state.records(one)
        if name == one.modified_property:
            return records.modified
        return records.created if name == one.created_property else None

    def associated(
        self, one: ObjectType, record_ids: Sequence[str], other: ObjectType
    ) -> list[dict[int, Kinds]]:
        """For each record the living ones of another type that it is associated with, by id, and how."""
        of, there = self._state.links.of, self._state.records(other)
        found = []
        for record_id in record_ids:
            targets = of(one.name, other.name, int(record_id))
            living = {key: targets[key] for key in targets if there.state[there.row_of(key)] == LIVING}
            found.append(dict(sorted(living.items())) if len(living) > 1 else living)
        return found


def _wire_stamps(milliseconds: Sequence[int]) -> pa.Array:
    """Many moments as HubSpot writes them: whole seconds have no fraction."""
    moments = np.array(milliseconds, dtype="datetime64[ms]")
    texts = pa.array(np.strings.add(np.datetime_as_string(moments, unit="ms"), "Z"), pa.string())
    return pc.replace_substring(texts, ".000Z", "Z")
