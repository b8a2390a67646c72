"""Whole columns of many records at once, for exports, imports and pages: no wire form for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

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
        if self._reader.computed.getter(one.name, name) is not None:
            get = self._reader.getter(one, name)
            return pa.array([get(row) for row in rows], pa.string())
        column = self._state.records(one).columns.get(name)
        if column is None:
            return pa.nulls(len(rows), pa.string())
        return pa.array([column[row] for row in rows], pa.string())

    def associated(
        self, one: ObjectType, record_ids: Sequence[str], other: ObjectType
    ) -> list[dict[int, Kinds]]:
        """For each record the living ones of another type that it is associated with, by id, and how."""
        links, there = self._state.links, self._state.records(other)
        return [
            {
                target: kinds
                for target, kinds in sorted(links.of(one.name, other.name, int(record_id)).items())
                if there.state[there.row_of(target)] == LIVING
            }
            for record_id in record_ids
        ]
