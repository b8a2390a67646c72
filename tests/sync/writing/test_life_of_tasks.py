"""What becomes of tasks that were made: they follow record and owner until a rep takes them into hand."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from sync.pipeline import run
from tests.world import Crash

ACCOUNTS = """\
tasks:
  - name: look
    on: account
    when: {when}
    subject: "{subject}: {{account}}"
    description: "{{reason}}"
    due_days: 2
    period: {period}
task_limits: {{new_per_owner_and_day: 100, open_per_owner: {room}, cool_down_days: {cool_down}}}
"""
EVERY, NONE = 'tier in ["A", "B", "C", "D"]', "employees > 90000000"


@pytest.fixture(params=["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])
def crm(request):
    """Both CRMs; the second one's turn is among the long tests."""
    return request.param


@pytest.fixture
def desk(world):
    """A world with a task on every account."""
    rules(world)
    world.run()
    return world


def rules(world, when=EVERY, subject="Look at", period="month", cool_down=30, room=100):
    """Rules that want one task of each of these accounts."""
    text = ACCOUNTS.format(when=when, subject=subject, period=period, cool_down=cool_down, room=room)
    world.use_rules(text)


def tasks(world, *columns, deleted=False):
    """Our tasks in the CRM, by id."""
    found = world.people.rows("task", "key", "subject", "is_closed", *columns, deleted=deleted)
    return {row["id"]: row for row in found if row["key"] is not None}


def counts(world):
    """How many tasks of ours each account has had, by name: a deleted task may have lost its links."""
    return Counter(named(row) for row in tasks(world, deleted=True).values())


def named(task):
    """The account that a task speaks of."""
    return task["subject"].partition(": ")[2]


def settled(world):
    """A run, and a second one that has nothing to do."""
    report = world.run()
    with world.counting() as written:
        world.run()
    assert written() == 0
    return report


@pytest.mark.long
def test_a_task_is_ours_until_a_rep_takes_it_into_hand(desk):
    """New words, another owner and the end of the reason reach untouched tasks; what a rep touched stays his."""
    people = desk.people
    changed, begun, done, thrown, plain, *_ = sorted(tasks(desk))
    people.edit("task", {"id": changed, "subject": "Mine"})
    people.edit("task", {"id": begun, "status": people.under_way})
    people.edit("task", {"id": done, "status": people.finished})
    people.delete("task", thrown)
    rules(desk, subject="Visit")
    report = settled(desk)
    now = tasks(desk)
    assert now[plain]["subject"].startswith("Visit: ")
    assert (now[changed]["subject"], now[begun]["subject"][:7], now[done]["subject"][:7]) == (
        "Mine", "Look at", "Look at",
    )  # fmt: skip
    assert report.done["task"] == len(now) - 3
    rules(desk, when=NONE)
    settled(desk)
    left = tasks(desk, "description")
    assert left.keys() == {changed, begun, done}
    assert all(left[one]["is_closed"] for one in left)
    why = "what it asked for no longer applies."
    assert [why in (left[one]["description"] or "") for one in (changed, begun, done)] == [True, True, False]


@pytest.mark.long
def test_a_task_follows_the_owner_of_its_record(desk):
    """Unless a person gave it to somebody, or the new owner has left."""
    accounts = {row["id"]: row for row in desk.people.rows("account", "owner_id")}
    before = tasks(desk, "owner_id", "account_id")
    owners = sorted({row["owner_id"] for row in accounts.values() if row["owner_id"]})
    mine = [one for one, row in before.items() if row["owner_id"] == owners[0]]
    moved, given = mine[:2]
    desk.people.edit("task", {"id": given, "owner_id": owners[1]})
    ids = [before[one]["account_id"] for one in (moved, given)]
    desk.people.edit("account", *({"id": one, "owner_id": owners[-1]} for one in ids))
    report = settled(desk)
    after = tasks(desk, "owner_id")
    assert (after[moved]["owner_id"], after[given]["owner_id"]) == (owners[-1], owners[1])
    assert report.done["task"] == 1


@pytest.mark.long
def test_what_a_rep_ended_cools_down_from_its_end_and_what_lapsed_is_made_once_in_a_period(desk):
    """Done three weeks after it was made: not again within thirty days of that, though its month is over."""
    people, made = desk.people, tasks(desk)
    account = {one: named(row) for one, row in made.items()}
    done, thrown, *rest = sorted(made)
    desk.sandbox.clock.advance(timedelta(days=20))
    people.edit("task", {"id": done, "status": people.finished})
    people.delete("task", thrown)
    settled(desk)
    rules(desk, when=NONE)
    settled(desk)
    rules(desk)
    settled(desk)
    assert {counts(desk)[account[one]] for one in made} == {1}
    desk.sandbox.clock.advance(timedelta(days=25))
    settled(desk)
    assert [counts(desk)[account[one]] for one in (done, thrown)] == [1, 1]
    assert 2 in {counts(desk)[account[one]] for one in rest}
    desk.sandbox.clock.advance(timedelta(days=10))
    settled(desk)
    assert [counts(desk)[account[one]] for one in (done, thrown)] == [2, 2]


