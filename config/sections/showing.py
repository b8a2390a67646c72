"""`show:` and `products:` of the rules file: what reasons may say, and what is known of products."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.sections.cards import Number, Percent
from config.sections.strict import Strict

Shown = Annotated[
    Literal["value", "band", "hide"],
    Field(description="value: as it is; band: a word for its size; hide: its points are in `other`"),
]


class Product(Strict):
    """What is known of a product, by its name in the CRM."""

    margin: Percent | None = Field(default=None, description="gross margin in percent")
    list_price: Annotated[Number, Field(gt=0)] | None = Field(
        default=None, description="price before any discount"
    )


class Show(Strict):
    """How reasons show an input: its value, a word for its size, or not at all (its points are in "other")."""

    close_date: Shown = "value"
    pushes: Shown = "value"
    idle: Shown = "value"
    age: Shown = "value"
    chance: Shown = Field(default="value", description="the stage, and what moves the chance of winning")
    margin: Shown = Field(default="band", description="gross margin, and the discount that stands in for it")
    amount: Shown = "value"
    need_by: Shown = "value"
    pain: Shown = "value"
    need_case: Shown = "value"
    expected_spend: Shown = "value"
    growth: Shown = Field(default="value", description="the level of growth potential, and what makes it")
    growth_plan: Shown = "band"
