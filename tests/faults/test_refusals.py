"""Faults 5 and 12: a part of a batch is refused, a part unknown; and creates whose answer is lost."""

from __future__ import annotations

import pytest

from connectors.contract import ConnectorError
from sync.exits import exit_code
from tests.faults.test_crashes import TINY
from tests.faults.wholeness import assert_no_task_twice, assert_settled
from tests.world import EVERY_RECORD


def test_fault_05_part_of_a_batch_is_refused(make_world, tried):
    """The good are done once; the refused are listed with the CRM's words, and not tried for ever."""
    world = make_world()
    world.sandbox.faults.add([world.people.refuse_some("not this one")])
    report = world.run()
    refused = report.refused["account"]
    with world.job() as job:
        items = job.ledger.items(report.run, "refused")
    assert (report.exit_code, len(items)) == (3, refused)
    assert report.done["account"] == report.planned["account"] - refused > 0
    assert all("not this one" in item.message for item in items)
    with world.counting() as written:
        again = world.run()
    assert (written(), again.writes, sum(again.refused.values())) == (0, 0, 0)
    tried(refused, "a record refused in the midst of others")


def lost_creates(world):
    """Tasks are made and the answer is lost, at the first create, at the second, ... until all answers come."""
    lost = 0
    while True:
        world.forget()
        world.sandbox.clock.advance(one_month())
        fault = {"kind": "lost_reply", "match": world.people.making_tasks, "after": lost}
        (number,) = world.sandbox.faults.add([fault])
        report = world.run()
        acted = next(one for one in world.sandbox.faults.listing() if one["number"] == number)["acted"]
        world.sandbox.faults.remove()
        # An installation that starts from nothing in the same month knows them by their keys.
        world.forget()
        world.run()
        assert_no_task_twice(world)
        if not acted:
            return lost
        assert report.unknown.get("task", 0) == 0, report.last_line
        lost += 1


def one_month():
    """Another period: tasks are due anew."""
    from datetime import timedelta

    return timedelta(days=31)


@pytest.mark.long
def test_fault_12_lost_answers_to_creates(make_world, tried):
    """One task each: it is looked up before any repeat."""
    world = make_world(data=TINY)
    world.use_rules(EVERY_RECORD)
    world.run()
    lost = lost_creates(world)
    assert lost >= 1
    assert_settled(world)
    tried(lost, "a create whose answer was lost")


def test_fault_12_what_cannot_be_told_is_listed_and_never_repeated_blindly(make_world, tried):
    """The answer is lost and the look-up does not work: nothing is sent again until it does."""
    world = make_world(data=TINY)
    world.use_rules(EVERY_RECORD)
    people = world.people
    world.sandbox.faults.add(
        [
            {"kind": "lost_reply", "match": people.making_tasks},
            {
                "kind": "status",
                "match": f"{people.finding_tasks}|{people.making_tasks}",
                "times": None,
                "after": 2,
            },
        ]
    )
    with world.job() as job:
        from sync.pipeline import run

        try:
            report, code = run(job), None
        except ConnectorError as error:
            report, code = None, exit_code(error)
    assert report is None or report.exit_code == 3
    assert code in (None, 69)
    world.sandbox.faults.remove()
    assert_settled(world)
    tried(1, "a create of which nothing could be told")
