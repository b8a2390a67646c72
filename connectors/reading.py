"""What all ways of reading share: rows on their way, the count they are verified by, and who won a merge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from config.records import STAMP, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.contract import Page

    # Turns columns of bytes, by field path, into typed records.
    Convert = Callable[[Mapping[str, pa.Array]], Page]


@dataclass(slots=True)
class Tally:
    """How many rows arrived, readable or set aside, and how many the CRM says there are.

    `unread` holds the ids of those set aside.
    """

    read: int = 0
    expected: int = 0
    unread: set[str] = field(default_factory=set)

    def add(self, page: Page) -> None:
        """Count a page's rows."""
        self.read += page.table.num_rows + len(page.set_aside)
        self.unread.update(row.id for row in page.set_aside if row.id)

    def include(self, other: Tally) -> None:
        """Take in the count of a part."""
        self.read += other.read
        self.expected += other.expected
        self.unread |= other.unread


_LISTED = schema("account", ("id", "modified_at"))


def listing(read: pa.Table | None = None, unread: Sequence[str] = ()) -> pa.Table:
    """Ids and stamps of records, and the ids alone of those that cannot be read otherwise."""
    found = _LISTED.empty_table() if read is None else read.select(_LISTED.names)
    rest = pa.table([pa.array(unread, pa.string()), pa.nulls(len(unread), STAMP)], schema=_LISTED)
    return pa.concat_tables([found, rest])


def survivors(winners: Mapping[str, str]) -> dict[str, str]:
    """Loser to last winner, from loser to winner: a winner that lost in turn is followed to the one that is left."""
    return {loser: _survivor(loser, winners) for loser in winners}


def _survivor(loser: str, winners: Mapping[str, str]) -> str:
    seen = {loser}
    winner = winners[loser]
    while winner in winners and winner not in seen:
        seen.add(winner)
        winner = winners[winner]
    return winner


def with_untold(object_name: str, rows: pa.Table, fields: Sequence[str]) -> pa.Table:
    """Rows of the contract's `history` with these fields: those that no column is about are told of no record."""
    types, no = schema(object_name), pa.array([False] * rows.num_rows)
    columns: dict[str, pa.Array | pa.ChunkedArray] = {"id": rows["id"]}
    for name in fields:
        there = name in rows.column_names
        columns[name] = rows[name] if there else pa.nulls(rows.num_rows, types.field(name).type)
        columns[f"told_{name}"] = rows[f"told_{name}"] if there else no
    return pa.table(columns)
