"""How soon deals of an age close, cases that show a need or come before selling, boosts, margins of line items."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from config.rules import Rules
from scoring import explain
from scoring.winning.pace import bands_of


def deal_of(company, name, age, closes_in=-200):
    """An open deal of an age, with a close date that has passed."""
    company.open(name, "acme", closes_in=closes_in)
    company.deals[-1]["created_at"] -= timedelta(days=age - 20)


def items(tagged, name):
    """The points of each item of a deal's priority."""
    return {
        row["item"]: row["points"]
        for row in explain(tagged, name).to_pylist()
        if row["dimension"] == "priority"
    }


def closed_after(company, days, number=40):
    """Closed deals that each took so many days, spread over the last year."""
    for place in range(number):
        account = company.account(f"past-{len(company.accounts)}")
        company.won(account, 40 + 8 * place)
        company.deals[-1]["created_at"] -= timedelta(days=days - 60)


def test_deals_of_the_age_at_which_others_closed_come_first(company, find):
    """Where close dates are worthless, the age tells: deals here close after 75 to 85 days, or not at all."""
    company.account("acme")
    for days in (75, 80, 85):
        closed_after(company, days)
    for name, age in (("young", 10), ("due", 65), ("past", 300)):
        deal_of(company, name, age)
    tagged = company.tagged()
    pace = dict(zip(tagged.opportunities["id"].to_pylist(), tagged.scored.deals.pace.tolist(), strict=True))
    assert pace["due"] > 70
    assert pace["young"] < 10
    assert pace["due"] > pace["past"]
    assert items(tagged, "due")["pace"] > items(tagged, "past").get("pace", 0)
    assert (
        " · deals this old close soon (since 18 Sep) +" in find(tagged.opportunities, "due")["foretag_reason"]
    )
    company.rules = Rules.model_validate({"priority": {"pace": {0: 15, 100: 100}}})
    young = find(company.tagged().opportunities, "young")
    assert " · few deals this old close soon (since 12 Nov) +" in young["foretag_reason"]


def test_honest_close_dates_speak_for_themselves(company):
    """Where no close date has passed, the pace takes nothing from the date; where half have, its full share."""
    company.account("acme")
    closed_after(company, 80)
    for number in range(30):
        deal_of(company, f"deal-{number}", 65, closes_in=20)
    assert items(company.tagged(), "deal-0").get("pace", 0) == 0
    for deal in company.deals[-25:]:
        deal["close_date"] = company.day(40)
    parts = items(company.tagged(), "deal-0")
    assert parts["pace"] > 0
    company.rules = Rules.model_validate({"priority": {"pace_share": 0}})
    without = items(company.tagged(), "deal-0")
    assert without.get("pace", 0) == 0
    assert without["close_date"] > parts["close_date"]


def test_a_kind_of_deal_has_its_own_pace(company):
    """Renewals close at another age than new business: each pipeline and type is compared with its own."""
    company.account("acme")
    for kind, days in (("Renewal", 25), ("New", 200)):
        first = len(company.deals)
        closed_after(company, days)
        for deal in company.deals[first:]:
            deal["type"] = kind
        company.open(kind, "acme", type=kind)
    tagged = company.tagged()
    pace = dict(zip(tagged.opportunities["id"].to_pylist(), tagged.scored.deals.pace.tolist(), strict=True))
    assert pace["Renewal"] > 50
    assert pace["New"] < 30


def test_a_deal_of_unknown_age_has_no_pace_and_teaches_none(company):
    """A deal without a creation date is of no known age, whether it is open or closed."""
    company.account("acme")
    closed_after(company, 80)
    before = company.tagged().book.history.pace
    closed_after(company, 10)
    for deal in company.deals[-40:]:
        deal["created_at"] = None
    company.open("deal", "acme")
    company.deals[-1]["created_at"] = None
    tagged = company.tagged()
    assert tagged.book.history.pace == before
    assert np.isnan(tagged.scored.deals.pace).all()


def test_without_closed_deals_there_is_no_pace(company):
    """A book that has hardly closed a deal knows no pace: the date has its whole share."""
    company.account("acme")
    deal_of(company, "deal", 65)
    tagged = company.tagged()
    assert np.isnan(tagged.scored.deals.pace).all()
    assert "pace" not in items(tagged, "deal")


def test_bands_follow_the_data():
    """Few closed deals give few bands, many give many; each begins later than the one before."""
    few, many = bands_of(np.full(200, 1), 200), bands_of(np.full(1000, 50), 50_000)
    assert len(few) <= 6 < len(many) <= 41
    assert many == sorted(set(many))


