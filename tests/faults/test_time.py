"""Faults 4 and 13: clocks that disagree, stamps that are equal or late; and our own writes, seen again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.test_crashes import TINY
from tests.faults.wholeness import assert_same_deals, assert_whole

# Days on which clocks are moved, at an hour when the date depends on it, and the date in the org's time zone.
CHANGES = (
    ("America/New_York", "2026-03-08T04:30:00+00:00", "2026-03-07"),
    ("America/New_York", "2026-03-09T04:30:00+00:00", "2026-03-09"),
    ("Europe/Stockholm", "2026-10-24T22:30:00+00:00", "2026-10-25"),
    ("Europe/Stockholm", "2026-10-25T22:30:00+00:00", "2026-10-25"),
)


@pytest.mark.long
@pytest.mark.parametrize("minutes", [10, -10])
def test_fault_04_a_clock_that_differs_loses_nothing(make_world, tried, minutes):
    """The CRM's clock is ten minutes ahead of this machine's, or behind; people edit right before and after a run."""
    world = make_world(data=TINY)
    world.sandbox.clock.set(datetime.now(UTC) + timedelta(minutes=minutes))
    world.run()
    deals, turns = world.open_deals(), 2
    for turn in range(turns):
        for deal in (deals[turn % len(deals)], deals[-1 - turn % len(deals)]):
            world.people.edit("opportunity", {"id": deal["id"], "amount": 50_000 + turn})
        world.run()
        assert_same_deals(world)
        world.sandbox.clock.advance(timedelta(minutes=7))
    assert_whole(world)
    tried(turns, f"an increment with clocks {minutes:+} minutes apart")


@pytest.mark.long
def test_fault_04_equal_stamps_across_pages(make_world, tried):
    """Every deal has the same stamp, and pages end in their midst."""
    world = make_world(data="synthetic:10:60")
    world.run()
    world.sandbox.clock.advance(timedelta(hours=2))
    deals = world.open_deals()
    world.people.edit(
        "opportunity", *({"id": one["id"], "amount": 70_000 + n} for n, one in enumerate(deals))
    )
    world.sandbox.faults.add([{"kind": "short_pages", "rows": 7}])
    world.run()
    assert_same_deals(world)
    world.sandbox.faults.remove()
    assert_whole(world)
    tried(len(deals), "a deal of one and the same stamp")


@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.parametrize(
    ("zone", "moment", "today"),
    CHANGES,
)
@pytest.mark.long
def test_fault_04_daylight_saving_moves_no_day(make_world, tried, zone, moment, today):
    """In the night when clocks change, the day is the org's, and a second run finds nothing to write."""
    world = make_world(data=TINY, timezone=zone)
    world.sandbox.clock.set(datetime.fromisoformat(moment))
    assert world.run().today == today
    with world.counting() as written:
        world.run()
    assert written() == 0
    tried(1, f"a run in {zone} at {moment}")


@pytest.mark.long
def test_fault_04_a_commit_that_comes_late(make_world, tried):
    """What is stamped before a run and seen only after it is read by the next."""
    world = make_world(data=TINY)
    world.run()
    deals = world.open_deals()[:3]
    for number, deal in enumerate(deals):
        name = world.people.object_name("opportunity")
        world.sandbox.faults.add([{"kind": "late_commit", "object": name, "seconds": 120}])
        world.people.edit("opportunity", {"id": deal["id"], "amount": 31_000 + number})
        world.sandbox.faults.remove()
        world.run()
        world.sandbox.clock.advance(timedelta(seconds=180))
        world.run()
        assert_same_deals(world)
    assert_whole(world)
    tried(len(deals), "a commit seen three minutes late")


@pytest.mark.long
def test_fault_13_our_own_writes_are_no_news(make_world, tried):
    """Our writes move the CRM's stamps, so they are read again: nothing is written for that, ever after."""
    world = make_world(data=TINY)
    first = world.run()
    turns = 2
    for _ in range(turns):
        # Beyond the overlap of increments, within the day.
        world.sandbox.clock.advance(timedelta(hours=2))
        with world.counting() as written:
            report = world.run()
        assert (written(), report.writes) == (0, 0)
    assert first.writes > 0
    assert_whole(world)
    tried(turns, "an increment that saw our own writes")
