"""`playbook:` and `tasks:` of the rules file: what a rep should do next."""

from __future__ import annotations

import string
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from config.files.documents import did_you_mean
from config.language.expressions import checked
from config.language.vocabulary import TEMPLATE_NAMES
from config.problems import Fault, Faulty
from config.sections.strict import Days, Scored, Strict


class Step(Strict):
    """One sentence of the playbook; the first that holds is the suggested next step."""

    on: Scored
    when: str = "True"
    say: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        description="the suggested next step, as reps read it"
    )

    @field_validator("when")
    @classmethod
    def _condition(cls, value: str, info: ValidationInfo) -> str:
        return checked(value, info)


class TaskRule(Strict):
    """When a rep should get a task, and what it says."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")] = Field(
        description="small letters, digits and -, as in close-soon; keeps a task from being made twice"
    )
    on: Scored
    when: str
    subject: Annotated[str, Field(min_length=1, max_length=120)]
    description: Annotated[str, Field(max_length=2000)] = ""
    due_days: Days = Field(default=3, description="days from today until it is due")
    priority: Literal["high", "normal"] = Field(default="normal", description="how urgent the task is")
    assignee: Annotated[str, Field(pattern=r"^(owner|account_owner|[A-Za-z0-9]{1,40})$")] = Field(
        default="owner", description="owner (of the record), account_owner, or the id of a user of the CRM"
    )
    period: Literal["day", "week", "month", "quarter", "once"] = Field(
        default="month", description="at most one such task per record in this time"
    )
    selling: bool = Field(
        default=True, description="held back while the account has an open urgent case (see `needs: urgent`)"
    )

    @field_validator("when")
    @classmethod
    def _condition(cls, value: str, info: ValidationInfo) -> str:
        return checked(value, info)

    @field_validator("subject", "description")
    @classmethod
    def _template(cls, value: str, info: ValidationInfo) -> str:
        known = TEMPLATE_NAMES.get(info.data.get("on", ""), ())
        try:
            pieces = list(string.Formatter().parse(value))
        except ValueError as error:
            raise ValueError(f"is not a template: {error}; write {{{{ for a brace") from None
        faults = [
            _unknown(value, name, known)
            for _, name, spec, conversion in pieces
            if name is not None and known and (name not in known or spec or conversion)
        ]
        if faults:
            raise Faulty(*faults)
        return value


def _unknown(template: str, name: str, known: tuple[str, ...]) -> Fault:
    start = template.find(f"{{{name}")
    end = template.find("}", start) + 1
    return Fault(f'unknown name "{{{name}}}"', did_you_mean(name, list(known)), start=start, end=end)


PLAYBOOK = (
    Step(
        on="opportunity",
        when="urgent_case",
        say="Help with the open urgent case first; then agree the next step.",
    ),
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
        # A stage of 80 % and more is one of negotiation in both CRMs' standard pipelines, whatever it is called.
        when='(probability >= 80 or stage in ["Negotiation", "Negotiation/Review", "Contract Sent"])'
        " and days_idle > 21",
        say="Concede the small point, close.",
    ),
    Step(on="opportunity", when="days_to_close <= 30", say="Agree the date; ask what stands in the way."),
    Step(
        on="opportunity",
        when="days_idle > 60",
        say="Call: nothing has moved for a while. Is the need still there?",
    ),
    Step(on="opportunity", say="Agree the next step and its date with the customer."),
    Step(on="account", when="urgent_cases > 0", say="Help with the open urgent case first; sell later."),
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