@pytest.mark.parametrize("kind", ["Capacity", " capacity "])
def test_a_case_of_a_listed_kind_raises_the_deals_of_its_account(company, find, kind):
    """A request that shows a need adds its points to the account's open deals; it holds nothing back."""
    company.rules = Rules.model_validate({"needs": {"cases": ["Capacity"]}})
    for name in ("acme", "other"):
        company.account(name)
        company.open(f"{name}-deal", name)
    company.add("case", account_id="acme", type=kind, priority="High", is_closed=False)
    company.add("case", account_id="other", type=kind, priority="High", is_closed=True)
    tags = company.tagged()
    assert items(tags, "acme-deal")["need_case"] == 8
    reason = find(tags.opportunities, "acme-deal")["foretag_reason"]
    assert "open case shows a need +8" in reason
    assert "help first" not in reason
    assert "need_case" not in items(tags, "other-deal")


def test_an_urgent_case_comes_before_selling(company, find):
    """Another urgent request does not raise: it holds the selling tasks of deal and account back, and says so."""
    company.crowd(6)
    company.rules = Rules.model_validate({
        "tasks": [
            {"name": "sell", "on": "opportunity", "when": "True", "subject": "Sell"},
            {"name": "visit", "on": "account", "when": "score >= 0", "subject": "Visit"},
            {"name": "help", "on": "account", "when": "score >= 0", "subject": "Help", "selling": False},
        ],
        "segments": {"expected_spend": 0, "growth": 0},
    })  # fmt: skip
    for name in ("crowd-000", "crowd-001"):
        company.open(f"{name}-deal", name)
    before = company.tagged()
    company.add("case", account_id="crowd-000", type="Outage", priority="high", is_closed=False)
    company.add("case", account_id="crowd-001", type="Question", priority="Low", is_closed=False)
    tagged = company.tagged()
    for table, name in (("opportunities", "crowd-000-deal"), ("accounts", "crowd-000")):
        found = find(getattr(tagged, table), name)
        assert "Open urgent case: help first" in found["foretag_reason"]
        assert found["foretag_score"] == find(getattr(before, table), name)["foretag_score"]
    tasks = {(task["rule"], task["account_id"]) for task in tagged.tasks.to_pylist()}
    assert {("help", "crowd-000"), ("sell", "crowd-001"), ("visit", "crowd-001")} <= tasks
    assert not {("sell", "crowd-000"), ("visit", "crowd-000")} & tasks
    assert {("sell", "crowd-000"), ("visit", "crowd-000")} <= {
        (task["rule"], task["account_id"]) for task in before.tasks.to_pylist()
    }


@pytest.mark.parametrize(("points", "score", "limit"), [(100, 100, "100 at most"), (-100, 0, "0 at least")])
def test_a_boost_moves_a_deal_and_scores_stay_within_bounds(company, find, points, score, limit):
    """A boost is an item with its reason; an item of its own keeps the score within 0 to 100, both ways."""
    company.rules = Rules.model_validate({
        "boosts": [
            {"name": "renewal", "on": "opportunity", "when": 'type == "Renewal" and chance < 80',
             "points": points, "because": "a renewal"},
        ]
    })  # fmt: skip
    company.account("acme")
    company.open("boosted", "acme", type="Renewal", margin=30.0)
    company.open("other", "acme", type="New", margin=30.0)
    tagged = company.tagged()
    found, parts = find(tagged.opportunities, "boosted"), items(tagged, "boosted")
    assert found["foretag_score"] == score == sum(parts.values())
    assert parts["boost:renewal"] == points
    assert parts["limit"] == score - sum(part for item, part in parts.items() if item != "limit")
    assert f"a renewal {points:+d}" in found["foretag_reason"]
    assert limit in found["foretag_reason"]
    assert "boost:renewal" not in {item for item, part in items(tagged, "other").items() if part}


def test_line_items_give_the_margin_where_the_field_does_not(company, find):
    """The margin falls back from the field to the line items' cost, and then to the product table."""
    company.rules = Rules.model_validate(
        {"products": {"Drill": {"margin": 55.0}}, "show": {"margin": "value"}, "tiers": {"min_margin": 20.0}}
    )
    company.account("acme")
    for name, columns in (("field", {"margin": 10.0}), ("items", {}), ("table", {})):
        company.open(name, "acme", product="Drill", **columns)
        if name != "table":
            company.add(
                "line_item", account_id="acme", opportunity_id=name, product="Drill", amount=1000, cost=850
            )
    tags = company.tagged().opportunities
    for name, margin in (("field", 10), ("items", 15), ("table", 55)):
        assert f"margin {margin} %" in find(tags, name)["foretag_reason"]
    assert find(tags, "items")["foretag_tier"] != "A"


def test_an_earlier_close_date_never_lowers_a_score(company):
    """From half a year ahead to today, day by day: the nearer the date, the higher the score, whatever the pace."""
    company.account("acme")
    closed_after(company, 80)
    for days in range(180, -1, -6):
        company.open(f"deal-{180 - days:03d}", "acme", closes_in=days, margin=30.0)
    scores = company.tagged().opportunities.sort_by("id")["foretag_score"].to_pylist()
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]
