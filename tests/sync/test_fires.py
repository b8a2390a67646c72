"""Scheduled work in the history: taken once, taken over from the dead."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from sync.ledger import Ledger
from sync.ledger.fires import WorkName
from sync.ledger.workers import SILENCE

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
WORK = WorkName("main", "increment")


@pytest.fixture
def clock():
    """A clock that goes when told."""
    return SimpleNamespace(now=NOON)


@pytest.fixture
def ledger(tmp_path, clock, history):
    """A history of its own, in each kind of database."""
    opened = Ledger.open(tmp_path, lambda: clock.now, history)
    yield opened
    opened.close()


@pytest.fixture
def two(ledger):
    """Two workers that live."""
    return ledger.workers.begin("a:1", "1.0"), ledger.workers.begin("b:1", "1.0")


def test_what_falls_due_is_taken_once(ledger, two):
    """Two workers see the same work fall due: one of them has it."""
    assert [ledger.fires.take(WORK, NOON, worker) for worker in two] == [True, False]
    assert ledger.fires.last()[WORK].worker == two[0]


def test_of_many_that_take_at_one_moment_one_has_it(ledger, two):
    """However close they come, also where nothing of the kind was ever taken."""
    for turn in range(5):
        due = NOON + turn * QUARTER
        with ThreadPoolExecutor(8) as pool:
            taken = list(
                pool.map(lambda number, due=due: ledger.fires.take(WORK, due, two[number % 2]), range(8))
            )
        assert sum(taken) == 1
        ledger.fires.end(WORK, ledger.fires.last()[WORK].worker, 0)


def test_what_is_under_way_is_not_taken_again(ledger, two):
    """Work that outlasts its interval is not begun beside itself; once it ended, the next is due."""
    ledger.fires.take(WORK, NOON, two[0])
    assert not ledger.fires.take(WORK, NOON + QUARTER, two[1])
    ledger.fires.end(WORK, two[0], 0, "run-1")
    assert ledger.fires.take(WORK, NOON + QUARTER, two[1])


def test_each_zone_of_owners_is_work_of_its_own(ledger, two):
    """The tasks of one zone say nothing about those of another."""
    assert ledger.fires.take(WorkName("main", "tasks", "Asia/Tokyo"), NOON, two[0])
    assert ledger.fires.take(WorkName("main", "tasks", "Europe/Berlin"), NOON, two[0])


def test_work_of_a_silent_worker_is_taken_over_once(ledger, two, clock):
    """One that says nothing for long is dead; of those that see it, one takes over."""
    first, second = two
    ledger.fires.take(WORK, NOON, first)
    assert ledger.fires.open() == []
    clock.now += SILENCE
    ledger.workers.beat(second)
    (lost,) = ledger.fires.open()
    assert [ledger.fires.adopt(lost, second), ledger.fires.adopt(lost, "third")] == [True, False]
    ledger.fires.end(WORK, first, 1)
    assert ledger.fires.last()[WORK].ended is None, "the dead one, come back, ended what is no longer its own"


def test_what_a_worker_gives_back_is_free_at_once(ledger, two):
    """Nobody waits for the end of a silence when a worker says that it stops."""
    first, second = two
    ledger.fires.take(WORK, NOON, first)
    ledger.fires.give_back(WORK, first)
    (lost,) = ledger.fires.open()
    assert ledger.fires.adopt(lost, second)


def test_later_work_is_taken_instead_of_what_was_lost(ledger, two, clock):
    """What the dead left and what falls due meanwhile is done once, as the later."""
    ledger.fires.take(WORK, NOON, two[0])
    clock.now += SILENCE
    ledger.workers.beat(two[1])
    assert ledger.fires.take(WORK, NOON + QUARTER, two[1])
    assert ledger.fires.open() == []


def test_a_worker_takes_what_it_took_before_and_never_came_to(ledger, two):
    """Its word was written down, and the answer lost: it may say it again, and nobody else may."""
    first, second = two
    ledger.fires.take(WORK, NOON, first)
    assert ledger.fires.open() == []
    (lost,) = ledger.fires.open(idle=first)
    assert ledger.fires.adopt(lost, first)
    assert not ledger.fires.take(WORK, NOON + QUARTER, second)
    assert ledger.fires.take(WORK, NOON + QUARTER, first)


def test_how_it_ended_is_kept(ledger, two):
    """With its run and exit code; without, where it did not take place."""
    ledger.fires.take(WORK, NOON, two[0])
    ledger.fires.end(WORK, two[0], 3, "20261122-120000-1")
    fire = ledger.fires.last("main")[WORK]
    assert (fire.due, fire.ended, fire.exit_code, fire.run) == (NOON, NOON, 3, "20261122-120000-1")
    assert ledger.fires.last("other") == {}


def test_while_it_is_tried_again_its_failure_is_not_forgotten(ledger, two):
    """Else whoever looks just then would see a connection without trouble."""
    ledger.fires.take(WORK, NOON, two[0])
    ledger.fires.end(WORK, two[0], 2, "20261122-120000-1")
    ledger.fires.take(WORK, NOON + QUARTER, two[0])
    fire = ledger.fires.last("main")[WORK]
    assert (fire.due, fire.ended, fire.exit_code, fire.run) == (NOON + QUARTER, None, 2, "20261122-120000-1")


def test_a_worker_that_the_history_forgot_says_so(ledger, two):
    """A history restored from a copy knows nothing of those that live: each is there again with its next word."""
    for worker in two:
        ledger.workers.leave(worker)
    ledger.workers.beat(two[0])
    (found,) = ledger.workers.living()
    assert (found["id"], found["holder"], found["version"]) == (two[0], "a:1", "1.0")


def test_a_worker_that_leaves_is_no_longer_among_the_living(ledger, two):
    """It said so itself."""
    ledger.workers.leave(two[0])
    assert [worker["id"] for worker in ledger.workers.living()] == [two[1]]
