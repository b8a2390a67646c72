"""The ledger: one worker per connection, intents before effects, nothing forgotten after a crash."""

import os
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from config.problems import ConfigProblem
from sync.ledger import LEASE, Item, Ledger
from sync.ledger import tables as ledger_schema
from sync.stopping import LeaseLost

TODAY = date(2026, 3, 1)
# What an installation of the first form holds.
FIRST_FORM = (
    "INSERT INTO connection (name, org_id, org_name, live) VALUES ('main', '00D', 'Acme', 1)",
    (
        "INSERT INTO run (id, connection, command, state, started_at, today, rules, exit_code, last_line)"
        " VALUES ('r1', 'main', 'run', 'done', '2026-03-01 12:00:00', '2026-03-01', 'abc', 3, 'Wrote 1')"
    ),
    (
        "INSERT INTO item (run, object, record_id, status, code, message)"
        " VALUES ('r1', 'account', '001', 'refused', 'NO', 'not this one')"
    ),
    (
        "INSERT INTO task (connection, key, run, rule, record_id, period, owner_id, state, created_on)"
        " VALUES ('main', 'k1', 'r1', 'call', '001', '2026-03', '005', 'done', '2026-03-01')"
    ),
)


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self):
        """Now."""
        return self.now


@pytest.fixture
def clock():
    """A standing clock."""
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock, history):
    """A fresh ledger, in each kind of database."""
    ledger = Ledger.open(tmp_path / "state", clock, history)
    yield ledger
    ledger.close()


def test_the_migrations_make_exactly_the_schema(ledger):
    """A change of the tables without a migration fails here."""
    with ledger._engine.connect() as db:
        context = MigrationContext.configure(db)
        differences = compare_metadata(context, ledger_schema.metadata)
        # What a column was said to be for may be said better later; SQLite keeps no such words.
        assert [one for one in differences if one[0][0] != "modify_comment"] == []
        assert context.get_current_revision() == ledger_schema.REVISION


