"""Faults 1, 6 and 7: the process dies, anywhere; two work at once."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from sync.stopping import LeaseLost
from tests.faults.trips import Trip, bury, tripping
from tests.faults.wholeness import assert_complete, assert_settled, assert_whole
from tests.world import EVERY_RECORD, Crash

FORETAG = str(Path(sys.executable).with_name("foretag"))
TINY = "synthetic:6:20"
BY_TURNS = 100
# Of the last steps of a run: around the intents, the sends and what is recorded of them.
AROUND_WRITES = (-12, -5)
# More than any overlap of increments: what a cursor passed by mistake does not come again by itself.
LATER = timedelta(hours=2)


def people_work(world, number):
    """Between runs amounts change, so that each run has something to read and to write."""
    deals = world.open_deals()
    for deal in deals[number % 3 :: 3]:
        world.people.edit("opportunity", {"id": deal["id"], "amount": 1_000 * (number % 7 + 1) ** 4})
    world.sandbox.clock.advance(timedelta(seconds=2))


def crash_at(world, monkeypatch, number, only=""):
    """A run that dies before its N-th effect; which kind that was, empty if it came to its end."""
    trip = Trip(number, only=only)
    with tripping(monkeypatch, trip), suppress(Crash):
        world.run()
    if trip.fatal:
        bury(world)
    return trip.fatal


def crash_at_every_boundary(world, monkeypatch, only=""):
    """A run dies at its first effect, another at its second, ... until one completes; after each all is well."""
    for number in itertools.count(1):
        people_work(world, number)
        world.sandbox.clock.advance(LATER)
        died = crash_at(world, monkeypatch, number, only)
        if not died:
            return number - 1
        # That a second run writes nothing costs a run to see.
        assert_settled(world) if number % 5 == 0 else assert_complete(world)
    raise AssertionError("a run that never ends")


def effects_of_a_run(world, monkeypatch):
    """How many effects a run has that lives."""
    trip = Trip()
    with tripping(monkeypatch, trip):
        world.run()
    return len(trip.kinds)


def test_fault_01_a_crash_around_the_writes(make_world, monkeypatch, tried):
    """Before an intent, between intent and send, between send and record: clean runs follow."""
    world = make_world(data=TINY)
    world.use_rules(EVERY_RECORD)
    effects = effects_of_a_run(world, monkeypatch)
    for number, place in enumerate(AROUND_WRITES):
        people_work(world, number)
        assert crash_at(world, monkeypatch, effects + place)
    assert_settled(world)
    tried(len(AROUND_WRITES), "a crash around the writes")


@pytest.mark.long
def test_fault_01_a_crash_at_every_boundary(make_world, monkeypatch, tried):
    """At the first effect of a run, at the second, ... until a run completes; after each, clean runs follow."""
    world = make_world(data=TINY)
    world.people.count_generously()
    world.use_rules(EVERY_RECORD)
    world.run()
    died = crash_at_every_boundary(world, monkeypatch)
    assert_whole(world)
    assert died > 40
    tried(died, "a crash at a boundary of an increment")


@pytest.mark.long
def test_fault_01_a_crash_at_every_boundary_of_the_first_run(make_world, monkeypatch, tried):
    """The first load, the first tags, the first tasks: nothing is made twice, nothing is left out."""
    world = make_world(data=TINY)
    world.people.count_generously()
    world.use_rules(EVERY_RECORD)
    died = 0
    while crash_at(world, monkeypatch, died + 1):
        died += 1
        if died % 5 == 0:
            assert_settled(world)
        world.forget()
        people_work(world, died)
    assert_whole(world)
    assert died > 40
    tried(died, "a crash at a boundary of a first run")


@pytest.mark.long
def test_fault_06_a_zombie_writes_no_more_than_what_was_on_its_way(make_world, monkeypatch, tried):
    """Another run took over while a batch was under way: its outcome is not recorded, and nothing follows it."""
    world = make_world(data=TINY)
    with world.job() as job:
        connector = type(job.connector)
        send, sent = connector.update, []

        def overtaken(self, object_name, changes):
            outcomes = send(self, object_name, changes)
            if not sent:
                sent.append(object_name)
                bury(world)
                monkeypatch.setattr(connector, "update", send)
                world.run()
            return outcomes

        monkeypatch.setattr(connector, "update", overtaken)
        from sync.pipeline import run

        with world.counting() as written, pytest.raises(LeaseLost):
            run(job)
    assert sent == ["account"]
    assert written() > 0
    assert_whole(world)
    tried(1, "a run taken over in mid-batch")


@pytest.mark.long
def test_fault_07_killed_at_random_instants(make_world, tried):
    """`kill -9` a hundred times, wherever it meets the real program: history and copy open, and all is well."""
    world = make_world(data=TINY)
    world.people.count_generously()
    world.use_rules(EVERY_RECORD)
    chance = random.Random(7)
    killed = 0
    for turn in range(BY_TURNS):
        people_work(world, turn)
        killed += killed_after(world, chance.uniform(0.3, 2.4))
        if turn % 10 == 9:
            assert_settled(world)
    assert_whole(world)
    assert killed > BY_TURNS / 3
    tried(BY_TURNS, f"kill -9 at a random instant, of which {killed} met a run under way")


def killed_after(world, seconds):
    """Whether the kill met the run; one that ended before ended well, or found the other's lease."""
    process = subprocess.Popen(
        [FORETAG, "run", "--settings", str(world.settings)],
        cwd=world.folder,
        env={**os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode == 0, said
    return False
