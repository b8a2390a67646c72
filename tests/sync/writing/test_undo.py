"""Undo: old values back where the CRM still holds ours, the rest left and listed, and nothing written over it again."""

from __future__ import annotations

import pytest

from config.outputs import written as written_fields
from config.problems import ConfigProblem
from connectors.contract import RetryLater
from sync.ledger.gates import TASKS
from sync.pipeline import apply_plan, preview, recorded
from sync.runs.undo import undo
from sync.stopping import LeaseLost
from sync.writing.gates import holds
from sync.writing.selection import Selection
from tests.world import Crash

OURS = {
    name: tuple(field.name for field in written_fields(name, "full")) for name in ("account", "opportunity")
}
# Of the CRMs only the first is always tried: what differs between them is tried with each of their writes.
ONE = pytest.mark.parametrize("crm", ["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])


@pytest.fixture
def world(world):
    """Fields alone: what becomes of tasks has tests of its own."""
    world.use_rules("tasks: []\n")
    return world


def held(world, name="account"):
    """What the CRM holds of ours, by record."""
    return {row["id"]: row for row in world.people.rows(name, *OURS[name])}


def take_back(world, run, selection=None, **options):
    """Undo a run; its report and what it left."""
    with world.job() as job:
        report = undo(job, run, selection or Selection(), **options)
        return report, job.ledger.items(report.run, "left")


def resume(world):
    """An admin lets everything be written again."""
    with world.job() as job:
        job.ledger.gates.release(job.name)


@ONE
def test_an_undo_puts_back_what_was_there_and_an_undo_of_it_what_we_wrote(world):
    """What the CRM held before the run is there again, to the last field; after another undo, what we wrote."""
    before = held(world), held(world, "opportunity")
    wrote = world.run()
    ours = held(world), held(world, "opportunity")
    assert ours != before
    looked, _ = take_back(world, wrote.run, dry_run=True)
    assert ((held(world), held(world, "opportunity")), looked.planned) == (ours, wrote.planned)
    back, left = take_back(world, wrote.run)
    assert ((held(world), held(world, "opportunity")), left, back.exit_code) == (before, [], 0)
    assert (back.done, back.of) == (wrote.done, wrote.run)
    with pytest.raises(ConfigProblem, match=f"undo {back.run} has taken it back already"):
        take_back(world, wrote.run)
    take_back(world, back.run)
    assert (held(world), held(world, "opportunity")) == ours
    # The scores' own values are there again: nothing is held any more, and nothing is to be written.
    again = world.run()
    assert (again.writes, again.held) == (0, "")


@pytest.mark.long
@ONE
def test_what_an_undo_took_back_is_not_written_again_until_somebody_says_so(world):
    """Runs leave the undone fields alone and say so; a resume, or other rules, let them be written."""
    before = held(world)
    report, _ = take_back(world, world.run().run)
    assert "(all " in report.last_line
    assert "until the rules change or `foretag resume`" in report.last_line
    with world.counting() as written:
        quiet = world.run()
    assert (written(), held(world)) == (0, before)
    assert "`foretag resume`" in quiet.last_line
    world.use_rules("tasks: []\ntiers: {A: 20}\n")
    assert world.plan().records > 0
    world.use_rules("tasks: []\n")
    resume(world)
    assert world.run().done["account"] == len(before)


@ONE
def test_what_a_person_changed_after_us_is_left_and_listed(world):
    """A person's value stays, with a line about it; the record's other fields go back."""
    before = held(world)
    wrote = world.run()
    world.people.let_in(("account", "foretag_next_step"))
    account, other = sorted(before)[:2]
    world.people.edit("account", {"id": account, "foretag_next_step": "Call their CFO"})
    world.people.delete("account", other)
    back, left = take_back(world, wrote.run)
    after = held(world)
    assert after[account] == before[account] | {"foretag_next_step": "Call their CFO"}
    told = {(item.record_id, item.code): item.message for item in left if item.object == "account"}
    assert told[account, "CHANGED_SINCE"] == "Suggested next step: changed since, by a person or a later run"
    assert "was deleted" in told[other, "GONE"]
    assert back.exit_code == 3
    assert f"{len(left):,} left as they are: see `foretag runs {back.run}`" in back.last_line


@pytest.mark.long
def test_chosen_fields_alone_go_back_and_are_held(world):
    """`--only` takes back some fields; the others stay as they are and go on being written."""
    before = held(world)
    wrote = world.run()
    ours = held(world)
    take_back(world, wrote.run, Selection(only=("account.tier", "account.next_step")))
    picked = ("foretag_tier", "foretag_next_step")
    assert held(world) == {
        one: row | {name: before[one][name] for name in picked} for one, row in ours.items()
    }
    with world.job() as job:
        assert {hold.field for hold in job.ledger.gates.holds(job.name, job.rules.digest)} == set(picked)
    # The rest can still be taken back.
    take_back(world, wrote.run)
    assert held(world) == before


@pytest.mark.long
def test_what_is_the_first_to_write_anything_goes_back_though_it_wrote_few_fields(world):
    """A backfill of tiers alone, before anything else was ever written: nothing is known of the other fields."""
    before = held(world)
    with world.job() as job:
        plan = preview(job, Selection(only=("tier",)))[1]
        wrote = apply_plan(job, plan, whole=False)
    assert held(world) != before
    take_back(world, wrote.run)
    assert held(world) == before


@pytest.mark.long
def test_an_undo_of_some_fields_of_an_undo_lets_nothing_else_be_written(world):
    """Who brings tiers back has said nothing of tasks, which stay held."""
    back, _ = take_back(world, world.run().run)
    with world.job() as job:
        job.ledger.gates.hold(job.name, back.run, job.rules.digest, [TASKS])
    take_back(world, back.run, Selection(only=("tier",)))
    with world.job() as job:
        held_back = {(hold.object, hold.field) for hold in holds(job)}
    assert TASKS in held_back
    assert ("account", "foretag_segment") in held_back
    assert ("account", "foretag_tier") not in held_back
    take_back(world, back.run)
    with world.job() as job:
        assert holds(job) == []


@pytest.mark.long
def test_an_undo_that_died_is_completed_by_another(world, monkeypatch):
    """Killed between its two objects, it holds its fields already; the next undo does what is left, and no more."""
    before = held(world), held(world, "opportunity")
    wrote = world.run()

    with world.job() as job:
        update = job.connector.update

        def dies_at_deals(name, rows):
            if name == "opportunity":
                raise Crash
            return update(name, rows)

        monkeypatch.setattr(job.connector, "update", dies_at_deals)
        with pytest.raises(Crash):
            undo(job, wrote.run)
    assert held(world) == before[0]
    assert world.run().writes == 0
    second, left = take_back(world, wrote.run)
    assert (held(world), held(world, "opportunity")) == before
    assert (second.planned["account"], left) == (0, [])


@pytest.mark.long
def test_of_what_was_refused_or_not_confirmed_the_crm_is_asked_what_it_holds(world):
    """A batch whose reply was lost has landed, and goes back; a refused record needs nothing."""
    before = held(world)
    world.sandbox.faults.add(
        [
            world.people.refuse_some("not this one"),
            {"kind": "lost_reply", "match": world.people.writing(), "times": None},
        ]
    )
    with pytest.raises(RetryLater):
        world.run()
    world.sandbox.faults.remove()
    assert held(world) != before
    with world.job() as job:
        (row, *_) = job.ledger.runs()
    assert take_back(world, row["id"])[1] == []
    assert held(world) == before


@pytest.mark.long
def test_a_tier_that_an_undo_brought_back_is_not_held_up_for_now(world):
    """A wrong A that was taken back must not come again as a tier that falls only after a week."""
    world.run()
    good = held(world)
    world.use_rules("tasks: []\ntiers: {A: 90, B: 5, C: 5, a_at_least: 0}\n")
    wrong = world.run()
    lifted = [one for one, row in held(world).items() if row["foretag_tier"] != good[one]["foretag_tier"]]
    assert lifted
    take_back(world, wrong.run)
    world.use_rules("tasks: []\n")
    world.run()
    now = held(world)
    assert [now[one]["foretag_tier"] for one in lifted] == [good[one]["foretag_tier"] for one in lifted]


@pytest.mark.long
@ONE
def test_what_cannot_be_undone_is_refused_with_the_reason(world):
    """No such run, one under way, one that wrote nothing, one whose old values are gone: nothing is written."""
    with world.job() as job, world.job() as other, world.counting() as written:
        with pytest.raises(ConfigProblem, match="there is no run"):
            undo(job, "20200101-000000-1")
        with recorded(other, "plan") as under_way, pytest.raises(LeaseLost, match="has not ended"):
            undo(job, under_way.report.run)
        with pytest.raises(ConfigProblem, match="this plan wrote nothing"):
            undo(job, under_way.report.run)
        assert written() == 0
    wrote = world.run()
    with world.job() as job, world.counting() as written:
        (job.place / "journal").remove()
        with pytest.raises(ConfigProblem, match="are kept no longer"):
            undo(job, wrote.run)
        assert written() == 0
