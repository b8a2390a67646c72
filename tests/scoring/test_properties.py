"""What holds for every book: sums, order, repetition, foreign columns, poison."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.records import schema
from config.rules import Rules
from scoring import Book, explain, extract, read_book, tag
from scoring.arithmetic.points import Card, Sum

TODAY = date(2026, 11, 22)
LONG = "because of a reason that takes all the words that a boost may have, not one less"


def boost(name, on, when, points):
    """A boost of many words."""
    return {"name": name, "on": on, "when": when, "points": points, "because": LONG}


RULES = Rules.model_validate({
    "products": {"Drill": {"margin": 30.0}},
    "tiers": {"min_margin": 20.0},
    "boosts": [
        boost("up", "opportunity", "amount is known", 30), boost("down", "opportunity", "pushes > 1", -60),
        boost("more", "account", "purchases > 0", 25), boost("less", "account", 'industry == "retail"', -70),
    ],
    "exclude": [{"on": "account", "when": "employees < 0", "because": LONG}],
    "teams": {"One": {
        "priority": {"weights": {"soon": 1, "much": 90}}, "growth": {"base": 5}, "tiers": {"by": "company", "A": 40},
        "boosts": [boost("up", "opportunity", "pain", 3), boost("own", "account", "True", 9)],
    }},
    "pipelines": {"Renewals": {"needs": {"pain": 50}, "tiers": {"cut_offs": {"A": 60, "B": 40, "C": 20}}}},
})  # fmt: skip

days = st.dates(date(2023, 1, 1), date(2027, 12, 31)) | st.sampled_from(
    [None, date(1, 1, 1), date(9999, 12, 31)]
)
amounts = st.decimals(-10, 10**6, places=2) | st.sampled_from([None, Decimal("9999999999999999.99")])
percents = st.floats(0, 100) | st.sampled_from([None, float("nan"), float("inf"), -5.0])
words = st.sampled_from([None, "", "Retail", "Energy", "x" * 300, "line\nbreak"])
stamps = st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1)) | st.none()  # noqa: DTZ001  # the schema makes it UTC

accounts = st.fixed_dictionaries({
    "name": words, "owner_id": st.sampled_from([None, "o1", "o2"]), "industry": words,
    "employees": st.integers(-1, 10**6) | st.none(), "annual_revenue": amounts, "parent_id": words,
    "created_at": stamps, "company_growth": percents, "country": words,
    "foretag_growth_plan": amounts, "foretag_growth_plan_by": days,
    "foretag_override": st.sampled_from([None, None, None, "B", "Leave alone", "nonsense"]),
    "foretag_override_until": days, "foretag_override_reason": words,
})  # fmt: skip
opportunities = st.fixed_dictionaries({
    "account_id": st.sampled_from([None, "a0", "a1", "a2", "a3", "gone"]), "owner_id": st.sampled_from([None, "o1"]),
    "stage": words, "product": st.sampled_from([None, "Drill"]), "amount": amounts, "probability": percents,
    "close_date": days, "is_closed": st.booleans() | st.none(), "is_won": st.booleans() | st.none(),
    "push_count": st.integers(-1, 50) | st.none(), "stage_changed_at": stamps, "last_activity_date": days,
    "margin": percents, "need_by": days, "pain": words, "created_at": stamps,
    "pipeline": st.sampled_from([None, "renewals", "New"]),
    "foretag_tier": st.sampled_from([None, "A"]), "foretag_override": st.sampled_from([None, "D"]),
})  # fmt: skip


def table(name, rows, prefix):
    """Rows as a canonical table, with ids."""
    numbered = [{"id": f"{prefix}{place}", **row} for place, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, schema=schema(name))


books = st.tuples(st.lists(accounts, max_size=6), st.lists(opportunities, max_size=25)).map(
    lambda rows: {
        "account": table("account", rows[0], "a"),
        "opportunity": table("opportunity", rows[1], "d"),
        "owner": table("owner", [{"team": "x"}, {"team": "one"}], "o"),
    }
)
# An example is a whole book scored: those that score one twice have fewer.
many = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some, few = settings(many, max_examples=10), settings(many, max_examples=4)


def score(tables, rules=RULES):
    """A book of one bucket, scored."""
    book, (part,) = read_book([tables], rules, TODAY)
    return tag(part, book, None, rules, TODAY)


def everything(tagged):
    """All that a run is told."""
    return [getattr(tagged, name).to_pylist() for name in ("accounts", "opportunities", "tasks", "state")]


@many
@given(books)
def test_every_score_says_exactly_what_it_is_made_of(tables):
    """Contributions, the signed numbers of a reason, and what `explain` lists are whole, and add up to the score."""
    tagged = score(tables)
    contributions_add_up(tagged)
    reasons_add_up(tagged)
    explanations_add_up(tagged)


def contributions_add_up(tagged):
    """For weights and cards alike."""
    shown = {
        "priority": "foretag_score",
        "win": "chance",
        "likelihood": "foretag_likelihood",
        "growth": "foretag_growth_score",
    }
    for records, points in (
        (tagged.accounts, tagged.account_points),
        (tagged.opportunities, tagged.opportunity_points),
    ):
        for record, parts in zip(records.to_pylist(), points.to_pylist(), strict=True):
            for dimension in {name.split(":")[0] for name in points.column_names[1:]}:
                mine = [value for name, value in parts.items() if name.startswith(f"{dimension}:")]
                score_shown = record[shown[dimension]]
                assert mine == [None] * len(mine) if score_shown is None else sum(mine) == score_shown
                assert score_shown is None or 0 <= score_shown <= 100


def reasons_add_up(tagged):
    """What a rep reads: the signed numbers sum to the score in front."""
    for record in (*tagged.accounts.to_pylist(), *tagged.opportunities.to_pylist()):
        reason = record["foretag_reason"]
        if record["foretag_score"] is not None:
            signed = [part.rsplit(" ", 1)[-1] for part in reason.split(" · ")[1:]]
            assert sum(int(number) for number in signed if number[0] in "+-") == record["foretag_score"]
        assert reason is None or len(reason) <= 255


def explanations_add_up(tagged):
    """Of any record, in words."""
    for record in tagged.accounts.to_pylist():
        found = explain(tagged, record["id"])
        for dimension, name in (("priority", "foretag_score"), ("growth", "foretag_growth_score")):
            mine = found.filter(pc.equal(found["dimension"], dimension))
            assert (pc.sum(mine["points"]).as_py() or 0) == (record[name] or 0)
    assert explain(tagged, "nobody").num_rows == 0


@some
@given(books, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(tables, random):
    """Shuffled rows give the same tags, tasks and state."""
    shuffled = {}
    for name, rows in tables.items():
        order = list(range(rows.num_rows))
        random.shuffle(order)
        shuffled[name] = rows.take(pa.array(order, pa.int64()))
    assert everything(score(tables)) == everything(score(shuffled))


@some
@given(books)
def test_scoring_again_with_its_own_state_changes_nothing(tables):
    """Twice equals once: with the state of the first run, nothing has changed and every tag is the same."""
    book, (part,) = read_book([tables], RULES, TODAY)
    first = tag(part, book, None, RULES, TODAY)
    again = tag(part, book, first.state, RULES, TODAY)
    assert not any(again.accounts["changed"].to_pylist())
    for name in ("accounts", "opportunities"):
        drop = ["changed"]
        assert getattr(again, name).drop_columns(drop).equals(getattr(first, name).drop_columns(drop))


@few
@given(books)
def test_a_foreign_column_changes_nothing(tables):
    """Columns that no rule reads, such as modification stamps and names of people, change no score."""
    foreign = {
        name: rows.append_column("hobby", pa.array(["golf"] * rows.num_rows)) for name, rows in tables.items()
    }
    assert everything(score(tables)) == everything(score(foreign))


@pytest.mark.parametrize("buckets", [1, 2, 16])
def test_buckets_do_not_matter(company, buckets):
    """One bucket or sixteen, in order or shuffled: the same bytes, under rules of every kind."""
    company.rules = RULES
    company.owners = [{"id": "rep", "team": "One"}]
    company.crowd(60)
    for number in range(60):
        company.open(f"deal-{number}", f"crowd-{number:03d}", closes_in=number, amount=100 + 37 * number)
    whole = company.tables()
    rng = np.random.default_rng(7)

    def part(name, key, bucket):
        rows = whole[name].take(rng.permutation(whole[name].num_rows))
        places = np.array([int(text[6:9]) % buckets for text in rows[key].to_pylist()])
        return rows.filter(pa.array(places == bucket))

    split = [
        {
            **whole,
            "account": part("account", "id", bucket),
            "opportunity": part("opportunity", "account_id", bucket),
        }
        for bucket in rng.permutation(buckets)
    ]
    book, parts = read_book(split, company.rules, company.today)
    tags = [tag(found, book, None, company.rules, company.today) for found in parts]
    expected = company.tagged()
    assert book.to_json() == expected.book.to_json()
    for name in ("accounts", "opportunities", "tasks", "state", "account_points", "opportunity_points"):
        joined = pa.concat_tables([getattr(found, name) for found in tags]).sort_by("id")
        wanted = getattr(expected, name).sort_by("id")
        assert joined.equals(wanted), name


def test_an_increment_scores_against_the_kept_book(company, find):
    """One touched account, scored alone against the kept book, gets what the full run gave it."""
    company.crowd()
    company.open("deal", "crowd-003")
    full = company.tagged()
    kept = Book.from_json(full.book.to_json())
    assert kept == full.book
    mine = {
        name: rows.filter(pc.equal(rows["id" if name == "account" else "account_id"], "crowd-003"))
        for name, rows in company.tables().items()
        if name in {"account", "opportunity"}
    }
    alone = tag(
        extract(mine, kept.horizon, company.rules, company.today), kept, None, company.rules, company.today
    )
    assert find(alone.accounts, "crowd-003") == find(full.accounts, "crowd-003")
    assert find(alone.opportunities, "deal") == find(full.opportunities, "deal")


def test_a_kept_book_of_another_version_is_refused(company):
    """A book that another version wrote is not read with a guess."""
    text = company.tagged().book.to_json().replace('"version": 2', '"version": 1')
    with pytest.raises(ValueError, match="another version"):
        Book.from_json(text)


def test_an_empty_book_gives_empty_tables():
    """No accounts and no deals: no tags, no tasks, no error; absent tables count as empty."""
    assert everything(score({})) == [[], [], [], []]


@given(st.lists(st.lists(st.integers(-150, 150), min_size=3, max_size=3), min_size=1, max_size=20))
def test_card_shares_follow_their_points(rows):
    """A card's shares add up to its score, and lie within one of the step that each item made."""
    points = np.array(rows).T
    card = Card(points[0], points[1:])
    assert (card.shares.sum(axis=0) == card.score).all()
    assert ((card.score >= 1) & (card.score <= 99)).all()


