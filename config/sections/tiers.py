"""`segments:`, `account_value:`, `tiers:`, `alerts:` and `overrides:` of the rules file: who is called first."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from config.sections.cards import Number, Percent, Whole
from config.sections.strict import Days, Strict, Tier


class Segments(Strict):
    """Expected spend crossed with growth potential; an account at or above both cuts is Prioritize."""

    expected_spend: Percent = Field(default=60, description="rank in the book")
    growth: Percent = Field(default=50, description="growth score")


class AccountValue(Strict):
    """What an account is worth without a hot deal."""

    expected_spend: Percent = Field(default=50, description="weight of the rank of expected spend")
    growth: Percent = Field(default=50, description="weight of the growth score")

    @model_validator(mode="after")
    def _something(self) -> AccountValue:
        if self.expected_spend + self.growth <= 0:
            raise ValueError("the weights sum to nothing: give at least one of expected_spend, growth")
        return self


Score = Annotated[Whole, Field(ge=0, le=100)]


class CutOff(Strict):
    """The score at which a tier begins, and the one under which a record that has it may fall."""

    enter: Score = Field(description="score from which a record rises into the tier")
    leave: Score | None = Field(default=None, description="if not given: `exit_margin` under `enter`")

    @model_validator(mode="after")
    def _leaves_below(self) -> CutOff:
        if self.leave is not None and self.leave > self.enter:
            raise ValueError(f"leave ({self.leave}) must not be above enter ({self.enter})")
        return self


def _as_cut_off(value: Any) -> Any:
    return value if isinstance(value, dict | CutOff) else {"enter": value}


Begin = Annotated[CutOff, BeforeValidator(_as_cut_off, json_schema_input_type=Score | CutOff)]


class CutOffs(Strict):
    """The score at which each tier begins, the same for everybody; the rest is D."""

    A: Begin = Field(description="score from which a record is A")
    B: Begin = Field(description="score from which a record is B")
    C: Begin = Field(description="score from which a record is C")

    @model_validator(mode="after")
    def _in_order(self) -> CutOffs:
        if not self.A.enter > self.B.enter > self.C.enter:
            raise ValueError(
                f"A ({self.A.enter}) must begin above B ({self.B.enter}), and B above C ({self.C.enter})"
            )
        return self


class Tiers(Strict):
    """Shares of a book, best first; the rest is D."""

    by: Literal["owner", "team", "territory", "company"] = Field(
        default="owner", description="whose book it is that A, B and C are shares of"
    )
    A: Percent = Field(default=15, description="percent of the book that is A")
    B: Percent = Field(default=25, description="percent of the book that is B")
    C: Percent = Field(default=35, description="percent of the book that is C; the rest is D")
    a_at_least: Score = Field(default=60, description="lowest score for an A")
    cut_offs: CutOffs | None = Field(
        default=None, description="scores at which A, B and C begin, in the place of shares"
    )
    dwell_days: Days = Field(default=7, description="a tier is kept at least this long before it may fall")
    exit_margin: Score = Field(default=5, description="points under the cut-off before a tier falls")
    min_margin: Percent | None = Field(default=None, description="a deal with less gross margin is at most B")
    prioritize_at_least: Tier = Field(
        default="B", description="lowest tier of a Prioritize account without a live deal"
    )
    reduce_at_most: Tier = Field(
        default="D", description="highest tier of a Reduce account without a live deal"
    )

    @model_validator(mode="after")
    def _within_the_book(self) -> Tiers:
        if self.A + self.B + self.C > 100:
            raise ValueError(
                f"A, B and C together are {self.A + self.B + self.C:g} % of the book: at most 100"
            )
        return self


class Alerts(Strict):
    """What could go wrong with an account."""

    owner_share: Percent = Field(default=20, description="percent of the owner's spend of the last year")
    company_share: Percent = Field(default=10, description="percent of the company's spend of the last year")
    at_least_customers: Whole = Field(
        default=5, ge=1, description="no shares in books with fewer buying accounts"
    )
    quiet_after: Annotated[Number, Field(gt=0, le=100)] = Field(default=2, description="times the usual gap")
    new_parent_days: Days = Field(default=90, description="days for which a new parent company is told")


class Overrides(Strict):
    """How long a person's word holds."""

    days: Days = Field(default=90, description="if the override has no end date, from when it was first seen")
    notice_days: Days = Field(default=14, description="days before its end on which the reason tells of it")
