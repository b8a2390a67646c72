"""The inputs that conditions on accounts may name."""

from __future__ import annotations

from config.language.inputs import OUTCOMES, OWNER_NAMES, SALES, WINNING, Name

_NO_PURCHASE = "the account has not bought yet"
_PLAN = (
    "account.foretag_growth_plan", "account.foretag_growth_plan_by", "commitment.account_id", "commitment.amount",
    "commitment.by", "commitment.made_on",
)  # fmt: skip
_CONTACTS = (
    "call.account_id",
    "call.day",
    "email.account_id",
    "email.day",
    "meeting.account_id",
    "meeting.day",
)
_FAMILY = ("account.parent_id", *SALES)

# By the card and by scores, in the order in which they are made.
_SCORES = (
    Name("tier", "text", "A, B, C or D", missing="the account is not scored", known="after"),
    Name("score", "number", "the account's priority", "points", missing="the account is not scored", known="after"),
    Name("segment", "text", "Prioritize, Nurture, Monitor or Reduce"),
    Name("growth_potential", "text", "High, Medium or Low"),
    Name("growth_score", "number", "growth potential as a number", "points"),
    Name("likelihood", "number", "chance of a purchase within the horizon", "percent", WINNING),
    Name("expected_spend", "number", "money expected within the horizon", "money", SALES),
    Name("expected_spend_rank", "number", "where that stands in the book", "points", SALES),
    Name("open_deals", "number", "open opportunities that are not long overdue", "count", OUTCOMES),
    Name("best_deal_score", "number", "priority of the best open deal", "points",
        missing="there is no open deal that is not long overdue", known="after"),
)  # fmt: skip

# Facts, known from the records alone; conditions on opportunities may name them, too, as `account_…`.
ACCOUNT_FACTS = (
    Name("industry", "text", "the sector, as the CRM words it", reads=("account.industry",), missing="not filled in"),
    Name("type", "text", "customer, prospect …, as the CRM words it", reads=("account.type",), missing="not filled in"),
    Name("country", "text", "country of the main office, as the CRM words it", reads=("account.country",),
        missing="not filled in"),
    Name("territory", "text", "territory or region, as the CRM words it", reads=("account.territory",),
        missing="not filled in, or no field is mapped"),
    Name("employees", "number", "head count", "count", ("account.employees",), "not filled in"),
    Name("annual_revenue", "number", "the customer's own revenue", "money per year", ("account.annual_revenue",),
        "not filled in"),
    Name("company_growth", "number", "growth of the customer's own business per year", "percent",
        ("account.company_growth",), "not filled in, or no field is mapped"),
    Name("opted_out", "yes-or-no", "does not want to be sold to", reads=("account.opted_out",),
        missing="no, if not filled in"),
    Name("days_known", "number", "days since the account was created in the CRM", "days", ("account.created_at",),
        "the CRM does not tell"),
    # What was bought.
    Name("purchases", "number", "won opportunities so far", "count", OUTCOMES),
    Name("purchase_days", "number", "days on which something was bought", "count", OUTCOMES),
    Name("lost", "number", "lost opportunities so far", "count", OUTCOMES),
    Name("win_rate", "number", "won in percent of all that were won or lost", "percent", OUTCOMES,
        "none was won or lost yet"),
    Name("spend_total", "number", "money won so far", "money", SALES),
    Name("spend_last_year", "number", "money won in the last 365 days", "money", SALES),
    *(
        Name(f"spend_q{quarter}", "number", f"money won {91 * quarter} to {91 * quarter + 90} days ago", "money", SALES)
        for quarter in range(8)
    ),
    Name("spend_trend", "number", "how much spend rises per quarter, robustly, over the last eight quarters",
        "percent", SALES, "the account has been a customer for less than three quarters"),
    Name("season_change", "number", "spend of the last half-year ÷ the same half-year a year before, drawn towards 1",
        "times", SALES, "the account was no customer in that earlier half-year"),
    Name("first_purchase", "number", "money of the first day with a purchase", "money", SALES, _NO_PURCHASE),
    Name("usual_purchase", "number", "money of a usual purchase, drawn towards the book's mean", "money", SALES),
    Name("usual_gap", "number", "days between purchases, drawn towards the book's usual gap", "days", OUTCOMES,
        _NO_PURCHASE),
    Name("days_since_purchase", "number", "days since the last won opportunity closed", "days", OUTCOMES, _NO_PURCHASE),
    Name("days_a_customer", "number", "days since the first won opportunity closed", "days", OUTCOMES, _NO_PURCHASE),
    Name("quiet", "yes-or-no", "a customer who has not bought for longer than usual (see `alerts:`)", reads=OUTCOMES),
    Name("large", "yes-or-no", "among the fifth of customers that spent most", reads=SALES),
    Name("open_pipeline", "number", "money of all open opportunities", "money", SALES),
    # Contacts and requests.
    Name("days_since_activity", "number", "days since the last logged activity of any kind", "days",
        ("account.last_activity_date", "opportunity.last_activity_date"), "no activity is logged", also=_CONTACTS),
    Name("days_since_call", "number", "days since the last call", "days", ("call.account_id", "call.day"),
        "no call is logged"),
    Name("days_since_email", "number", "days since the last e-mail", "days", ("email.account_id", "email.day"),
        "no e-mail is logged"),
    Name("days_since_meeting", "number", "days since the last meeting", "days", ("meeting.account_id", "meeting.day"),
        "no meeting is logged"),
    Name("touches", "number", "calls, e-mails and meetings so far", "count", ("account.touches",),
        "the CRM keeps no count", also=_CONTACTS),
    Name("open_cases", "number", "open requests", "count", ("case.account_id", "case.is_closed")),
    Name("urgent_cases", "number", "open requests of a priority under `needs: urgent`, and no sign of need", "count",
        ("case.account_id", "case.is_closed", "case.priority", "case.type")),
    Name("need_cases", "number", "open requests of a kind under `needs: cases`", "count",
        ("case.account_id", "case.is_closed", "case.type")),
    # Promises.
    Name("promised", "number", "spend promised by the running growth plan", "money per year", _PLAN,
        "no plan is running"),
    Name("promised_rise", "number", "the running growth plan ÷ spend of the last year (at least a usual purchase)",
        "times", (*_PLAN, *SALES), "no plan is running"),
    Name("days_to_promise", "number", "days until the running growth plan should be reached", "days", _PLAN,
        "no plan is running, or it has no date"),
    Name("plans_due", "number", "growth plans that have fallen due", "count", _PLAN),
    Name("plans_kept", "number", "what was won of what these plans promised", "percent", (*_PLAN, *SALES),
        "no plan has fallen due"),
    # The whole family of companies.
    Name("group_size", "number", "accounts of its family of companies, itself included", "count",
        ("account.parent_id",)),
    Name("group_spend_last_year", "number", "money won from the family in the last 365 days", "money", _FAMILY),
    Name("group_pipeline", "number", "money of the family's open opportunities", "money", _FAMILY),
    # Its owner.
    *OWNER_NAMES,
    Name("in_territory", "yes-or-no", "the owner works the account's territory", reads=(
        "account.territory", "account.owner_id", "territory.territory", "territory.owner_id"),
        missing="the account has no territory, or the file of territories does not name it"),
)  # fmt: skip

ACCOUNT_NAMES = (*_SCORES, *ACCOUNT_FACTS)
