"""The service whole, with real processes: workers that share PostgreSQL and an object store, and what befalls them."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from importlib.resources import files
from itertools import count
from threading import Event

import psutil
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from ruamel.yaml import YAML

from sync.ledger import Ledger
from tests.acceptance.test_workers import (
    CONNECTIONS,
    SECONDS,
    OneOfMany,
    ended_well,
    many,  # noqa: F401  # a fixture
    start,
    worlds,  # noqa: F401  # a fixture
)
from tests.dask_cluster import dask_cluster
from tests.faults.test_crashes import FORETAG
from tests.faults.wholeness import assert_no_task_twice, assert_nothing_open, assert_only_ours, assert_whole

pytestmark = pytest.mark.long

HELD = "america"
# So many changed rows that a run folds them into the local copy.
FOLDED = 2_050


class Service:
    """Workers of one installation, by what its history, its CRMs and its store show of them."""

    def __init__(self, settings, history, worlds_of, folder, postgres):
        self.settings, self.history, self.worlds, self.postgres = settings, history, worlds_of, postgres
        self._folder = folder
        self.workers, self._readers, self._said = [], [], []

    @cached_property
    def ledger(self):
        """Its history, from outside."""
        return Ledger.open(self._folder, lambda: datetime.now(UTC), self.history)

    @property
    def living(self):
        """The workers that have not ended."""
        return [worker for worker in self.workers if worker.poll() is None]

    def start(self, *options):
        """One more worker, whose lines are read as they come."""
        worker = start(self.settings, self._folder, *options)
        self.workers.append(worker)
        self._readers.append(threading.Thread(target=lambda: self._said.extend(worker.stderr)))
        self._readers[-1].start()

    def again(self):
        """All is due once more, as after a day, and each worker looks."""
        self.postgres.execute("DELETE FROM fire", self.history.url.rpartition("/")[2])
        with self.settings.open("a") as settings:
            settings.write("\n")
        for worker in self.living:
            worker.send_signal(signal.SIGHUP)

    def by_hand(self, *command):
        """A command on the held connection; its process, with what it says."""
        return subprocess.Popen(
            [FORETAG, *command, "-c", HELD, "-s", str(self.settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def said(self, *command):
        """How a command ended, and what it said."""
        process = self.by_hand(*command)
        return process.communicate(timeout=SECONDS)[0], process.returncode

    def kill(self, *, with_runs=True):
        """A power cut for the worker that works on the connection; or it dies alone, and its run lives on."""
        fire = next(fire for work, fire in self.ledger.fires.last().items() if work.connection == HELD)
        holder = next(one["holder"] for one in self.ledger.workers.living() if one["id"] == fire.worker)
        process = psutil.Process(int(holder.partition("@")[0].rpartition(":")[2]))
        for one in (process, *(process.children(recursive=True) if with_runs else ())):
            one.send_signal(signal.SIGKILL)
        next(worker for worker in self.workers if worker.pid == process.pid).wait(SECONDS)

    def until(self, reached):
        """Wait until something is so."""
        limit = time.monotonic() + SECONDS
        while time.monotonic() < limit:
            if reached():
                return
            assert self.living, self.told()
            time.sleep(0.05)
        raise AssertionError(self.told())

    def until_ended_well(self, *names):
        """The last scheduled run of each of these connections, or of all."""
        self.until(lambda: ended_well(self.ledger) == set(names or CONNECTIONS))

    def has_ended(self):
        """Whether the held connection's scheduled run has, well or not."""
        return all(fire.ended for fire in self.ledger.fires.last(HELD).values())

    @contextmanager
    def asleep_in_a_write(self, process=None):
        """A run (the worker's own if none is given) sleeps until the block ends, after its first write."""
        with held(self.worlds[HELD].sandbox.journal, "write") as reached:
            self.until(reached.is_set)
            (run,) = (
                (psutil.Process(process.pid),) if process else psutil.Process(self.living[0].pid).children()
            )
            run.suspend()
        try:
            yield
        finally:
            run.resume()

    def stop(self):
        """Told to, the living end well."""
        living = self.living
        for worker in living:
            worker.send_signal(signal.SIGTERM)
        assert {worker.wait(SECONDS) for worker in living} == {0}, self.told()

    def told(self):
        """What the workers and their runs said."""
        return "".join(self._said)

    def close(self):
        """Nothing outlives the test."""
        for worker in self.workers:
            worker.kill()
            worker.wait()
        for run in psutil.process_iter(["cmdline"]):
            if str(self.settings) in (run.info["cmdline"] or ()):
                with suppress(psutil.NoSuchProcess):
                    run.kill()
        for worker, reader in zip(self.workers, self._readers, strict=True):
            reader.join(SECONDS)
            worker.stderr.close()
        self.ledger.close()


