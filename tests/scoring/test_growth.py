"""Growth potential and segments: where an account could be, not where it is; one small book for each idea."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from config.rules import Rules
from scoring import Book, explain, read_book, tag
from scoring.arithmetic.points import in_bands
from scoring.growing.growth import ITEMS
from scoring.growing.promises import promises

POINTS = Rules().growth


def growth_of(company, *names):
    """Of each of these accounts, what each item gave to its growth potential, and the `score`."""
    tagged = company.tagged()
    scores = dict(
        zip(
            tagged.accounts["id"].to_pylist(),
            tagged.accounts["foretag_growth_score"].to_pylist(),
            strict=True,
        )
    )
    found = {row["id"]: row for row in tagged.account_points.to_pylist()}
    return [
        {
            key.removeprefix("growth:"): value
            for key, value in found[name].items()
            if key.startswith("growth:")
        }
        | {"score": scores[name]}
        for name in names
    ]


def regular(company, name, amount=1000, **columns):
    """A customer since three years who buys every two months."""
    company.account(name, **columns)
    for order in range(18):
        company.won(name, 25 + 60 * order, amount)


def beginners(company, size=30):
    """Customers who came in the last ten months: two thirds stay with one order, the others go on to this day."""
    for number in range(size):
        name = company.account(f"new-{number:02d}")
        first = 90 + 7 * number
        company.won(name, first, 800 + 50 * (number % 9))
        for ago in range(first - 40, 0, -40) if number % 3 == 0 else ():
            company.won(name, ago, 900)


# Promises made and kept.


def test_one_kept_promise_is_not_certainty(company):
    """The more promises were kept, the more they count: one counts for less than four."""
    for name, years in (("none", 0), ("one", 1), ("four", 4)):
        regular(company, name, industry=name)
        for place in range(years):
            company.add("commitment", account_id=name, amount=1000, by=company.day(40 + 90 * place))
    for number in range(20):
        regular(company, f"words-{number}", industry=f"I{number}")
        company.add("commitment", account_id=f"words-{number}", amount=12_000, by=company.day(40))
    none, one, four = (found["kept"] for found in growth_of(company, "none", "one", "four"))
    assert none == 0
    assert none < one < four


def test_words_without_results_count_little(company):
    """The same growth plan is worth less from one who has kept no plan yet than from one who kept them all."""
    for name, promised in (("kept", 1000), ("broken", 90_000)):
        regular(company, name, industry=name)
        for place in range(3):
            company.add("commitment", account_id=name, amount=promised, by=company.day(40 + 90 * place))
        company.add("commitment", account_id=name, amount=12_000, by=company.day(-200))
    kept, broken = growth_of(company, "kept", "broken")
    assert kept["promise"] > 0 == broken["promise"]
    assert kept["kept"] > 0 > broken["kept"]


def test_more_kept_never_lowers():
    """Raising what came true of due plans, all else alike, never lowers a point; neither does promising more."""
    size = 101
    table = pa.table({
        "plans_due": [3] * size, "plans_promised": [10_000] * size, "plans_reached": list(range(0, 10_100, 100)),
        "promised": [20_000] * size, "year_spend": [10_000] * size,
    })  # fmt: skip
    usual = table["year_spend"].to_numpy() / 10.0
    found = promises(table, usual, 50)
    assert (found.trusted[1:] >= found.trusted[:-1]).all()
    assert found.trusted[0] < found.trusted[-1]
    rising = table.set_column(3, "promised", pa.array(range(0, 50_500, 500)))
    points = in_bands(promises(rising, usual, 50).rise, POINTS.promise)
    assert (points[1:] >= points[:-1]).all()


# Headroom.


def sell(company, name, *products):
    """One purchase for each product."""
    company.account(name)
    for place, product in enumerate(products):
        company.won(name, 50 + 300 * place, product=product)


def test_products_that_like_accounts_buy_are_headroom(company, find):
    """A customer that lacks what its peers usually buy has room to grow, and the line says which product."""
    for number in range(12):
        sell(company, f"full-{number}", "Drill", "Saw")
    sell(company, "lacking", "Drill", "Drill")
    tagged = company.tagged()
    points = {row["id"]: row["growth:products"] for row in tagged.account_points.to_pylist()}
    assert points["lacking"] > 0
    assert points["full-3"] == 0
    (line,) = [row["detail"] for row in explain(tagged, "lacking").to_pylist() if row["item"] == "products"]
    assert line == "its peers usually buy, and it does not yet: Saw"


def test_products_are_read_from_line_items_too(company):
    """A product sold as a line item is bought."""
    for number in range(12):
        sell(company, f"full-{number}", "Drill", "Saw")
    sell(company, "by-item", "Drill")
    company.add(
        "line_item", opportunity_id=company.deals[-1]["id"], account_id="by-item", product="Saw", amount=5
    )
    (found,) = growth_of(company, "by-item")
    assert found["products"] == 0


def test_what_other_kinds_of_accounts_buy_is_no_headroom(company):
    """A product is usual within an industry and size: what another industry buys is not missed."""
    for number in range(20):
        sell(company, f"shop-{number}", "Till")
        sell(company, f"mine-{number}", "Drill")
        company.accounts[-1]["industry"] = "Mining"
    sell(company, "lost", "Till")
    company.accounts[-1]["industry"] = "Mining"
    shop, lost = growth_of(company, "shop-1", "lost")
    assert lost["products"] > shop["products"] == 0


def test_own_business_growth_counts(company):
    """A customer whose own business grows has more potential than one whose business shrinks; unknown is neither."""
    for name, percent in (("grows", 25.0), ("shrinks", -10.0), ("unknown", None)):
        regular(company, name, company_growth=percent, industry=name)
    grows, shrinks, unknown = (
        found["business"] for found in growth_of(company, "grows", "shrinks", "unknown")
    )
    assert grows > unknown > shrinks
    assert unknown == 0


# Silence, and deals that are under way.


def test_who_has_gone_quiet_has_little_potential_until_it_is_won_back(company, find):
    """The longer the silence against the own rhythm, the less; one order two years ago is nobody's High potential."""
    for name, silent in (("buying", 0), ("quiet", 200), ("gone", 500)):
        company.account(name, company_growth=20.0, industry=name)
        for order in range(8):
            company.won(name, 20 + silent + 60 * order)
    company.won(company.account("once", industry="once"), 730)
    buying, quiet, gone, once = growth_of(company, "buying", "quiet", "gone", "once")
    assert buying["quiet"] == 0 > quiet["quiet"] > gone["quiet"]
    assert buying["score"] > quiet["score"] > gone["score"]
    assert once["headroom"] == 0
    assert find(company.tagged().accounts, "once")["foretag_growth_potential"] == "Low"
    assert "growth potential Low, gone quiet" in find(company.tagged().accounts, "once")["foretag_reason"]


