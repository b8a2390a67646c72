"""Undo of tasks: those that nobody touched go without a trace, or get their words back; a rep's stay his."""

from __future__ import annotations

import pytest

from sync.runs.undo import undo
from sync.writing.selection import Selection

RULES = """\
tasks:
  - name: look
    on: account
    when: tier in ["A", "B", "C", "D"]
    subject: "{subject}: {{account}}"
    due_days: 2
    period: month
task_limits: {{new_per_owner_and_day: 100, open_per_owner: 100, cool_down_days: 0}}
"""
TASKS = Selection(only=("tasks",))


@pytest.fixture(params=["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])
def crm(request):
    """Both CRMs; the second one's turn is among the long tests."""
    return request.param


def rules(world, subject):
    """Rules that want a task of these words for each account."""
    world.use_rules(RULES.format(subject=subject))


def tasks(world):
    """Our tasks in the CRM, by id."""
    rows = world.people.rows("task", "key", "subject", "is_closed")
    return {row["id"]: row for row in rows if row["key"] is not None}


def take_back(world, run):
    """Undo what a run did with tasks; its report, and the tasks that it left."""
    with world.job() as job:
        report = undo(job, run, TASKS)
        return report, {item.record_id: item.message for item in job.ledger.items(report.run, "left")}


def test_tasks_that_nobody_touched_are_deleted_and_not_made_again(world):
    """What a rep began or completed is left and listed; no others are made until somebody says so."""
    rules(world, "Look at")
    wrote = world.run()
    changed, done, *others = sorted(tasks(world))
    world.people.edit("task", {"id": changed, "subject": "Mine"})
    world.people.edit("task", {"id": done, "status": world.people.finished})
    report, left = take_back(world, wrote.run)
    assert set(tasks(world)) == {changed, done}
    assert left == {changed: "a person has begun or changed it", done: "a person has completed it"}
    assert (report.done["task"], report.exit_code) == (len(others), 3)
    assert "tasks" in report.held
    rules(world, "Visit")
    world.run()
    assert set(tasks(world)) == {changed, done}, "a key is made once, whatever became of it"


@pytest.mark.long
def test_words_that_a_run_changed_are_put_back_and_forth(world):
    """A reworded task says again what it said; an undo of the undo gives it the new words; a rep's words stay."""
    rules(world, "Look at")
    world.run()
    rules(world, "Visit")
    reworded = world.run()
    own, plain, *_ = sorted(tasks(world))
    assert tasks(world)[plain]["subject"].startswith("Visit: ")
    world.people.edit("task", {"id": own, "subject": "Mine"})
    back, left = take_back(world, reworded.run)
    assert tasks(world)[plain]["subject"].startswith("Look at: ")
    assert (tasks(world)[own]["subject"], list(left)) == ("Mine", [own])
    take_back(world, back.run)
    assert tasks(world)[plain]["subject"].startswith("Visit: ")
