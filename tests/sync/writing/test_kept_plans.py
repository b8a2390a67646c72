"""A kept plan is done row by row where it still holds: exactly that, nothing else, and as often as one likes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from config.outputs import OBJECTS
from sync.pipeline import apply_plan, carry_out, recorded
from sync.writing.inputs import inputs_of
from sync.writing.stale import Overtaken
from tests.acceptance.conftest import BOTH_IN_TIME
from tests.world import EVERY_RECORD

ONE_CRM = pytest.mark.parametrize("crm", ["salesforce"])


def apply(world, plan):
    """Apply a plan; the report, and what was listed as stale, by id: why."""
    with world.job() as job:
        report = apply_plan(job, plan)
        items = job.ledger.items(report.run, "stale")
    return report, {item.record_id: item.code for item in items if item.object in OBJECTS}, items


def held(world, object_name):
    """The tiers in the CRM."""
    return {row["id"]: row["foretag_tier"] for row in world.people.rows(object_name, "foretag_tier")}


def states(world):
    """What is remembered of each tag, but for the run."""
    with world.job() as job:
        return job.tags.read("state").sort_by([("object", "ascending"), ("id", "ascending")]).to_pylist()


@BOTH_IN_TIME
def test_rows_whose_inputs_or_values_changed_are_skipped_and_listed(world):
    """What hangs on the account counts, and what people wrote into our fields; all other rows are done."""
    plan = world.plan()
    deals = plan.changes["opportunity"].to_pylist()
    first = next(row for row in deals if row["parent_id"])
    second = next(row["id"] for row in plan.changes["account"].to_pylist() if row["id"] != first["parent_id"])
    world.people.edit("opportunity", {"id": first["id"], "amount": 4711})
    world.people.let_in(("account", "foretag_alert"))
    world.people.edit("account", {"id": second, "foretag_alert": "mine"})
    report, stale, items = apply(world, plan)
    hanging = {row["id"] for row in deals if row["parent_id"] == first["parent_id"]} | {first["parent_id"]}
    assert stale == dict.fromkeys(hanging, "INPUTS_CHANGED") | {second: "HELD_CHANGED"}
    assert (report.exit_code, report.stale) == (3, len(items))
    assert all(item.fix.startswith("make a new plan") for item in items)
    for name in OBJECTS:
        planned = set(plan.changes[name]["id"].to_pylist())
        assert {one for one, tier in held(world, name).items() if tier} == planned - stale.keys()


@pytest.mark.long
@BOTH_IN_TIME
def test_a_plan_applied_twice_writes_once(world):
    """What the CRM holds already is neither written nor called stale."""
    plan = world.plan()
    apply(world, plan)
    with world.counting() as written:
        report, stale, _ = apply(world, plan)
    assert (written(), stale, report.exit_code) == (0, {}, 0)
    assert report.already == plan.records + plan.tasks.num_rows
    assert f"{report.already} were done already." in report.last_line


@pytest.mark.long
@ONE_CRM
def test_a_plan_goes_on_where_it_stopped(world):
    """Half of it was done, a record of the other half was edited, and its own stamp rode on something else."""
    plan = world.plan()
    half = plan.changes["account"].slice(0, 20)
    apply(world, replace(plan, changes=plan.changes | {"account": half}))
    edited = plan.changes["account"]["id"][25].as_py()
    world.people.edit("account", {"id": edited, "employees": 5})
    done = half["id"][0].as_py()
    world.people.let_in(("account", "foretag_stamp"))
    world.people.edit("account", {"id": done, "foretag_stamp": "another", "employees": 7})
    report, stale, _ = apply(world, plan)
    assert edited in stale
    assert done not in stale
    assert report.done["account"] == plan.changes["account"].num_rows - 20 - sum(
        one in stale for one in held(world, "account")
    )
    assert all(tier for one, tier in held(world, "account").items() if one not in stale)


@pytest.mark.long
@BOTH_IN_TIME
def test_an_edit_between_two_chunks_is_seen_before_the_second(world):
    """Records are looked at again before each chunk, those that we have just written ourselves, too."""
    plan = world.plan()
    deals = [row for row in plan.changes["opportunity"].to_pylist() if row["parent_id"]]
    seen = []

    def people_meanwhile(object_name, rows):
        if object_name == "opportunity":
            world.people.edit("account", {"id": deals[0]["parent_id"], "employees": 4711})
        seen.append(object_name)
        return rows

    with world.job() as job:
        with recorded(job, "apply") as pass_:
            carry_out(pass_, plan, [people_meanwhile])
        items = job.ledger.items(pass_.report.run, "stale")
    assert seen[:2] == ["account", "opportunity"]
    hanging = {row["id"] for row in deals if row["parent_id"] == deals[0]["parent_id"]}
    assert {item.record_id for item in items if item.object == "opportunity"} == hanging
    assert pass_.report.done["account"] == plan.changes["account"].num_rows


@pytest.mark.long
@ONE_CRM
def test_looking_again_costs_a_call_or_two_for_each_object(world):
    """Before the first chunk nothing is asked again; later the clock, and what changed of each object."""
    plan, calls = world.plan(), []

    def count(_object_name, rows):
        calls.append(job.connector.budget().calls)
        return rows

    with world.job() as job, recorded(job, "apply") as pass_:
        overtaken = Overtaken.pulled(pass_)
        pass_.apply(overtaken.left(plan), [count, overtaken, count])
        objects = [name for name in job.columns() if name not in ("owner", "stage", "task", "quota")]
    first, *later = [two - one for one, two in zip(calls[::2], calls[1::2], strict=True)]
    assert first == 0
    assert all(spent <= 1 + 2 * len(objects) for spent in later)


@pytest.mark.long
@ONE_CRM
def test_what_was_applied_is_remembered_as_if_a_run_had_written_it(world):
    """Tag state goes with the rows: of a row that was not written it stays as it was."""
    plan = world.plan()
    left = plan.changes["account"]["id"][3].as_py()
    world.people.let_in(("account", "foretag_alert"))
    world.people.edit("account", {"id": left, "foretag_alert": "mine"})
    apply(world, plan)
    kept = states(world)
    wanted = pa.concat_tables(plan.states).sort_by([("object", "ascending"), ("id", "ascending")]).to_pylist()
    sent = {row["id"] for table in plan.changes.values() for row in table.to_pylist()} - {left}
    assert kept == [row for row in wanted if row["id"] in sent]


@pytest.mark.long
@ONE_CRM
def test_inputs_are_what_people_and_other_machines_change(world):
    """Neither our own writes nor a day change them; a deal, a case, an owner who leaves, a name do."""

    def digests():
        with world.job() as job:
            with recorded(job, "plan") as pass_:
                pass_.pull()
            return dict(zip(*inputs_of(job.mirror, job.rules).to_pydict().values(), strict=True))

    before = digests()
    world.run()
    world.sandbox.clock.advance(timedelta(days=1))
    assert digests() == before
    deal = next(deal for deal in world.open_deals("account_id") if deal["account_id"])
    world.people.edit("opportunity", {"id": deal["id"], "close_date": world.sandbox.today})
    after = digests()
    assert {one for one in before if before[one] != after[one]} == {deal["account_id"]}
    account = world.people.rows("account", "owner_id")[0]
    world.people.edit("account", {"id": account["id"], "name": "Renamed"})
    assert {one for one, digest in digests().items() if after[one] != digest} == {account["id"]}


@pytest.mark.long
@ONE_CRM
def test_a_plan_whose_day_has_passed_is_not_written(world):
    """What it would say is no longer valid, and its tasks are overdue before they are made."""
    world.use_rules(EVERY_RECORD)
    plan = replace(world.plan(), made_on=world.sandbox.today)
    world.sandbox.clock.advance(timedelta(days=30))
    with world.counting() as written:
        report, stale, items = apply(world, plan)
    assert written() == 0
    assert set(stale.values()) == {"EXPIRED"}
    assert {item.code for item in items if item.object == "task"} == {"EXPIRED"}
    assert report.stale == plan.records + plan.tasks.num_rows


@pytest.mark.long
@ONE_CRM
def test_a_task_is_not_made_for_what_changed_nor_for_whom_left(world):
    """Its account has another owner now, or its owner is switched off."""
    world.use_rules(EVERY_RECORD)
    plan = world.plan()
    row = plan.tasks.filter(pc.equal(plan.tasks["object"], "account")).to_pylist()[0]
    world.people.edit("account", {"id": row["id"], "employees": 4711})
    _, _, items = apply(world, plan)
    codes = {item.record_id: item.code for item in items if item.object == "task"}
    assert codes[row["id"]] == "INPUTS_CHANGED"
    made = {task["key"] for task in world.people.rows("task", "key")}
    stale = {item.record_id for item in items if item.object == "task"}
    assert made - {None} == {one["key"] for one in plan.tasks.to_pylist() if one["id"] not in stale}


@pytest.mark.long
@ONE_CRM
def test_a_record_that_is_gone_is_listed_and_not_written(world):
    """Deleted after the plan was made."""
    plan = world.plan()
    gone = plan.changes["opportunity"]["id"][0].as_py()
    world.people.delete("opportunity", gone)
    _, stale, _ = apply(world, plan)
    assert stale[gone] == "GONE"
