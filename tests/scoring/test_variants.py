"""Teams and pipelines with rules of their own: each record is scored under its own, side by side with the others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.rules import Rules

LARGE_FIRST = {"weights": {"soon": 10, "profitable": 0, "much": 90}}


@pytest.fixture
def teams(company):
    """Two reps of two teams, with the same four deals each; and a deal of the renewals' pipeline."""
    company.owners = [
        {"id": "big", "active": True, "team": "Enterprise"},
        {"id": "small", "active": True, "team": "SMB"},
    ]
    for rep in ("big", "small"):
        company.account(f"of-{rep}", owner_id=rep)
        for number, (days, amount) in enumerate([(3, 10), (30, 500), (90, 4000), (150, 90_000)]):
            company.open(f"{rep}-{number}", f"of-{rep}", closes_in=days, amount=amount, owner_id=rep)
    company.open("again", "of-big", closes_in=150, amount=500, owner_id="big", pipeline="Renewals")
    return company


def scores(tagged):
    """The deals' scores by id."""
    return {row["id"]: row["foretag_score"] for row in tagged.opportunities.to_pylist()}


def test_a_team_has_its_own_weights(teams):
    """Only the deals of that team's owners change, and in the sense of its rules; its name's case does not matter."""
    before = scores(teams.tagged())
    teams.rules = Rules.model_validate({"teams": {"enterprise": {"priority": LARGE_FIRST}}})
    after = scores(teams.tagged())
    assert {name: after[name] for name in after if name.startswith("small")} == {
        name: before[name] for name in before if name.startswith("small")
    }
    assert before["big-0"] > before["big-3"]
    assert after["big-0"] < after["big-3"]


def test_a_variant_scores_as_if_its_rules_were_the_companys(teams):
    """What a team gets is what the whole company would get under these rules; a pipeline goes before a team."""
    whole = {"priority": LARGE_FIRST}
    teams.rules = Rules.model_validate(whole)
    everywhere = scores(teams.tagged())
    teams.rules = Rules.model_validate(
        {"teams": {"Enterprise": whole}, "pipelines": {"Renewals": {"needs": {"pain": 9}}}}
    )
    varied, usual = scores(teams.tagged()), scores(under_defaults(teams))
    assert {name: varied[name] for name in varied if name.startswith("big")} == {
        name: everywhere[name] for name in everywhere if name.startswith("big")
    }
    assert varied["again"] == usual["again"]


def under_defaults(company):
    """The company, scored by the defaults."""
    company.rules = Rules()
    return company.tagged()


def test_a_variant_may_have_boosts_exclusions_and_a_playbook(teams, find):
    """Each list takes the place of the company's, for that team alone."""
    boost = {"name": "key", "on": "opportunity", "when": "amount > 400", "points": 6, "because": "key deal"}
    teams.rules = Rules.model_validate({
        "teams": {
            "SMB": {
                "boosts": [boost],
                "exclude": [{"on": "opportunity", "when": "amount < 100", "because": "self-service"}],
                "playbook": [{"on": "opportunity", "say": "Send the offer."}],
                "tasks": [{"name": "all", "on": "opportunity", "when": "True", "subject": "Do", "assignee": "005boss"}],
            },
        },
        "tasks": [],
    })  # fmt: skip
    tagged = teams.tagged()
    assert "key deal +6" in find(tagged.opportunities, "small-1")["foretag_reason"]
    assert "key deal" not in find(tagged.opportunities, "big-1")["foretag_reason"]
    assert find(tagged.opportunities, "small-0")["foretag_reason"] == "Not scored: self-service"
    assert find(tagged.opportunities, "small-1")["foretag_next_step"] == "Send the offer."
    assert find(tagged.opportunities, "big-0")["foretag_score"] is not None
    assert find(tagged.opportunities, "big-1")["foretag_next_step"] != "Send the offer."
    assert {(task["id"], task["owner_id"]) for task in tagged.tasks.to_pylist()} <= {
        (f"small-{number}", "005boss") for number in (1, 2, 3)
    }
    assert tagged.tasks.num_rows > 0


def test_a_team_may_have_segments_and_growth_of_its_own(teams, find):
    """Cuts and levels are the team's."""
    teams.rules = Rules.model_validate(
        {
            "teams": {
                "SMB": {"segments": {"expected_spend": 0, "growth": 0}, "growth": {"high": 2, "medium": 1}}
            }
        }
    )
    accounts = teams.tagged().accounts
    assert find(accounts, "of-small")["foretag_segment"] == "Prioritize"
    assert find(accounts, "of-small")["foretag_growth_potential"] == "High"
    assert find(accounts, "of-big")["foretag_growth_potential"] != "High"


def test_a_team_with_tiers_of_its_own_is_ranked_among_itself(teams, find):
    """Its shares are of its own records; the others' cut-offs are as they were."""
    usual = teams.tagged()
    own = {"by": "company", "A": 100, "B": 0, "C": 0, "a_at_least": 0}
    teams.rules = Rules.model_validate({"teams": {"Enterprise": {"tiers": own}}})
    tagged = teams.tagged()
    assert {find(tagged.opportunities, f"big-{number}")["foretag_tier"] for number in range(4)} == {"A"}
    for number in range(4):
        name = f"small-{number}"
        assert find(tagged.opportunities, name) == find(usual.opportunities, name)


def test_a_change_of_one_teams_rules_is_no_cause_for_another(teams, find):
    """What changes by time under unchanged rules says "time", though another team's rules changed meanwhile."""
    now = {"dwell_days": 0, "exit_margin": 0, "cut_offs": {"A": 60, "B": 50, "C": 40}}
    rules = {"tiers": now, "teams": {"Enterprise": {"tiers": {"cut_offs": {"A": 60, "B": 50, "C": 40}}}}}
    teams.rules = Rules.model_validate(rules)
    kept = teams.tagged().state
    rules["teams"] = {"Enterprise": {"tiers": {"cut_offs": {"A": 3, "B": 2, "C": 1}}}}
    teams.rules = Rules.model_validate(rules)
    teams.today += timedelta(days=60)
    causes = {
        row["id"]: (row["changed"], row["cause"]) for row in teams.tagged(kept).opportunities.to_pylist()
    }
    assert (True, "time") in {causes[f"small-{number}"] for number in range(4)}
    assert {cause for name, (changed, cause) in causes.items() if name.startswith("big") and changed} == {
        "rules"
    }
    assert {cause for name, (changed, cause) in causes.items() if name.startswith("small") and changed} == {
        "time"
    }


def test_who_changes_the_team_changes_by_data(teams, find):
    """An account that moves to another team's rep comes under other rules by its data."""
    teams.rules = Rules.model_validate({
        "tiers": {"cut_offs": {"A": 100, "B": 99, "C": 98}, "dwell_days": 0},
        "teams": {"SMB": {"tiers": {"cut_offs": {"A": 3, "B": 2, "C": 1}}}},
    })  # fmt: skip
    kept = teams.tagged().state
    teams.owners[0]["team"] = "SMB"
    found = find(teams.tagged(kept).opportunities, "big-1")
    assert (found["foretag_tier"], found["changed"], found["cause"]) == ("A", True, "data")
