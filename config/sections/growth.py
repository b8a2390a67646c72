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
        default=Bands({"<=0.5": -25, "<=0.8": -12, "<=1.25": 0, "<=2": 15, ">2": 30}),
        description="spend of the last half-year ÷ the same half-year a year before",
    )
    outlook: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=60,
        description="new customers, without such a half-year before: most points, up or down, for the spend to expect"
        " in the next year ÷ their pace so far, by its rank among all of these",
    )
    promise: Bands = Field(
        default=Bands({"<=1": 0, "<=1.25": 15, "<=1.5": 30, "<=2": 40, ">2": 50}),
        description="growth plan ÷ spend of the last year; counts in proportion to how far plans are kept",
    )
    kept: Bands = Field(
        default=Bands({"<=0.4": -15, "<=0.6": 0, "<=0.8": 10, ">0.8": 20}),
        description="share of the due growth plans that came true, drawn towards the book's mean",
    )
    headroom: Bands = Field(
        default=Bands({"<=0.25": 25, "<=0.5": 15, "<=0.8": 8, "<=1.25": 0, ">1.25": -8}),
        description="spend of the last year ÷ the median of customers of the same industry and size",
    )
    products: Bands = Field(
        default=Bands({"<=0": 0, "<=1": 8, "<=2": 14, ">2": 20}),
        description="products that such customers usually buy, and this one does not yet",
    )
    product_share: Percent = Field(
        default=30,
        description="percent of such customers from which on a product is one that they usually buy",
    )
    business: Bands = Field(
        default=Bands({"<=0": -8, "<=5": 0, "<=15": 8, ">15": 15}),
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
