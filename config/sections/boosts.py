"""`boosts:` of the rules file: points up or down where a condition holds, each with its reason."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from config.language.expressions import checked
from config.sections.cards import Whole
from config.sections.strict import Scored, Strict


def _one_line(value: str) -> str:
    if not value.strip() or not value.isprintable() or "·" in value:
        raise ValueError('must be a few words on one line, without "·"')
    return " ".join(value.split())


# A few words for the line that a rep reads; `·` stands between the items of a reason.
Words = Annotated[str, Field(max_length=80), AfterValidator(_one_line)]


class Boost(Strict):
    """Points for each record of which the condition holds; a penalty has less than 0."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = Field(
        description="small letters, digits, - and _; names its points in `foretag explain`"
    )
    on: Scored
    when: str = Field(description="a condition on what is known before tier and score")
    points: Annotated[Whole, Field(ge=-100, le=100)] = Field(
        description="added to the score, which stays within 0 to 100"
    )
    because: Words = Field(description="what the reason says, in a few words")

    @field_validator("when")
    @classmethod
    def _condition(cls, value: str, info: ValidationInfo) -> str:
        return checked(value, info, before_score=True)

    @field_validator("points")
    @classmethod
    def _something(cls, value: int) -> int:
        if not value:
            raise ValueError("0 points change nothing: give points, or take the boost out")
        return value
