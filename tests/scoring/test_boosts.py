"""Boosts and penalties: named items with words of their own, within 0 to 100."""

from __future__ import annotations

import pytest

from config.rules import Rules
from scoring import explain

RENEWAL = {
    "name": "renewal",
    "on": "opportunity",
    "when": 'type == "Renewal"',
    "points": 8,
    "because": "renewal",
}


def boost(**changes):
    """A boost of accounts in retail."""
    return {
        "name": "retail",
        "on": "account",
        "when": 'industry == "Retail"',
        "points": 7,
        "because": "key industry",
    } | changes


def test_a_boost_raises_a_deal_and_says_why(company, find):
    """The deal gains the points; the reason and `explain` name them."""
    company.account("acme")
    company.open("plain", "acme", closes_in=60)
    company.open("again", "acme", closes_in=60, type="Renewal")
    before = find(company.tagged().opportunities, "again")["foretag_score"]
    company.rules = Rules.model_validate({"boosts": [RENEWAL]})
    tagged = company.tagged()
    found = find(tagged.opportunities, "again")
    assert found["foretag_score"] == before + 8
    assert " · renewal +8" in found["foretag_reason"]
    assert find(tagged.opportunities, "plain")["foretag_score"] == before
    (line,) = [line for line in explain(tagged, "again").to_pylist() if line["item"] == "boost:renewal"]
    assert (line["points"], line["dimension"]) == (8, "priority")


def test_a_penalty_lowers_an_account_and_says_why(company, find):
    """A boost of less than 0 lowers the account's own value; accounts it does not hold for keep theirs."""
    company.crowd(10)
    company.account("other", industry="Energy")
    before = {row["id"]: row["foretag_score"] for row in company.tagged().accounts.to_pylist()}
    company.rules = Rules.model_validate({"boosts": [boost(points=-9, because="paused sector")]})
    tagged = company.tagged()
    found = find(tagged.accounts, "crowd-003")
    assert found["foretag_score"] == before["crowd-003"] - 9
    assert " · paused sector -9" in found["foretag_reason"]
    assert find(tagged.accounts, "other")["foretag_score"] == before["other"]


def test_boosts_stay_within_0_and_100(company, find):
    """However many points are given or taken, the limit is an item, and the sum is exact."""
    company.crowd(10)
    company.open("deal", "crowd-001", closes_in=5, type="Renewal")
    for points, score in ((100, 100), (-100, 0)):
        company.rules = Rules.model_validate({"boosts": [RENEWAL | {"points": points}, boost(points=points)]})
        tagged = company.tagged()
        for object_name, name in (("opportunities", "deal"), ("accounts", "crowd-002")):
            assert find(getattr(tagged, object_name), name)["foretag_score"] == score
            priority = [line for line in explain(tagged, name).to_pylist() if line["dimension"] == "priority"]
            assert sum(line["points"] for line in priority) == score
            assert "limit" in {line["item"] for line in priority}


def test_a_boost_of_accounts_may_tell_who_decides(company, find):
    """An account's boost counts in its own value, against the best deal; one column holds both limits."""
    company.crowd(10)
    company.open("deal", "crowd-001", closes_in=5)
    assert "by best deal" in find(company.tagged().accounts, "crowd-001")["foretag_reason"]
    company.rules = Rules.model_validate({"boosts": [boost(points=100)]})
    tagged = company.tagged()
    assert "by own value" in find(tagged.accounts, "crowd-001")["foretag_reason"]
    assert tagged.account_points.column_names.count("priority:limit") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"when": "score > 50"}, "follows from the score"),
        ({"when": 'tier == "A"'}, "follows from the score"),
        ({"points": 0}, "0 points change nothing"),
        ({"points": 101}, "100"),
        ({"because": "a · b"}, "one line"),
        ({"because": "a\nb"}, "one line"),
        ({"name": "No Name"}, "pattern"),
    ],
)
def test_a_boost_that_cannot_be_is_refused(changes, message):
    """What follows from the score cannot make it; words that would break a reason are no words."""
    with pytest.raises(ValueError, match=message):
        Rules.model_validate({"boosts": [boost(**changes)]})
