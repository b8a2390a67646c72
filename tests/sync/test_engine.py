"""A cluster scores as this process does, to the last digit, and says what is wrong where it cannot."""

from __future__ import annotations

import pickle
import shutil
import sys
from datetime import date
from pathlib import Path

import dask
import pyarrow as pa
import pytest
import trustme

from config.outputs import OBJECTS, written
from config.problems import ConfigProblem
from config.records import schema
from config.rules import Rules
from connectors.contract import RetryLater
from connectors.sandbox.datasets.planted import planted
from scoring import HERE
from sync.buckets import Buckets
from sync.engine import Cluster, opened_engine
from sync.exit_codes import UNAVAILABLE
from sync.exits import exit_code
from sync.score import score
from sync.store import mirror as store
from sync.store.mirror import Mirror
from sync.store.tags import TagStore
from sync.writing.scope import Scope
from sync.writing.selection import EVERYTHING, choose
from tests.benchmarks.book_tables import scoring_tables
from tests.dask_cluster import dask_cluster

RULES = Rules(read=("line_item", "quota", "call", "email", "meeting"))
FIELDS = {name: written(name, "full") for name in OBJECTS}
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """A planted book that is cut into buckets as a large one is."""
    tables, copy = scoring_tables(planted(300, 1500, 7)), Mirror(tmp_path_factory.mktemp("book") / "mirror")
    with pytest.MonkeyPatch.context() as patch:
        # A book of 20,000 accounts in sixteen buckets would show no more, and take a minute.
        patch.setattr(store, "ONE_BUCKET_ROWS", 100)
        patch.setattr(store, "MANY_BUCKETS", 3)
        for name in ("account", *sorted({*RULES.needed_objects, "commitment"} - {"account"})):
            fields = schema(name)
            copy.load(name, fields.names, [completed(tables[name], fields)])
    assert copy.buckets() == 3
    return copy


def completed(table, fields):
    """The rows with every column of the record, those not known empty."""
    for field in fields:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.select(fields.names).cast(fields)


