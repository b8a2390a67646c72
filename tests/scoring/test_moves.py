"""What would move a record to a better tier is found by scoring it so."""

from __future__ import annotations

from scoring.moves import outlook


def _crowded(company):
    company.crowd()
    company.open("deal", company.account("Acme"), closes_in=120, amount=5000, margin=30.0)
    return company


def test_a_move_tells_the_points_and_tier_that_scoring_gives(company, find):
    """A deal whose close date is really moved gets the points that the move foretold."""
    _crowded(company)
    foretold = next(move for move in outlook(company.tagged(), "deal").moves if "close date" in move.text)
    before = find(company.tagged().opportunities, "deal")["foretag_score"]
    company.deals[-1]["close_date"] = company.day(-30)
    after = find(company.tagged().opportunities, "deal")
    assert after["foretag_score"] - before == foretold.points
    assert after["foretag_tier"] == foretold.tier
    assert "22 Dec" in foretold.text


def test_only_what_raises_the_score_is_told_best_first(company):
    """A deal that is soon, moving, profitable and needed has little left to win."""
    company.crowd()
    company.open(
        "deal", company.account("Acme"), closes_in=0, margin=70.0, need_by=company.day(0), pain="leaks"
    )
    company.open("other", company.account("Other"), closes_in=120, amount=5000)
    points = [move.points for move in outlook(company.tagged(), "other").moves]
    assert len(set(points)) > 2
    assert points == sorted(points, reverse=True)
    assert all(move.points for move in outlook(company.tagged(), "deal").moves)
    assert not [move for move in outlook(company.tagged(), "deal").moves if "margin" in move.text]


def test_a_date_that_has_passed_can_be_set_anew(company):
    """However near a passed close date lies, a new one is what the deal needs."""
    company.crowd()
    company.open("late", company.account("Acme"), closes_in=-5)
    assert any(move.text.startswith("close date") for move in outlook(company.tagged(), "late").moves)


def test_an_account_is_moved_by_its_best_deal_or_by_a_new_one(company):
    """Moves of an account name the deal; one without a live deal is told what a deal would do."""
    _crowded(company)
    tagged = company.tagged()
    assert all(move.text.startswith("deal: ") for move in outlook(tagged, "Acme").moves)
    (move,) = outlook(tagged, company.accounts[0]["id"]).moves
    assert move.text.startswith("an open deal of ")


def test_the_points_missing_to_the_next_tier_are_those_to_its_cut_off(company, find):
    """So many more points, and the record would be in that tier."""
    tagged = _crowded(company).tagged()
    found = outlook(tagged, "Acme")
    score = find(tagged.accounts, "Acme")["foretag_score"]
    assert found.missing > 0
    assert score + found.missing == getattr(tagged.book.cutoffs["account"]["rep"], found.tier)


def test_what_is_not_scored_has_no_outlook(company):
    """An unknown id, and a deal without a close date, have none; a deal without an account has its own."""
    company.crowd()
    company.open("undated", company.account("Acme"), closes_in=None)
    company.open("orphan", None, closes_in=100)
    tagged = company.tagged()
    assert outlook(tagged, "nobody") is None
    assert outlook(tagged, "undated") is None
    assert outlook(tagged, "orphan").moves
