"""What a scheduler sends a run for: everything anew, tasks alone, all but tasks, one time zone's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from config.problems import ConfigProblem
from sync.errand import Errand
from tests.world import EVERY_RECORD

YORK = "America/New_York"
ONE = pytest.mark.parametrize("crm", ["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])


@ONE
def test_a_full_run_reads_what_changed_without_a_stamp(world):
    """A formula moves no stamp: only reading everything anew shows what it says now."""
    world.run()
    world.sandbox.clock.advance(timedelta(hours=3))
    with world.job() as job:
        row = job.mirror.read("account").slice(0, 1)
        name = row.schema.get_field_index("name")
        old = row.set_column(name, "name", [["as it was before"]]).cast(row.schema)
        job.mirror.patch("account", old.select(["id", "name", "modified_at"]).append_column("clear", [[[]]]))
    assert "as it was before" in _names(world)
    report = world.run(errand=Errand(full=True))
    assert "as it was before" not in _names(world)
    assert report.command == "run --full"
    assert report.pulled["account"] == 40


def _names(world) -> list[str]:
    with world.job() as job:
        found: list[str] = job.mirror.read("account", ("name",))["name"].to_pylist()
    return found


@ONE
def test_a_full_run_notes_which_records_vanished(world):
    """One that left while nobody looked is erased in its time like any other, though no bin remembers it."""
    world.run()
    gone = world.people.rows("account", "name")[0]["id"]
    world.people.delete("account", gone)
    with world.job() as job:
        # The cursor is beyond the deletion: no increment will ever tell of it.
        cursor, columns = job.ledger.cursor(job.name, "account")
        beyond = json.dumps({**json.loads(cursor), "stamp": "2099-01-01T00:00:00.000Z"})
        job.ledger.keep_cursor(job.name, "account", beyond, columns)
    report = world.run(errand=Errand(full=True))
    assert report.gone["account"] == 1
    with world.job() as job:
        assert gone not in job.mirror.read("account", ("id",))["id"].to_pylist()
        left = job.ledger.forgetting.gone_before(job.name, datetime(2099, 1, 1))  # noqa: DTZ001  # as the history keeps them
        assert left["account"] == [gone]


@pytest.mark.long
def test_tasks_alone_and_all_but_tasks_make_up_a_run(world):
    """Each writes its part and nothing of the other's; then nothing is left to do."""
    world.use_rules(EVERY_RECORD)
    fields = world.run(errand=Errand(without_tasks=True))
    assert fields.done["account"] > 0
    assert not fields.done.get("task")
    assert "task" not in fields.pulled
    tasks = world.run(errand=Errand(only_tasks=True))
    assert tasks.command == "run --only-tasks"
    assert set(tasks.done) == {"task"}
    assert tasks.done["task"] > 0
    assert world.run().planned == {"account": 0, "opportunity": 0, "task": 0}


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"])
def test_each_time_zone_has_its_own_tasks(world):
    """Those who live elsewhere get theirs in another run; the history knows the zones for the scheduler."""
    world.use_rules(EVERY_RECORD)
    world.run(errand=Errand(without_tasks=True))
    accounts = world.people.rows("account", "owner_id")
    away = accounts[0]["owner_id"]
    world.people.edit("owner", {"id": away, "timezone": YORK})
    world.run(errand=Errand(without_tasks=True))
    with world.job() as job:
        timezone, zones = job.ledger.zones.of(job.name)
    assert sorted([timezone, YORK]) == zones
    theirs = world.run(errand=Errand(only_tasks=True, zone=YORK))
    assert theirs.done["task"] > 0
    assert {row["owner_id"] for row in world.people.rows("task", "key", "owner_id") if row["key"]} == {away}
    others = world.run(errand=Errand(only_tasks=True, zone=timezone))
    assert others.done["task"] > 0
    assert world.run().planned["task"] == 0


@ONE
def test_a_zone_by_which_nobody_lives_is_told(world):
    """A mistyped zone would quietly make no task for ever."""
    world.use_rules(EVERY_RECORD)
    with pytest.raises(ConfigProblem, match="no owner lives by"):
        world.run(errand=Errand(only_tasks=True, zone="Europe/Stokholm"))
