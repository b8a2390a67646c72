"""Faults 14 and 15: people edit, merge, delete, restore and hand over what we score, while we work on it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.pipeline import apply_plan
from tests.faults.test_crashes import TINY, people_work
from tests.faults.trips import Trip, tripping
from tests.faults.wholeness import (
    assert_no_task_twice,
    assert_nothing_open,
    assert_only_ours,
    assert_same_deals,
    assert_settled,
    assert_whole,
)
from tests.world import EVERY_RECORD


def test_fault_14_a_changed_input_makes_a_planned_change_stale(make_world, tried):
    """`apply` skips it and lists it; the others are done; a run plans it anew."""
    world = make_world(data=TINY)
    plan = world.plan()
    planned = plan.changes["opportunity"]["id"].to_pylist()
    touched = planned[:3]
    world.people.edit("opportunity", *({"id": one, "amount": 7_654_321} for one in touched))
    with world.job() as job:
        report = apply_plan(job, plan)
        stale = {item.record_id for item in job.ledger.items(report.run, "stale")}
    assert set(touched) <= stale
    assert report.exit_code == 3
    held = {row["id"]: row["foretag_tier"] for row in world.people.rows("opportunity", "foretag_tier")}
    assert not any(held[one] for one in touched)
    assert report.done["opportunity"] == len(set(planned) - stale) > 0
    world.run()
    held = {row["id"]: row["foretag_tier"] for row in world.people.rows("opportunity", "foretag_tier")}
    assert all(held[one] for one in touched)
    tried(len(touched), "an input changed between plan and apply")


@pytest.mark.long
def test_fault_14_an_override_wins(make_world, tried):
    """Given between plan and apply, it is not overwritten; the run after it says what the person said."""
    world = make_world(data="synthetic:20:80")
    plan = world.plan()
    first = plan.changes["account"]["id"].to_pylist()[0]
    world.people.edit("account", {"id": first, "foretag_override": "C", "foretag_override_reason": "we know"})
    with world.job() as job:
        apply_plan(job, plan)
    assert world.row("account", first, "foretag_tier")["foretag_tier"] is None
    world.run()
    assert world.row("account", first, "foretag_tier")["foretag_tier"] == "C"
    assert_settled(world)
    tried(1, "an override given between plan and apply")


@pytest.mark.long
def test_fault_14_people_edit_while_a_run_goes_on(make_world, monkeypatch, tried):
    """Before any of its effects: nothing of theirs is lost, and the next run takes it in."""
    world = make_world(data=TINY)
    world.run()
    times = 0
    for number in range(3, 1_000, 7):
        deal = world.open_deals()[number % 2]
        amount = 40_000 + number
        people_work(world, number)
        trip = Trip(number, lambda: world.people.edit("opportunity", {"id": deal["id"], "amount": amount}))  # noqa: B023  # runs within this turn
        with tripping(monkeypatch, trip):
            world.run()
        if len(trip.kinds) < number:
            break
        times += 1
        assert world.row("opportunity", deal["id"], "amount")["amount"] == amount
        # What is edited in the very second of our own write comes with the run after it.
        world.sandbox.clock.advance(timedelta(seconds=1))
    assert_whole(world)
    tried(times, "an edit in mid-run")


@pytest.mark.long
def test_fault_15_deleted_restored_and_handed_over(make_world, tried):
    """No write to what is gone; what comes back and what changes hands is scored again; no task twice."""
    world = make_world(data="synthetic:20:80")
    world.use_rules(EVERY_RECORD)
    world.run()
    gone, given, *_ = (row["id"] for row in world.people.rows("account"))
    owners = sorted({row["owner_id"] for row in world.people.rows("account", "owner_id")} - {None})
    world.sandbox.clock.advance(timedelta(minutes=1))
    world.people.delete("account", gone)
    world.people.edit("account", {"id": given, "owner_id": owners[-1]})
    world.sandbox.clock.advance(timedelta(seconds=2))
    position = world.sandbox.journal.position
    world.run()
    assert not any(gone in entry.ids for entry in world.sandbox.journal.writes(position))
    world.people.restore("account", gone)
    world.sandbox.clock.advance(timedelta(seconds=2))
    world.run()
    with world.job() as job:
        assert gone in job.mirror.read("account", ("id",))["id"].to_pylist()
    assert_no_task_twice(world)
    assert_settled(world)
    tried(3, "an account deleted, restored or handed over")


def our_tasks(world, *, deleted=True):
    """Our tasks, thrown-away ones included or not."""
    rows = world.people.rows("task", "key", "account_id", "opportunity_id", deleted=deleted)
    return [row for row in rows if row["key"]]


@pytest.mark.long
def test_fault_15_a_merge_of_scored_accounts(make_world, tried):
    """The survivor is scored with what both had and keeps one task; nothing is written to the one that lost."""
    world = make_world(data="synthetic:20:80")
    world.use_rules(EVERY_RECORD)
    world.run()
    asked = our_tasks(world)
    first, *others = [task["account_id"] for task in asked if task["opportunity_id"] is None][:3]
    assert others
    for second in others:
        world.sandbox.clock.advance(timedelta(minutes=1))
        survivor = world.people.merge("account", first, second)
        lost = {first, second} - {survivor}
        first = survivor
        world.sandbox.clock.advance(timedelta(seconds=2))
        position = world.sandbox.journal.position
        world.run()
        entries = [e for e in world.sandbox.journal.writes(position) if e.user == world.people.worker]
        assert not any(lost & set(entry.ids) for entry in entries)
        with world.job() as job:
            held = set(job.mirror.read("account", ("id",))["id"].to_pylist())
        assert survivor in held
        assert not lost & held
    with world.counting() as written:
        world.run()
    assert written() == 0
    # Each of the merged brought a task of its own; of these the survivor keeps one, and none is made.
    known = {task["key"] for task in asked}
    made = [task for task in our_tasks(world) if task["key"] not in known]
    assert (survivor, None) not in [(task["account_id"], task["opportunity_id"]) for task in made]
    left = [task["opportunity_id"] or task["account_id"] for task in our_tasks(world, deleted=False)]
    assert len(left) == len(set(left))
    assert_same_deals(world)
    assert_only_ours(world)
    assert_nothing_open(world)
    tried(len(others), "a merge of two scored accounts")
