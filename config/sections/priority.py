"""`priority:` and `needs:` of the rules file: how soon, how profitable, how much."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from config.sections.cards import Curve, Percent, Whole
from config.sections.strict import Days, Strict, Word


class Weights(Strict):
    """What counts how much in a deal's priority; any scale, only their ratio matters."""

    soon: Percent = Field(default=50, description="how soon it closes")
    profitable: Percent = Field(default=30, description="how good its margin is")
    much: Percent = Field(default=20, description="how large it is")

    @model_validator(mode="after")
    def _something(self) -> Weights:
        if self.soon + self.profitable + self.much <= 0:
            raise ValueError("the weights sum to nothing: give at least one of soon, profitable, much")
        if self.soon + self.much <= 0:
            raise ValueError("soon and much are both 0: a deal of unknown margin could not be scored")
        return self


class Priority(Strict):
    """Priority of an open deal: how soon, how profitable, how much."""

    weights: Weights = Weights()
    close_date: Curve = Field(
        default={0: 100, 30: 85, 90: 50, 180: 10, 365: 0}, description="days until the close date"
    )
    overdue: Curve = Field(default={0: 80, 30: 30, 90: 0}, description="days since the close date passed")
    chance_share: Percent = Field(
        default=30, description="percent of `soon` that the chance of winning decides"
    )
    pace_share: Percent = Field(
        default=70,
        description="percent of the close date's points that go by how soon deals of that age close instead, where half"
        " or more of the close dates of open deals have passed; less, where fewer have",
    )
    pace: Curve = Field(
        default={0: 0, 50: 100}, description="percent of deals of its age that closed within 30 days"
    )
    pushes: Curve = Field(
        default={0: 100, 1: 85, 2: 65, 3: 45, 5: 20},
        description="times pushed → percent of the close date's points",
    )
    idle: Curve = Field(
        default={0.5: 100, 1: 85, 2: 60, 4: 30},
        description="time without movement ÷ the usual time to win → percent of the close date's points",
    )
    margin: Curve = Field(default={0: 0, 20: 40, 40: 80, 60: 100}, description="gross margin in percent")
    discount: Curve = Field(
        default={0: 80, 10: 60, 30: 20, 50: 0},
        description="percent under list price, where no margin is known",
    )
    live_days_overdue: Days = Field(default=90, description="a deal longer overdue is no longer live")


class Needs(Strict):
    """Signals of need that raise a deal, in points."""

    need_by: Curve = Field(default={0: 15, 30: 12, 90: 6, 180: 0}, description="days until the need → points")
    overdue: Curve = Field(
        default={0: 100, 30: 40, 90: 0},
        description="days since the need-by date passed → percent of the points that it had on its day",
    )
    pain: Annotated[Whole, Field(ge=0, le=50)] = Field(
        default=5, description="points where the pain field is filled in"
    )
    case: Annotated[Whole, Field(ge=0, le=50)] = Field(
        default=8, description="points for an open request of one of the kinds under `cases`"
    )
    cases: tuple[Word, ...] = Field(default=(), description="kinds of open requests that are signs of need")
    urgent: tuple[Word, ...] = Field(
        default=("High", "Urgent", "Critical"),
        description="priorities of an open request that comes before selling, unless it is a sign of need",
    )
