"""Likelihood to buy and expected spend: the learned card, the buying pattern, the season, and what is said of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from config.rules import Rules
from scoring import explain, read_book, tag
from scoring.buying import lessons as buying
from scoring.buying.likelihood import PURCHASES
from tests.benchmarks.quality_purchases import LEAST_AUC, WAYS, cdnow, foreseen
from tests.benchmarks.ranking import auc, top_share


def rules(**likelihood):
    """Rules with this section `likelihood:`."""
    return Rules.model_validate({"likelihood": likelihood})


def points(tagged, account, item):
    """What an item gave to an account's likelihood."""
    found = tagged.account_points.filter(pa.compute.equal(tagged.account_points["id"], account))
    return found[f"likelihood:{item}"][0].as_py()


def renewals(company):
    """Customers that buy every half-year to the day, at evenly spread times."""
    for number in range(90):
        name = company.account(f"c{number:02d}")
        for order in range(6):
            company.won(name, 2 * number + 182 * order)


def test_a_card_from_the_book_learns_who_is_due(company, find):
    """Where customers renew by the calendar, those who are due are likelier than those who bought last month."""
    renewals(company)
    company.rules = rules(horizon=60, points="from_book")
    tags = company.tagged().accounts
    learned = [find(tags, name)["foretag_likelihood"] for name in ("c80", "c10")]
    company.rules = rules(horizon=60, points="fixed")
    tags = company.tagged().accounts
    fixed = [find(tags, name)["foretag_likelihood"] for name in ("c80", "c10")]
    assert learned[0] > learned[1]
    assert learned[0] - learned[1] > fixed[0] - fixed[1]


def test_a_small_book_keeps_the_points_of_the_rules(company):
    """Three customers teach next to nothing."""
    for name, last in (("a", 10), ("b", 40), ("c", 100)):
        company.account(name)
        for order in range(3):
            company.won(name, last + 90 * order)
    learned, given = company.tagged().book.buying.card, company.rules.likelihood
    for item, found in learned.items():
        assert found == pytest.approx((*getattr(given, item).points, getattr(given, item).none), abs=8)


def test_card_and_pattern_share_by_the_rules(company):
    """`buying_pattern` 0: the card alone; 100: the pattern alone; both together make the default."""
    company.crowd()
    for share, silent in ((0.0, ("history",)), (100.0, ("recency", "rhythm", "purchases", "value"))):
        company.rules = rules(buying_pattern=share)
        tagged = company.tagged()
        for item in silent:
            assert set(tagged.account_points[f"likelihood:{item}"].to_pylist()) == {0}


def test_deals_won_on_one_day_are_one_purchase(company, find):
    """A purchase that the CRM holds as three deals counts once in rhythm and pattern."""
    company.crowd()
    for name, parts in (("whole", 1), ("parts", 3)):
        company.account(name)
        for order in range(5):
            for _ in range(parts):
                company.won(name, 20 + 60 * order, 900 / parts)
    tags = company.tagged().accounts
    whole, parts = find(tags, "whole"), find(tags, "parts")
    assert whole["foretag_likelihood"] == parts["foretag_likelihood"]
    assert whole["expected_spend"] == parts["expected_spend"]


@pytest.mark.parametrize(("peak", "sign"), [(-45, -1), (45, 1)])
def test_the_season_a_year_before_moves_the_chance(company, peak, sign):
    """Just after a yearly peak the chance is lower than what the last weeks brought; just before it, higher."""
    rng = np.random.default_rng(1)
    for number in range(150):
        name = company.account(f"c{number:03d}")
        company.won(name, 1200)
        for ago in rng.integers(0, 1100, 40):
            # Peak: within 45 days of it once a year, one purchase in one; else one in six.
            away = abs((int(ago) + peak + 182) % 365 - 182)
            if away < 45 or rng.random() < 0.15:
                company.won(name, int(ago))
    company.rules = rules(horizon=90)
    tagged = company.tagged()
    assert sign * tagged.book.buying.season > 10
    assert sign * points(tagged, "c000", "season") > 0


def test_a_steady_book_has_no_season(company):
    """Where the same was bought all year, a year before says nothing."""
    rng = np.random.default_rng(2)
    for number in range(150):
        name = company.account(f"c{number:03d}")
        for ago in rng.integers(0, 1200, 15):
            company.won(name, int(ago))
    company.rules = rules(horizon=90)
    assert abs(company.tagged().book.buying.season) <= 8