def test_deals_under_way_are_growth_as_far_as_they_move(company):
    """A large live deal raises growth potential; one whose date passed long ago, and that nobody touched, hardly."""
    for name in ("moving", "stuck", "none"):
        regular(company, name, industry=name)
    company.open("fresh", "moving", amount=5000)
    company.open("stale", "stuck", amount=5000, closes_in=-80, created_at=datetime(2025, 1, 1, tzinfo=UTC))
    moving, stuck, none = growth_of(company, "moving", "stuck", "none")
    assert moving["pipeline"] > stuck["pipeline"] >= none["pipeline"] == 0


def test_new_deals_are_part_of_the_trend(company):
    """Of two customers who spend as before, the one that asks for more than a year ago is on the rise."""
    for name in ("asking", "level"):
        regular(company, name, industry=name)
    for number in range(6):
        company.won("asking", 20 + 20 * number, 1, stage="Lost", is_won=False)
    asking, level = growth_of(company, "asking", "level")
    assert asking["trend"] > level["trend"]


# New customers.


def test_a_new_customer_is_judged_by_what_it_has_ahead(company):
    """Of two customers of the same age and spend, the one that comes back in its rhythm has more ahead."""
    beginners(company)
    for name, orders in (("once", [(200, 3000)]), ("again", [(200, 1000), (120, 1000), (40, 1000)])):
        company.account(name)
        for ago, amount in orders:
            company.won(name, ago, amount)
    again, once = growth_of(company, "again", "once")
    assert again["outlook"] > once["outlook"]


