"""Faults 2 and 3: the CRM says "not now", again and again; and "who are you?"."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from connectors.contract import AuthProblem, RetryLater
from sync.exits import exit_code
from tests.faults.test_crashes import FORETAG, TINY
from tests.faults.wholeness import assert_settled, assert_whole

AFTER = 15


def busy(world, match, times):
    """The CRM answers so many calls of a kind with "come back later", and says when."""
    return {"kind": "status", "status": 503, "retry_after": AFTER, "match": match, "times": times}


@pytest.mark.long
@pytest.mark.parametrize("storm", [1, 2])
def test_fault_02_a_storm_of_limits_is_waited_out(make_world, tried, storm):
    """Never again before the time that the CRM named; then all is done, once."""
    world = make_world(data=TINY)
    world.sandbox.faults.add(
        [busy(world, match, storm) for match in (world.people.reading, world.people.writing())]
    )
    assert world.run().exit_code == 0
    assert sum(wait >= AFTER for wait in world.waits) >= 2 * storm
    world.sandbox.faults.remove()
    assert_whole(world)
    tried(2 * storm, "a call answered with 503 and Retry-After")


@pytest.mark.long
def test_fault_02_a_storm_that_does_not_end_is_given_up(make_world, tried):
    """After all retries: exit 69, no more calls than they allow, and what was sent is listed."""
    world = make_world(data=TINY)
    world.run()
    world.people.edit("opportunity", {"id": world.open_deals()[0]["id"], "amount": 9_999_999})
    world.sandbox.faults.add([busy(world, world.people.writing(), None)])
    position = world.sandbox.journal.position
    with pytest.raises(RetryLater) as caught:
        world.run()
    refused = [entry for entry in world.sandbox.journal.requests(position) if entry.status == 503]
    assert exit_code(caught.value) == 69
    assert 1 < len(refused) <= 10
    world.sandbox.faults.remove()
    assert_whole(world)
    tried(len(refused), "a call that never got through")


@pytest.mark.long
def test_fault_02_sigterm_ends_a_wait(make_world, tried):
    """A worker told to stop while it waits for the CRM does not wait on: exit 75, and the next run completes."""
    world = make_world(data=TINY)
    world.sandbox.faults.add([busy(world, world.people.reading, None)])
    process = subprocess.Popen(
        [FORETAG, "run", "--settings", str(world.settings)],
        cwd=world.folder, env={**os.environ}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until_refused(world, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 75, said
    assert "Traceback" not in said
    world.sandbox.faults.remove()
    assert_whole(world)
    tried(1, "SIGTERM in a wait")


def until_refused(world, process):
    """Until the CRM has said "later" to the worker."""
    for _ in range(3_000):
        if any(entry.status == 503 for entry in world.sandbox.journal.requests()):
            return
        if process.poll() is not None:
            pytest.fail(process.communicate()[1])
        try:
            process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
    pytest.fail("the worker never asked")


def expire_after(world, calls):
    """The session ends before the next call after so many."""
    world.sandbox.faults.add([{"kind": "expire_session", "after": calls, "everyone": True}])


def expire_and_run(world, calls):
    """One run whose session ends in its midst; how many calls it made."""
    position = world.sandbox.journal.position
    expire_after(world, calls)
    report = world.run()
    world.sandbox.faults.remove()
    assert report.exit_code == 0, report.last_line
    return len(world.sandbox.journal.requests(position))


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.parametrize("calls", [3, 17])
def test_fault_03_a_session_that_ends_is_renewed_once(make_world, tried, calls):
    """One more sign-in, the call is repeated, and nothing else is."""
    world = make_world(data=TINY)
    expire_and_run(world, calls)
    signings = [entry for entry in world.sandbox.journal.requests() if "oauth2/token" in entry.path]
    refused = [entry for entry in world.sandbox.journal.requests() if entry.status == 401]
    assert len(refused) == 1
    assert len(signings) >= 2
    assert_whole(world)
    tried(1, f"a session that ended after {calls} calls")


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"])
def test_fault_03_a_session_ends_before_each_call(make_world, tried):
    """At the first call, at the second, ... until a run makes fewer: all complete."""
    world = make_world(data=TINY)
    calls = 0
    while True:
        deals = world.open_deals()
        for deal in deals[calls % 3 :: 3]:
            world.people.edit("opportunity", {"id": deal["id"], "amount": 1_000 * (calls % 7 + 1) ** 4})
        made = expire_and_run(world, calls)
        if made <= calls:
            break
        calls += 1
    assert_whole(world)
    assert calls > 20
    tried(calls, "a session that ended before a call")


@pytest.mark.long
def test_fault_03_a_second_refusal_is_a_matter_for_a_person(make_world, tried):
    """Exit 2, nothing read or written, the cursor where it was; with the right back, the next run completes."""
    world = make_world(data=TINY)
    world.run()
    with world.job() as job:
        before = job.ledger.cursor(job.name, "opportunity")
    deal = world.open_deals()[0]
    world.people.edit("opportunity", {"id": deal["id"], "amount": 8_888_888})
    fault = {"kind": "status", "status": 401, "match": world.people.reading, "times": None}
    world.sandbox.faults.add([fault])
    with world.counting() as written, pytest.raises(AuthProblem) as caught:
        world.run()
    world.sandbox.faults.remove()
    with world.job() as job:
        assert job.ledger.cursor(job.name, "opportunity") == before
    assert (exit_code(caught.value), written()) == (2, 0)
    assert_settled(world)
    tried(1, "a sign-in that is refused twice")
