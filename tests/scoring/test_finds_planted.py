"""The scores find what was planted: on books whose future is known, of several seeds and sizes, by default rules.

The figures are printed (`pytest -s`). A floor lies some way under what is found, so that another seed does not trip
it, and above what knowing nothing would find.
"""

from __future__ import annotations

import numpy as np
import pytest

from config.rules import Rules
from connectors.sandbox.datasets import load_book
from scoring import read_book, tag
from tests.benchmarks.bench_planted import found
from tests.benchmarks.book_tables import bucketed, scoring_tables

BOOKS = ["planted:3000:20000:1", "planted:1500:12000:2", "planted:8000:30000:3"]
# By figure: the least that must be found.
LEAST = {
    "who buys within the horizon, by likelihood": 0.83,
    "the same among customers": 0.79,
    "who grows, among customers": 0.55,
    "who becomes a top customer, among prospects": 0.62,
    "growth score where plans were kept - where broken": 10.0,
    "which open deals are won, by chance": 0.62,
    "which are won within 30 days, by priority": 0.70,
    "which close within 30 days, by priority": 0.66,
    "next year's revenue in the top tenth by expected spend": 0.39,
}


@pytest.fixture(scope="module", params=BOOKS)
def scored(request):
    """A planted book with its scores, and its figures printed."""
    result = found(load_book(request.param))
    print(f"\n{request.param}")  # noqa: T201  # figures are to be read
    for name, figure in result.figures().items():
        print(f"  {name:<60} {figure:7.3f}")  # noqa: T201  # printing is what it is for
    print(result.cells().round(3).to_string())  # noqa: T201  # printing is what it is for
    return result


@pytest.fixture(scope="module")
def figures(scored):
    """What is found, by name."""
    return scored.figures()


@pytest.mark.parametrize("figure", LEAST)
def test_what_was_planted_is_found(figures, figure):
    """No figure falls under its floor."""
    assert figures[figure] >= LEAST[figure]


def test_chances_are_chances(figures):
    """On the whole as many buy, and as many deals are won, as was foretold."""
    assert abs(figures["mean likelihood - share that buys"]) < 0.08
    assert abs(figures["mean chance - share won"]) < 0.12


def test_expected_spend_tells_no_less_than_last_years_spend(figures):
    """The tenth of the book that ranks highest brings in at least what last year's best would have."""
    by_spend = figures["the same by last year's spend"]
    assert figures["next year's revenue in the top tenth by expected spend"] >= by_spend - 0.03


def test_segments_part_buyers_from_others(scored):
    """More buy where expected spend is high, whatever the growth potential."""
    buys = scored.cells()["buys"]
    assert min(buys["Prioritize"], buys["Nurture"]) > 3 * max(buys["Monitor"], buys["Reduce"])


def test_segments_part_growers_from_others(scored):
    """More customers grow where growth potential is high, also among those of whom much is expected now."""
    customers, cells = scored.customers, scored.cells()
    high = customers["foretag_segment"].isin(["Prioritize", "Monitor"])
    assert customers["grows"][high].mean() > customers["grows"][~high].mean() + 0.01
    assert cells["grows"]["Prioritize"] > cells["grows"]["Nurture"] + 0.02
    assert cells["grows"]["Monitor"] > cells["grows"]["Reduce"]


def test_who_bought_nothing_for_a_year_has_less_potential(scored):
    """The growth score of customers that have gone quiet is on the whole far below that of the others."""
    bought = scored.accounts[scored.accounts["bought"]]
    quiet = bought["spend_last_year"] == 0
    growth = bought["foretag_growth_score"].astype(float)
    assert growth[quiet].mean() < growth[~quiet].mean() - 10


def test_a_need_with_a_date_raises_a_deal(scored):
    """Deals that the customer needs within a month stand above the others, and more of them are won that soon."""
    need = scored.deals.merge(
        scored.book.opportunities.select(["need_by"]).to_pandas(), left_on="row", right_index=True
    )
    days = scored._days(need["need_by"])
    urgent, others = need[(days >= 0) & (days <= 30)], need[days.isna()]
    assert urgent["foretag_score"].mean() > others["foretag_score"].mean() + 5
    assert urgent["won_soon"].mean() > others["won_soon"].mean()


def test_tiers_fall_in_order(scored):
    """Of deals in tier A more are won within 30 days than of those in B, and so on."""
    won = scored.deals.groupby("foretag_tier")["won_soon"].mean()
    assert won["A"] > won["B"] > won["D"]
    assert won["A"] > 1.5 * scored.deals["won_soon"].mean()


def test_those_who_are_not_sold_to_are_left_out(scored):
    """Partners, competitors and who opted out have no score; everybody else that anything is known of has one."""
    book = scored.book.accounts.to_pandas()
    out = book["type"].isin(["Partner", "Competitor"]) | book["opted_out"]
    shown = np.zeros(len(book), dtype=bool)
    shown[scored.accounts["row"]] = True
    assert not shown[out].any()
    assert shown[~out].all()


def test_buckets_of_a_planted_book_change_nothing():
    """A book with everything in it gives the same tags however it is cut."""
    book = load_book("planted:400:2500:5")
    tables, rules = scoring_tables(book), Rules()
    rows = []
    for buckets in (1, 3):
        whole, parts = read_book(bucketed(tables, buckets), rules, book.today)
        tagged = [tag(part, whole, None, rules, book.today) for part in parts]
        rows.append(
            sorted((row for one in tagged for row in one.accounts.to_pylist()), key=lambda row: row["id"])
        )
    assert rows[0] == rows[1]