def test_a_larger_first_order_alone_is_no_growth(company):
    """Size alone gives no points: of two customers with one order each, the larger has no more ahead."""
    beginners(company)
    for name, amount in (("small", 400), ("large", 8000)):
        company.won(company.account(name), 200, amount)
    large, small = growth_of(company, "large", "small")
    assert large["score"] <= small["score"]


def test_a_customer_has_either_a_trend_or_an_outlook(company):
    """With a season to compare with, an account is judged by its trend; without, by what it has ahead."""
    beginners(company)
    regular(company, "old")
    found = company.tagged().scored
    ids = found.features.accounts["id"].to_pylist()
    trend, ahead = (~np.isnan(found.growth.trend), ~np.isnan(found.growth.outlook))
    known = dict(zip(ids, zip(trend.tolist(), ahead.tolist(), strict=True), strict=True))
    assert known["old"] == (True, False)
    assert {found for name, found in known.items() if name != "old"} == {(False, True)}


def test_a_rank_among_hardly_any_is_no_news(company):
    """The better and the worse of two new customers stay near the middle; among many they would be the extremes."""
    for name, orders in (("once", (200,)), ("again", (200, 120, 40))):
        company.account(name)
        for ago in orders:
            company.won(name, ago)
    assert all(abs(found["outlook"]) <= 8 for found in growth_of(company, "once", "again"))


# Prospects.


def test_prospects_fit_by_attributes_not_by_distance(company):
    """Where the best customers are of two opposite kinds, prospects of either fit, and those in between do not."""
    for number in range(20):
        for kind, country, amount in (("ends", "SE", 50_000), ("ends", "JP", 50_000), ("middle", "DE", 500)):
            name = company.account(f"{country}-{number}", industry=kind, country=country)
            company.won(name, 160, amount * (4 + number) / 4)
            company.won(name, 400, amount)
    for country, industry in (("SE", "ends"), ("JP", "ends"), ("DE", "middle")):
        company.account(f"prospect-{country}", industry=industry, country=country)
    sweden, japan, between = (
        found["fit"] for found in growth_of(company, "prospect-SE", "prospect-JP", "prospect-DE")
    )
    assert sweden == japan > 0 > between


def test_one_attribute_alone_can_tell(company):
    """A prospect's country counts even where its industry is unknown."""
    for number in range(20):
        for country, amount in (("SE", 50_000), ("DE", 500)):
            company.won(company.account(f"{country}-{number}", country=country), 200, amount * (1 + number))
    for country in ("SE", "DE"):
        company.account(f"prospect-{country}", industry=None, country=country)
        company.open(f"deal-{country}", f"prospect-{country}")
    sweden, germany = growth_of(company, "prospect-SE", "prospect-DE")
    assert sweden["fit"] > 0 > germany["fit"]


# Segments.


def test_a_growing_small_customer_is_not_treated_as_small(company, find):
    """Little spend, but rising: Monitor and not Reduce, so that nothing caps its tier at D or keeps tasks away."""
    company.crowd()
    for name, recent, before in (("rising", 90, 10), ("fading", 10, 90)):
        company.account(name, industry="Space")
        company.won(name, 1100, 20)
        for order in range(6):
            company.won(name, 20 + 25 * order, recent)
            company.won(name, 385 + 25 * order, before)
    tags = company.tagged().accounts
    assert find(tags, "rising")["foretag_segment"] == "Monitor"
    assert "at most D" not in find(tags, "rising")["foretag_reason"]
    assert find(tags, "rising")["foretag_score"] > find(tags, "fading")["foretag_score"] + 10
    assert find(tags, "fading")["foretag_segment"] == "Reduce"


@pytest.mark.parametrize(
    ("spend_cut", "growth_cut", "segment"),
    [(0, 0, "Prioritize"), (0, 1, "Nurture"), (1, 0, "Monitor"), (1, 1, "Reduce")],
)
def test_cuts_are_inclusive(company, find, spend_cut, growth_cut, segment):
    """An account at a cut is above it; one point more in the rules, and it is below."""
    company.crowd(8)
    tagged = company.tagged()
    place = tagged.accounts["id"].to_pylist().index("crowd-007")
    rank, score = int(tagged.scored.rank[place]), int(tagged.scored.growth.card.score[place])
    company.rules = Rules.model_validate(
        {"segments": {"expected_spend": float(rank + spend_cut), "growth": float(score + growth_cut)}}
    )
    assert find(company.tagged().accounts, "crowd-007")["foretag_segment"] == segment


