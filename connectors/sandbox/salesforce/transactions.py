"""Saves that stand or fall together, and what the journal hears once they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.errors import SaveResult, failed

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.parties import User

ROLLED_BACK = (
    "Record rolled back because not all records were valid and the request was using AllOrNone header"
)

Note = tuple["User", str, str, Sequence[str], Sequence[str], int]


@dataclass(slots=True)
class Transaction:
    """Saves that stand or fall together."""

    only_whole: bool
    waiting: int = 0
    rolled_back: bool = False
    notes: list[Note] = field(default_factory=list)

    def roll_back(self) -> None:
        """Undo everything when the block ends."""
        self.rolled_back = True

    def judge(self, results: list[SaveResult]) -> list[SaveResult]:
        """Undo everything if one record failed; the others then say that they were rolled back."""
        if not self.only_whole or all(one.success for one in results):
            return results
        self.roll_back()
        undone = failed("ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK)
        return [undone if one.success else one for one in results]
