"""What is promised beside the invariants: preview, overtaken plans, whom tasks spare, what counts as activity."""

from __future__ import annotations

from datetime import timedelta

from sync.pipeline import apply_plan
from tests.invariants.conftest import EVERY_RECORD


def our_tasks(world):
    """The tasks that carry our key: account, record and key of each."""
    rows = world.people.rows("task", "key", "account_id", "opportunity_id")
    return [row for row in rows if row["key"] is not None]


def test_preview_writes_nothing_until_a_plan_was_applied(make_world):
    """On an org in production a run only plans; applying one plan is what makes the connection live."""
    world = make_world(production=True)
    with world.counting() as written:
        report = world.run()
        plan = world.plan()
    assert (report.mode, report.writes, written()) == ("preview", 0, 0)
    assert "Nothing was written." in report.last_line
    assert plan.records == sum(report.planned.values()) > 0
    with world.job() as job:
        applied = apply_plan(job, plan)
    assert (applied.mode, applied.writes) == ("live", plan.records)
    account = next(
        row["id"] for row in world.people.rows("account", "foretag_tier") if row["foretag_tier"] == "D"
    )
    world.people.edit("account", {"id": account, "foretag_override": "A"})
    later = world.run()
    assert (later.mode, later.done["account"]) == ("live", 1)


def test_i4_a_plan_skips_and_lists_what_was_overtaken(world):
    """Rows of a kept plan whose record has changed since are left alone and listed as stale; the others are done."""
    plan = world.plan()
    planned = plan.changes["opportunity"]["id"].to_pylist()
    gone, *_ = planned
    world.close({"id": gone}, won=True)
    with world.job() as job:
        report = apply_plan(job, plan)
        items = job.ledger.items(report.run, "stale")
    assert gone in {item.record_id for item in items if item.object == "opportunity"}
    assert all("changed after the plan was made" in item.message for item in items if item.object != "task")
    assert (report.exit_code, report.stale) == (3, len(items))
    assert f"{len(items):,} stale: see `foretag runs {report.run}`" in report.last_line
    stale = {item.record_id for item in items}
    held = {row["id"]: row["foretag_tier"] for row in world.people.rows("opportunity", "foretag_tier")}
    assert held[gone] is None
    assert all(held[record] is not None for record in planned if record not in stale)


def test_nobody_gets_a_task_for_reduce_or_leave_alone(world):
    """Accounts of the segment Reduce cause no work but by a deal of tier A; those to be left alone none at all."""
    world.use_rules(EVERY_RECORD)
    left = next(deal["account_id"] for deal in world.open_deals("account_id") if deal["account_id"])
    world.people.edit("account", {"id": left, "foretag_override": "Leave alone"})
    world.run()
    tasks = our_tasks(world)
    segments = {row["id"]: row["foretag_segment"] for row in world.people.rows("account", "foretag_segment")}
    assert "Reduce" in segments.values()
    on_accounts = {row["account_id"] for row in tasks if row["opportunity_id"] is None}
    assert on_accounts
    assert all(segments[account] not in ("Reduce", None) for account in on_accounts)
    hot = {
        row["id"] for row in world.people.rows("opportunity", "foretag_tier") if row["foretag_tier"] == "A"
    }
    assert all(row["opportunity_id"] in hot for row in tasks if segments.get(row["account_id"]) == "Reduce")
    assert left not in {row["account_id"] for row in tasks}


def test_our_tasks_never_count_as_activity(world):
    """A task of ours keeps no other away, as a person's would; and it moves no score, open or not."""
    first, _, deals = EVERY_RECORD.partition("  - name: every-deal")
    limits = deals[deals.index("task_limits") :]
    world.use_rules(first + limits)
    assert world.run().done["task"] > 0
    busy = next(
        deal
        for deal in world.open_deals("account_id", "owner_id", "foretag_tier")
        if deal["account_id"] and deal["foretag_tier"]
    )
    lunch = {"subject": "Lunch", "account_id": busy["account_id"], "owner_id": busy["owner_id"]}
    world.people.create("task", {**lunch, "due": world.sandbox.today + timedelta(days=1)})
    world.use_rules(EVERY_RECORD)
    report = world.run()
    with world.job() as job:
        held_back = job.ledger.items(report.run, "held_back")
    reasons = {item.record_id: item.message for item in held_back}
    assert "open activity" in reasons[busy["id"]]
    with_ours = {row["account_id"] for row in our_tasks(world) if row["opportunity_id"] is None}
    with_deal = {row["account_id"] for row in our_tasks(world) if row["opportunity_id"] is not None}
    assert with_ours & with_deal
    assert report.writes == report.done["task"]
