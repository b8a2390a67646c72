"""Writes in parts, and the limits that stop one before it begins, on a CRM over HTTP."""

from __future__ import annotations

import pytest

from sync.exits import Guarded
from sync.pipeline import apply_plan, preview
from sync.store.owners import owner_names
from sync.writing.selection import EVERYTHING, Selection, choose

# What differs between the CRMs is tried with each of their writes.
ONE = pytest.mark.parametrize("crm", ["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])
BY_SIZE = "priority: {weights: {soon: 1, profitable: 0, much: 99}}\ntiers: {dwell_days: 0}\ntasks: []\n"
BY_DATE = BY_SIZE.replace("soon: 1, profitable: 0, much: 99", "soon: 99, profitable: 0, much: 1")


def planned(world, selection: Selection = EVERYTHING):
    """What a run would change of chosen records."""
    with world.job() as job:
        return preview(job, selection)


def applied(world, plan, **options):
    """Do it."""
    with world.job() as job:
        return apply_plan(job, plan, **options)


def limited(world, limits: str) -> None:
    """An admin sets limits on top of those there are."""
    text = world.settings.read_text(encoding="utf-8")
    world.settings.write_text(text.replace("limits: {", f"limits: {{{limits}, "), encoding="utf-8")


def allowed(world, writes: str) -> None:
    """An admin says what may be written."""
    text = world.settings.read_text(encoding="utf-8")
    world.settings.write_text(
        text.replace("    limits:", f"    writes: {writes}\n    limits:"), encoding="utf-8"
    )


def tiers(world) -> dict:
    """The tier of each record, by id."""
    return {
        (name, row["id"]): row["foretag_tier"]
        for name in ("account", "opportunity")
        for row in world.people.rows(name, "foretag_tier")
    }


@pytest.mark.long
def test_a_rollout_in_parts_comes_to_the_same_as_one_at_once(make_world):
    """A sample, then the rest: each writes its own records alone, and the preview ends with the last."""
    world = make_world(production=True)
    world.use_rules(BY_SIZE)
    everything = planned(world)[1]
    wanted = {
        (name, row["id"]): row["foretag_tier"]
        for name, table in everything.changes.items()
        for row in table.to_pylist()
    }
    _, sample = planned(world, choose(sample=7))
    assert applied(world, sample, whole=False).writes == sample.records == 7
    named = {(name, one) for name, table in sample.changes.items() for one in table["id"].to_pylist()}
    assert {key for key, tier in tiers(world).items() if tier} <= named
    assert len({wanted[key] for key in named}) >= 3
    assert world.run().mode == "preview"
    applied(world, planned(world)[1])
    held = tiers(world)
    assert {key: held[key] for key in wanted} == wanted
    with world.counting() as written:
        again = world.run()
    assert (again.mode, again.writes, written()) == ("live", 0, 0)


@ONE
def test_i6_what_the_settings_do_not_allow_is_not_written(world):
    """Neither by a run, nor by a plan from before the settings said so."""
    world.use_rules(BY_SIZE)
    whole = planned(world)[1]
    allowed(world, "{account: [foretag_tier, foretag_valid_until]}")
    with (
        world.counting() as written,
        pytest.raises(Guarded, match="`writes:` or `outputs:` in the settings do not"),
    ):
        applied(world, whole)
    assert written() == 0
    report = world.run()
    assert report.done["account"] > 0
    fields = (
        world.people.field_name("account", "foretag_tier"),
        world.people.field_name("account", "foretag_valid_until"),
    )
    entries = [entry for entry in world.sandbox.journal.writes(0) if entry.user == world.people.worker]
    assert {entry.object for entry in entries} == {world.people.object_name("account")}
    assert {field for entry in entries for field in entry.fields} == set(fields)
    with world.counting() as written:
        world.run()
    assert written() == 0


@ONE
def test_i6_a_move_beyond_the_business_limits_stops_the_run_before_its_first_write(world):
    """Other rules turn the book over: the run names what would move and whose it is, and writes nothing.

    Before, a share of the book is a limit, too; a number given for this once counts alone.
    """
    world.use_rules(BY_SIZE)
    limited(world, "max_share: 2, max_gained: {A: 0}, max_tier_changes: {A: 5}")
    with pytest.raises(
        Guarded, match=r"`limits.max_share`, 2 % of \d+\): nothing was written; .* --max-changes \d+"
    ):
        world.run()
    assert world.run(max_changes=100_000).writes > 0
    before = tiers(world)
    world.use_rules(BY_DATE)
    with world.counting() as written, pytest.raises(Guarded) as stopped:
        world.run(max_changes=100_000)
    assert (written(), tiers(world)) == (0, before)
    with world.job() as job:
        owners = owner_names(job.mirror).values()
    assert "more than 5 % (`limits.max_tier_changes`)" in str(stopped.value)
    assert any(f"{owner} (" in str(stopped.value) for owner in owners)
    assert "nothing was written" in str(stopped.value)
