"""`growth:` of the rules file: where an account could be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from config.sections.cards import Bands, Percent, Points, Whole
from config.sections.strict import Strict


class Growth(Strict):
    """Growth potential: a points card, 20 points double the odds."""

    base: Points = Field(default=-10, description="points before anything is known")
    trend: Bands = Field(
        default=Bands({"<=0.7": -22, "<=0.9": -12, "<=1.1": 0, "<=1.4": 12, ">1.4": 22}),
        description="spend and new deals of the last half-year ÷ those of the same half-year a year before",
    )
    outlook: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=20,
        description="new customers, without such a half-year before: most points, up or down, for the spend to expect"
        " in the next year ÷ their pace so far, by its rank among all of these",
    )
    quiet: Bands = Field(
        default=Bands({"<=2": 0, "<=4": -12, "<=7": -25, ">7": -45}),
        description="time since the last purchase ÷ the account's usual time between two, a quarter at least",
    )
    pipeline: Bands = Field(
        default=Bands({"<=0": 0, "<=0.25": 5, "<=0.5": 10, "<=1": 15, ">1": 22}),
        description="what live deals let expect within the horizon ÷ the account's usual purchase",
    )
    promise: Bands = Field(
        default=Bands({"<=1": 0, "<=1.25": 10, "<=1.5": 15, "<=2": 20, ">2": 25}),
        description="growth plan ÷ spend of the last year; counts in full where nine tenths of plans come true,"
        " not at all where less than four tenths do",
    )
    kept: Bands = Field(
        default=Bands({"<=0.4": -25, "<=0.6": -10, "<=0.8": 5, ">0.8": 18}),
        description="share of the due growth plans that came true, drawn towards the book's mean",
    )
    headroom: Bands = Field(
        default=Bands({"<=0.25": 8, "<=0.5": 5, "<=0.8": 2, ">0.8": 0}),
        description="spend a year, over two years, ÷ the median of customers of the same industry and size",
    )
    products: Bands = Field(
        default=Bands({"<=0": 0, "<=1": 6, "<=2": 10, ">2": 15}),
        description="products that such customers usually buy, and this one does not yet",
    )
    product_share: Percent = Field(
        default=30,
        description="percent of such customers from which on a product is one that they usually buy",
    )
    business: Bands = Field(
        default=Bands({"<=0": -14, "<=5": 0, "<=15": 9, "<=25": 16, ">25": 22}),
        description="growth of the customer's own business, percent per year",
    )
    fit: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=30,
        description="prospects: most points for how often accounts of the same kind became top customers",
    )
    high: Percent = Field(default=67, description="score from which growth potential is High")
    medium: Percent = Field(default=34, description="score from which it is Medium")

    @model_validator(mode="after")
    def _in_order(self) -> Growth:
        if self.medium >= self.high:
            raise ValueError(f"medium ({self.medium:g}) must be below high ({self.high:g})")
        return self
