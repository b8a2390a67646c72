"""The rules file, `rules.yaml`: how this company prioritises. An empty file means the defaults."""

from __future__ import annotations

import hashlib
import json
import re
import string
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from config.cards import Bands, Curve, Number, Percent, Points, Whole
from config.documents import did_you_mean, load_document, validate
from config.expressions import parse
from config.outputs import OUTPUT_FIELDS
from config.records import RECORDS
from config.vocabulary import TEMPLATE_NAMES
from config.writing import TaskLimits, Writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Tier = Literal["A", "B", "C", "D"]
Scored = Literal["account", "opportunity"]
Shown = Literal["value", "band", "hide"]
Days = Annotated[Whole, Field(ge=0, le=3650)]


class Strict(BaseModel):
    """Every model of the rules: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Weights(Strict):
    """What counts how much in a deal's priority; any scale, only their ratio matters."""

    soon: Percent = 50
    profitable: Percent = 30
    much: Percent = 20

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
    pain: Annotated[Whole, Field(ge=0, le=50)] = 5


class Likelihood(Strict):
    """Likelihood to buy within the horizon: a points card, 20 points double the odds."""

    horizon: Literal["auto"] | Annotated[Whole, Field(ge=7, le=730)] = Field(
        default="auto", description="days; auto: the median time to win a deal, within 30 to 365"
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


class Growth(Strict):
    """Growth potential: a points card, 20 points double the odds."""

    base: Points = -10
    trend: Bands = Field(
        default=Bands({"<=0.5": -25, "<=0.8": -12, "<=1.25": 0, "<=2": 15, ">2": 30}),
        description="spend of the last half-year ÷ the same half-year a year before",
    )
    promise: Bands = Field(
        default=Bands({"<=1": 0, "<=1.25": 15, "<=1.5": 30, "<=2": 40, ">2": 50}),
        description="growth plan ÷ spend of the last year; counts in proportion to how far plans are kept",
    )
    kept: Bands = Field(
        default=Bands({"<=0.4": -15, "<=0.6": 0, "<=0.8": 10, ">0.8": 20}),
        description="share of a due growth plan that came true, drawn towards the book's mean",
    )
    headroom: Bands = Field(
        default=Bands({"<=0.25": 25, "<=0.5": 15, "<=0.8": 8, "<=1.25": 0, ">1.25": -8}),
        description="spend of the last year ÷ the median of customers of the same industry and size",
    )
    fit: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=30,
        description="prospects: most points for how often accounts of the same kind became top customers",
    )
    high: Percent = 67
    medium: Percent = 34

    @model_validator(mode="after")
    def _in_order(self) -> Growth:
        if self.medium >= self.high:
            raise ValueError(f"medium ({self.medium:g}) must be below high ({self.high:g})")
        return self


class Segments(Strict):
    """Expected spend crossed with growth potential; an account at or above both cuts is Prioritize."""

    expected_spend: Percent = Field(default=60, description="rank in the book")
    growth: Percent = Field(default=50, description="growth score")


class AccountValue(Strict):
    """What an account is worth without a hot deal."""

    expected_spend: Percent = 50
    growth: Percent = 50

    @model_validator(mode="after")
    def _something(self) -> AccountValue:
        if self.expected_spend + self.growth <= 0:
            raise ValueError("the weights sum to nothing: give at least one of expected_spend, growth")
        return self


class Tiers(Strict):
    """Shares of each owner's book, best first; the rest is D."""

    A: Percent = 15
    B: Percent = 25
    C: Percent = 35
    a_at_least: Annotated[Whole, Field(ge=0, le=100)] = Field(default=60, description="lowest score for an A")
    dwell_days: Days = Field(default=7, description="a tier is kept at least this long before it may fall")
    exit_margin: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=5, description="points under the cut-off before a tier falls"
    )
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
    new_parent_days: Days = 90


class Overrides(Strict):
    """How long a person's word holds."""

    days: Days = Field(default=90, description="if the override has no end date, from when it was first seen")
    notice_days: Days = 14


class Product(Strict):
    """What is known of a product, by its name in the CRM."""

    margin: Percent | None = None
    list_price: Annotated[Number, Field(gt=0)] | None = None