@pytest.mark.long
def test_a_task_that_is_open_yet_is_not_asked_for_again(world):
    """Whatever its period: two of the same on a desk help nobody."""
    rules(world, period="day", cool_down=0)
    world.run()
    for _ in range(2):
        world.sandbox.clock.advance(timedelta(days=31))
        world.run()
    assert set(counts(world).values()) == {1}


@pytest.mark.long
def test_a_crash_between_sending_and_noting_does_not_make_our_words_a_reps(desk, monkeypatch):
    """The tasks say what we wrote, though nobody noted it: they are ours, and go when they lapse."""

    def die(*_):
        raise Crash

    rules(desk, subject="Visit")
    with monkeypatch.context() as patch, desk.job() as job:
        patch.setattr("sync.writing.change_tasks._Portion._record", die)
        with pytest.raises(Crash):
            run(job)
    assert all(row["subject"].startswith("Visit") for row in tasks(desk).values())
    rules(desk, subject="Call")
    settled(desk)
    assert all(row["subject"].startswith("Call") for row in tasks(desk).values())
    rules(desk, when=NONE)
    settled(desk)
    assert tasks(desk) == {}


@pytest.mark.long
def test_an_installation_that_lost_its_history_knows_its_tasks_again(desk):
    """By their keys; those that say what it would say are untouched, of the others nobody knows."""
    desk.people.edit("task", {"id": (changed := min(tasks(desk))), "subject": "Mine"})
    desk.forget()
    settled(desk)
    rules(desk, when=NONE)
    settled(desk)
    left = tasks(desk)
    assert list(left) == [changed]
    assert left[changed]["is_closed"]


@pytest.mark.long
def test_a_rep_who_is_faster_than_we_are_keeps_the_task(desk, monkeypatch):
    """Between plan and writing a rep begins a task: it is listed as stale, and its words stay."""
    first = min(tasks(desk))
    rules(desk, subject="Visit")
    from sync.pipeline import Pass

    guard = Pass.guard

    def guarded(pass_, plan):
        guard(pass_, plan)
        desk.people.edit("task", {"id": first, "status": desk.people.under_way})

    monkeypatch.setattr(Pass, "guard", guarded)
    report = desk.run()
    with desk.job() as job:
        (item,) = job.ledger.items(report.run, "stale")
    assert (report.stale, report.exit_code, item.record_id) == (1, 3, first)
    assert "begun or changed" in item.message
    assert tasks(desk)[first]["subject"].startswith("Look at")


@pytest.mark.long
@pytest.mark.parametrize("crm", ["hubspot"], indirect=True)
def test_a_task_that_may_not_be_deleted_is_completed(desk):
    """So that it leaves the desk, and is not asked for each night."""
    archive = r"/tasks/batch/archive\b"
    desk.sandbox.faults.add([{"kind": "refuse_rows", "match": archive, "percent": 100, "message": "no"}])
    made = len(tasks(desk))
    rules(desk, when=NONE)
    report = settled(desk)
    assert (report.exit_code, report.done["task"]) == (0, made)
    left = tasks(desk, "description")
    assert len(left) == made
    assert all(row["is_closed"] and "Closed by Foretag" in row["description"] for row in left.values())


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"], indirect=True)
def test_a_change_that_is_refused_is_listed_and_not_repeated_each_night(desk):
    """Until other words are wanted, or the cause is gone and somebody says so."""
    (number,) = desk.sandbox.faults.add([desk.people.refuse_tasks("not now")])
    rules(desk, subject="Visit")
    first = desk.run()
    assert first.refused["task"] > 0
    second = settled(desk)
    assert (second.exit_code, second.quarantined) == (0, first.refused["task"])
    desk.sandbox.faults.remove(number)
    rules(desk, subject="Call")
    assert settled(desk).done["task"] == first.refused["task"]


@pytest.mark.long
def test_room_that_lapsed_tasks_leave_is_given_out_in_the_same_run(world):
    """So that a run straight after has nothing to do."""
    rules(world, when='tier in ["A", "B"]', room=2)
    world.run()
    first = set(tasks(world))
    rules(world, when='tier in ["C", "D"]', room=2)
    settled(world)
    later = set(tasks(world))
    assert first
    assert later
    assert not first & later
