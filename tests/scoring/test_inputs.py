"""Inputs of conditions: every one that the vocabulary names exists, and means what it says."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from config.language.vocabulary import NAMES
from config.rules import Rules
from scoring import Book, extract
from scoring.arithmetic.counts import merge
from scoring.book import measure, with_measures
from scoring.conditions.facts import Inputs, account_facts, deal_facts
from scoring.conditions.inputs import account_inputs, deal_inputs

KINDS = {"number": pa.float64(), "text": pa.string(), "yes-or-no": pa.bool_()}


def inputs_of(company):
    """The inputs of all accounts and of all deals, with no tier given."""
    tagged = company.tagged()
    found, book = tagged.scored, tagged.book
    tiers = [np.full(table.num_rows, -1) for table in (found.features.accounts, found.features.deals)]
    return {
        "account": account_inputs(found, tiers[0], book, company.rules, company.today),
        "opportunity": deal_inputs(found, tiers[1], book, company.rules, company.today),
    }


def known(company, object_name, record):
    """What is known of one record before any score."""
    part = extract(company.tables(), 90, company.rules, company.today)
    book = with_measures(Book(horizon=90, cycle=90), merge([measure(part)]))
    make, table = {"account": (account_facts, part.accounts), "opportunity": (deal_facts, part.deals)}[
        object_name
    ]
    row = table["id"].to_pylist().index(record)
    found = Inputs(make(part, book, company.rules, company.today))
    return {name: column[row].as_py() for name, column in found.items()}


def facts(company, account):
    """All facts about one account."""
    return known(company, "account", account)


def deal_facts_of(company, deal):
    """All facts about one deal."""
    return known(company, "opportunity", deal)


def test_every_name_of_the_vocabulary_has_a_column_of_its_kind(company):
    """A condition that passes the check can be computed: each name is there, as a number, text, or yes or no."""
    company.open("deal", company.account("account"))
    for object_name, found in inputs_of(company).items():
        assert set(found) == set(NAMES[object_name])
        for name, column in found.items():
            assert column.type == KINDS[NAMES[object_name][name].kind], name


def test_the_last_contact_of_each_kind_counts_and_none_that_lies_ahead(company):
    """Calls, e-mails and meetings each tell their last day; together they are the touches."""
    company.account("acme", last_activity_date=company.day(40))
    company.open("deal", "acme")
    for kind, ago in [("call", 9), ("call", 4), ("email", 30), ("meeting", -3), ("meeting", 70)]:
        company.add(
            kind, account_id="acme", opportunity_id="deal" if ago == 9 else None, day=company.day(ago)
        )
    found = facts(company, "acme")
    seen = {name: found[f"days_since_{name}"] for name in ("call", "email", "meeting", "activity")}
    assert seen == {"call": 4, "email": 30, "meeting": 70, "activity": 4}
    assert found["touches"] == 4
    deal = deal_facts_of(company, "deal")
    assert (deal["touches"], deal["days_idle"], deal["idle_share"]) == (1, 9, 45)


def test_where_contacts_are_read_none_is_none_else_unknown(company):
    """No call of an account is a fact only if calls were read; a count that the CRM keeps goes before."""
    company.account("acme")
    company.account("kept", touches=12)
    assert facts(company, "acme")["touches"] is None
    company.add("call", account_id="kept", day=company.day(3))
    assert (facts(company, "acme")["touches"], facts(company, "kept")["touches"]) == (0, 12)


def test_requests_are_signs_of_need_or_come_first(company):
    """Under `needs:` some kinds of requests speak for a deal; of others the urgent ones speak against selling now."""
    company.rules = Rules.model_validate({"needs": {"cases": ["Capacity"], "urgent": ["P1"]}})
    company.account("acme")
    company.open("deal", "acme")
    for kind, priority, closed in [
        ("capacity ", "P1", False), ("Outage", " p1", False), ("Outage", "P1", True), ("Outage", "P3", None),
        (None, None, None),
    ]:  # fmt: skip
        company.add("case", account_id="acme", type=kind, priority=priority, is_closed=closed)
    found = facts(company, "acme")
    assert [found[name] for name in ("open_cases", "need_cases", "urgent_cases")] == [4, 1, 1]
    deal = deal_facts_of(company, "deal")
    assert (deal["need_case"], deal["urgent_case"]) == (True, True)


def test_plans_that_fell_due_are_compared_with_what_was_won_until_then(company):
    """Each counts what was won in the year before its day, at most what was promised; later spend is not its."""
    company.account("acme")
    company.won("acme", 400, 600)
    company.won("acme", 100, 5000)
    company.won("acme", 20, 900)
    company.add("commitment", account_id="acme", amount=1000, by=company.day(380))
    company.add("commitment", account_id="acme", amount=2000, by=company.day(50))
    found = facts(company, "acme")
    assert (found["plans_due"], found["promised"]) == (2, None)
    assert found["plans_kept"] == pytest.approx(100 * (600 + 2000) / 3000)


def test_of_several_running_plans_the_crms_own_counts_then_the_last_made(company):
    """What reps filled in goes before a file; of a file's plans the newest."""
    for name in ("filled", "listed"):
        company.account(
            name,
            foretag_growth_plan=700 if name == "filled" else None,
            foretag_growth_plan_by=company.day(-90) if name == "filled" else None,
        )
        company.add("commitment", account_id=name, amount=100, by=company.day(-200), made_on=company.day(10))
        company.add("commitment", account_id=name, amount=900, by=company.day(-100), made_on=company.day(300))
    assert [facts(company, name)["promised"] for name in ("filled", "listed")] == [700, 100]
    assert facts(company, "listed")["days_to_promise"] == 200


