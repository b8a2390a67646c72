"""The chance of winning a deal: deals alike, its age, amount and account; and what must give nothing away."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from config.rules import Rules
from scoring import explain
from scoring.reading.past_deals import cell_of
from scoring.reading.roundness import roundness
from scoring.winning import win
from scoring.winning.lasting import lasting


def rules(**win):
    """The default rules with these lines under `win:`."""
    return Rules.model_validate({"win": win})


def history(company, wins, **columns):
    """Closed deals of one kind, on accounts of their own: so many won of thirty, closed over the last two years."""
    for number in range(30):
        name = f"past-{len(company.accounts)}"
        company.account(name)
        company.won(name, 120 + 20 * number, is_won=number % 30 < wins, **columns)
        if number % 30 >= wins:
            company.deals[-1]["stage"] = "Lost"


def points(company, item):
    """What an item of the card gave to each open deal, by its id, in points of which 20 double the odds."""
    tagged = company.tagged()
    found = tagged.scored.deals.win.points[win.ITEMS.index(item) - 1]
    return dict(zip(tagged.opportunities["id"].to_pylist(), found.tolist(), strict=True))


@pytest.mark.parametrize("column", ["product", "owner_id"])
def test_deals_alike_speak_for_a_deal(company, column):
    """A product or an owner whose earlier deals were mostly won raises the chance, one that mostly lost lowers it."""
    history(company, 26, **{column: "strong"})
    history(company, 6, **{column: "weak"})
    company.account("acme")
    for name in ("strong", "weak", "new"):
        company.open(name, "acme", **{column: name})
    found = points(company, "like_deals")
    assert found["strong"] > 5
    assert found["weak"] < -5
    assert found["new"] == 0


def test_an_industry_speaks_for_its_accounts_deals(company):
    """An account's facts are its deals': deals of an industry that buys have a better chance."""
    for industry, wins in (("Energy", 26), ("Retail", 6)):
        history(company, wins)
        for account in company.accounts[-30:]:
            account["industry"] = industry
        company.account(f"{industry}-account", industry=industry)
        company.open(industry, f"{industry}-account")
    found = points(company, "like_deals")
    assert found["Energy"] > 5 > -5 > found["Retail"]


def test_what_differs_by_chance_says_nothing(company):
    """Owners whose win rates differ no more than chance lets them are all alike: no points."""
    for owner, wins in (("a", 15), ("b", 17), ("c", 14), ("d", 16)):
        history(company, wins, owner_id=owner)
    company.account("acme")
    company.open("deal", "acme", owner_id="b")
    assert points(company, "like_deals")["deal"] == 0


def test_a_pair_speaks_beyond_its_parts(company):
    """One rep may sell one product well though neither stands out alone: each two are looked at together."""
    for owner, product, wins in (
        ("ann", "Drill", 27), ("ann", "Saw", 3), ("bob", "Drill", 3), ("bob", "Saw", 27),
    ):  # fmt: skip
        history(company, wins, owner_id=owner, product=product)
    company.account("acme")
    company.open("good", "acme", owner_id="ann", product="Drill")
    company.open("bad", "acme", owner_id="bob", product="Drill")
    found = points(company, "like_deals")
    assert found["good"] > 5 > -5 > found["bad"]


def test_a_colleague_is_not_blamed_for_the_product(company):
    """An owner who sells only a weak product is judged against that product, not against the book."""
    history(company, 6, owner_id="ann", product="Saw")
    history(company, 6, owner_id="bob", product="Saw")
    history(company, 26, owner_id="cat", product="Drill")
    history(company, 26, owner_id="dan", product="Drill")
    company.account("acme")
    company.rules = rules(like_deals={"by": ["product", "owner"]})
    company.open("other", "acme", owner_id="ann", product="Drill")
    company.open("new", "acme", owner_id="new", product="Drill")
    found = points(company, "like_deals")
    assert abs(found["other"] - found["new"]) <= 2


def test_old_deals_fade(company):
    """What ended years ago counts less than what ended lately: a product that turned is judged by the last year."""
    for ago, won in ((100, False), (1500, True)):
        for number in range(60):
            company.won(company.account(f"x-{ago}-{number}"), ago + number % 30, product="Turned", is_won=won)
            company.won(
                company.account(f"y-{ago}-{number}"),
                ago + number % 30,
                product="Steady",
                is_won=number % 2 == 0,
            )
    company.account("acme")
    company.open("turned", "acme", product="Turned")
    assert points(company, "like_deals")["turned"] < -10


def test_deals_under_embargo_do_not_count(company):
    """Of young deals only the quick ones have ended: deals made within the embargo say nothing yet."""
    history(company, 15)
    for number in range(60):
        company.won(company.account(f"quick-{number}"), 10, product="Quick")
        company.deals[-1]["created_at"] = company.deals[-1]["created_at"].replace(year=2026, month=11, day=1)
    company.account("acme")
    company.open("deal", "acme", product="Quick")
    assert points(company, "like_deals")["deal"] == 0
    company.rules = rules(like_deals={"embargo": 0})
    assert points(company, "like_deals")["deal"] > 5


def test_most_and_nothing_of_like_deals(company):
    """`most` bounds what deals alike may say; an empty `by` leaves them out."""
    history(company, 29, product="Drill")
    history(company, 1, product="Saw")
    company.account("acme")
    company.open("deal", "acme", product="Drill")
    company.rules = rules(like_deals={"most": 7})
    assert points(company, "like_deals")["deal"] == 7
    company.rules = rules(like_deals={"by": []})
    assert points(company, "like_deals")["deal"] == 0


@pytest.mark.parametrize(
    ("amount", "share"),
    [
        (50_000, 1.0),
        (95_000, 5 / 95),
        (12_000, 1 / 12),
        (95_431, 1 / 95_431),
        (99.99, 0.01 / 99.99),
        (0, None),
    ],
)
def test_roundness_is_the_same_in_every_currency(amount, share):
    """The largest round step of an amount, as a share of it; none without an amount."""
    found = roundness(np.array([amount * 100.0, np.nan]))
    assert np.isnan(found[1])
    assert np.isnan(found[0]) if share is None else found[0] == pytest.approx(share)


def test_a_round_guess_is_no_quote(company, find):
    """An exact amount raises the chance, a round one lowers it, and one that many deals share does little."""
    company.account("acme")
    for number in range(60):
        company.open(f"list-{number:02d}", "acme", amount=4_821)
    company.open("quote", "acme", amount=47_318.55)
    company.open("guess", "acme", amount=50_000)
    found = points(company, "roundness")
    assert found["quote"] == 6
    assert found["guess"] == -6
    assert found["list-00"] == 2
    said = {row["item"]: row["detail"] for row in explain(company.tagged(), "list-00").to_pylist()}
    assert said["roundness"] == "4.8k: an amount that many deals share, no quote yet"


def test_cells_of_amounts_leave_out_what_is_no_amount():
    """Missing amounts are counted nowhere."""
    assert cell_of(np.array([np.nan, 0.0, 65_522.0])).tolist() == [-1, -1, 1]


def test_standing_still_for_most_of_its_life_lowers_the_chance(company):
    """Time without movement is judged against the deal's age; a deal of which no movement is known, not at all."""
    company.account("acme")
    old = company.today.replace(year=2025)
    for name, moved in (("moving", 10), ("still", 300), ("unknown", None)):
        known = {} if moved is None else {"last_activity_date": company.day(moved)}
        company.open(name, "acme", **known)
        company.deals[-1]["created_at"] = company.deals[-1]["created_at"].replace(year=old.year)
    found = points(company, "idle")
    assert [found[name] for name in ("moving", "still", "unknown")] == [5, -10, 0]


