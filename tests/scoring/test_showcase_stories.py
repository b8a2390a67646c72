"""What the showcase's stories are to show, the scores do show."""

from __future__ import annotations

from importlib.resources import files

import pytest

from config.rules import load_rules
from connectors.sandbox.datasets import load_book
from connectors.sandbox.datasets.lists import lists
from tests.benchmarks.bench_planted import found
from tests.benchmarks.book_tables import row_numbers


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The showcase, scored by the demo's rules, with the lists that lie beside them."""
    folder, book = tmp_path_factory.mktemp("rules"), load_book("showcase")
    rules = folder / "rules.yaml"
    rules.write_text(files("config").joinpath("demo", "showcase.yaml").read_text(encoding="utf-8"))
    for name, content in lists(book).items():
        (folder / name).write_bytes(content)
    return found(book, load_rules(rules))


@pytest.fixture(scope="module")
def accounts(scored):
    """Each account's tags, by name."""
    tags = scored.tagged.accounts
    names = scored.book.accounts["name"].to_pylist()
    rows = zip(row_numbers(tags["id"]).tolist(), tags.to_pylist(), strict=True)
    return {names[row]: tag for row, tag in rows}


@pytest.fixture(scope="module")
def deals(scored):
    """Each story's open deal and its tags, by account."""
    tags = scored.tagged.opportunities
    names = scored.book.opportunities["name"].to_pylist()
    rows = zip(row_numbers(tags["id"]).tolist(), tags.to_pylist(), strict=True)
    return {names[row].partition(":")[0]: tag for row, tag in rows}


def test_the_small_grower_is_seen(accounts):
    """Little is to be expected of it yet, and much later."""
    tags = accounts["Lindqvist Precision"]
    assert tags["foretag_growth_potential"] == "High"
    assert tags["foretag_segment"] in {"Monitor", "Prioritize"}
    assert tags["foretag_tier"] in {"A", "B"}


def test_the_big_one_that_goes_quiet_is_told(accounts):
    """By an alert; a seasonal customer who is silent out of season is not."""
    assert "gone quiet" in accounts["Harbour & Vale Foods"]["foretag_alert"]
    assert "quiet" not in (accounts["Alpine Lifts"]["foretag_alert"] or "")
    assert accounts["Harbour & Vale Foods"]["foretag_growth_potential"] == "Low"


def test_a_kept_promise_counts_for_more_than_a_broken_one(accounts):
    """Castellan promises more, and is believed less."""
    kept, broken = (
        accounts[name]["foretag_growth_score"] for name in ("Nordvik Clinics", "Castellan Construction")
    )
    assert kept >= broken + 20


def test_the_urgent_need_comes_first(accounts, deals):
    """Among the best of the whole book, and the reason names the day."""
    tags = accounts["Aurora Cold Storage"]
    best = sorted((one["foretag_score"] for one in accounts.values() if one["foretag_score"]), reverse=True)
    assert tags["foretag_tier"] == "A"
    assert tags["foretag_score"] >= best[5]
    assert "needed by 16 Mar" in deals["Aurora Cold Storage"]["foretag_reason"]


def test_the_thin_margin_whale_stands_behind_small_sure_and_soon(deals):
    """Twenty-seven times the amount does not make up for the margin."""
    whale, small = deals["Titan Retail Group"], deals["Bramley Analytics"]
    assert "thin margin" in whale["foretag_reason"]
    assert whale["foretag_score"] < small["foretag_score"] - 15
    assert small["foretag_tier"] == "A"


def test_where_something_burns_help_comes_first(accounts, deals, scored):
    """The reason says so, and nobody is sent to sell."""
    assert "help first" in deals["Mirabel Hospitals"]["foretag_reason"]
    named = scored.tagged.tasks["account_id"].to_pylist()
    assert accounts["Mirabel Hospitals"]["id"] not in named


def test_the_deal_that_was_pushed_for_months_stands_low(deals):
    """It is no deal for this week, and the next step is to agree a new date."""
    tags = deals["Kestrel Logistics"]
    assert tags["foretag_tier"] in {"C", "D"}
    assert "new close date" in tags["foretag_next_step"]


def test_the_faithful_and_flat_are_nurtured_and_the_rest_left_to_itself(accounts):
    """What buys without growing is kept happy; what hardly buys gets no visit."""
    assert accounts["Orchard Lane Supplies"]["foretag_segment"] == "Nurture"
    assert accounts["Falk & Sons Mechanics"]["foretag_tier"] == "D"


@pytest.mark.parametrize(
    ("name", "why"),
    [("Bluepeak Partners", "partner"), ("Vantor Systems", "competitor"), ("Hollis Paper", "opted out")],
)
def test_some_are_none_of_sales_business(accounts, name, why):
    """No tier, and the reason says why."""
    assert accounts[name]["foretag_tier"] is None
    assert accounts[name]["foretag_reason"].startswith("Not scored:")
    assert why in accounts[name]["foretag_reason"]


def test_nobody_who_left_gets_a_task(scored, accounts):
    """Sundgren is worth a visit, and its owner is gone: no task is given to nobody's desk."""
    assert accounts["Sundgren Energy"]["foretag_tier"] in {"A", "B"}
    gone = {row for row, active in enumerate(scored.book.owners["active"].to_pylist()) if not active}
    tasks = scored.tagged.tasks.to_pylist()
    assert all(not one["owner_active"] for one in tasks if int(one["owner_id"][3:]) in gone)
