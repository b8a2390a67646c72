"""Wanted tasks and conditions: who should do what by when, and which records a condition picks."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from config.rules import Rules
from scoring.conditions.expressions import holds
from scoring.saying.tasks import period

INPUTS = {
    "days_to_close": pa.array([5.0, 40.0, None]),
    "amount": pa.array([100.0, 0.0, 900.0]),
    "stage": pa.array(["Negotiation", None, "Proposal"]),
    "pain": pa.array([True, False, True]),
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("days_to_close <= 30", [True, False, False]),
        ("not days_to_close <= 30", [False, True, False]),
        ("days_to_close > 3 or pain", [True, True, True]),
        ("0 <= days_to_close < 40 and pain", [True, False, False]),
        ('stage in ["Negotiation", "Proposal"]', [True, False, True]),
        ('stage not in ["Negotiation"]', [False, False, True]),
        ('stage != "Proposal"', [True, False, False]),
        ("amount / amount == 1", [True, False, True]),
        ("amount * 2 - -100 >= 300", [True, False, True]),
        ("pain == False", [False, True, False]),
        ("True", [True, True, True]),
        ("1 > 2", [False, False, False]),
    ],
)
def test_conditions_pick_records_and_unknown_never_holds(condition, expected):
    """A condition holds where it is true; what is unknown makes it neither true nor, denied, true."""
    assert holds(condition, "opportunity", INPUTS, 3).tolist() == expected


def test_task_says_who_what_and_by_when(company):
    """A hot deal that closes soon becomes a task for its owner, filled in from the record."""
    company.account("acme", name="Acme\n Ltd")
    company.open("big", "acme", closes_in=5, amount=9000, probability=90.0, margin=60.0, name="Renewal")
    (task,) = company.tagged().tasks.to_pylist()
    assert task["subject"] == "Closes 27 Nov: Renewal"
    assert task["description"].startswith("A ")
    assert task["description"].endswith("Agree the date; ask what stands in the way.")
    assert (task["rule"], task["owner_id"], task["account_id"]) == ("close-soon", "rep", "acme")
    assert (task["due"], task["priority"], task["period"]) == (date(2026, 11, 24), "high", "2026-11")


def test_deal_without_owner_gives_its_task_to_the_accounts(company):
    """The deal's owner, else the account's."""
    company.account("acme", owner_id="account-rep")
    company.open("big", "acme", closes_in=5, amount=9000, probability=90.0, margin=60.0, owner_id=None)
    assert company.tagged().tasks["owner_id"].to_pylist() == ["account-rep"]


def test_reduce_accounts_get_no_tasks(company):
    """A rule that would hold for every account passes those in Reduce by."""
    company.rules = Rules.model_validate(
        {
            "segments": {"expected_spend": 100.0, "growth": 100.0},
            "tasks": [{"name": "all", "on": "account", "when": "True", "subject": "Hello {account}"}],
        }
    )
    company.crowd(3)
    assert company.tagged().tasks.num_rows == 0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("day", "2027-01-01"),
        ("week", "2026-W53"),
        ("month", "2027-01"),
        ("quarter", "2027-Q1"),
        ("once", "once"),
    ],
)
def test_period_is_the_calendars(kind, expected):
    """The period of a task is a day, ISO week, month or quarter of the org's calendar, or once."""
    assert period(kind, date(2027, 1, 1)) == expected


def test_playbook_takes_the_first_sentence_that_holds(company, find):
    """The first line of the playbook whose condition holds is the next step; none gives none."""
    company.rules = Rules.model_validate(
        {
            "playbook": [
                {"on": "opportunity", "when": "amount > 500", "say": "First"},
                {"on": "opportunity", "when": "amount > 100", "say": "Second"},
            ]
        }
    )
    company.account("acme")
    for name, amount in (("large", 900), ("middle", 200), ("small", 50)):
        company.open(name, "acme", amount=amount)
    tags = company.tagged().opportunities
    assert [find(tags, name)["foretag_next_step"] for name in ("large", "middle", "small")] == [
        "First",
        "Second",
        None,
    ]


@pytest.mark.parametrize(
    ("assignee", "who"),
    [("owner", "rep"), ("account_owner", "manager"), ("0051234567890ab", "0051234567890ab")],
)
def test_a_task_goes_to_whom_the_rules_name(company, assignee, who):
    """The deal's owner, its account's owner, or one person."""
    company.rules = Rules.model_validate(
        {
            "tasks": [
                {"name": "look", "on": "opportunity", "when": "True", "subject": "Look", "assignee": assignee}
            ]
        }
    )
    company.account("acme", owner_id="manager")
    company.open("deal", "acme", closes_in=3)
    assert company.tagged().tasks["owner_id"].to_pylist() == [who]