@pytest.fixture
def scored(mirror, tmp_path):
    """Score the book by an engine; everything that comes of it, to compare."""

    def made(engine, selection=EVERYTHING):
        tags = TagStore(tmp_path / "tags")
        scope = Scope(FIELDS, selection, "UTC", written=FIELDS)
        found = score(mirror, tags, RULES, scope, TODAY, "stamp", engine=engine)
        tables = {**found.changes, "task": found.tasks}
        tables |= {f"state {bucket}": state for bucket, state in enumerate(found.states)}
        names = [f"{what}_{name}" for what in ("tags", "points") for name in OBJECTS]
        tables |= {name: tags.read(name) for name in [*names, "families_account"]}
        book, _ = tags.book(RULES)
        tags.keep_state(found.states)
        rows = {name: table.to_pylist() for name, table in tables.items()}
        for name in (name for name in rows if "_" in name):
            rows[name].sort(key=lambda row: row["id"])  # Delta lists the files of buckets in any order
        return rows | {"book": book.to_json()}

    return made


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler with two workers."""
    with dask_cluster(tmp_path_factory.mktemp("dask"), workers=2) as running:
        yield running


@pytest.fixture
def engine(cluster):
    """The cluster as the settings name it."""
    with opened_engine(f"dask://{cluster.address}") as found:
        yield found


class Killing(Cluster):
    """A cluster one of whose processes is killed before the sixth step, when all features are kept by workers."""

    def __init__(self, scheduler, process):
        super().__init__(scheduler, look=0.5)
        self.process, self.steps = process, 0

    def keep(self, *arguments, **same):
        """As ever, but for the sixth time."""
        self.steps += 1
        if self.steps == 6:
            self.process.kill()
            self.process.wait()
        return super().keep(*arguments, **same)


def test_two_workers_come_to_the_same_scores(scored, engine):
    """Changes, tasks, tags, points, state and book are the same, the first time and with what was remembered of it."""
    first = scored(HERE)
    engine.check()
    assert first["account"]
    assert first["task"]
    assert scored(HERE) == scored(engine)


@pytest.mark.long
def test_a_worker_killed_in_the_middle_changes_nothing(scored, cluster):
    """What it kept is made again by the others; so it is for chosen records, which workers choose."""
    some = choose(where="score >= 50")
    scored(HERE)
    expected = scored(HERE, some)
    assert expected["account"]
    third = cluster.worker()
    engine = Killing(cluster.address, third)
    try:
        assert scored(engine, some) == expected
    finally:
        engine.close()
    assert third.returncode


@pytest.mark.long
def test_a_scheduler_or_all_workers_that_die_in_the_middle_are_told(scored, tmp_path_factory):
    """Nothing waits for ever: the run ends with the code for something that is away."""
    for place, words in ((0, "went away"), (1, "No worker")):
        with dask_cluster(tmp_path_factory.mktemp("dask"), workers=1) as dying:
            engine = Killing(dying.address, dying.processes[place])
            with pytest.raises(RetryLater, match=words) as error:
                scored(engine)
            engine.close()
        assert exit_code(error.value) == UNAVAILABLE


@pytest.mark.long
def test_a_worker_that_is_not_as_we_are_is_refused(scored, tmp_path):
    """By what differs; also one that comes when the others have been looked at, or knows nothing of Foretag."""
    ours = Path(__file__).parents[2]
    for package in ("config", "connectors", "scoring", "sync"):
        shutil.copytree(ours / package, tmp_path / "other" / package)
    with (tmp_path / "other" / "scoring" / "value.py").open("a", encoding="utf-8") as source:
        source.write("# another release\n")
    (tmp_path / "none" / "sync").mkdir(parents=True)
    (tmp_path / "none" / "sync" / "__init__.py").touch()
    with dask_cluster(tmp_path, workers=1) as mixed, opened_engine(f"dask://{mixed.address}") as engine:
        engine.check()
        mixed.worker(tmp_path / "other")
        with pytest.raises(
            ConfigProblem, match=r"the Dask worker tcp://.* would not come to the same scores"
        ):
            engine.check()
        mixed.processes[1].kill()
        with pytest.raises(ConfigProblem, match=r"Foretag \S+ \(\w+\) there and .* here; start workers"):
            scored(engine)
    (tmp_path / "dask").mkdir()
    with dask_cluster(tmp_path / "dask", workers=0) as strange:
        strange.worker(tmp_path / "none")
        engine = Cluster(strange.address)
        with pytest.raises(ConfigProblem, match="it has no Foretag, or another version of it"):
            engine.check()
        engine.close()


def test_a_cluster_that_is_away_is_told():
    """Nobody answers: the run ends with the code for something that is away."""
    with pytest.raises(RetryLater, match=r"No Dask scheduler answers at 127.0.0.1:1") as error:
        Cluster("127.0.0.1:1", patience=0.2).check()
    assert exit_code(error.value) == UNAVAILABLE


def test_a_cluster_elsewhere_is_spoken_to_by_tls_alone():
    """Without certificates nothing is sent, and what to set is named."""
    with pytest.raises(ConfigProblem, match=r"by TLS alone.*COMM__TLS__CA_FILE.*CLIENT__CERT.*CLIENT__KEY"):
        Cluster("192.0.2.1:8786").check()


@pytest.mark.long
def test_a_cluster_elsewhere_is_reached_by_tls(tmp_path):
    """With certificates on both sides; 127.0.0.2 stands for another machine."""
    authority, host = trustme.CA(), "127.0.0.2"
    certificate = authority.issue_cert(host)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "all.pem")
    files = {name: str(tmp_path / f"{name}.pem") for name in ("ca", "all")}
    options = ("--tls-ca-file", files["ca"], "--tls-cert", files["all"], "--tls-key", files["all"])
    # One by one: what else is set there stays.
    tls = {"ca-file": files["ca"], "client.cert": files["all"], "client.key": files["all"]}
    with (
        dask_cluster(tmp_path, workers=1, host=f"tls://{host}", options=options) as cluster,
        dask.config.set({f"distributed.comm.tls.{name}": file for name, file in tls.items()}),
        opened_engine(f"dask://{cluster.address}") as engine,
    ):
        engine.check()
        assert list(engine.each(divmod, [7, 8], [2, 3])) == [(3, 1), (2, 2)]


def test_without_dask_it_is_said_what_to_install(monkeypatch):
    """The extra may be missing; it is not where this is tested."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigProblem, match="Dask is not installed; `uv sync --extra dask`"):
        Cluster("127.0.0.1:1").check()


def test_another_local_copy_by_the_same_name_is_refused(mirror, tmp_path):
    """A worker without the shared folder would score an empty book."""
    copy = Mirror(tmp_path / "mirror")
    for name in ("account", "stage"):
        copy.load(name, ["id"], [mirror.read(name, ("id",))])
    sent = pickle.dumps(Buckets(copy, RULES, TagStore(tmp_path / "tags")))
    pickle.loads(sent)
    copy.load("account", ["id"], [mirror.read("account", ("id",)).slice(1)])
    with pytest.raises(ConfigProblem, match=r"does not see the same local copy \(account\).*`storage:`"):
        pickle.loads(sent)


def test_a_relative_folder_travels_by_its_whole_path(tmp_path, monkeypatch):
    """Workers are started in folders of their own."""
    monkeypatch.chdir(tmp_path)
    Mirror("mirror").load("account", ["id"], [schema("account", ("id",)).empty_table()])
    sent = pickle.dumps(Buckets(Mirror("mirror"), RULES, TagStore("tags")))
    monkeypatch.chdir("/")
    assert len(pickle.loads(sent)) == 1