class Show(Strict):
    """How reasons show an input: its value, a word for its size, or not at all (its points are in "other")."""

    amount: Shown = "value"
    margin: Shown = "band"
    growth_plan: Shown = "band"
    expected_spend: Shown = "value"


class Step(Strict):
    """One sentence of the playbook; the first that holds is the suggested next step."""

    on: Scored
    when: str = "True"
    say: Annotated[str, Field(min_length=1, max_length=255)]

    @field_validator("when")
    @classmethod
    def _condition(cls, value: str, info: ValidationInfo) -> str:
        return _checked(value, info)


class TaskRule(Strict):
    """When a rep should get a task, and what it says."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    on: Scored
    when: str
    subject: Annotated[str, Field(min_length=1, max_length=120)]
    description: Annotated[str, Field(max_length=2000)] = ""
    due_days: Days = 3
    priority: Literal["high", "normal"] = "normal"
    period: Literal["day", "week", "month", "quarter", "once"] = "month"

    @field_validator("when")
    @classmethod
    def _condition(cls, value: str, info: ValidationInfo) -> str:
        return _checked(value, info)

    @field_validator("subject", "description")
    @classmethod
    def _template(cls, value: str, info: ValidationInfo) -> str:
        known = TEMPLATE_NAMES.get(info.data.get("on", ""), ())
        try:
            pieces = list(string.Formatter().parse(value))
        except ValueError as error:
            raise ValueError(f"is not a template: {error}; write {{{{ for a brace") from None
        for _, name, spec, conversion in pieces:
            if name is not None and known and (name not in known or spec or conversion):
                raise ValueError(f'unknown name "{{{name}}}"; {did_you_mean(name, list(known))}')
        return value


def _checked(value: str, info: ValidationInfo) -> str:
    if "on" in info.data:  # else `on` itself is wrong and already reported
        parse(value, info.data["on"])
    return value


PLAYBOOK = (
    Step(
        on="opportunity",
        when="days_overdue > 0",
        say="Agree a new close date with the customer, or close the deal.",
    ),
    Step(
        on="opportunity",
        when="pushes >= 3",
        say="Ask what really stands in the way before you move the date again.",
    ),
    Step(
        on="opportunity",
        when='stage in ["Negotiation", "Negotiation/Review"] and days_idle > 21',
        say="Concede the small point, close.",
    ),
    Step(on="opportunity", when="days_to_close <= 30", say="Agree the date; ask what stands in the way."),
    Step(
        on="opportunity",
        when="days_idle > 60",
        say="Call: nothing has moved for a while. Is the need still there?",
    ),
    Step(on="opportunity", say="Agree the next step and its date with the customer."),
    Step(
        on="account",
        when="quiet and large",
        say="Call: a large customer has gone quiet. Ask what has changed.",
    ),
    Step(
        on="account",
        when='open_deals > 0 and tier in ["A", "B"]',
        say="Work the best open deal: agree the date; ask what stands in the way.",
    ),
    Step(on="account", when='segment == "Prioritize"', say="Agree the date; ask what stands in the way."),
    Step(
        on="account",
        when='segment == "Nurture"',
        say="Keep them happy: a regular call, and an early word on renewals.",
    ),
    Step(
        on="account", when='segment == "Monitor"', say="Write a growth plan together; one touch in 60 days."
    ),
    Step(on="account", when='segment == "Reduce"', say="Self-service; no visits."),
)

TASKS = (
    TaskRule(
        name="close-soon",
        on="opportunity",
        when='tier == "A" and days_to_close >= 0 and days_to_close <= 14',
        subject="Closes {close_date}: {opportunity}",
        description="{reason}\n\n{next_step}",
        due_days=2,
        priority="high",
    ),
    TaskRule(
        name="date-passed",
        on="opportunity",
        when='tier in ["A", "B"] and days_overdue >= 3',
        subject="Close date has passed: {opportunity}",
        description="{reason}\n\n{next_step}",
        due_days=3,
    ),
    TaskRule(
        name="gone-quiet",
        on="account",
        when='segment == "Prioritize" and quiet and open_deals == 0',
        subject="Gone quiet: {account}",
        description="Last purchase {last_purchase}.\n{reason}\n\n{next_step}",
        due_days=5,
    ),
)

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,120}")


def _as_field_name(value: str) -> str:
    if not _FIELD_NAME.fullmatch(value):
        raise ValueError(
            f'"{value}" is not the name of a field: give its API name, such as Margin__c or margin'
        )
    return value


FieldName = Annotated[str, AfterValidator(_as_field_name)]


class FieldNames(Strict):
    """What a field is called in each CRM, for rules that serve connections to both."""

    salesforce: FieldName | None = None
    hubspot: FieldName | None = None


def _kind_of_name(value: Any) -> str:
    return "one" if isinstance(value, str) else "each"


# One name, or one for each CRM.
MappedField = Annotated[
    Annotated[FieldName, Tag("one")] | Annotated[FieldNames, Tag("each")], Discriminator(_kind_of_name)
]


class Rules(Strict):
    """The whole of `rules.yaml`; every key may be left out."""

    fields: dict[str, dict[str, MappedField]] = Field(
        default={},
        description="our name → the CRM's field (or one for each CRM), by object, where the usual one is not meant",
    )
    priority: Priority = Priority()
    needs: Needs = Needs()
    likelihood: Likelihood = Likelihood()
    growth: Growth = Growth()
    account_value: AccountValue = AccountValue()
    segments: Segments = Segments()
    tiers: Tiers = Tiers()
    alerts: Alerts = Alerts()
    overrides: Overrides = Overrides()
    products: dict[str, Product] = {}
    show: Show = Show()
    playbook: tuple[Step, ...] = PLAYBOOK
    tasks: tuple[TaskRule, ...] = TASKS
    task_limits: TaskLimits = TaskLimits()
    writing: Writing = Writing()

    @field_validator("fields", mode="before")
    @classmethod
    def _our_names(cls, value: Any) -> Any:
        for object_name, columns in value.items() if isinstance(value, dict) else ():
            if object_name not in RECORDS:
                raise ValueError(
                    f'unknown object "{object_name}"; {did_you_mean(str(object_name), list(RECORDS))}'
                )
            known = [column.name for column in RECORDS[object_name] if column.need != "key"]
            for name in columns if isinstance(columns, dict) else ():
                if name not in known:
                    hint = did_you_mean(str(name), known)
                    raise ValueError(
                        f'unknown name "{name}" of {object_name}' + (f"; {hint}" if hint else "")
                    )
        return value

    @field_validator("tasks")
    @classmethod
    def _one_name_each(cls, value: tuple[TaskRule, ...]) -> tuple[TaskRule, ...]:
        names = [task.name for task in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f'two tasks are called "{twice[0]}": names keep tasks from being made twice')
        return value

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits that change when, and only when, the effective rules change."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def mapping(self, crm: str) -> Mapping[str, Mapping[str, str]]:
        """Canonical object → canonical column → the field of this CRM, as given under `fields:`."""
        return {
            object_name: {column: name for column, given in columns.items() if (name := _name_in(crm, given))}
            for object_name, columns in self.fields.items()
        }

    def needed_columns(self, object_name: str) -> tuple[str, ...]:
        """The canonical columns that scoring reads under these rules, in the record's own order."""
        ours = {field.name for field in OUTPUT_FIELDS} - _HELD.get(object_name, frozenset())
        unread = _UNREAD.get(object_name, frozenset()) | ours
        return tuple(column.name for column in RECORDS[object_name] if column.name not in unread)


def _name_in(crm: str, given: FieldNames | str) -> str | None:
    if isinstance(given, str):
        return given
    name: str | None = getattr(given, crm)
    return name


# Columns that no score, condition or template reads.
_UNREAD: dict[str, frozenset[str]] = {
    "account": frozenset({"currency", "modified_at"}),
    "opportunity": frozenset({"currency", "modified_at"}),
    "owner": frozenset({"name", "manager_id", "team", "timezone", "modified_at"}),
    "stage": frozenset({"position", "active", "modified_at"}),
}

# Outputs that tell which closed deals still hold a tag, so that it can be taken off.
_HELD: dict[str, frozenset[str]] = {"opportunity": frozenset({"foretag_tier", "foretag_reason"})}


def load_rules(path: Path) -> Rules:
    """Read and check the rules file. Raises `ConfigProblem` with every problem, each with its place."""
    return validate(load_document(path), Rules)
