"""The inputs that conditions on opportunities may name."""

from __future__ import annotations

from dataclasses import replace

from config.language.account_names import ACCOUNT_FACTS
from config.language.inputs import MOVEMENT, OWNER_NAMES, WINNING, Name

_ITEMS = ("line_item.opportunity_id", "line_item.amount")
_CONTACTS = ("call.opportunity_id", "email.opportunity_id", "meeting.opportunity_id")

DEAL_FACTS = (
    Name("stage", "text", "name of the stage it is in", reads=("opportunity.stage",), missing="not filled in"),
    Name("type", "text", "new business, renewal …, as the CRM words it", reads=("opportunity.type",),
        missing="not filled in"),
    Name("product", "text", "main product: the field's, else that of the largest line item",
        reads=("opportunity.product",), missing="neither is filled in", also=(*_ITEMS, "line_item.product")),
    Name("pipeline", "text", "the sales process it goes through", reads=("opportunity.pipeline",),
        missing="not filled in, or no field is mapped"),
    Name("amount", "number", "total value", "money", ("opportunity.amount",), "not filled in, or not above 0"),
    Name("amount_roundness", "number", "largest round step (1 or 5 and zeros) in the amount, of the amount",
        "percent", ("opportunity.amount",), "no amount above 0"),
    Name("probability", "number", "the CRM's own chance of winning", "percent",
        ("opportunity.probability", "stage.probability"), "neither the opportunity nor its stage has one"),
    Name("days_to_close", "number", "days until the close date; negative once it has passed", "days",
        ("opportunity.close_date",), "not filled in"),
    Name("days_overdue", "number", "days since the close date passed, else 0", "days", ("opportunity.close_date",),
        "not filled in"),
    Name("pushes", "number", "how often the close date was moved to a later month", "count",
        ("opportunity.push_count",), "0, if the CRM does not count"),
    Name("age", "number", "days since it was created", "days", ("opportunity.created_at",), "the CRM does not tell"),
    Name("days_in_stage", "number", "days since it entered its stage", "days", ("opportunity.stage_changed_at",),
        "the CRM does not tell"),
    Name("days_idle", "number", "days since the last activity or change of stage, else since creation", "days",
        MOVEMENT, "the CRM tells none of these"),
    Name("idle_share", "number", "days without movement in percent of its age", "percent", MOVEMENT,
        "the CRM does not tell its age"),
    Name("touches", "number", "calls, e-mails and meetings about it", "count",
        ("opportunity.touches",), "the CRM keeps no count", also=_CONTACTS),
    Name("touches_per_month", "number", "the same, per 30 days of its age", "count",
        ("opportunity.touches", "opportunity.created_at"), "the CRM keeps no count", also=_CONTACTS),
    Name("items_margin", "number", "gross margin of its line items, where the cost of most of them is known", "percent",
        (*_ITEMS, "line_item.cost"), "the cost of most is not known"),
    Name("days_to_need", "number", "days until the customer needs a solution", "days", ("opportunity.need_by",),
        "not filled in, or no field is mapped"),
    Name("pain", "yes-or-no", "the problem that makes the customer buy is filled in", reads=("opportunity.pain",),
        missing="no, if not filled in"),
    Name("need_case", "yes-or-no", "the account has an open request of a kind under `needs: cases`",
        reads=("case.account_id", "case.is_closed", "case.type")),
    Name("urgent_case", "yes-or-no", "the account has another open request of a priority under `needs: urgent`",
        reads=("case.account_id", "case.is_closed", "case.priority", "case.type")),
    *OWNER_NAMES,
)  # fmt: skip

_SCORES = (
    Name("tier", "text", "A, B, C or D", missing="the deal is not scored", known="after"),
    Name("score", "number", "the deal's priority", "points", missing="the deal is not scored", known="after"),
    Name("chance", "number", "chance of winning, from stage and the account's past deals", "percent", WINNING),
    Name("margin", "number", "gross margin: the field's, else the line items', else the product's", "percent",
        ("opportunity.margin", "opportunity.product"), "none of these is known", also=(*_ITEMS, "line_item.cost")),
    Name("account_segment", "text", "segment of the account", missing="it has no account", known="after"),
)  # fmt: skip

# Facts about a deal's account.
OF_ACCOUNT = tuple(
    replace(fact, name=f"account_{fact.name}", meaning=f"of its account: {fact.meaning}", missing=(
        f"it has no account, or: {fact.missing}" if fact.missing != "never missing" else "it has no account"
    ))
    for fact in ACCOUNT_FACTS
    if fact not in OWNER_NAMES
)  # fmt: skip

DEAL_NAMES = (*_SCORES, *DEAL_FACTS)
OPPORTUNITY_NAMES = (*DEAL_NAMES, *OF_ACCOUNT)
