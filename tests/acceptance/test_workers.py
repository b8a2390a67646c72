"""Two workers on one PostgreSQL, three connections, and one worker dies in the middle of a write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event

import psutil
import pytest
from ruamel.yaml import YAML

from sync.demo import set_up
from sync.ledger import Ledger
from sync.workplace import opened_job
from tests.faults.wholeness import assert_whole
from tests.world import EVERY_RECORD, World

# A name and the CRM behind it.
CONNECTIONS = {"europe": "salesforce", "america": "salesforce", "asia": "hubspot"}
HELD = "america"
TINY = "synthetic:8:30"
# For a machine with much else to do.
SECONDS = 300


class OneOfMany(World):
    """A connection of settings that have several; to forget all is to go back to settings of its own."""

    def __init__(self, world: World, settings, name):
        self.__dict__.update(vars(world))
        self.own, self.settings, self.name = world.settings, settings, name

    @contextmanager
    def job(self, **options):
        """Everything that one run of this connection works with."""
        ways = {"sleep": self._wait, "monotonic": lambda: self.sandbox.clock().timestamp()}
        with opened_job(self.settings, self.name, lambda *_: None, **ways, **options) as job:
            yield job

    def forget(self):
        """Work from nothing, in a folder of its own."""
        self.settings, self.name = self.own, None


@pytest.fixture
def worlds(make_sandbox, tmp_path):
    """Three CRMs with our fields, and no run yet."""
    made = {}
    for name, crm in CONNECTIONS.items():
        (tmp_path / name).mkdir()
        world = made[name] = World(make_sandbox(crm=crm, data=TINY), tmp_path / name)
        set_up(world.settings)
        world.people.let_in()
        world.people.count_generously()
        world.use_rules(EVERY_RECORD)
    return made


@pytest.fixture
def many(worlds, postgres, tmp_path):
    """The three in one settings file, with their history in PostgreSQL; the state folders of their own are unused."""
    yaml, (folder, history) = YAML(), (tmp_path / "shared", postgres.history())
    folder.mkdir()
    connections = {}
    for name, world in worlds.items():
        (connections[name],) = yaml.load(world.settings.read_text())["connections"].values()
        connections[name]["rules"] = str(world.folder / "rules.yaml")
        connections[name]["schedule"] = {
            "increment": "every 1m",
            "full": None,
            "reconcile": None,
            "jitter": "0s",
        }
        for secret in connections[name]["auth"].values():
            if isinstance(secret, dict):
                secret["file"] = str(world.folder / secret["file"])
    settings = folder / "foretag.yaml"
    told = {"state": "state", "history": {"url": history.url}, "connections": connections}
    with settings.open("w") as file:
        yaml.dump(told, file)
    return settings, history


def start(settings, folder, *options):
    """A worker, on a port of its own choice."""
    listen = ("--listen", "127.0.0.1:0")
    return subprocess.Popen(
        [sys.executable, "-m", "sync.cli", "worker", "-s", str(settings), *listen, *options],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def hold_a_write(sandbox):
    """The first write of this CRM is done, and not answered until it is let go."""
    written, let_go, write = Event(), Event(), sandbox.journal.write

    def held(*arguments, **options):
        write(*arguments, **options)
        if not written.is_set():
            written.set()
            let_go.wait(SECONDS)

    sandbox.journal.write = held
    return written, let_go


def kill_the_one_at(ledger, connection):
    """A power cut for the worker that works on a connection: it, and the runs that it began; returns its process."""
    fire = next(fire for work, fire in ledger.fires.last().items() if work.connection == connection)
    holder = next(worker["holder"] for worker in ledger.workers.living() if worker["id"] == fire.worker)
    process = psutil.Process(int(holder.partition("@")[0].rpartition(":")[2]))
    for one in (process, *process.children(recursive=True)):
        one.send_signal(signal.SIGKILL)
    return process.pid


def ended_well(ledger):
    """The connections whose last scheduled run ended well."""
    return {work.connection for work, fire in ledger.fires.last().items() if fire.exit_code == 0}


def test_a_worker_that_dies_in_a_write_is_stood_in_for(worlds, many, tmp_path):
    """The other takes over; each CRM is as if nothing had happened (I1 to I7), and no task is there twice."""
    settings, history = many
    ledger = Ledger.open(tmp_path, lambda: datetime.now(UTC), history)
    written, let_go = hold_a_write(worlds[HELD].sandbox)
    workers = [start(settings, tmp_path) for _ in range(2)]
    try:
        assert written.wait(SECONDS), "no run came to a write"
        dead = kill_the_one_at(ledger, HELD)
        let_go.set()
        (survivor,) = (worker for worker in workers if worker.pid != dead)
        said = [json.loads(line) for line in until(survivor, lambda: ended_well(ledger) == set(CONNECTIONS))]
        os.kill(survivor.pid, signal.SIGTERM)
        rest = survivor.communicate(timeout=SECONDS)[0]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
        ledger.close()
    assert survivor.returncode == 0, rest
    assert any(line["event"] == "work.begun" and line["connection"] == HELD for line in said)
    for name, world in worlds.items():
        assert_whole(OneOfMany(world, settings, name))


def test_told_to_stop_in_a_write_a_worker_parks_and_goes_on_later(worlds, many, tmp_path):
    """Within its grace it ends well; the next one finishes what was open, and no write is lost or made twice."""
    settings, history = many
    world = worlds[HELD]
    ledger = Ledger.open(tmp_path, lambda: datetime.now(UTC), history)
    written, let_go = hold_a_write(world.sandbox)
    try:
        with running(settings, tmp_path, "-c", HELD) as first:
            assert written.wait(SECONDS), "no run came to a write"
            first.terminate()
            said = first.communicate(timeout=SECONDS)[1]
        assert (first.returncode, '"exit_code": 75' in said) == (0, True), said
        assert ledger.runs(HELD, limit=1)[0]["state"] == "parked"
        let_go.set()
        with running(settings, tmp_path, "-c", HELD) as second:
            list(until(second, lambda: ended_well(ledger) == {HELD}))
            second.terminate()
            second.communicate(timeout=SECONDS)
    finally:
        ledger.close()
    assert_whole(OneOfMany(world, settings, HELD))


@contextmanager
def running(settings, folder, *options):
    """A worker, until the end of the block at the latest."""
    worker = start(settings, folder, *options)
    try:
        yield worker
    finally:
        worker.kill()
        worker.communicate()


def until(worker, reached):
    """The lines that a worker logs, until something is reached."""
    for line in worker.stderr:
        yield line
        if reached():
            return
    raise AssertionError("the worker ended")