def test_contacts_are_compared_with_what_is_usual(company):
    """More contacts than open deals of that age usually had raise the chance, fewer lower it; unknown is neither."""
    company.account("acme")
    for name, touches in (("much", 40), ("usual", 20), ("little", 1), ("unknown", None)):
        company.open(name, "acme", touches=touches)
    found = points(company, "touches")
    assert found["much"] > found["usual"] >= 0 > found["little"]
    assert found["unknown"] == 0


def test_a_good_customer_is_likelier_than_a_stranger(company):
    """Past revenue counts by the fifth of the book that an account is in."""
    company.crowd(10)
    company.account("stranger")
    company.won("crowd-000", 100, 90_000)
    company.open("good", "crowd-000")
    company.open("new", "stranger")
    found = points(company, "past_revenue")
    assert found["good"] == 8
    assert found["new"] == 0


def test_past_revenue_can_be_learned_from_the_book(company):
    """With `points: from_book`, a book in which strangers buy more often than customers says so."""
    for number in range(80):
        name = company.account(f"a-{number}")
        company.won(name, 700 + number)
        company.won(name, 200 + number, is_won=number % 4 == 0)
        if number % 4:
            company.deals[-1]["stage"] = "Lost"
    company.open("customer", "a-0")
    company.account("stranger")
    company.open("new", "stranger")
    fixed = points(company, "past_revenue")
    assert fixed["customer"] > fixed["new"]
    company.rules = rules(points="from_book")
    learned = points(company, "past_revenue")
    assert learned["customer"] < learned["new"]


