"""Who holds a lease: the dead are seen where they can be, and nobody is taken for dead who may live."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sync.ledger.holder import is_dead, ourselves, told

LINGERS = "from sync.ledger.holder import ourselves; print(ourselves(), flush=True); input()"


@pytest.fixture
def child():
    """Another process, and the name under which it would hold a lease."""
    with subprocess.Popen(
        [sys.executable, "-c", LINGERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_a_process_that_was_killed_is_dead_at_once(child):
    """Even while its parent has not looked at how it ended, as in a container whose first process never looks."""
    process, holder = child
    assert not is_dead(holder)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(holder)
    process.wait()
    assert is_dead(holder)


def test_another_process_under_its_number_does_not_bring_it_back(child):
    """Numbers are given again, in a container the same ones at each start."""
    _, holder = child
    before, _, start = holder.rpartition("/")
    assert is_dead(f"{before}/{int(start) - 1}")


@pytest.mark.parametrize(
    "elsewhere",
    [
        ourselves().replace("@", "@another-kernel-"),
        ourselves().replace("/", "0/"),
        f"other-{ourselves()}",
        "worker-1:7",
        "words",
        "",
    ],
    ids=["another machine", "another container", "another name", "an older version", "no name", "nothing"],
)
def test_of_one_that_cannot_be_seen_nobody_knows(elsewhere):
    """Its number may be free here while it works there: its lease has to expire."""
    gone = elsewhere.replace(f":{os.getpid()}@", ":4194303@")
    assert not is_dead(elsewhere)
    assert not is_dead(gone)


def test_we_are_alive():
    """The holder of a lease does not lose it to itself."""
    assert not is_dead(ourselves())


def test_a_person_reads_the_process_and_the_machine():
    """The kernel's and the start's numbers say nothing to anybody."""
    assert told("web-1:4242@abc-1/77") == "process 4242 on web-1"
    assert told("words") == "words"
