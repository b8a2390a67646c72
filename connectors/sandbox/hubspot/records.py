"""The rows of one object type: a list for each property that was ever set, in the order of the ids."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from connectors.sandbox.hubspot.history import History

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LIVING: Final = 0
ARCHIVED: Final = 1
MERGED: Final = 2
BIN_MILLISECONDS = 90 * 86_400_000


class Records:
    """All records of a type. A row is a record's place; rows never move, new records have higher ids.

    Columns of text are a small part of what a dict for each record would take, and a filter runs over one list.
    """

    def __init__(self, first_id: int, step: int) -> None:
        self.ids: list[int] = []
        self.created: list[int] = []
        self.modified: list[int] = []
        self.state = bytearray()
        self.archived_at: dict[int, int] = {}
        self.columns: dict[str, list[str | None]] = {}
        self.history = History()
        # Ids of records that were merged away, and what became of them.
        self.merged_into: dict[int, int] = {}
        # Rows by value (in lower case) of the properties that are keys.
        self._keys: dict[str, dict[str, set[int]]] = {}
        self._rows: dict[int, int] = {}
        self._next_id, self._step = first_id, step
        self._removed = 0

    def __len__(self) -> int:
        return len(self.ids)

    def load(
        self,
        ids: Sequence[int],
        columns: Mapping[str, list[str | None]],
        created: Sequence[int],
        modified: Sequence[int],
    ) -> None:
        """Take rows into an empty table; ids ascend."""
        self.ids = list(ids)
        self.created, self.modified = list(created), list(modified)
        self.state = bytearray(len(self.ids))
        # Lists of the table's own: a data set may be loaded twice.
        self.columns = {name: list(column) for name, column in columns.items()}
        self._rows = {record_id: row for row, record_id in enumerate(self.ids)}
        if self.ids:
            self._next_id = self.ids[-1] + self._step

    def add(self, values: Mapping[str, str], now: int) -> int:
        """A new record's row."""
        row = len(self.ids)
        self.ids.append(self._next_id)
        self._rows[self._next_id] = row
        # Ids of a portal have gaps: others make records too.
        self._next_id += self._step + row % 3
        self.created.append(now)
        self.modified.append(now)
        self.state.append(LIVING)
        for column in self.columns.values():
            column.append(None)
        for name, value in values.items():
            self.set(row, name, value)
        return row

    def find(self, record_id: str) -> int | None:
        """The row of a living record."""
        row = self._row(record_id)
        return row if row is not None and self.state[row] == LIVING else None

    def find_archived(self, record_id: str, now: int) -> int | None:
        """The row of a record in the recycle bin."""
        row = self._row(record_id)
        return row if row is not None and self._in_bin(row, now) else None

    def winner(self, record_id: str) -> int | None:
        """The row of the living record that a merged one became part of."""
        key = number_of(record_id)
        while key is not None and key in self.merged_into:
            key = self.merged_into[key]
        return self.find(str(key)) if key is not None else None

    def _row(self, record_id: str) -> int | None:
        key = number_of(record_id)
        return None if key is None else self._rows.get(key)

    def row_of(self, record_id: int) -> int:
        """The row of an id that is known to exist, whatever became of the record."""
        return self._rows[record_id]

    def _in_bin(self, row: int, now: int) -> bool:
        return self.state[row] == ARCHIVED and self.archived_at[row] > now - BIN_MILLISECONDS

    def value(self, row: int, name: str) -> str | None:
        """What a property of a row is set to."""
        column = self.columns.get(name)
        return None if column is None else column[row]

    def set(self, row: int, name: str, value: str | None) -> None:
        """Set a property, without history."""
        column = self.columns.get(name)
        if column is None:
            if value is None:
                return
            column = self.columns[name] = [None] * len(self.ids)
        if name in self._keys:
            self._move_key(row, name, column[row], value)
        column[row] = value

    def index(self, name: str) -> None:
        """Keep a property findable by its values."""
        keys: dict[str, set[int]] = {}
        for row, value in enumerate(self.columns.get(name, ())):
            if value is not None:
                keys.setdefault(value.lower(), set()).add(row)
        self._keys[name] = keys

    def with_value(self, name: str, value: str) -> Iterable[int]:
        """Rows that hold this value of an indexed property, whatever became of them."""
        return self._keys[name].get(value.lower(), ())

    def _move_key(self, row: int, name: str, before: str | None, after: str | None) -> None:
        if before is not None:
            self._keys[name][before.lower()].discard(row)
        if after is not None:
            self._keys[name].setdefault(after.lower(), set()).add(row)

    def forget(self, name: str) -> None:
        """Drop a property's values."""
        self.columns.pop(name, None)
        self._keys.pop(name, None)
        self.history.forget(name)

    def mark(self, row: int, state: int, now: int) -> None:
        """Archive, restore or merge a record away."""
        self._removed += (state != LIVING) - (self.state[row] != LIVING)
        self.state[row] = state
        if state == ARCHIVED:
            self.archived_at[row] = now
        else:
            self.archived_at.pop(row, None)

    def living(self) -> Sequence[int]:
        """All living rows, by id."""
        if not self._removed:
            return range(len(self.ids))
        state = self.state
        return [row for row in range(len(self.ids)) if state[row] == LIVING]

    def from_id(self, record_id: int) -> int:
        """The first row whose id is not below this one."""
        return bisect_left(self.ids, record_id)

    def page(self, first_id: int, now: int, *, archived: bool) -> Iterator[int]:
        """Rows from an id on: living ones, or those in the recycle bin."""
        if archived:
            rows = sorted(row for row in self.archived_at if self.ids[row] >= first_id)
            yield from (row for row in rows if self._in_bin(row, now))
            return
        for row in range(self.from_id(first_id), len(self.ids)):
            if self.state[row] == LIVING:
                yield row


def number_of(record_id: str) -> int | None:
    """The number that an id is; None for any text that cannot be one."""
    return int(record_id) if record_id.isascii() and record_id.isdigit() and len(record_id) < 20 else None
