"""Accounts: likelihood, growth potential, segment, priority, tiers, alerts, overrides; one small book for each idea."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.rules import Rules


def test_recent_buyers_are_likelier_than_those_gone_quiet(company, find):
    """The same purchases count for less the longer ago they are, measured in the account's own rhythm."""
    company.crowd()
    for name, shift in (("regular", 20), ("quiet", 420)):
        company.account(name)
        for order in range(6):
            company.won(name, shift + 60 * order)
    tags = company.tagged().accounts
    assert find(tags, "regular")["foretag_likelihood"] > find(tags, "quiet")["foretag_likelihood"] + 30


def test_likelihood_is_calibrated_on_the_last_horizon(company):
    """On the whole, what the card foretells is the share of customers that bought within the last horizon."""
    for number in range(200):
        name = company.account(f"a{number:03d}")
        # Each buys every 120 days, one half of them in any 60 days.
        for order in range(8):
            company.won(name, number * 37 % 120 + 120 * order)
    likelihoods = company.tagged().accounts["foretag_likelihood"].to_pylist()
    assert 40 <= sum(likelihoods) / len(likelihoods) <= 60


def test_base_rate_sees_nothing_after_the_cut(company):
    """The rate of buying is measured from what was known one horizon ago: purchases since do not make customers."""
    company.crowd(20)
    for number in range(30):
        company.won(company.account(f"new-{number}"), 10)
    known_accounts = company.tagged().scored.features.accounts.to_pylist()
    known = [found for found in known_accounts if found["id"].startswith("new")]
    assert {found["cut_purchases"] for found in known} == {0}


def test_prospect_with_a_deal_is_likelier(company, find):
    """A prospect counts by its stage and momentum."""
    company.crowd()
    for name in ("with", "without"):
        company.account(name)
    company.open("deal", "with", probability=80.0)
    tags = company.tagged().accounts
    assert find(tags, "with")["foretag_likelihood"] > find(tags, "without")["foretag_likelihood"]


def test_horizon_is_the_median_won_cycle(company):
    """Default horizon: the book's median time to win a deal, within 30 to 365 days."""
    company.crowd(2)
    assert company.tagged().book.horizon == 60
    company.rules = Rules.model_validate({"likelihood": {"horizon": 200}})
    assert company.tagged().book.horizon == 200


def steady_customer(company, name, *, recent, before, **columns):
    """A customer since three years, with six purchases in the last half-year and six in the same one a year before."""
    company.account(name, **columns)
    company.won(name, 1100, 1000)
    for order in range(6):
        company.won(name, 20 + 25 * order, recent)
        company.won(name, 385 + 25 * order, before)


def test_growth_follows_the_trend_against_the_same_season(company, find):
    """Spend that rose against the same half-year a year before raises growth potential; spend that fell lowers it."""
    steady_customer(company, "rising", recent=3000, before=1000, industry="A")
    steady_customer(company, "level", recent=1000, before=1000, industry="B")
    steady_customer(company, "falling", recent=300, before=3000, industry="C")
    tags = company.tagged().accounts
    growth = [find(tags, name)["foretag_growth_score"] for name in ("rising", "level", "falling")]
    assert growth == sorted(growth, reverse=True)
    assert len(set(growth)) == 3


def test_a_young_account_has_no_trend(company):
    """Without a season to compare with, a customer of eight months neither grows nor shrinks."""
    company.account("young")
    for order in range(6):
        company.won("young", 20 + 30 * order)
    points = company.tagged().account_points.to_pylist()[0]
    assert points["growth:trend"] == 0


@pytest.mark.parametrize(
    ("plan", "due", "better"), [(24_000, -200, True), (10_000, 30, True), (60_000, 30, False)]
)
def test_promises_count_by_what_came_true(company, find, plan, due, better):
    """A running plan and a kept one raise growth potential; a plan that came to nothing lowers it."""
    for name, columns in (
        ("with", {"foretag_growth_plan": plan, "foretag_growth_plan_by": company.day(due)}),
        ("without", {}),
    ):
        steady_customer(company, name, recent=1500, before=1500, **columns)
    tags = company.tagged().accounts
    assert (
        find(tags, "with")["foretag_growth_score"] > find(tags, "without")["foretag_growth_score"]
    ) is better


