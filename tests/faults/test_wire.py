"""Faults 9 and 10: the line is cut in mid-download; records come that nobody can read."""

from __future__ import annotations

import pytest

from tests.crms import POISONS
from tests.faults.test_crashes import TINY
from tests.faults.wholeness import assert_same_deals, assert_settled, assert_whole

FRAMINGS = ("as_is", "length", "chunked", "close")
# In which column of an account each of these can be.
COLUMNS = {"nan": "annual_revenue", "ancient_date": "created_at"}


@pytest.mark.long
def test_fault_09_a_line_cut_in_mid_download(make_world, tried):
    """However the end of a reply is told: a short page is never scored, and a run that goes on has all."""
    world = make_world(data="synthetic:20:80")
    for framing in FRAMINGS:
        cut = {
            "kind": "truncate",
            "match": world.people.reading,
            "framing": framing,
            "bytes": 300,
            "times": 3,
        }
        world.sandbox.faults.add([{**cut, "after": 1}])
        assert world.run().exit_code == 0
        world.sandbox.faults.remove()
        assert_same_deals(world)
        world.forget()
    world.run()
    assert_whole(world)
    tried(len(FRAMINGS) * 3, "a reply cut short")


def test_fault_09_a_line_that_stays_cut_scores_nothing(make_world, tried):
    """Exit 69 rather than half a book; nothing is written, no cursor moves."""
    from connectors.contract import RetryLater, Truncated

    world = make_world(data=TINY)
    world.sandbox.faults.add(
        [{"kind": "truncate", "match": world.people.reading, "bytes": 40, "times": None}]
    )
    with world.counting() as written, pytest.raises((RetryLater, Truncated)):
        world.run()
    assert written() == 0
    world.sandbox.faults.remove()
    assert world.run().exit_code == 0
    assert_same_deals(world)
    tried(1, "a line that stays cut")


@pytest.mark.long
def test_fault_10_poisoned_records_are_set_aside(make_world, tried, crm):
    """One record of each kind that cannot be read: listed by field and never by content, all others done."""
    world = make_world()
    accounts = [row["id"] for row in world.people.rows("account")]
    name = world.people.object_name("account")
    poisons = [what for what in POISONS[crm] if what != "missing_id"]
    faults = [
        {
            "kind": "poison", "object": name, "what": what, "id": record, "size": 3_000_000,
            "field": world.people.field_name("account", COLUMNS.get(what, "name")),
        }
        for what, record in zip(poisons, accounts, strict=False)
    ]  # fmt: skip
    world.sandbox.faults.add(faults)
    report = world.run()
    with world.job() as job:
        items = job.ledger.items(report.run, "set_aside")
    assert report.exit_code == 3
    assert {item.record_id for item in items} == set(accounts[: len(poisons)])
    assert all(len(item.message) < 100 for item in items)
    tagged = {row["id"] for row in world.people.rows("account", "foretag_tier") if row["foretag_tier"]}
    assert tagged.isdisjoint(accounts[: len(poisons)])
    assert len(tagged) >= len(accounts) // 2
    world.sandbox.faults.remove()
    assert_settled(world)
    tried(len(poisons), "a record that cannot be read")


@pytest.mark.long
def test_fault_10_a_formula_in_a_name_stays_a_name(make_world, tried):
    """Text that a spreadsheet would run, with a line break and a quote, is written nowhere but as it is read."""
    world = make_world(data=TINY)
    (first, *_) = world.people.rows("account")
    for text in ('=HYPERLINK("http://x")', '"quoted"\n; DROP TABLE', "Ångström & Söner, GmbH"):
        world.people.edit("account", {"id": first["id"], "name": text})
        assert world.run().exit_code == 0
    assert_whole(world)
    tried(3, "a name that is no mere name")
