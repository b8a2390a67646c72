"""`likelihood:` of the rules file: how likely an account buys within the horizon."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.sections.cards import Bands, Percent, Whole
from config.sections.strict import Strict


class Likelihood(Strict):
    """Likelihood to buy within the horizon: a points card, 20 points double the odds."""

    horizon: Literal["auto"] | Annotated[Whole, Field(ge=7, le=730)] = Field(
        default="auto", description="days; auto: the median time to win a deal, within 30 to 365"
    )
    points: Literal["fixed", "from_book"] = Field(
        default="from_book",
        description="fixed: the points of recency, rhythm, purchases and value below; from_book: they are where"
        " learning starts, and what the book's customers did within the last horizon moves them",
    )
    buying_pattern: Percent = Field(
        default=50,
        description="percent of what past purchases say that the fitted buying pattern decides; the card the rest",
    )
    recency: Bands = Field(
        default=Bands({"<=0.5": 15, "<=1": 10, "<=2": -5, "<=3": -25, "<=5": -45, ">5": -70}),
        description="time since the last purchase ÷ the account's usual gap",
    )
    rhythm: Bands = Field(
        default=Bands({"<=0.1": -50, "<=0.25": -30, "<=0.5": -10, "<=1": 5, "<=2": 25, ">2": 45}),
        description="purchases to expect within the horizon at the usual gap",
    )
    purchases: Bands = Field(
        default=Bands({"<=1": -15, "<=2": 0, "<=4": 10, "<=9": 20, ">9": 30}), description="purchases so far"
    )
    value: Bands = Field(
        default=Bands({"<=1": -6, "<=2": -3, "<=3": 0, "<=4": 3, ">4": 6}),
        description="fifth of the book by money spent so far, 1 to 5",
    )
    deal: Bands = Field(
        default=Bands({"none": 0, "<=20": 5, "<=50": 15, "<=75": 30, ">75": 45}),
        description="chance in percent of the best live deal",
    )
    momentum: Bands = Field(
        default=Bands({"none": 0, "<=0.25": 10, "<=1": 0, "<=2": -10, ">2": -20}),
        description="time since a live deal moved ÷ the usual time to win",
    )
    similar: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=20,
        description="most points, up or down, for how often accounts of the same industry and size bought",
    )