def test_a_ledger_of_the_first_form_keeps_what_it_knows(tmp_path, clock):
    """An upgrade adds columns and tables, and loses no run, no task key and no list."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'history.sqlite'}")
    with engine.begin() as db:
        config = Config()
        config.set_main_option("script_location", str(files("sync.ledger") / "migrations"))
        config.attributes["connection"] = db
        command.upgrade(config, "0001")
        for statement in FIRST_FORM:
            db.execute(sa.text(statement))
    engine.dispose()
    ledger = Ledger.open(tmp_path, clock)
    try:
        assert ledger.run("r1")["last_line"] == "Wrote 1"
        assert ledger.items("r1") == [Item("account", "001", "refused", "NO", "not this one")]
        assert ledger.our_tasks.by_key("main", ["k1", "k2"])["key"].to_pylist() == ["k1"]
        assert ledger.bind("main", "00D", "Acme", live=False)
    finally:
        ledger.close()


def test_a_ledger_of_a_newer_version_is_refused(tmp_path, clock):
    """An old program never touches a schema it does not know."""
    Ledger.open(tmp_path, clock).close()
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'history.sqlite'}")
    with engine.begin() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ConfigProblem, match="newer version of Foretag"):
        Ledger.open(tmp_path, clock)


def test_the_state_folder_is_private(tmp_path, clock):
    """Only its owner may look into it."""
    Ledger.open(tmp_path / "state", clock).close()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "history.sqlite").stat().st_mode & 0o777 == 0o600


def test_one_connection_has_one_worker(ledger):
    """A second run is refused while the first holds the lease, and may begin after it; the history can tell."""
    assert not ledger.leases.at_work("main")
    with ledger.leases.hold("main"):
        assert ledger.leases.at_work("main")
        with pytest.raises(LeaseLost), ledger.leases.hold("main"):
            pass
        with ledger.leases.hold("other"):
            pass
    with ledger.leases.hold("main"):
        pass


def test_a_worker_whose_lease_ran_out_is_stopped_before_it_sends(ledger, clock):
    """After its expiry somebody else may have taken over: the fence tells the two apart."""
    with ledger.leases.hold("main") as zombie:
        clock.now += LEASE + timedelta(seconds=1)
        with ledger.leases.hold("main") as successor:
            assert successor.fence > zombie.fence
            with pytest.raises(LeaseLost):
                ledger.leases.renew(zombie)
            ledger.leases.renew(successor)


def test_a_lease_of_another_year_holds_up_nobody(ledger, clock):
    """A clock that was wrong noted its end; it is right again, and whoever held the lease has lost it."""
    clock.now += timedelta(days=1461)
    with ledger.leases.hold("main") as lease:
        clock.now -= timedelta(days=1461)
        assert not ledger.leases.at_work("main")
        with ledger.leases.hold("main"), pytest.raises(LeaseLost):
            ledger.leases.renew(lease)


def test_the_lease_of_a_dead_process_is_free(ledger):
    """Nobody waits for a worker of this machine that was killed."""
    with ledger.leases.hold("main") as lease:
        ours = f":{os.getpid()}@"
        with ledger._engine.begin() as db:
            db.execute(ledger_schema.lease.update().values(holder=lease.holder.replace(ours, ":4194303@")))
        assert not ledger.leases.at_work("main")
        with ledger.leases.hold("main"):
            pass


def test_a_refusal_names_the_process_that_is_at_work(ledger):
    """Whoever waits wants to know for whom."""
    with (
        ledger.leases.hold("main"),
        pytest.raises(LeaseLost, match=rf"another run \(process {os.getpid()} on .+\) is working on main"),
    ):
        ledger.leases._acquire("main")


def test_a_connection_never_changes_its_org(ledger):
    """Pointing a connection at another org would write one company's scores into another's records."""
    assert ledger.bind("main", "00D1", "Acme", live=False) is False
    ledger.go_live("main")
    assert ledger.bind("main", "00D1", "Acme", live=False) is True
    with pytest.raises(ConfigProblem, match=r"was Acme \(00D1\) and is now Bolt \(00D2\)"):
        ledger.bind("main", "00D2", "Bolt", live=False)


def test_what_a_crash_left_open_is_closed_by_the_next_run(ledger):
    """A run that never ended becomes failed, and its open batches are marked to be planned anew."""
    crashed = ledger.start_run("main", "run", TODAY, "abc")
    ledger.intend(crashed, "account", 7)
    ledger.start_run("main", "run", TODAY, "abc")
    assert ledger.run(crashed)["state"] == "failed"
    assert [batch["state"] for batch in ledger.batches(crashed)] == ["abandoned"]


def test_everything_not_done_is_on_the_list(ledger):
    """Each refused or unknown record can be found again, with the CRM's words."""
    run = ledger.start_run("main", "run", TODAY, "abc")
    items = [Item("account", "1", "refused", "X", "why"), Item("account", "2", "unknown", "", "cut")]
    number = ledger.intend(run, "account", 3)
    ledger.settle(run, number, 1, items)
    assert ledger.items(run) == items
    (batch,) = ledger.batches(run)
    assert (batch["state"], batch["done"], batch["refused"], batch["unknown"]) == ("finished", 1, 1, 1)


def test_an_unconfirmed_batch_counts_as_unknown(ledger):
    """A batch that was sent without an answer is neither done nor forgotten."""
    run = ledger.start_run("main", "run", TODAY, "abc")
    ledger.unconfirmed(run, ledger.intend(run, "account", 3))
    (batch,) = ledger.batches(run)
    assert (batch["state"], batch["unknown"]) == ("unconfirmed", 3)


def test_a_task_key_is_kept_whatever_became_of_it(ledger):
    """Intended twice, settled once: one key, the last state."""
    run = ledger.start_run("main", "run", TODAY, "abc")
    row = {"key": "k", "rule": "r", "record_id": "1", "period": "p", "owner_id": "o", "created_on": TODAY}
    ledger.our_tasks.intend("main", run, [row])
    ledger.our_tasks.intend("main", run, [row])
    ledger.our_tasks.settle("main", [("k", "done", "00T1")])
    (task,) = ledger.our_tasks.by_key("main", ["k"]).to_pylist()
    assert (task["state"], task["crm_id"]) == ("done", "00T1")