def change(settings, change_it):
    """Change the settings."""
    yaml = YAML()
    told = yaml.load(settings.read_text())
    change_it(told)
    with settings.open("w") as file:
        yaml.dump(told, file)


@pytest.fixture(params=["local", "dask"])
def service(request, worlds, many, bucket_storage, tmp_path, postgres):  # noqa: F811  # fixtures
    """The three connections, their copies in a bucket, scored here or on a cluster; no worker yet."""
    settings, history = many
    with ExitStack() as open_:
        engine = "local"
        if request.param == "dask":
            (tmp_path / "dask").mkdir()
            cluster = open_.enter_context(dask_cluster(tmp_path / "dask", 2))
            engine = f"dask://{cluster.address}"

        def ours(told):
            told["storage"] = json.loads(bucket_storage.model_dump_json(exclude_none=True))
            told["engine"] = engine
            for connection in told["connections"].values():
                connection["schedule"]["increment"] = "every 1d"

        change(settings, ours)
        service = Service(settings, history, worlds, tmp_path, postgres)
        open_.callback(service.close)
        yield service


@contextmanager
def held(journal, what, number=1):
    """The request, or write, of this number is done in a CRM, and not answered until the block ends."""
    reached, let_go, note, calls = Event(), Event(), getattr(journal, what), count(1)

    def noted(*arguments, **options):
        note(*arguments, **options)
        if next(calls) == number:
            reached.set()
            let_go.wait(SECONDS)

    setattr(journal, what, noted)
    try:
        yield reached
    finally:
        let_go.set()
        setattr(journal, what, note)


def people_work(service, number):
    """Amounts change everywhere."""
    for world in service.worlds.values():
        deals = world.open_deals()
        world.people.edit(
            "opportunity", *({"id": deal["id"], "amount": 1_000 * (number + 2) ** 4} for deal in deals[::3])
        )


def test_a_worker_dies_in_each_part_of_its_work(service, bucket_storage, object_store, tried):
    """In a full load, in a write, alone beside its run, in a fold: another takes over, and each CRM is whole."""
    journal, people = service.worlds[HELD].sandbox.journal, service.worlds[HELD].people
    service.start()
    for number, (what, at, alone) in enumerate(
        (("request", 12, False), ("write", 1, False), ("write", 2, True)), 1
    ):
        with held(journal, what, at) as reached:
            if service.ledger.fires.last():
                service.again()
            service.start()
            service.until(reached.is_set)
            service.kill(with_runs=not alone)
        service.until_ended_well()
        people_work(service, number)

    (lost, *_) = (
        row for row in people.rows("opportunity", "stage", "is_closed", "close_date") if row["is_closed"]
    )
    deal = {
        "account_id": people.rows("account")[0]["id"],
        "stage": lost["stage"],
        "close_date": lost["close_date"],
    }
    made = people.create("opportunity", *({**deal, "name": f"Deal {n}", "amount": n} for n in range(FOLDED)))
    assert len(made) == FOLDED
    commits = _commits(object_store, bucket_storage)
    service.again()
    service.start()
    service.until(lambda: len(_commits(object_store, bucket_storage)) > len(commits))
    service.kill()
    service.until_ended_well()
    service.stop()
    for name, world in service.worlds.items():
        assert_whole(OneOfMany(world, service.settings, name))
    tried(4, "a worker killed at its work")


def _commits(object_store, storage):
    """Those of the held connection's local copy of opportunities."""
    keys = object_store.keys(storage.url.split("/")[2])
    return [key for key in keys if f"/{HELD}/mirror/opportunity/_delta_log/" in key and key.endswith(".json")]


HERE_ALONE = pytest.mark.parametrize("service", ["local"], indirect=True)


def last_run(service):
    """The newest run on the held connection."""
    return service.ledger.runs(HELD, limit=1)[0]


