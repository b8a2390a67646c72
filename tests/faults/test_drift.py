"""Fault 11: the CRM's fields change between our look at them and our write."""

from __future__ import annotations

import pytest

from config.problems import ConfigProblem
from connectors.contract import ConnectorError
from sync.exits import exit_code
from tests.faults.test_crashes import TINY, people_work
from tests.faults.trips import Trip, tripping
from tests.faults.wholeness import assert_only_ours, assert_whole


def run_while(world, monkeypatch, number, happens):
    """A run in whose midst, before its N-th effect, something happens in the CRM; its exit code, None if it did not."""
    trip = Trip(number, happens)
    try:
        with tripping(monkeypatch, trip):
            code = world.run().exit_code
    except (ConfigProblem, ConnectorError) as error:
        code = exit_code(error)
    return code if len(trip.kinds) >= number else None


def drift(world, monkeypatch, happens):
    """The same at every ninth effect of a run; how often, each time put right again and settled."""
    for times, number in enumerate(range(5, 1_000, 9)):
        people_work(world, number)
        code = run_while(world, monkeypatch, number, happens)
        world.sandbox.faults.remove()
        if code is None:
            return times
        # Refused, found at the next check, or not met at all: never a bug, and never a write elsewhere.
        assert code in (0, 2, 3)
        assert_only_ours(world)
    raise AssertionError("a run that never ends")


@pytest.mark.long
def test_fault_11_a_field_becomes_read_only_in_mid_run(make_world, monkeypatch, tried):
    """Wherever it happens: stopped or refused, in words; once it is put right, the next runs complete."""
    world = make_world(data=TINY)
    world.run()
    people = world.people
    frozen = people.freeze("account", "foretag_tier")
    times = drift(world, monkeypatch, lambda: world.sandbox.faults.add([frozen]))
    for retry in range(2):
        people_work(world, retry)
        world.run()
    assert_whole(world)
    tried(times, "a field of ours that became read-only")


@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.long
def test_fault_11_an_input_vanishes_in_mid_run(make_world, monkeypatch, tried):
    """An amount that nobody may see any more is no amount of zero: the run stops and names the field."""
    world = make_world(data=TINY)
    world.run()
    hidden = {"kind": "fls_off", "object": "Opportunity", "field": "Amount"}
    times = drift(world, monkeypatch, lambda: world.sandbox.faults.add([hidden]))
    with world.job() as job:
        amounts = job.mirror.read("opportunity", ("amount",))["amount"]
    assert amounts.null_count < len(amounts)
    assert_whole(world)
    tried(times, "an input that vanished")


def test_fault_11_an_input_that_is_gone_is_named(make_world, tried):
    """Before anything is written, by the name that the admin knows."""
    world = make_world(data=TINY)
    world.run()
    world.people.hide("opportunity", "amount")
    name = world.people.field_name("opportunity", "amount")
    with world.counting() as written, pytest.raises(ConfigProblem, match=name):
        world.run()
    assert written() == 0
    tried(1, "an input that is gone")
