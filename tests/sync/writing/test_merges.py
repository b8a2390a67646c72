"""What becomes of merged records: the one that is left goes on with word, tasks, state and promises of both."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sync.commands.views import explain
from sync.ledger import Ledger
from sync.ledger.merges import Inheritance
from sync.talk import Talk
from tests.acceptance.conftest import BOTH_IN_TIME
from tests.world import EVERY_RECORD


def _two(world, tier="D"):
    """Two accounts of a tier."""
    rows = world.people.rows("account", "foretag_tier")
    return [row["id"] for row in rows if row["foretag_tier"] == tier][:2]


def _override(world, account, **more):
    world.people.edit("account", {"id": account, "foretag_override": "A", **more})


@pytest.mark.long
@BOTH_IN_TIME
def test_the_one_that_is_left_inherits_an_override_until_its_day(world, capsys):
    """Whether the CRM keeps it or not; whoever says another word there is heard; `explain` knows both."""
    world.run()
    winner, loser = _two(world)
    ends = world.sandbox.today + timedelta(days=40)
    _override(world, loser, foretag_override_until=ends, foretag_override_reason="a new plant")
    world.run()
    left = world.people.merge("account", winner, loser)
    position = world.sandbox.journal.position
    world.run()
    wrote = [entry for entry in world.sandbox.journal.writes(position) if loser in entry.ids]
    assert wrote == []
    assert explain(Talk(), world.settings, None, loser) == 0
    assert f"{loser} was merged into {left}." in capsys.readouterr().err
    held = world.row("account", left, "foretag_tier", "foretag_reason")
    assert held["foretag_tier"] == "A"
    assert "a new plant" in held["foretag_reason"]
    assert world.run().writes == 0
    world.people.edit("account", {"id": left, "foretag_override": "C"})
    world.run()
    assert world.row("account", left, "foretag_tier")["foretag_tier"] == "C"
    # Who takes it back has decided, too: the inherited word does not come again.
    world.people.edit("account", {"id": left, "foretag_override": None})
    world.run()
    with world.job() as job:
        assert job.ledger.merges.inheritances(job.name) == []
        assert (
            job.mirror.read("account", ("foretag_override",), ids=[left])["foretag_override"][0].as_py()
            is None
        )


@pytest.mark.long
def test_an_override_without_a_day_counts_from_when_it_was_first_seen(world):
    """A merge does not begin the ninety days anew."""
    world.run()
    winner, loser = _two(world)
    _override(world, loser)
    world.run()
    world.sandbox.clock.advance(timedelta(days=60))
    left = world.people.merge("account", winner, loser)
    world.run()
    assert world.row("account", left, "foretag_tier")["foretag_tier"] == "A"
    world.sandbox.clock.advance(timedelta(days=31))
    world.run()
    assert "by a person" not in world.row("account", left, "foretag_reason")["foretag_reason"]


@pytest.mark.long
@pytest.mark.parametrize("crm", ["hubspot"])
def test_the_one_that_is_left_gets_no_second_task(world):
    """What was asked about either of two was asked about the one, though it has another id now."""
    world.use_rules(EVERY_RECORD)
    world.run()
    tasks = [row for row in world.people.rows("task", "key", "account_id", "opportunity_id") if row["key"]]
    about = [row["account_id"] for row in tasks if row["opportunity_id"] is None]
    left = world.people.merge("account", *about[:2])
    before = {row["id"] for row in tasks}
    world.run()
    rows = world.people.rows("task", "key", "account_id", "opportunity_id", deleted=True)
    made = [row for row in rows if row["key"] and row["id"] not in before]
    assert not [row for row in made if (row["account_id"], row["opportunity_id"]) == (left, None)]


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"])
def test_a_merge_is_followed_though_all_is_read_anew(world):
    """Rules that need another column read everything: the loser's word is heard of nevertheless."""
    world.run()
    winner, loser = _two(world)
    _override(world, loser)
    world.run()
    world.people.merge("account", winner, loser)
    with world.job() as job:
        value, columns = job.ledger.cursor(job.name, "account")
        job.ledger.keep_cursor(job.name, "account", value, columns[:-1])
    world.run()
    assert world.row("account", winner, "foretag_tier")["foretag_tier"] == "A"


@pytest.mark.long
@pytest.mark.parametrize("crm", ["hubspot"])
def test_a_new_record_goes_on_with_tier_and_promises_of_those_that_made_it(world):
    """In HubSpot what is left has an id of its own: to start anew would forget since when its tier stands."""
    world.run()
    winner, loser = _two(world, "A")
    by = date(2027, 12, 31)
    world.people.edit("account", {"id": winner, "foretag_growth_plan": 5000, "foretag_growth_plan_by": by})
    world.run()
    first = world.sandbox.today
    world.sandbox.clock.advance(timedelta(days=3))
    left = world.people.merge("account", winner, loser)
    world.run()
    with world.job() as job:
        (row,) = (row for row in job.tags.state(0).to_pylist() if row["id"] == left)
        (promise,) = job.mirror.read("commitment").to_pylist()
    assert (row["tier"], row["since"]) == ("A", first)
    assert (promise["account_id"], promise["made_on"]) == (left, first)


@pytest.mark.long
def test_what_is_restored_is_written_again_and_what_is_deleted_is_not(world):
    """A record in the recycle bin is none of ours; out of it, it is what it was."""
    world.run()
    account = _two(world)[0]
    world.people.delete("account", account)
    position = world.sandbox.journal.position
    world.sandbox.clock.advance(timedelta(days=20))
    world.run()
    assert not [entry for entry in world.sandbox.journal.writes(position) if account in entry.ids]
    world.people.restore("account", account)
    world.run()
    until = world.row("account", account, "foretag_valid_until")["foretag_valid_until"]
    assert str(until) > str(world.sandbox.today)


def test_a_word_handed_on_outlives_the_record_that_handed_it_on(tmp_path):
    """Records deleted long ago are erased, and a merged one is deleted; what a person said is the other one's now."""
    ledger = Ledger.open(tmp_path, lambda: datetime(2026, 11, 22, tzinfo=UTC))
    word = {"foretag_override": "A", "foretag_override_until": "2027-01-01", "foretag_override_reason": "x"}
    ledger.merges.keep("demo", "account", {"1": "2", "3": "2"}, {"1": word})
    ledger.forgetting.erase("demo", "account", ["1", "3"], task_keys=False)
    assert ledger.merges.inheritances("demo") == [Inheritance("account", "1", "2", word)]
    assert ledger.merges.winners("demo", "account") == {"1": "2"}
    # A chain is followed to its end, and who is forgotten for good hands on nothing.
    ledger.merges.keep("demo", "account", {"2": "4"}, {})
    assert ledger.merges.winners("demo", "account") == {"1": "4", "2": "4"}
    ledger.forgetting.erase("demo", "account", ["1"])
    assert ledger.merges.inheritances("demo") == []
    ledger.close()
