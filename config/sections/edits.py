"""`edits:` of the rules file: what becomes of a value of ours that somebody else changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from pydantic import Field

from config.outputs import OUTPUT_FIELDS
from config.sections.strict import Days, Strict

if TYPE_CHECKING:
    from collections.abc import Mapping

Editable = Literal[
    "tier",
    "score",
    "segment",
    "growth_potential",
    "reason",
    "next_step",
    "alert",
    "likelihood",
    "growth_score",
]

_PREFIX = "foretag_"
# Until when a score holds and what made it are the worker's own marks: nobody's opinion, and always put right.
EDITABLE: dict[str, str] = {f"{_PREFIX}{name}": name for name in get_args(Editable)}
LABELS = {field.name: field.label for field in OUTPUT_FIELDS}


class Edits(Strict):
    """How long a value that somebody else wrote into one of our fields is left there."""

    days: Days = Field(
        default=90, description="days for which such a value is respected; 0: the next run puts ours back"
    )
    fields: dict[Editable, Days] = Field(
        default={}, description="other numbers of days, by field: tier, score, segment, reason, next_step …"
    )

    def days_of(self, field: str) -> int:
        """For how many days a changed value of this field (its canonical name) is respected."""
        by_name: Mapping[str, int] = {str(name): days for name, days in self.fields.items()}
        return by_name.get(EDITABLE[field], self.days)