@given(st.lists(st.lists(st.floats(-30, 30), min_size=4, max_size=4), min_size=1, max_size=20))
def test_sum_shares_are_within_one_of_their_parts(rows):
    """Rounded parts add up to the rounded sum, none off by more than one."""
    parts = np.array(rows).T
    found = Sum(parts)
    assert (found.shares.sum(axis=0) == found.score).all()
    assert (np.abs(found.shares - parts) <= 1).all()


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [("amount", 10.37, 10_000.37), ("probability", 5.0, 95.0), ("margin", 0.0, 80.0), ("push_count", 9, 0)],
)
def test_raising_a_monotone_input_never_lowers_the_score(company, column, low, high):
    """Amount (as round as before), chance and margin up, pushes down: along the way the score never falls."""
    company.account("acme")
    for step, value in enumerate(np.linspace(low, high, 25)):
        kind = int if column == "push_count" else float
        company.open(f"deal-{step:02d}", "acme", **{"amount": 500, "margin": 30.0, column: kind(value)})
    scores = company.tagged().opportunities.sort_by("id")["foretag_score"].to_pylist()
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_the_day_is_an_argument(company, find):
    """Scoring never asks the clock: the same data on a later day is nearer its close date."""
    company.account("acme")
    company.open("deal", "acme", closes_in=60)
    before = find(company.tagged().opportunities, "deal")["foretag_score"]
    company.today += timedelta(days=50)
    assert find(company.tagged().opportunities, "deal")["foretag_score"] > before
