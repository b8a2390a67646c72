"""What ends a run before its time, through the real command line: signals, a kill, and another run at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

FORETAG = str(Path(sys.executable).with_name("foretag"))
# Longer than any test: what meets this never gets its reply.
FOR_EVER = 600
# A patience of a minute and more, in pieces of a fiftieth of a second.
LOOKS = 4_000


@contextmanager
def started(world, *arguments):
    """A command of the real program, under way; it does not outlive the block."""
    process = subprocess.Popen(
        [FORETAG, *arguments, "--settings", str(world.settings)],
        cwd=world.folder,
        env={**os.environ, "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_written(world, process, object_name):
    """Look at the CRM's journal until the run has written records of an object."""
    for _ in range(LOOKS):
        if any(
            entry.object == world.people.object_name(object_name) and entry.user == world.people.worker
            for entry in world.sandbox.journal.writes()
        ):
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            pytest.fail(f"the run ended early: {process.communicate()[1]}")
    pytest.fail(f"no {object_name} was ever written")


def hold_up(world, match, after=0):
    """Replies to these writes do not come."""
    world.sandbox.faults.add([{"kind": "latency", "seconds": FOR_EVER, "match": match, "after": after}])


def newest(world):
    """The history's last run, and its batches."""
    with world.job() as job:
        row = job.ledger.runs()[0]
        return row, job.ledger.batches(row["id"])


def assert_whole(world, taken_over=None):
    """The next run completes the work: I1, I2, I3. What a dead run left open is closed in its name."""
    assert world.run().exit_code == 0
    if taken_over:
        with world.job() as job:
            row = job.ledger.run(taken_over)
            batches = job.ledger.batches(taken_over)
        assert (row["state"], row["exit_code"]) == ("failed", 1)
        assert not any(batch["state"] == "intended" for batch in batches)
    with world.counting() as written:
        assert world.run().writes == 0
    assert written() == 0
    keys = [row["key"] for row in world.people.rows("task", "key", deleted=True)]
    ours = [key for key in keys if key is not None]
    assert len(ours) == len(set(ours)) > 0
    world.forget()
    assert world.plan().records == 0


@pytest.mark.parametrize(
    ("number", "code", "state", "words"),
    [
        (signal.SIGTERM, 75, "parked", "Told to stop"),
        pytest.param(signal.SIGINT, 130, "parked", "Interrupted", marks=pytest.mark.long),
    ],
)
def test_i7_a_run_told_to_stop_parks_and_the_next_one_completes(world, number, code, state, words):
    """SIGTERM and Ctrl-C in mid-apply: the exit code, the history and the list of what was under way are true."""
    hold_up(world, world.people.writing(), after=1)
    with started(world, "run") as process:
        until_written(world, process, "account")
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    world.sandbox.faults.remove()
    assert process.returncode == code, said
    assert "Traceback" not in said
    row, batches = newest(world)
    assert (row["exit_code"], row["state"]) == (code, state)
    assert words in row["last_line"]
    assert row["last_line"] in said
    unconfirmed = sum(batch["unknown"] for batch in batches)
    assert (f"{unconfirmed:,} sent, not confirmed" in row["last_line"]) == bool(unconfirmed)
    assert not any(batch["state"] == "intended" for batch in batches)
    assert_whole(world)


@pytest.mark.parametrize("written", ["account", pytest.param("opportunity", marks=pytest.mark.long)])
def test_i2_a_killed_run_leaves_nothing_half_known(world, written):
    """`kill -9` in mid-apply, before opportunities and before tasks: a clean run follows without anybody's help."""
    if written == "account":
        hold_up(world, world.people.writing(), after=1)
    else:
        hold_up(world, world.people.making_tasks)
    with started(world, "run") as process:
        until_written(world, process, written)
        process.kill()
        process.communicate(timeout=60)
    world.sandbox.faults.remove()
    assert process.returncode == -signal.SIGKILL
    killed, _ = newest(world)
    assert_whole(world, taken_over=killed["id"])


def test_i6_the_second_of_two_runs_writes_nothing(world):
    """Two runs at once: the second parks at the door, says who is at work, and the first is not disturbed."""
    hold_up(world, world.people.writing(), after=1)
    with started(world, "run") as first:
        until_written(world, first, "account")
        position = world.sandbox.journal.position
        with started(world, "run") as second:
            _, said = second.communicate(timeout=120)
        assert second.returncode == 75, said
        assert "is working on" in said
        assert world.writes(position) == 0
        assert first.poll() is None


def copies(world):
    """What other rules are tried on, if they read what the connection's rules do not."""
    return {path.name for path in world.folder.glob("state/*/copy-*")}


def in_mid_comparison(world, process):
    """Wait until the copy that other rules are tried on is being made; from then on the CRM does not answer."""
    before = copies(world)
    for _ in range(LOOKS):
        if copies(world) - before:
            return world.sandbox.faults.add([{"kind": "latency", "seconds": FOR_EVER}])
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            pytest.fail(f"the comparison ended early: {process.communicate()[1]}")
    return pytest.fail("no copy was ever made")


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"])
def test_no_copy_of_a_comparison_stays_behind(world):
    """One that was killed leaves a copy, which the next run throws away; one that was told to stop leaves none."""
    (world.folder / "other.yaml").write_text("fields: {opportunity: {pain: NextStep}}\n")
    for number, code, left in ((signal.SIGKILL, -signal.SIGKILL, 1), (signal.SIGTERM, 75, 0)):
        world.sandbox.faults.add([{"kind": "latency", "seconds": 0.1, "match": world.people.reading}])
        with started(world, "plan", "--rules", str(world.folder / "other.yaml")) as process:
            in_mid_comparison(world, process)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        world.sandbox.faults.remove()
        assert process.returncode == code, said
        assert "Traceback" not in said
        assert len(copies(world)) == left
    assert world.run().exit_code == 0