@HERE_ALONE
def test_the_history_restarts_in_a_write(service, postgres, tried):
    """The run ends, the workers stay; when the history is back they go on without anybody's help."""
    world = service.worlds[HELD]
    service.ledger.close()
    with held(world.sandbox.journal, "write") as reached:
        service.start("-c", HELD)
        service.start("-c", HELD)
        service.until(reached.is_set)
        postgres.stop()
    try:
        service.until(lambda: "the history is away" in service.told())
    finally:
        postgres.start()
    service.until(service.has_ended)
    service.again()
    service.until_ended_well(HELD)
    service.stop()
    assert_whole(OneOfMany(world, service.settings, HELD))
    tried(1, "a restart of the history's server in a write")


@HERE_ALONE
def test_two_new_workers_at_once_bring_an_old_history_forward(service, postgres, tried):
    """One migrates and the other waits; the run that the old version left open is ended, and taken up."""
    service.history = postgres.history(empty=True)
    change(service.settings, lambda told: told["history"].update(url=service.history.url))
    engine = sa.create_engine(sa.make_url(service.history.url).set(drivername="postgresql+psycopg"))
    with engine.begin() as db:
        config = Config(attributes={"connection": db})
        config.set_main_option("script_location", str(files("sync.ledger") / "migrations"))
        command.upgrade(config, "0002")
        db.exec_driver_sql(
            "INSERT INTO run (id, connection, command, state, started_at, today, rules)"
            f" VALUES ('20261001-000000-1', '{HELD}', 'run', 'running', '2026-10-01', '2026-10-01', 'x')"
        )
        db.exec_driver_sql(
            "INSERT INTO lease (connection, holder, fence, expires_at)"
            f" VALUES ('{HELD}', 'elsewhere:77', 5, '2026-10-01 00:15')"
        )
    engine.dispose()
    for _ in range(2):
        service.start("-c", HELD)
    service.until(lambda: service.told().count('"worker.scheduled"') == len(service.workers))
    service.until_ended_well(HELD)
    service.stop()
    assert service.ledger.run("20261001-000000-1")["state"] == "failed"
    assert_whole(OneOfMany(service.worlds[HELD], service.settings, HELD))
    tried(1, "an upgrade by two workers at once")


@HERE_ALONE
def test_hands_and_a_worker_take_turns(service, tried):
    """Who comes second is told so, or waits; a pause is heeded before the next portion; nothing undone comes back."""
    world = service.worlds[HELD]
    account = world.people.rows("account")[0]["id"]
    service.start("-c", HELD)
    with service.asleep_in_a_write():
        for words in (("run",), ("backfill", "--yes"), ("reconcile",), ("forget", account, "--yes")):
            said, code = service.said(*words)
            assert code == 75, said
            assert "another run (process " in said
        assert service.said("pause", "Let us look")[1] == 0
    service.until(service.has_ended)
    assert (last_run(service)["state"], last_run(service)["exit_code"]) == ("parked", 75)
    assert service.said("resume")[1] == 0

    backfill = service.by_hand("backfill", "--yes")
    with service.asleep_in_a_write(backfill):
        service.again()
        _look_around(service)
        assert not service.ledger.fires.last(HELD)
    said, _ = backfill.communicate(timeout=SECONDS)
    assert backfill.returncode == 0, said
    done = next(run["id"] for run in service.ledger.runs(HELD) if run["command"] == "backfill")
    service.until_ended_well(HELD)

    said, code = service.said("undo", done, "--yes")
    assert code == 0, said
    with world.counting() as written:
        service.again()
        service.until_ended_well(HELD)
    assert written() == 0
    assert service.said("resume")[1] == 0
    assert service.said("forget", account, "--yes")[1] == 0
    service.again()
    service.until_ended_well(HELD)
    assert service.said("explain", account)[1] == 2
    service.stop()
    one = OneOfMany(world, service.settings, HELD)
    assert_no_task_twice(one)
    assert_only_ours(one)
    assert_nothing_open(one)
    tried(9, "a command by hand beside a worker")


def _look_around(service):
    """Until the worker has looked around twice."""
    for _ in range(2):
        (seen,) = {worker["seen_at"] for worker in service.ledger.workers.living()}
        service.until(lambda seen=seen: service.ledger.workers.living()[0]["seen_at"] != seen)
