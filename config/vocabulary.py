"""The names that `when:` conditions and text templates of the rules may use, with their type and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "text", "yes-or-no"]
Known = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Name:
    """One input of conditions and templates. `known` tells whether it is there before tier and score are."""

    name: str
    kind: Kind
    meaning: str
    known: Known = "before"


ACCOUNT_NAMES = (
    Name("tier", "text", "A, B, C or D", known="after"),
    Name("score", "number", "the account's priority, 0-100", known="after"),
    Name("segment", "text", "Prioritize, Nurture, Monitor or Reduce"),
    Name("growth_potential", "text", "High, Medium or Low"),
    Name("growth_score", "number", "0-100"),
    Name("likelihood", "number", "chance in percent of a purchase within the horizon"),
    Name("expected_spend", "number", "money expected within the horizon"),
    Name("expected_spend_rank", "number", "where that stands in the book, 0-100"),
    Name("open_deals", "number", "open opportunities that are not long overdue"),
    Name("best_deal_score", "number", "priority of the best open deal, 0-100", known="after"),
    Name("purchases", "number", "won opportunities so far"),
    Name("spend_total", "number", "money won so far"),
    Name("spend_last_year", "number", "money won in the last 365 days"),
    Name("days_since_purchase", "number", "days since the last won opportunity closed"),
    Name("quiet", "yes-or-no", "a customer who has not bought for longer than usual (see `alerts:`)"),
    Name("large", "yes-or-no", "among the fifth of customers that spent most"),
    Name("industry", "text", "the sector, as the CRM words it"),
    Name("type", "text", "customer, prospect …, as the CRM words it"),
    Name("country", "text", "as the CRM words it"),
    Name("employees", "number", "head count"),
    Name("annual_revenue", "number", "the customer's own revenue per year"),
    Name("owner_active", "yes-or-no", "the owner may work records"),
)

OPPORTUNITY_NAMES = (
    Name("tier", "text", "A, B, C or D", known="after"),
    Name("score", "number", "the deal's priority, 0-100", known="after"),
    Name("stage", "text", "name of the stage it is in"),
    Name("type", "text", "new business, renewal …, as the CRM words it"),
    Name("product", "text", "main product"),
    Name("amount", "number", "total value"),
    Name("chance", "number", "chance of winning in percent, from stage and the account's past deals"),
    Name("margin", "number", "gross margin in percent, if known"),
    Name("days_to_close", "number", "days until the close date; negative once it has passed"),
    Name("days_overdue", "number", "days since the close date passed, else 0"),
    Name("pushes", "number", "how often the close date was moved to a later month"),
    Name("days_idle", "number", "days since the last activity or change of stage, else since creation"),
    Name("days_to_need", "number", "days until the customer needs a solution"),
    Name("pain", "yes-or-no", "the problem that makes the customer buy is filled in"),
    Name("account_segment", "text", "segment of the account", known="after"),
    Name("owner_active", "yes-or-no", "the owner may work records"),
)

NAMES: dict[str, dict[str, Name]] = {
    "account": {name.name: name for name in ACCOUNT_NAMES},
    "opportunity": {name.name: name for name in OPPORTUNITY_NAMES},
}

# What `{…}` in the subject and body of a task may name.
TEMPLATE_NAMES: dict[str, tuple[str, ...]] = {
    "account": ("account", "tier", "score", "segment", "reason", "next_step", "last_purchase"),
    "opportunity": ("account", "opportunity", "tier", "score", "stage", "close_date", "reason", "next_step"),
}

# Texts with a known set of values: comparing with any other is a mistake.
KNOWN_VALUES: dict[str, tuple[str, ...]] = {
    "tier": ("A", "B", "C", "D"),
    "segment": ("Prioritize", "Nurture", "Monitor", "Reduce"),
    "account_segment": ("Prioritize", "Nurture", "Monitor", "Reduce"),
    "growth_potential": ("High", "Medium", "Low"),
}
