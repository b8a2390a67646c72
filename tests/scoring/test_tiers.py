"""Tiers by share of an owner's, a team's, a territory's or the company's book, and by fixed cut-offs."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from config.rules import Rules
from config.sections.tiers import Tiers
from scoring import extract, tag
from scoring.placing.cutoffs import Cutoffs, cutoffs, leaving

SHARES = {"A": 50, "B": 50, "C": 0, "a_at_least": 0, "dwell_days": 0}


@pytest.fixture
def reps(company):
    """Three reps with two deals each, ever later: two reps in the north, in one team, and one alone."""
    for place, (rep, team, territory) in enumerate([
        ("ann", "One", "North"), ("bob", "One", "North"), ("eve", "Two", "South"),
    ]):  # fmt: skip
        company.owners.append({"id": rep, "active": True, "team": team})
        company.account(f"of-{rep}", owner_id=rep, territory=territory)
        for number in (0, 1):
            company.open(
                f"{rep}-{number}", f"of-{rep}", closes_in=10 + 60 * place + 20 * number, owner_id=rep
            )
    return company


@pytest.mark.parametrize(
    ("by", "best"),
    [
        ("owner", {"ann-0", "bob-0", "eve-0"}),
        ("team", {"ann-0", "ann-1", "eve-0"}),
        ("territory", {"ann-0", "ann-1", "eve-0"}),
        ("company", {"ann-0", "ann-1", "bob-0"}),
    ],
)
def test_the_best_half_is_of_the_book_that_the_rules_name(reps, by, best):
    """`by:` says whose book the shares are of; a deal is in its account's territory."""
    reps.rules = Rules.model_validate({"tiers": {**SHARES, "by": by}})
    found = reps.tagged().opportunities.to_pylist()
    assert {row["id"] for row in found if row["foretag_tier"] == "A"} == best


def test_fixed_cut_offs_hold_for_everybody(reps, find):
    """A score above a cut-off has its tier, whatever the others have."""
    scores = {row["id"]: row["foretag_score"] for row in reps.tagged().opportunities.to_pylist()}
    cut_offs = {"A": scores["ann-0"], "B": scores["bob-0"], "C": scores["eve-0"]}
    reps.rules = Rules.model_validate({"tiers": {"cut_offs": cut_offs}})
    tiers = {row["id"]: row["foretag_tier"] for row in reps.tagged().opportunities.to_pylist()}
    assert [tiers[name] for name in ("ann-0", "ann-1", "bob-0", "bob-1", "eve-0", "eve-1")] == list("ABBCCD")


def test_a_tier_is_left_at_a_threshold_of_its_own():
    """Enter at one score, leave at another: `exit_margin` under it, or as the rules say."""
    tiers = Tiers.model_validate(
        {"cut_offs": {"A": {"enter": 80, "leave": 60}, "B": 50, "C": 30}, "exit_margin": 4}
    )
    found = cutoffs(np.zeros(101, dtype=np.int64), tiers)
    assert found == Cutoffs(80, 50, 30)
    assert leaving(found, tiers) == Cutoffs(60, 46, 26)
    assert leaving(Cutoffs(70, 40, 20), Tiers()) == Cutoffs(65, 35, 15)


def test_a_tag_falls_once_its_score_is_under_the_leaving_threshold(reps, find):
    """After the dwell, a point under `leave` is enough; without it the tag would have stayed for the exit margin."""
    before = find(reps.tagged().opportunities, "ann-0")["foretag_score"]
    begin = {"enter": before, "leave": before}
    reps.rules = Rules.model_validate(
        {"tiers": {"cut_offs": {"A": begin, "B": 20, "C": 10}, "dwell_days": 3}}
    )
    kept = reps.tagged().state
    reps.today += timedelta(days=3)
    reps.deals[0]["close_date"] += timedelta(days=7)
    found = find(reps.tagged(kept).opportunities, "ann-0")
    assert before - 5 < found["foretag_score"] < before
    assert found["foretag_tier"] == "B"


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ({"cut_offs": {"A": 50, "B": 60, "C": 10}}, "must begin above B"),
        ({"cut_offs": {"A": {"enter": 50, "leave": 51}, "B": 40, "C": 10}}, "must not be above enter"),
        ({"cut_offs": {"A": 50, "B": 40}}, "C"),
        ({"cut_offs": {"A": "high", "B": 40, "C": 10}}, "integer"),
        ({"by": "planet"}, "'owner', 'team', 'territory' or 'company'"),
    ],
)
def test_cut_offs_that_contradict_are_refused(tiers, message):
    """Each tier begins under the one above, and is left no higher than it is entered."""
    with pytest.raises(ValueError, match=message):
        Rules.model_validate({"tiers": tiers})


def test_an_owner_that_the_book_does_not_know_is_cut_as_everybody_is(reps, find):
    """An increment with a new owner uses the cut-offs of the whole company."""
    reps.rules = Rules.model_validate({"tiers": SHARES})
    book = reps.tagged().book
    reps.open("new", "of-ann", closes_in=1, owner_id="newcomer")
    features = extract(reps.tables(), book.horizon, reps.rules, reps.today)
    assert find(tag(features, book, None, reps.rules, reps.today).opportunities, "new")["foretag_tier"] == "A"
