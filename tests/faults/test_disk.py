"""Fault 8: the disk is full, for the history or for the local copy."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from config.problems import ConfigProblem
from tests.faults.test_crashes import TINY, people_work
from tests.faults.wholeness import assert_settled, assert_whole
from tests.world import EVERY_RECORD

# The real program on a disk that takes no file larger than so many bytes.
LIMITED = """\
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv[1:] = sys.argv[2:]
from sync.cli import main
main()
"""


@contextmanager
def room_for(pages, world):
    """The history may grow by so many pages and no more."""
    with world.job() as job, job.ledger._engine.connect() as db:
        most = db.exec_driver_sql("PRAGMA page_count").scalar() + pages

    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {most}").close()

    event.listen(Pool, "connect", limit)
    try:
        yield
    finally:
        event.remove(Pool, "connect", limit)


def ends_for_lack_of_room(world):
    """Whether a run ends so; then it says where, and what is lacking."""
    try:
        world.run()
    except ConfigProblem as problem:
        said = str(problem)
    else:
        return False
    assert str(world.folder) in said
    assert "space" in said
    return True


def sent_without_intent(world, position):
    """Records that the CRM saw written by us, and no batch in the history speaks of."""
    with world.job() as job:
        intended = {"account": 0, "opportunity": 0, "task": 0}
        for row in job.ledger.runs(limit=1_000):
            for batch in job.ledger.batches(row["id"]):
                intended[batch["object"]] += batch["records"]
    names = {world.people.object_name(name): name for name in intended}
    written = dict.fromkeys(intended, 0)
    for entry in world.sandbox.journal.writes(position):
        if entry.user == world.people.worker:
            written[names[entry.object]] += len(entry.ids)
    return {name: count for name, count in written.items() if count > intended[name]}


@pytest.mark.long
def test_fault_08_the_history_has_no_room(make_world, tried):
    """Whatever room is left: no write whose intent is not on disk; the message says where; with room, all is done."""
    world = make_world(data=TINY)
    world.use_rules(EVERY_RECORD)
    position, full, runs = world.sandbox.journal.position, 0, 12
    world.run()
    with room_for(2, world):
        for number in range(runs):
            people_work(world, number)
            full += ends_for_lack_of_room(world)
            assert sent_without_intent(world, position) == {}
    assert full > runs / 3
    assert_whole(world)
    tried(full, "a run whose history had no room")


@pytest.mark.long
@pytest.mark.parametrize("limit", [3_000, 12_000])
def test_fault_08_the_local_copy_has_no_room(make_world, tried, limit):
    """The real program, its files cut short: exit 2, a message that says where, nothing written; then all is done."""
    world = make_world(data="synthetic:40:200")
    with world.counting() as written:
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, str(limit), "run", "--settings", str(world.settings)],
            cwd=world.folder, env={**os.environ}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert written() == 0
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert str(world.folder) in done.stderr
    assert_settled(world)
    tried(1, f"a disk that takes no file above {limit:,} bytes")
