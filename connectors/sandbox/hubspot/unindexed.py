"""What search does not know yet: rows whose last change its index has not taken in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.records import Records


@dataclass(slots=True)
class Before:
    """A row as the index still has it, until a moment; None: not at all."""

    until: int
    values: dict[str, str | None] | None
    modified: int = 0


class Unindexed:
    """The rows of one type that search sees as they were."""

    def __init__(self) -> None:
        self._rows: dict[int, Before] = {}

    def keep(self, records: Records, row: int, until: int, *, new: bool) -> None:
        """Keep a row as it is now, before it changes; a row that waits already keeps its older self."""
        waiting = self._rows.get(row)
        if waiting is not None and waiting.until > until:
            return
        if waiting is not None:
            waiting.until = until
            return
        values = None if new else {name: column[row] for name, column in records.columns.items()}
        self._rows[row] = Before(until, values, 0 if new else records.modified[row])

    def at(self, now: int) -> dict[int, Before]:
        """The rows that search sees otherwise at this moment."""
        if self._rows:
            self._rows = {row: before for row, before in self._rows.items() if before.until > now}
        return self._rows
