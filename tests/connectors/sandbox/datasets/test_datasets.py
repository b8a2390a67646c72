"""The data sets hold what their sources hold, and what was derived is what the description says."""

from __future__ import annotations

from datetime import date

import pyarrow.compute as pc
import pytest

from config.problems import ConfigProblem
from connectors.sandbox.datasets import load_book, load_dataset

COUNTS = [
    ("pipeline", date(2018, 1, 1), 41, 85, 8800),
    ("cdnow", date(1998, 7, 1), 10, 23570, 69659),
    ("cdnow_sample", date(1998, 7, 1), 10, 2357, 6919),
    ("synthetic:300:1000:3", date(2026, 1, 1), 5, 300, 1000),
]


@pytest.mark.parametrize(
    ("name", "today", "users", "accounts", "deals"), COUNTS, ids=[row[0] for row in COUNTS]
)
def test_sets_are_complete(name, today, users, accounts, deals):
    """Every row of the source is there, references lead somewhere, and nothing happens after today."""
    found = load_dataset(name)
    tables = found.tables
    assert (found.today, found.name) == (today, name)
    assert (tables["User"].num_rows, tables["Account"].num_rows, tables["Opportunity"].num_rows) == (
        users,
        accounts,
        deals,
    )
    known = set(tables["Account"]["Id"].to_pylist())
    assert set(tables["Opportunity"]["AccountId"].drop_null().to_pylist()) <= known
    assert pc.max(tables["Opportunity"]["SystemModstamp"]).as_py().date() < today
    assert pc.all(
        pc.less_equal(tables["Opportunity"]["CreatedDate"], tables["Opportunity"]["SystemModstamp"])
    ).as_py()
    assert pc.count_distinct(tables["Opportunity"]["SystemModstamp"]).as_py() > deals * 0.9


def test_the_pipeline_is_mended_and_completed():
    """Spelling is mended, stages are counted, and each open deal has a close date and its list price."""
    tables = load_dataset("pipeline").tables
    stages = dict(
        zip(
            *(column.to_pylist() for column in pc.value_counts(tables["Opportunity"]["StageName"]).flatten()),
            strict=True,
        )
    )
    assert stages == {"Closed Won": 4238, "Closed Lost": 2473, "Engaging": 1589, "Prospecting": 500}
    assert "Technology" in tables["Account"]["Industry"].to_pylist()
    assert "Philippines" in tables["Account"]["BillingCountry"].to_pylist()
    assert set(tables["Opportunity"]["Product__c"].to_pylist()) == set(tables["Product2"]["Name"].to_pylist())
    assert tables["Opportunity"]["CloseDate"].null_count == 0
    deals = tables["Opportunity"].filter(pc.invert(tables["Opportunity"]["IsClosed"]))
    assert set(deals["Amount"].to_pylist()) <= set(tables["PricebookEntry"]["UnitPrice"].to_pylist())
    won = tables["Opportunity"].filter(tables["Opportunity"]["IsWon"])
    assert pc.sum(won["Amount"]).as_py() == 10005534
    assert tables["OpportunityHistory"].num_rows == 8800 + 4238 + 2473


def test_the_first_snapshot_of_a_deal_does_not_know_its_end():
    """It shows the list price and the expected close date: a lost deal is not worth 0 from the beginning."""
    tables = load_dataset("pipeline").tables
    ends = dict(zip(*(tables["Opportunity"][name].to_pylist() for name in ("Id", "StageName")), strict=True))
    seen = tables["OpportunityHistory"].sort_by("CreatedDate").to_pylist()
    first = {row["OpportunityId"]: row for row in reversed(seen)}
    won, lost = (
        [row for key, row in first.items() if ends[key] == stage and row["StageName"] == "Engaging"]
        for stage in ("Closed Won", "Closed Lost")
    )

    prices = set(tables["PricebookEntry"]["UnitPrice"].to_pylist())
    assert {row["Amount"] for row in won + lost} <= prices
    # The time to close that is expected depends on the product alone, whatever the end.
    expected = [{(row["CloseDate"] - row["CreatedDate"].date()).days for row in rows} for rows in (won, lost)]
    assert expected[0] == expected[1]
    assert len(expected[0]) <= len(prices)


def test_the_generator_repeats_itself():
    """The same seed gives the same book, another seed another one."""
    first, again, other = (load_book(f"synthetic:50:200:{seed}") for seed in (1, 1, 2))
    assert first.opportunities.equals(again.opportunities)
    assert not first.opportunities.equals(other.opportunities)


@pytest.mark.parametrize("name", ["nope", "synthetic:", "synthetic:x:y", "synthetic:0:5", "synthetic:1"])
def test_an_unknown_set_is_told(name):
    """A wrong name says what can be chosen."""
    with pytest.raises(ConfigProblem, match="synthetic:"):
        load_dataset(name)
