"""How calmly tags and tasks are written: the parts of the rules file that `sync` obeys."""

from __future__ import annotations

from pydantic import Field

from config.sections.strict import Strict


class Writing(Strict):
    """When a record is worth a write."""

    tolerance: int = Field(default=5, ge=1, le=50, description="points a score must move to be rewritten")
    valid_days: int = Field(
        default=14, ge=2, le=90, description="days after which an unrenewed score is stale"
    )


class TaskLimits(Strict):
    """How many tasks a rep can bear; days are calendar days in the org's time zone."""

    new_per_owner_and_day: int = Field(
        default=3, ge=0, le=100, description="most new tasks for an owner in a day"
    )
    open_per_owner: int = Field(default=10, ge=0, le=1000, description="most open tasks of ours for an owner")
    quiet_days: int = Field(
        default=7, ge=0, le=365, description="none where the owner has an open activity due within these days"
    )
    cool_down_days: int = Field(
        default=30,
        ge=0,
        le=365,
        description="none where the same task was made, or ended by a person, this lately",
    )