def test_a_large_share_of_one_rep_is_no_alert_for_the_company(company, find):
    """An account above a fifth of its rep's book, but below a tenth of the company's, is told to the rep alone."""
    company.crowd(40)
    for number in range(8):
        company.won(company.account(f"theirs-{number}", owner_id="other"), 30, 400)
    company.won(company.account("main", owner_id="other"), 30, 4000)
    assert find(company.tagged().accounts, "main")["foretag_alert"] == "55 % of your book"
    company.rules = Rules.model_validate({"alerts": {"owner_share": 60.0}})
    assert find(company.tagged().accounts, "main")["foretag_alert"] is None


# What a rep reads.


def test_the_reason_names_what_speaks_for_the_level(company, find):
    """Low names what lowers it, even where one thing says more the other way."""
    company.account("low", company_growth=20.0)
    for order in range(10):
        company.won("low", 450 + 60 * order)
    company.rules = Rules.model_validate({"growth": {"business": {"<=0": 0, ">0": 30}}})
    (points,) = growth_of(company, "low")
    low = find(company.tagged().accounts, "low")
    assert points["business"] > 0 > points["quiet"]
    assert low["foretag_growth_potential"] == "Low"
    assert "Low, gone quiet" in low["foretag_reason"]


# What is to be expected.


def test_a_deal_counts_as_far_as_it_moves_and_its_account_is_likely_to_buy(company, find):
    """The same large deal: silent past its date it promises little; no account is likelier to sign than to buy."""
    for name, columns in (
        ("moving", {}),
        ("stuck", {"closes_in": -60, "created_at": datetime(2025, 9, 1, tzinfo=UTC)}),
    ):
        company.account(name, industry=name)
        company.open(f"deal-{name}", name, amount=100_000, **columns)
    company.crowd(10)
    tagged = company.tagged()
    moving, stuck = (find(tagged.accounts, name) for name in ("moving", "stuck"))
    assert moving["expected_spend"] > 10 * stuck["expected_spend"]
    for tags in (moving, stuck):
        assert tags["expected_spend"] <= 100_000 * (tags["foretag_likelihood"] + 1) / 100


# What holds for all items.


def varied(company):
    """A book in which every item of growth potential has something to go by."""
    beginners(company)
    for number in range(12):
        sell(company, f"full-{number}", "Drill", "Saw")
    company.account("all", company_growth=20.0)
    for order in range(8):
        company.won("all", 20 + 100 * order, 40 if order > 3 else 90, product="Drill")
    company.add("commitment", account_id="all", amount=100, by=company.day(40))
    company.add("commitment", account_id="all", amount=50_000, by=company.day(-40))
    company.account("prospect")
    company.open("first", "prospect")


def test_every_item_says_what_it_saw(company):
    """Whatever gives points to growth potential has a line in words."""
    varied(company)
    tagged, told = company.tagged(), set()
    for name in ("all", "new-04", "prospect"):
        for line in explain(tagged, name).to_pylist():
            if line["dimension"] == "growth":
                assert line["detail"], line
                told.add(line["item"])
    assert told == set(ITEMS)


@pytest.mark.parametrize(("show", "word"), [("value", " %"), ("band", "most"), ("hide", None)])
def test_plans_are_shown_as_the_rules_say(company, show, word):
    """By default a line about plans has no numbers; rules may show them, or say nothing of plans."""
    varied(company)
    company.rules = Rules.model_validate({"show": {"growth_plan": show}})
    lines = [row["detail"] for row in explain(company.tagged(), "all").to_pylist() if row["item"] == "kept"]
    assert all((word in line) if word else not line for line in lines)
    assert lines


def test_buckets_do_not_matter_to_growth(company):
    """Products, outlooks, plans and fit come out the same however the book is cut, and from the kept book."""
    varied(company)
    whole, rules = company.tagged(), company.rules
    wanted = {row["id"]: row for row in whole.account_points.to_pylist()}
    book, parts = read_book(company.cut(4), rules, company.today)
    assert book.growth == whole.book.growth
    kept = Book.from_json(book.to_json())
    tags = [tag(part, kept, None, rules, company.today).account_points for part in parts]
    assert {row["id"]: row for row in pa.concat_tables(tags).to_pylist()} == wanted