def test_words_count_for_less_where_plans_came_to_nothing(company, find):
    """Promises are drawn to how far plans of this book came true."""

    def promised(others_kept):
        company.accounts.clear()
        company.deals.clear()
        steady_customer(
            company, "promises", recent=1500, before=1500,
            foretag_growth_plan=40_000, foretag_growth_plan_by=company.day(-100),
        )  # fmt: skip
        for number in range(10):
            steady_customer(
                company, f"other-{number}", recent=1500, before=1500, foretag_growth_plan_by=company.day(10),
                foretag_growth_plan=9_000 if others_kept else 900_000,
            )  # fmt: skip
        return find(company.tagged().accounts, "promises")["foretag_growth_score"]

    assert promised(others_kept=True) > promised(others_kept=False)


def test_headroom_is_measured_against_peers(company, find):
    """Spending far less than the median of the same industry and size is room to grow."""
    company.crowd()
    for name, amount in (("little", 100), ("usual", 1000)):
        company.account(name)
        for order in range(6):
            company.won(name, 30 + 60 * order, amount)
    tags = company.tagged().accounts
    assert find(tags, "little")["foretag_growth_score"] > find(tags, "usual")["foretag_growth_score"]


def test_size_alone_gives_no_points(company, find):
    """Two prospects that differ in head count only, in a book that tells nothing of either size, are alike."""
    company.crowd()
    for name, employees in (("small", 5), ("huge", 50_000)):
        company.account(name, industry="Space", employees=employees)
    tags = company.tagged().accounts
    assert find(tags, "small")["foretag_growth_score"] == find(tags, "huge")["foretag_growth_score"]


def test_prospects_like_the_best_customers_could_grow(company, find):
    """A prospect whose industry has the best customers has more growth potential than one whose has none."""
    company.crowd()
    for number in range(15):
        name = company.account(f"best-{number}", industry="Energy")
        for order in range(6):
            company.won(name, 30 + 60 * order, 50_000)
    company.account("like", industry="Energy")
    company.account("unlike", industry="Retail")
    tags = company.tagged().accounts
    assert find(tags, "like")["foretag_growth_score"] > find(tags, "unlike")["foretag_growth_score"]


def test_segments_are_expected_spend_and_growth(company):
    """Prioritize, Nurture, Monitor and Reduce are the four corners of expected spend and growth potential."""
    company.crowd()
    for number in range(10):
        steady_customer(company, f"rising-{number}", recent=9000, before=500, industry=f"I{number}")
        steady_customer(company, f"falling-{number}", recent=100, before=500, industry=f"J{number}")
    for account in company.tagged().accounts.to_pylist():
        scored = account["foretag_growth_score"] >= 50
        grows = {"Prioritize": True, "Monitor": True, "Nurture": False, "Reduce": False}
        assert grows[account["foretag_segment"]] is scored
        if account["id"].startswith("rising"):
            assert account["foretag_segment"] == "Prioritize"


def test_the_best_deal_or_the_account_value_decides(company, find):
    """An account's score is the larger of its best open deal's and its own value, and the reason says which."""
    company.crowd()
    company.open("hot", "crowd-000", closes_in=3, amount=90_000, probability=90.0, margin=60.0)
    tagged = company.tagged()
    with_deal, without = find(tagged.accounts, "crowd-000"), find(tagged.accounts, "crowd-001")
    assert with_deal["foretag_score"] == find(tagged.opportunities, "hot")["foretag_score"]
    assert f" {with_deal['foretag_score']} by best deal · " in with_deal["foretag_reason"]
    assert " · closes 25 Nov +" in with_deal["foretag_reason"]
    assert f" {without['foretag_score']} by own value · " in without["foretag_reason"]


