"""`coverage:` of the rules file: how much an owner can look after."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.sections.cards import Whole
from config.sections.strict import Strict


class Coverage(Strict):
    """What one owner can look after: reps with too many accounts miss the best."""

    accounts_per_owner: Annotated[Whole, Field(ge=1)] | None = Field(
        default=150,
        description="accounts, for owners that the file of capacities does not name; null: no limit",
    )
