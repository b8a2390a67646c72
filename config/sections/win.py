"""`win:` of the rules file: the chance of winning an open deal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from config.sections.cards import Bands, Points, Whole
from config.sections.strict import Strict

Alike = Literal["owner", "product", "industry", "type", "pipeline", "country"]


class LikeDeals(Strict):
    """How deals like this one ended: its owner's, its product's, its industry's, and each two of these together."""

    by: Annotated[tuple[Alike, ...], Field(max_length=4)] = Field(
        default=("owner", "product", "industry"), description="what makes deals alike; [] to leave it out"
    )
    half_life: Annotated[Whole, Field(ge=30, le=3650)] = Field(
        default=365, description="days after which a closed deal counts half"
    )
    embargo: Annotated[Whole, Field(ge=0, le=730)] = Field(
        default=90,
        description="deals made within so many days do not count yet: only the quick ones have ended",
    )
    most: Annotated[Whole, Field(ge=0, le=100)] = Field(default=40, description="most points, up or down")

    @field_validator("by")
    @classmethod
    def _once_each(cls, value: tuple[Alike, ...]) -> tuple[Alike, ...]:
        if len(set(value)) < len(value):
            raise ValueError("names something twice")
        return value


class Win(Strict):
    """The chance of winning: a points card on top of the CRM's chance for the stage; 20 points double the odds."""

    points: Literal["fixed", "from_book"] = Field(
        default="fixed",
        description="from_book: past_revenue's points are learned from the book's own closed deals, too",
    )
    record: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=40, description="most points, up or down, for how the account's earlier deals ended"
    )
    like_deals: LikeDeals = LikeDeals()
    age: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=30, description="most points, up or down, for how deals that were open for as long ended"
    )
    roundness: Bands = Field(
        default=Bands({"none": 0, "<=0.002": 6, "<=0.02": 3, "<=0.2": 0, ">0.2": -6}),
        description="largest round step (1 or 5 and zeros) of the amount ÷ the amount: a round guess is no quote",
    )
    list_price: Points = Field(
        default=2, description="most points of an amount that many deals of the book share: no quote yet"
    )
    idle: Bands = Field(
        default=Bands({"none": 0, "<=0.25": 5, "<=0.5": 0, "<=0.75": -4, ">0.75": -10}),
        description="time without movement ÷ age of the deal",
    )
    touches: Bands = Field(
        default=Bands({"none": 0, "<=0.25": -10, "<=0.75": -4, "<=1.5": 0, "<=3": 4, ">3": 6}),
        description="contacts so far ÷ what open deals of that age usually had",
    )
    past_revenue: Bands = Field(
        default=Bands({"none": 0, "<=2": 3, "<=4": 5, ">4": 8}),
        description="fifth of the book by money spent so far, 1 to 5; none: has not bought yet",
    )