def test_segment_limits_the_tier_only_without_a_live_deal(company, find):
    """Reduce caps at D and Prioritize is at least B; a hot open deal always wins."""
    company.rules = Rules.model_validate(
        {"segments": {"expected_spend": 100.0, "growth": 100.0}, "tiers": {"A": 40.0}}
    )
    company.crowd(10)
    company.open("hot", "crowd-000", closes_in=3, amount=90_000, probability=90.0, margin=60.0)
    tags = company.tagged().accounts
    assert find(tags, "crowd-000")["foretag_tier"] == "A"
    quiet = [tag for tag in tags.to_pylist() if tag["id"] != "crowd-000"]
    assert {tag["foretag_tier"] for tag in quiet} == {"D"}
    assert any("at most D: Reduce" in tag["foretag_reason"] for tag in quiet)
    company.rules = Rules.model_validate({"segments": {"expected_spend": 0.0, "growth": 0.0}})
    assert {tag["foretag_tier"] for tag in company.tagged().accounts.to_pylist()} <= {"A", "B"}


def test_a_long_overdue_deal_is_not_live(company, find):
    """A deal long past its close date no longer speaks for its account."""
    company.crowd()
    company.open("old", "crowd-000", closes_in=-200, amount=90_000)
    assert "by own value" in find(company.tagged().accounts, "crowd-000")["foretag_reason"]


def test_account_of_which_nothing_is_known_is_not_scored(company, find):
    """An account without attributes and deals has no scores, and says what to fill in."""
    company.account("empty", industry=None)
    found = find(company.tagged().accounts, "empty")
    assert found["foretag_reason"] == "Not scored: fill in Industry, or add a deal"
    outputs = [
        value for name, value in found.items() if name.startswith("foretag_") and name != "foretag_reason"
    ]
    assert outputs == [None] * len(outputs)


def test_alert_tells_shares_of_the_book(company, find):
    """An account with too much of its owner's and of the company's spend is an alert."""
    company.crowd(10)
    company.account("giant")
    company.won("giant", 30, 60_000)
    alert = find(company.tagged().accounts, "giant")["foretag_alert"]
    assert alert == "51 % of your book; 51 % of the company's book"
    assert find(company.tagged().accounts, "crowd-001")["foretag_alert"] is None


def test_alert_tells_a_large_account_gone_quiet(company, find):
    """A large account that has not bought for twice its usual gap is an alert with a date, not a day count."""
    company.crowd()
    company.account("large")
    for order in range(8):
        company.won("large", 300 + 30 * order, 5000)
    alert = find(company.tagged().accounts, "large")["foretag_alert"]
    assert alert.endswith("large customer gone quiet: last bought 26 Jan 2026")


def test_alert_tells_a_new_parent(company, find):
    """A parent that changed since the last run is an alert for a while; one that was there is none."""
    company.account("a", parent_id="old")
    first = company.tagged()
    assert find(first.accounts, "a")["foretag_alert"] is None
    company.accounts[0]["parent_id"] = "new"
    second = company.tagged(first.state)
    assert find(second.accounts, "a")["foretag_alert"] == "new parent company"
    company.today += timedelta(days=100)
    assert find(company.tagged(second.state).accounts, "a")["foretag_alert"] is None


def test_a_parent_that_goes_and_comes_back_is_no_new_one(company, find):
    """A parent company thrown away and restored alarms nobody; another one in its place does."""
    company.account("a", parent_id="old")
    state = company.tagged().state
    for parent, alert in ((None, None), ("old", None), (None, None), ("new", "new parent company")):
        company.accounts[0]["parent_id"] = parent
        tagged = company.tagged(state)
        state = tagged.state
        assert find(tagged.accounts, "a")["foretag_alert"] == alert


def test_the_parent_of_what_a_merge_made_is_no_new_one(company, find):
    """It may be that of either; the next one is new."""
    company.account("a", parent_id="a")
    state = company.tagged().state
    for parent, alert in (("old", None), ("new", "new parent company")):
        company.accounts[0]["parent_id"] = parent
        tagged = company.tagged(state)
        state = tagged.state
        assert find(tagged.accounts, "a")["foretag_alert"] == alert
