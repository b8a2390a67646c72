"""`exclude:` of the rules file: which records are none of sales' business."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from config.boosts import Words
from config.expressions import checked
from config.strict import Scored, Strict


class Exclusion(Strict):
    """Records that get no score, tier or task; an account's deals neither."""

    on: Scored
    when: str = Field(description="a condition on the record itself")
    because: Words = Field(description="what the reason says behind `Not scored:`")

    @field_validator("when")
    @classmethod
    def _condition(cls, value: str, info: ValidationInfo) -> str:
        return checked(value, info, before_score=True)


EXCLUDE = (
    Exclusion(
        on="account",
        when='type in ["Partner", "Reseller", "Channel Partner / Reseller", "Installation Partner", '
        '"Technology Partner"]',
        because="partner or reseller",
    ),
    Exclusion(on="account", when='type in ["Competitor", "Vendor"]', because="competitor or vendor"),
    Exclusion(on="account", when="opted_out", because="opted out"),
)
