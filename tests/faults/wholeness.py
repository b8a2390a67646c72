"""After a fault: the invariants, all of them, as the CRM's own journal and an installation from nothing see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.world import World


def assert_settled(world: World) -> None:
    """Two clean runs later: all of the next, and no second write (I3)."""
    assert_complete(world)
    with world.counting() as written:
        second = world.run()
    assert second.exit_code == 0, second.last_line
    assert (written(), second.writes) == (0, 0)


def assert_complete(world: World) -> None:
    """A clean run later: no task twice (I2), a true copy (I5), only our fields (I6), nothing left open (I4, I7)."""
    report = world.run()
    assert report.exit_code == 0, report.last_line
    assert_no_task_twice(world)
    assert_same_deals(world)
    assert_only_ours(world)
    assert_nothing_open(world)


def assert_whole(world: World) -> None:
    """The same, and I1: an installation that starts from nothing finds nothing to change, and makes no task again."""
    assert_settled(world)
    world.forget()
    plan = world.plan()
    rebuilt = [row for table in plan.changes.values() for row in table.to_pylist()]
    # A rebuild may differ only in tiers that have not fallen yet.
    assert all((row["foretag_tier"] or "") > (row["old_foretag_tier"] or "") for row in rebuilt), rebuilt
    # A task that lapsed lies in the CRM's bin: it is planned, and found there by its key.
    world.run()
    assert_no_task_twice(world)


def assert_no_task_twice(world: World) -> None:
    """I2: one task for a record, a rule and a month, thrown-away ones included, whatever their keys say."""
    columns = ("key", "subject", "account_id", "opportunity_id", "created_at")
    ours = [row for row in world.people.rows("task", *columns, deleted=True) if row["key"]]
    about = [
        (row["subject"], row["opportunity_id"] or row["account_id"], f"{row['created_at']:%Y-%m}")
        for row in ours
    ]
    assert len(about) == len(set(about)), sorted(one for one in about if about.count(one) > 1)
    assert len(ours) == len({row["key"] for row in ours})


def assert_same_deals(world: World) -> None:
    """I5: the local copy holds each deal, and each of them as the CRM does."""
    with world.job() as job:
        held = {
            row["id"]: row["amount"] for row in job.mirror.read("opportunity", ("id", "amount")).to_pylist()
        }
    there = {row["id"]: row["amount"] for row in world.people.rows("opportunity", "amount")}
    assert {key: None if value is None else float(value) for key, value in held.items()} == there


def assert_only_ours(world: World) -> None:
    """I6: whatever the worker ever wrote were our fields."""
    ours = {world.people.object_name(name): fields for name, fields in world.people.ours.items()}
    for entry in world.sandbox.journal.writes():
        if entry.user == world.people.worker:
            assert set(entry.fields) <= ours[entry.object], entry


def assert_nothing_open(world: World) -> None:
    """I4, I7: no run is said to be still under way, no batch to be about to be sent."""
    with world.job() as job:
        for row in job.ledger.runs(limit=1_000):
            assert row["state"] != "running", row
            assert not any(batch["state"] == "intended" for batch in job.ledger.batches(row["id"]))