@pytest.mark.parametrize(
    ("costs", "margin"),
    [([300, 100], 60), ([300, None], 50), ([None, 100], None), ([None, None], None), ([900, 900], -80)],
)
def test_margin_from_line_items_needs_the_cost_of_most(company, costs, margin):
    """600 with and 400 without a known cost tell enough; 400 of 1,000 do not. Nothing is above 100 percent."""
    company.account("acme")
    company.open("deal", "acme")
    for amount, cost in zip((600, 400), costs, strict=True):
        given = {} if cost is None else {"cost": cost}
        company.add("line_item", opportunity_id="deal", amount=amount, product=f"p{amount}", **given)
    found = deal_facts_of(company, "deal")
    assert (found["items_margin"], found["product"]) == (margin, "p600")


def test_an_owner_is_measured_by_all_that_the_owner_has(company):
    """Accounts and deals over the whole book, the pipeline by each stage's chance, quota of the shortest period."""
    for number in range(6):
        company.account(f"a{number}", territory="North ", owner_id="ann" if number else "bob")
    company.open("d1", "a1", amount=1000, probability=20.0, owner_id="ann")
    company.open("d2", "a2", amount=500, probability=None, stage=None, owner_id="ann")
    for amount, start, end in [(900, 300, -65), (100, 20, -10), (50, 200, 100)]:
        company.add("quota", owner_id="ann", amount=amount, start=company.day(start), end=company.day(end))
    company.add("capacity", owner_id="ann", accounts=4)
    company.add("territory", territory="north", owner_id="ann")
    found = facts(company, "a1")
    names = (
        "owner_accounts",
        "owner_open_deals",
        "owner_pipeline",
        "owner_quota",
        "owner_load",
        "in_territory",
    )
    assert [found[name] for name in names] == [5, 2, 200 + 0.3 * 500, 100, 125, True]
    other = facts(company, "a0")
    assert [other[name] for name in names] == [1, 0, 0, None, None, False]


def quarters_of(company, *amounts):
    """A customer with one purchase a quarter, the latest amount first, after a first one long ago."""
    name = company.account(f"account-{len(company.accounts)}")
    company.won(name, 91 * len(amounts) + 5, 500)
    for place, amount in enumerate(amounts):
        if amount:
            company.won(name, 91 * place + 40, amount)
    return name


def test_the_trend_follows_steady_growth_and_no_single_order(company):
    """Steady spend has no trend, growth has one, and one order of ten times the size does not make one."""
    steady, growing, falling, peak, new = (
        quarters_of(company, *amounts)
        for amounts in (
            [100] * 8, range(800, 0, -100), range(100, 900, 100), [100] * 3 + [1000] + [100] * 4, [900, 100],
        )
    )  # fmt: skip
    trends = [facts(company, name)["spend_trend"] for name in (steady, growing, falling, peak, new)]
    assert (trends[0], trends[3], trends[4]) == (0, 0, None)
    assert trends[1] == -trends[2] == pytest.approx(100 * 100 / 450 * 8 / 10)


def test_a_trend_of_few_purchases_is_drawn_towards_none(company):
    """Of three quarters with a purchase each, three fifths of the slope are believed."""
    assert facts(company, quarters_of(company, 300, 200, 100))["spend_trend"] == pytest.approx(50 * 3 / 5)


def test_what_a_deal_knows_of_its_account(company):
    """Facts about an account are there for its deals, too; a deal without one knows none of them."""
    company.account("acme", industry="Energy", employees=70)
    company.won("acme", 100, 300)
    company.open("deal", "acme")
    company.open("stray", None)
    found, stray = deal_facts_of(company, "deal"), deal_facts_of(company, "stray")
    names = ("account_industry", "account_employees", "account_spend_total", "account_open_cases")
    assert [found[name] for name in names] == ["Energy", 70, 300, 0]
    assert [stray[name] for name in names] == [None] * 4


def test_an_empty_owner_is_none(company):
    """Deals of nobody are counted together, whether the CRM leaves their owner out or empty."""
    company.open("one", company.account("acme"), owner_id=None)
    company.open("other", "acme", owner_id="")
    assert [deal_facts_of(company, deal)["owner_open_deals"] for deal in ("one", "other")] == [2, 2]
