"""What was refused is not sent again until the record, or what is wanted of it, changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.problems import ConfigProblem
from sync.runs.retry import retry
from sync.writing.waiting import Waiting
from tests.crms import CRMS
from tests.world import EVERY_RECORD, Crash

FIRST_IN_TIME = pytest.mark.parametrize(
    "crm", [CRMS[0], *(pytest.param(crm, marks=pytest.mark.long) for crm in CRMS[1:])], indirect=True
)


def refused(world):
    """A first run in which the CRM refuses some accounts, and its items.

    A second follows: a task that is made touches the stamp of its company in HubSpot.
    """
    number = world.sandbox.faults.add([world.people.refuse_some("not this one")])[0]
    report = world.run()
    world.run()
    with world.job() as job:
        return number, report, job.ledger.items(report.run, "refused")


@pytest.mark.long
@FIRST_IN_TIME
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


@pytest.mark.long
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


@pytest.mark.long
def test_other_rules_that_want_other_values_try_again(world):
    """The digest is of record and values: what wants something else is a new attempt."""
    number, _, items = refused(world)
    world.sandbox.faults.remove(number)
    world.use_rules("tiers: {by: company, A: 90, B: 5, C: 3}\n")
    report = world.run()
    assert report.quarantined < len(items)
    assert report.exit_code == 0


@pytest.mark.long
def test_the_days_that_values_are_good_for_are_no_reason_to_try_again(world):
    """A renewal of the validity alone is not sent to a record that is refused."""
    _, _, items = refused(world)
    world.sandbox.clock.advance(timedelta(days=1))
    report = world.run()
    with world.job() as job:
        again = {item.record_id for item in job.ledger.items(report.run, "refused")}
    assert len(again) < len(items) / 2


@pytest.mark.long
@pytest.mark.parametrize("crm", CRMS[:1], indirect=True)
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


@FIRST_IN_TIME
def test_retry_sends_again_what_a_run_did_not_get_done_and_nothing_else(world):
    """After the fix all of it is written, by a run of its own that names the first; others wait for the next run."""
    number, first, items = refused(world)
    world.sandbox.faults.remove(number)
    deal = world.open_deals("amount")[0]
    world.people.edit("opportunity", {"id": deal["id"], "amount": 9_999_999})
    position = world.sandbox.journal.position
    with world.job() as job:
        report = retry(job, first.run)
        row = job.ledger.run(report.run)
    written = {one for entry in world.sandbox.journal.writes(position) for one in entry.ids}
    assert written == {item.record_id for item in items}
    assert (report.exit_code, report.done["account"], row["of"]) == (0, len(items), first.run)
    assert world.run().quarantined == 0


@pytest.mark.long
@FIRST_IN_TIME
def test_a_retry_before_the_fix_is_refused_and_set_aside_anew(world):
    """Exit 3, and the next run sends none of it."""
    _, first, items = refused(world)
    with world.job() as job:
        report = retry(job, first.run)
    again = world.run()
    assert (report.exit_code, report.refused["account"]) == (3, len(items))
    assert (again.exit_code, again.quarantined) == (0, len(items))


@pytest.mark.long
def test_a_refused_task_waits_until_it_is_retried(world):
    """A task is refused for its record or its words: it is not sent each night, and made once when it is retried."""
    world.use_rules(EVERY_RECORD)
    fault = world.people.refuse_tasks("no task here")
    number = world.sandbox.faults.add([fault])[0]
    first = world.run()
    assert first.refused["task"] > 0
    second = world.run()
    world.sandbox.faults.remove(number)
    third = world.run()
    assert (second.refused.get("task", 0), third.done.get("task", 0)) == (0, 0)
    assert second.quarantined == third.quarantined == first.refused["task"]
    with world.job() as job:
        report = retry(job, first.run)
    assert report.done["task"] == first.refused["task"]
    tasks = [row["key"] for row in world.people.rows("task", "key") if row["key"]]
    assert len(tasks) == len(set(tasks)) == first.planned["task"]


@pytest.mark.long
@pytest.mark.parametrize("crm", CRMS[:1], indirect=True)
def test_only_a_run_of_the_connection_can_be_retried(world):
    """Anything else is refused with a word on what to do."""
    world.run()
    with world.job() as job, pytest.raises(ConfigProblem, match='there is no run "never"'):
        retry(job, "never")


@pytest.mark.long
@pytest.mark.parametrize("crm", CRMS[:1], indirect=True)
def test_a_task_refused_when_we_died_is_not_forgotten(world, monkeypatch):
    """Dead between the CRM's answer and our noting it: the next run asks again, and lists each refusal."""
    world.use_rules(EVERY_RECORD)
    world.sandbox.faults.add([world.people.refuse_tasks("no task here")])
    note = Waiting.note

    def die(self, object_name, *outcomes):
        if object_name == "task":
            raise Crash
        note(self, object_name, *outcomes)

    with monkeypatch.context() as patched:
        patched.setattr(Waiting, "note", die)
        with pytest.raises(Crash):
            world.run()
    report = world.run()
    with world.job() as job:
        listed = [item for item in job.ledger.items(report.run, "refused") if item.object == "task"]
    assert len(listed) == report.refused["task"] > 0