def test_a_young_book_learns_from_half_of_its_history(company):
    """With less than two horizons of history there is no whole horizon to look back on: half of what there is."""
    company.crowd(10)
    for deal in company.deals:
        deal["close_date"] = company.day((company.today - deal["close_date"]).days // 10)
    company.rules = rules(horizon=365)
    book = company.tagged().book
    assert book.horizon == 365
    assert 20 <= book.buying.window <= 40


def test_a_book_without_a_past_foretells_by_the_pattern(company):
    """Everybody bought for the first time this week: nothing to look back on, and nothing breaks."""
    for number in range(20):
        company.won(company.account(f"c{number}"), number % 5)
    tags = company.tagged().accounts
    assert all(1 <= shown <= 99 for shown in tags["foretag_likelihood"].to_pylist())


@pytest.mark.parametrize("way", WAYS)
def test_a_better_deal_never_lowers_likelihood_or_expected_spend(company, way):
    """Along rising chances of the live deal, likelihood and expected spend never fall, for customers and prospects."""
    company.crowd(12)
    for number, chance in enumerate(range(0, 101, 4)):
        for kind in ("customer", "prospect"):
            name = company.account(f"{kind}{number:02d}")
            if kind == "customer":
                for order in range(4):
                    company.won(name, 50 + 80 * order)
            company.open(f"deal-{name}", name, probability=float(chance))
    company.rules = rules(points=way)
    tags = company.tagged().accounts.sort_by("id").to_pylist()
    for kind in ("customer", "prospect"):
        mine = [tag for tag in tags if tag["id"].startswith(kind)]
        for output in ("foretag_likelihood", "expected_spend"):
            found = [tag[output] for tag in mine]
            assert found == sorted(found)


def test_more_money_at_the_same_times_never_lowers_expected_spend(company):
    """Customers who buy on the same days are expected to spend more, the more they spent."""
    company.rules = rules(points="fixed")
    for number in range(30):
        name = company.account(f"c{number:02d}")
        for order in range(6):
            company.won(name, 30 + 60 * order, 100 * (number + 1))
    tags = company.tagged().accounts.sort_by("id")
    for output in ("foretag_likelihood", "expected_spend"):
        found = tags[output].to_pylist()
        assert found == sorted(found)
    assert tags["expected_spend"][29].as_py() > 20 * tags["expected_spend"][0].as_py()


def test_a_large_live_deal_counts_for_what_it_is_worth(company, find):
    """A deal's chance times its amount is expected if that is more than what the history lets expect."""
    company.crowd()
    company.open("deal", "crowd-000", amount=500_000, probability=50.0)
    tags = company.tagged().accounts
    assert (
        find(tags, "crowd-000")["expected_spend"] > 100_000 > 10 * find(tags, "crowd-001")["expected_spend"]
    )


def test_the_pattern_says_what_it_saw(company):
    """Explain names the purchases, with dates, and what is expected of them."""
    company.crowd()
    company.account("acme")
    for order in range(7):
        company.won("acme", 19 + 43 * order)
    said = {row["item"]: row["detail"] for row in explain(company.tagged(), "acme").to_pylist()}
    assert said["history"].startswith(
        "bought on 7 days since 18 Feb 2026, last 3 Nov 2026; expected within 60 days: "
    )
    assert set(PURCHASES) <= set(said)


def test_a_sample_is_the_same_however_the_book_is_cut(company, monkeypatch):
    """Of a large book a sample of accounts, drawn by a hash of their ids, is fitted: whatever the buckets are."""
    monkeypatch.setattr(buying, "_ENOUGH", 150)
    company.crowd(60)
    tables = company.tables()
    ids = [
        [name for name in tables["account"]["id"].to_pylist() if int(name[6:9]) % 3 == part]
        for part in range(3)
    ]

    def cut(names):
        keep = pa.array(names)
        return {
            **tables,
            "account": tables["account"].filter(pa.compute.is_in(tables["account"]["id"], keep)),
            "opportunity": tables["opportunity"].filter(
                pa.compute.is_in(tables["opportunity"]["account_id"], keep)
            ),
        }

    whole, _ = read_book([tables], company.rules, company.today)
    parts, _ = read_book([cut(names) for names in reversed(ids)], company.rules, company.today)
    assert 0 < whole.buying.lots < buying.LOTS
    monkeypatch.undo()
    assert read_book([tables], company.rules, company.today)[0].buying.model != whole.buying.model
    assert whole.to_json() == parts.to_json()


def test_a_kept_card_of_other_ranges_is_left_aside(company):
    """A book that was kept under rules with other ranges scores by the rules' own points."""
    company.crowd()
    book, (part,) = read_book([company.tables()], company.rules, company.today)
    changed = rules(recency={"<=1": 10, ">1": -10})
    tagged = tag(part, book, None, changed, company.today)
    assert tagged.accounts["foretag_likelihood"].null_count == 0


@pytest.fixture(scope="module")
def customers_of_cdnow():
    """All 23,570 customers: 39 weeks known, the next 39 to be foreseen."""
    return foreseen(cdnow())


def test_likelihood_keeps_up_with_the_best_baseline(customers_of_cdnow):
    """With the card from the book, the AUC of "buys again" is at most 0.002 under the best baseline's."""
    scores, again = customers_of_cdnow.scores, customers_of_cdnow.again
    baselines = [auc(scores[name], again) for name in customers_of_cdnow.expected if name not in WAYS]
    for shown in ("from_book", "from_book, as shown"):
        assert auc(scores[shown], again) >= max(baselines) - LEAST_AUC


def test_expected_spend_beats_every_baseline(customers_of_cdnow):
    """The top tenth by expected spend holds more of the next period's revenue than any baseline's."""
    expected, spent = customers_of_cdnow.expected, customers_of_cdnow.spent
    baselines = [top_share(scores, spent) for name, scores in expected.items() if name not in WAYS]
    for way in WAYS:
        assert top_share(expected[way], spent) > max(baselines)
