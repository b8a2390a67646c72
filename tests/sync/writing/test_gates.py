"""The gates: a pause, rules that nobody approved, fields that an undo took back. A shut one lets nothing through."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sync.exits import exit_code
from sync.ledger import Ledger
from sync.ledger.gates import TASKS
from sync.pipeline import apply_plan, preview, run
from sync.runs.undo import undo
from sync.stopping import Parked
from sync.writing.gates import shut

ONE = pytest.mark.parametrize("crm", ["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])
OTHER_RULES = "tasks: []\ntiers: {A: 50, B: 20, C: 20, a_at_least: 0}\n"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def gates(tmp_path):
    """The gates of a history in which one connection has run."""
    ledger = Ledger.open(tmp_path / "state", lambda: NOON)
    ledger.bind("main", "org", "Org", live=False)
    yield ledger.gates
    ledger.close()


def newest(world):
    """The last run, as the history has it."""
    with world.job() as job:
        return job.ledger.runs()[0]


def test_a_pause_says_who_and_why_and_ends(gates):
    """Somebody pauses, with a reason; somebody resumes; a connection that never ran has nothing to pause."""
    assert gates.paused("main") is None
    assert gates.pause("main", "ann", "new territories")
    found = gates.paused("main")
    assert (found.by, found.reason, found.at) == ("ann", "new territories", NOON)
    gates.unpause("main")
    assert gates.paused("main") is None
    assert not gates.pause("other", "ann", "")


def test_the_last_approval_counts(gates):
    """Rules are approved by their digest; whoever approves others after that has the last word."""
    for digest, who in (("one", "ann"), ("two", "bob")):
        gates.approve("main", digest, who, "approve")
    found = gates.approval("main")
    assert (found.rules, found.by) == ("two", "bob")
    assert gates.approval("other") is None


def test_a_hold_ends_with_the_rules_or_by_name(gates):
    """A field is held under the rules that it was undone under, until it is let go."""
    tier, step = ("account", "foretag_tier"), ("account", "foretag_next_step")
    gates.hold("main", "run-1", "one", [tier, step, TASKS])
    gates.hold("main", "run-2", "one", [tier])
    held = {(hold.object, hold.field): hold.run for hold in gates.holds("main", "one")}
    assert held == {tier: "run-2", step: "run-1", TASKS: "run-1"}
    assert gates.holds("main", "two") == []
    assert gates.release("main", [tier]) == 1
    assert gates.release("main") == 2


@ONE
@pytest.mark.long
def test_a_paused_connection_writes_nothing_but_an_undo(world):
    """Runs and plans park with exit 75 and name the person; what is there can still be taken back."""
    wrote = world.run()
    with world.job() as job:
        kept = preview(job)[1]
        job.ledger.gates.pause(job.name, "ann", "new territories")
        job.ledger.gates.release(job.name)
    world.use_rules(OTHER_RULES)
    with world.counting() as written:
        with pytest.raises(
            Parked, match=r"Paused by ann \(new territories\): nothing was written"
        ) as stopped:
            world.run()
        with world.job() as job, pytest.raises(Parked):
            apply_plan(job, kept)
    assert (written(), exit_code(stopped.value), newest(world)["exit_code"]) == (0, 75, 75)
    with world.job() as job:
        assert undo(job, wrote.run).writes > 0
        assert any("paused by ann on" in words for words in shut(job))


@pytest.mark.long
def test_a_pause_stops_a_run_under_way_before_its_next_portion(world, monkeypatch):
    """Of what was planned the accounts are written; the pause comes, and the opportunities are not."""
    with world.job() as job:
        update = job.connector.update

        def pauses(name, rows):
            outcomes = update(name, rows)
            job.ledger.gates.pause(job.name, "ann", "")
            return outcomes

        monkeypatch.setattr(job.connector, "update", pauses)
        with pytest.raises(Parked, match="what was not sent yet was not written"):
            run(job)
    report = newest(world)["report"]
    assert (report["done"]["account"] > 0, report["done"].get("opportunity", 0)) == (True, 0)
    with world.job() as job:
        job.ledger.gates.unpause(job.name)
    assert world.run().done["opportunity"] > 0


@ONE
def test_changed_rules_wait_for_an_approval(make_world):
    """In production, the plan that ends the preview approves its rules; others write nothing until somebody says so."""
    world = make_world(production=True)
    world.use_rules("tasks: []\n")
    with world.job() as job:
        apply_plan(job, preview(job)[1])
        first = job.ledger.gates.approval(job.name)
    assert (first.rules, world.run().exit_code) == (job.rules.digest, 0)
    world.use_rules(OTHER_RULES)
    with world.counting() as written, pytest.raises(Parked, match=r"not approved.* to A") as stopped:
        world.run()
    assert (written(), exit_code(stopped.value)) == (0, 75)
    with world.job() as job:
        assert any("are not approved" in words for words in shut(job))
        job.ledger.gates.approve(job.name, job.rules.digest, "ann", "approve")
        assert list(shut(job)) == []
    assert world.run().writes > 0


@pytest.mark.long
def test_a_plan_from_before_an_undo_does_not_write_what_was_taken_back(world):
    """Applying an old plan file would undo the undo: it parks, and says how to let it."""
    with world.job() as job:
        kept = preview(job)[1]
        wrote = apply_plan(job, kept)
    with world.job() as job:
        undone = undo(job, wrote.run)
    with (
        world.counting() as written,
        world.job() as job,
        pytest.raises(Parked, match=f"the plan holds what undo {undone.run} took back"),
    ):
        apply_plan(job, kept)
    assert written() == 0
