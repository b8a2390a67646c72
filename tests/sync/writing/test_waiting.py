"""What was refused is not sent again until the record, or what is wanted of it, changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.crms import CRMS

BOTH = pytest.mark.parametrize("crm", CRMS, indirect=True)


def refused(world):
    """A first run in which the CRM refuses some accounts, and its items.

    A second follows: a task that is made touches the stamp of its company in HubSpot.
    """
    number = world.sandbox.faults.add([world.people.refuse_some("not this one")])[0]
    report = world.run()
    world.run()
    with world.job() as job:
        return number, report, job.ledger.items(report.run, "refused")


@BOTH
def test_what_was_refused_is_set_aside_and_said_to_be(world):
    """The next run sends none of it, ends well, names the count, and lists each record with reason and fix."""
    _, first, items = refused(world)
    with world.counting() as written:
        second = world.run()
    assert (first.exit_code, second.exit_code, written(), second.quarantined) == (3, 0, 0, len(items))
    assert f" {len(items)} set aside after a refusal: see `foretag runs {second.run}`." in second.last_line
    with world.job() as job:
        waiting = job.ledger.items(second.run, "quarantined")
    assert {item.record_id for item in waiting} == {item.record_id for item in items}
    assert all("not this one" in item.message and item.fix for item in waiting)


@BOTH
def test_a_record_that_changes_is_sent_again_alone(world):
    """Somebody edits one of them: it is tried again; if it is taken, it waits no more."""
    number, _, items = refused(world)
    world.sandbox.faults.remove(number)
    one = items[0].record_id
    world.people.edit("account", {"id": one, "name": "Another name"})
    report = world.run()
    assert (report.planned["account"], report.done["account"]) == (1, 1)
    assert report.quarantined == len(items) - 1
    assert world.row("account", one, "foretag_tier")["foretag_tier"]
    assert world.run().quarantined == len(items) - 1


def test_other_rules_that_want_other_values_try_again(world):
    """The digest is of record and values: what wants something else is a new attempt."""
    number, _, items = refused(world)
    world.sandbox.faults.remove(number)
    world.use_rules(
        "playbook: {next_steps: {Reduce: No visits please.}}\ntiers: {by: company, A: 90, B: 5, C: 3}\n"
    )
    report = world.run()
    assert report.quarantined < len(items)
    assert report.exit_code == 0


def test_the_days_that_values_are_good_for_are_no_reason_to_try_again(world):
    """A renewal of the validity alone is not sent to a record that is refused."""
    _, _, items = refused(world)
    world.sandbox.clock.advance(timedelta(days=1))
    report = world.run()
    with world.job() as job:
        again = {item.record_id for item in job.ledger.items(report.run, "refused")}
    assert len(again) < len(items) / 2


def test_a_lock_is_no_refusal_to_remember(world):
    """It passes by itself: the next run tries again."""
    number = world.sandbox.faults.add([{"kind": "lock_rows", "prefix": "001", "percent": 20, "hold": None}])[
        0
    ]
    first = world.run()
    world.sandbox.faults.remove(number)
    second = world.run()
    assert (first.refused["account"] > 0, second.quarantined) == (True, 0)
    assert second.done["account"] == first.refused["account"]