def test_a_deal_that_outlives_the_won_ones_loses(company, find):
    """What is lost drags on: a deal older than those that were won has a smaller chance."""
    for number in range(60):
        name = company.account(f"a-{number}")
        company.won(name, 100 + number, is_won=number % 2 == 0)
        if number % 2:
            company.deals[-1]["created_at"] = company.deals[-1]["created_at"].replace(
                year=2025, month=1, day=5
            )
    company.account("acme")
    company.open("young", "acme")
    company.open("old", "acme")
    company.deals[-1]["created_at"] = company.deals[-1]["created_at"].replace(month=5)
    found = points(company, "age")
    assert found["old"] <= -10
    assert found["old"] < found["young"]
    tags = company.tagged().opportunities
    assert ", but deals this old often lost +" in find(tags, "old")["foretag_reason"]


def ended(deals):
    """What the book keeps of closed deals: (month, age, won, deals) of each."""
    names = ("month", "age", "won", "deals")
    return pa.table(
        {name: pa.array(column) for name, column in zip(names, zip(*deals, strict=True), strict=True)}
    )


def test_a_good_month_does_not_speak_for_the_ages_that_ended_in_it():
    """Deals are compared with those of their month: one in which old deals were closed, and most won, says nothing."""
    good = [(month, age, 80 * deals, 100 * deals) for month in (1, 4, 7) for age, deals in ((20, 1), (90, 9))]
    bad = [(month, age, 50 * deals, 100 * deals) for month in (2, 3, 5) for age, deals in ((20, 9), (90, 1))]
    assert max(map(abs, lasting(ended(sorted(good + bad)), 365).points)) <= 1
    mixed = [(month, age, won, 100) for month in range(8) for age, won in ((20, 80), (90, 50))]
    assert min(lasting(ended(mixed), 365).points) < -10


def test_ages_that_ended_alike_but_for_chance_have_hardly_any_points():
    """A book without a signal falls back to its own win rate; where there is one, the oldest deals keep it."""
    rng = np.random.default_rng(3)
    found = {0.0: [], 0.006: []}
    for slope, tables in found.items():
        for _ in range(10):
            ages = sorted(rng.integers(1, 100, 600).tolist())
            deals = [(0, age, int(rng.random() < 0.7 - slope * age), 1) for age in ages]
            tables.append(lasting(ended(deals), 365).points)
    chance, signal = found.values()
    assert sum(not any(points) for points in chance) >= 5
    assert max(abs(number) for points in chance for number in points) <= 10
    assert all(points[-1] == min(points) < -20 for points in signal)


def test_the_chances_of_a_book_come_to_what_it_won(company):
    """Stages that promise more than such deals came to are brought down, more so the more deals there are."""
    for _ in range(10):
        history(company, 10)
    company.account("acme")
    for number in range(200):
        company.open(f"deal-{number:03d}", "acme", probability=90.0)
    chances = company.tagged().opportunities["chance"].to_pylist()
    assert 33 < np.mean(chances) < 75
    company.deals = [
        deal for deal in company.deals if not deal["id"].startswith("deal-") or deal["id"] == "deal-000"
    ]
    assert company.tagged().opportunities["chance"].to_pylist()[0] > 85


def test_a_record_counts_as_far_as_accounts_differ(company):
    """Where accounts' win rates differ by chance only, an account's own says nothing."""
    rng = np.random.default_rng(5)
    for number in range(60):
        name = company.account(f"a-{number:02d}")
        for order, won in enumerate(rng.random(8) < 0.5):
            company.won(name, 100 + 40 * order, is_won=bool(won))
    company.open("deal", "a-00")
    assert abs(points(company, "record")["deal"]) <= 1
    assert company.tagged().book.history.record > 100


def test_explain_tells_the_chance_by_its_items(company, find):
    """The items of the chance add up to it, and each says what it saw, with dates."""
    history(company, 26, product="Drill")
    history(company, 6, product="Saw")
    company.account("acme")
    company.won("acme", 100, 5_000)
    company.open(
        "deal", "acme", product="Drill", amount=9_999.5, touches=3, last_activity_date=company.day(3)
    )
    tagged = company.tagged()
    rows = [row for row in explain(tagged, "deal").to_pylist() if row["dimension"] == "win"]
    assert sum(row["points"] for row in rows) == find(tagged.opportunities, "deal")["chance"]
    said = {row["item"]: row["detail"] for row in rows}
    assert said["base"] == "the CRM's chance for stage Proposal: 50 %"
    assert said["record"] == "the account's earlier deals: 1 of 1 won"
    assert said["like_deals"].startswith("how deals alike ended, in points: product +")
    assert said["idle"] == "last moved 19 Nov 2026, open since 2 Nov 2026"
    assert "stage Proposal, like deals often won" in find(tagged.opportunities, "deal")["foretag_reason"]
