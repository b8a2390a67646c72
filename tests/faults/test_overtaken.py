"""Fault 6 with real processes on PostgreSQL: one is held up for too long, another takes over, the first one wakes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from tests.faults.test_crashes import FORETAG, LATER, TINY, people_work
from tests.faults.wholeness import assert_settled
from tests.world import EVERY_RECORD

# After so many requests of a run that has begun: at its first, while it reads, around its writes.
MOMENTS = (1, 9, 14, 17)
# Before, there is nothing to take over: it would only come later than the other.
BEGUN = "SELECT 1 FROM run WHERE state = 'running'"


@pytest.fixture
def shared_world(make_world, postgres):
    """A world whose history lies in a PostgreSQL."""
    world = make_world(data=TINY)
    history = postgres.history()
    with world.settings.open("a", encoding="utf-8") as settings:
        settings.write(f"\nhistory: {{url: '{history.url}'}}\n")
    world.use_rules(EVERY_RECORD)
    return world, postgres, history.url.rpartition("/")[2]


@pytest.mark.long
def test_fault_06_a_run_that_was_held_up_wakes_to_nothing(shared_world, tried):
    """It ends with 75 and says why; what its successor wrote down and sent stays as it is."""
    world, postgres, database = shared_world
    world.run()
    overtaken = 0
    for number, moment in enumerate(MOMENTS):
        people_work(world, number)
        world.sandbox.clock.advance(LATER)
        sleeper = stopped_after(world, moment, lambda: postgres.execute(BEGUN, database))
        if sleeper is None:
            continue
        expired = datetime(2020, 1, 1)  # noqa: DTZ001  # as the history keeps it
        postgres.execute(f"UPDATE lease SET expires_at = '{expired}'", database)
        report = world.run()
        assert report.exit_code == 0, report.last_line
        with world.counting() as written:
            sleeper.send_signal(signal.SIGCONT)
            _, said = sleeper.communicate(timeout=60)
            assert sleeper.returncode == 75, said
            assert "Another run took over demo" in said
            assert written() == 0
        last, before = newest(world)
        assert (last["id"], last["state"]) == (report.run, "done")
        assert before["state"] == "failed"
        overtaken += 1
    assert_settled(world)
    assert overtaken > 2
    tried(overtaken, "a run taken over while it slept")


def stopped_after(world, requests, has_begun):
    """A run in a process of its own that was stopped after so many requests; None if it ended before."""
    since = world.sandbox.journal.position
    process = subprocess.Popen(
        [FORETAG, "run", "--settings", str(world.settings)],
        cwd=world.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    until = time.monotonic() + timedelta(minutes=1).total_seconds()
    while process.poll() is None and time.monotonic() < until:
        if len(world.sandbox.journal.entries(since)) >= requests and has_begun():
            process.send_signal(signal.SIGSTOP)
            return process
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
    process.communicate()
    return None


def newest(world):
    """The last two runs of the history."""
    with world.job() as job:
        return job.ledger.runs(limit=2)
