"""Tags over time: dwell and exit margin, the cause of each change, and a person's word."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from config.rules import Rules
from config.sections.tiers import Tiers
from scoring.placing.cutoffs import NEVER, Cutoffs, cutoffs

ANYBODY = {"a_at_least": 0}
BEST_ONLY = {**ANYBODY, "A": 10.0}


def spread(*scores):
    """How often each score from 0 to 100 occurs."""
    return np.bincount(scores, minlength=101)


def test_tiers_are_shares_of_the_owners_book():
    """A is the top 15 %, B the next 25 %, C the next 35 %, D the rest."""
    found = cutoffs(spread(*range(1, 101)), Tiers.model_validate(ANYBODY))
    assert found == Cutoffs(A=86, B=61, C=26)


def test_an_a_needs_its_lowest_score():
    """Nobody is an A below 60, however weak the book."""
    assert cutoffs(spread(*range(1, 41)), Tiers()).A == 60


def test_the_best_of_a_small_book_is_in_the_top_share():
    """In a book of three, the best one is an A; in a large tie, all are in or out together."""
    assert cutoffs(spread(90, 50, 40), Tiers()).A == 90
    assert cutoffs(spread(*[80] * 10), Tiers()).A == NEVER or cutoffs(spread(*[80] * 10), Tiers()).A > 80


@pytest.fixture
def pipeline(company):
    """Ten deals of one owner; `lead` is the best and an A."""
    company.rules = Rules.model_validate({"tiers": BEST_ONLY})
    company.account("acme")
    for number in range(9):
        company.open(f"deal-{number}", "acme", closes_in=30 + 5 * number, amount=1000)
    company.open("lead", "acme", closes_in=5, amount=1000)
    return company


def drop(company, name, closes_in):
    """Let a deal's close date slip."""
    (found,) = [deal for deal in company.deals if deal["id"] == name]
    found["close_date"] = company.day(-closes_in)


def test_a_tag_rises_at_once(pipeline, find):
    """Upward moves act at once, with the cause in the data."""
    kept = pipeline.tagged().state
    drop(pipeline, "deal-8", 1)
    found = find(pipeline.tagged(kept).opportunities, "deal-8")
    assert (found["foretag_tier"], found["cause"], found["changed"]) == ("A", "data", True)


def test_a_tag_falls_only_after_its_dwell(pipeline, find):
    """A fall waits until the tier is a week old, says so meanwhile, and then happens."""
    kept = pipeline.tagged().state
    drop(pipeline, "lead", 300)
    held = find(pipeline.tagged(kept).opportunities, "lead")
    assert (held["foretag_tier"], held["changed"]) == ("A", False)
    assert held["foretag_reason"].endswith("tier held for now · margin not known")
    pipeline.today += timedelta(days=7)
    fallen = find(pipeline.tagged(kept).opportunities, "lead")
    assert (fallen["foretag_tier"], fallen["cause"]) == ("D", "data")


def test_a_tag_does_not_fall_within_the_exit_margin(pipeline, find):
    """A score a few points under the cut-off keeps its tier, also after the dwell."""
    kept = pipeline.tagged().state
    pipeline.today += timedelta(days=30)
    for deal in pipeline.deals:
        deal["close_date"] += timedelta(days=30)
        deal["created_at"] += timedelta(days=30)
    drop(pipeline, "deal-0", 4)
    drop(pipeline, "lead", 8)
    tags = pipeline.tagged(kept).opportunities
    assert find(tags, "lead")["foretag_score"] < find(tags, "deal-0")["foretag_score"]
    assert find(tags, "lead")["foretag_tier"] == "A"
    strict = Rules.model_validate({"tiers": {**BEST_ONLY, "exit_margin": 0}})
    pipeline.rules = strict
    assert find(pipeline.tagged(kept).opportunities, "lead")["foretag_tier"] == "B"


def test_causes_are_new_data_time_and_rules(pipeline, find):
    """Each change of tier names its cause, which stays until the next change."""
    first = pipeline.tagged()
    assert set(first.opportunities["cause"].to_pylist()) == {"new"}
    pipeline.today += timedelta(days=120)
    later = pipeline.tagged(first.state)
    changed = [found for found in later.opportunities.to_pylist() if found["changed"]]
    assert {found["cause"] for found in changed} == {"time"}
    pipeline.rules = Rules.model_validate(
        {"tiers": {**ANYBODY, "A": 0.0, "B": 100.0, "C": 0.0, "dwell_days": 0}}
    )
    ruled = pipeline.tagged(later.state)
    changed = [found for found in ruled.opportunities.to_pylist() if found["changed"]]
    assert changed
    assert {found["cause"] for found in changed} == {"rules"}
    again = pipeline.tagged(ruled.state)
    assert again.opportunities["cause"].equals(ruled.opportunities["cause"])


def test_override_pins_the_tier_and_is_told(company, find):
    """A person's word pins the tier until its date; the score stays, and the reason tells who and until when."""
    company.crowd(5)
    company.accounts[0] |= {
        "foretag_override": "A",
        "foretag_override_until": date(2027, 3, 14),
        "foretag_override_reason": "Board knows\nthem",
    }
    free = find(company.tagged().accounts, "crowd-001")
    found = find(company.tagged().accounts, "crowd-000")
    assert found["foretag_reason"].startswith(
        "Set to A by a person until 14 Mar 2027: Board knows them · score "
    )
    assert (found["foretag_tier"], found["overridden"], found["leave"]) == ("A", True, False)
    assert found["foretag_score"] is not None
    assert free["overridden"] is False


def test_override_without_a_date_holds_ninety_days_from_first_seen(company, find):
    """Without a date an override ends 90 days after it was first seen, with 14 days' notice."""
    company.crowd(5)
    company.accounts[0]["foretag_override"] = "A"
    kept, told = None, {}
    for days in (0, 60, 80, 90, 91):
        company.today = date(2026, 11, 22) + timedelta(days=days)
        tagged = company.tagged(kept)
        kept, told[days] = tagged.state, find(tagged.accounts, "crowd-000")
    assert [found["overridden"] for found in told.values()] == [True, True, True, True, False]
    assert "until 20 Feb 2027" in told[60]["foretag_reason"]
    assert told[60]["foretag_alert"] is None or "override" not in told[60]["foretag_alert"]
    assert "by a person; ends 20 Feb 2027" in told[80]["foretag_reason"]
    assert "override ends 20 Feb 2027" in told[80]["foretag_alert"]
    assert "by a person" not in told[91]["foretag_reason"]


def test_leave_alone_marks_the_record_and_stops_its_tasks(company, find):
    """`Leave alone` marks the record, and neither it nor its deals get tasks."""
    company.rules = Rules.model_validate(
        {
            "segments": {"expected_spend": 0, "growth": 0},
            "tasks": [
                {
                    "name": "always",
                    "on": "opportunity",
                    "when": "score >= 0",
                    "subject": "Look at {opportunity}",
                }
            ],
        }
    )
    for name in ("left", "other"):
        company.account(name)
        company.open(f"{name}-deal", name)
    company.accounts[0]["foretag_override"] = "Leave alone"
    tagged = company.tagged()
    assert find(tagged.accounts, "left")["leave"] is True
    assert tagged.tasks["id"].to_pylist() == ["other-deal"]


def test_unknown_override_is_ignored(company, find):
    """A word that is none of ours pins nothing."""
    company.account("a", foretag_override="Z")
    assert find(company.tagged().accounts, "a")["overridden"] is False
