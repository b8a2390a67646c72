"""The fence: whoever slept through its lease writes nothing more into the history, whatever it was about to write."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from sync.ledger import LEASE, Item, Ledger, tables
from sync.ledger.away import HistoryAway
from sync.ledger.edits import Edit
from sync.ledger.quarantine import Refusal
from sync.stopping import LeaseLost
from tests.sync.test_ledger import Clock

TODAY = date(2026, 3, 1)
TASK = {"key": "k", "rule": "r", "record_id": "1", "period": "p", "owner_id": "o", "created_on": TODAY}
ITEM = Item("account", "1", "refused", "X", "why")
# What a run writes down, each in a transaction of its own.
WRITES = {
    "cursor": lambda one, run: one.keep_cursor("main", "account", "later", ["id"]),
    "batch": lambda one, run: one.intend(run, "account", 1),
    "outcomes": lambda one, run: one.settle(run, 1, 0, [ITEM]),
    "no answer": lambda one, run: one.unconfirmed(run, 1),
    "list": lambda one, run: one.list_items(run, [ITEM]),
    "last word": lambda one, run: one.finish_run(run, "done", 0, "Wrote 1", {}),
    "run": lambda one, run: one.start_run("main", "run", TODAY, "abc"),
    "live": lambda one, run: one.go_live("main"),
    "tasks": lambda one, run: one.our_tasks.intend("main", run, [TASK]),
    "task": lambda one, run: one.our_tasks.settle("main", [("k", "done", "00T")]),
    "quarantine": lambda one, run: one.quarantine.put(
        "main", "account", [Refusal("1", "d", run, "X", "why", "")]
    ),
    "edit": lambda one, run: one.edits.keep("main", [Edit("account", "1", "tier", TODAY, None, "v")], []),
    "merge": lambda one, run: one.merges.keep("main", "account", {"1": "2"}, {}),
    "hold": lambda one, run: one.gates.hold("main", run, "abc", [("account", "tier")]),
    "calls": lambda one, run: one.calls.note(run, 7),
    "gone": lambda one, run: one.forgetting.left("main", "account", ["1"]),
}


@pytest.fixture
def clock():
    """A standing clock."""
    return Clock()


@pytest.fixture
def workers(tmp_path, clock, history):
    """Two processes on one history."""
    both = [Ledger.open(tmp_path, clock, history) for _ in range(2)]
    yield both
    for ledger in both:
        ledger.close()


def everything(ledger):
    """All that the history holds."""
    with ledger._engine.connect() as db:
        return {
            table.name: db.execute(table.select()).all()
            for table in tables.metadata.sorted_tables
            if table is not tables.lease
        }


def test_a_run_that_lost_its_lease_writes_nothing_more(workers, clock):
    """Cursors, batches, outcomes, its own end: each is refused in the transaction that would have kept it."""
    zombie, successor = workers
    successor.bind("main", "00D", "Acme", live=False)
    with zombie.leases.hold("main"):
        run = zombie.start_run("main", "run", TODAY, "abc")
        zombie.intend(run, "account", 1)
        clock.now += LEASE + timedelta(seconds=1)
        with successor.leases.hold("main"):
            new = successor.start_run("main", "run", TODAY, "abc")
            before = everything(successor)
            for name, write in WRITES.items():
                with pytest.raises(LeaseLost, match="Another run took over main"):
                    write(zombie, run)
                assert everything(successor) == before, name
            for write in WRITES.values():
                write(successor, new)
            assert everything(successor) != before


def test_what_ends_late_is_told_apart_from_what_took_its_place(workers, clock):
    """The history says that the first was overtaken, and how the second ended."""
    zombie, successor = workers
    with zombie.leases.hold("main"):
        old = zombie.start_run("main", "run", TODAY, "abc")
        clock.now += LEASE + timedelta(seconds=1)
        with successor.leases.hold("main"):
            new = successor.start_run("main", "run", TODAY, "abc")
            successor.finish_run(new, "done", 0, "Wrote 1", {})
        with pytest.raises(LeaseLost):
            zombie.finish_run(old, "done", 0, "Wrote 9", {})
    assert [(one["id"], one["state"], one["exit_code"]) for one in successor.runs()] == [
        (new, "done", 0),
        (old, "failed", 1),
    ]


def test_nobody_takes_over_between_the_look_and_the_commit(workers, clock):
    """Who comes in that moment waits until it is written, or gives up; it never comes between."""
    worker, other = workers
    with worker.leases.hold("main"):
        clock.now += LEASE + timedelta(seconds=1)
        event.listen(other._engine, "begin", impatient)
        with worker._engine.begin() as db:
            db.execute(
                tables.cursor.insert().values(connection="main", object="account", value="1", columns=[])
            )
            worker.fence._look(db)
            with pytest.raises(HistoryAway), other.leases.hold("main"):
                pass
        with other.leases.hold("main"):
            assert other.cursor("main", "account") == ("1", [])
            with pytest.raises(LeaseLost):
                worker.keep_cursor("main", "account", "2", [])


def impatient(db):
    """Let a connection wait for nobody."""
    sqlite = db.dialect.name == "sqlite"
    db.exec_driver_sql("PRAGMA busy_timeout = 50" if sqlite else "SET lock_timeout = '50ms'")


def test_who_renews_is_not_overtaken_by_one_who_looked_before(workers, clock):
    """It was seen as expired, and renewed before the other had it: the fence is the same, the lease is not."""
    worker, other = workers
    with worker.leases.hold("main") as lease:
        clock.now += LEASE + timedelta(seconds=1)

        def renewed(_db, _cursor, statement, *_):
            if statement.startswith("UPDATE lease"):
                worker.leases.renew(lease)

        event.listen(other._engine, "before_cursor_execute", renewed)
        with pytest.raises(LeaseLost, match="at the same moment"), other.leases.hold("main"):
            pass
        worker.keep_cursor("main", "account", "1", [])


def test_a_token_that_replaces_another_is_kept_in_any_case(workers, clock, monkeypatch):
    """The CRM has thrown the old one away: without the new one nobody could sign in again."""
    from cryptography.fernet import Fernet

    from config.sections.secret import Secret
    from sync.ledger.tokens import Tokens

    zombie, successor = workers
    monkeypatch.setenv("KEY", Fernet.generate_key().decode())
    for ledger in workers:
        ledger.tokens._key = Secret(env="KEY")
    with zombie.leases.hold("main"):
        clock.now += LEASE + timedelta(seconds=1)
        with successor.leases.hold("main"):
            zombie.tokens.save("main", "new", "old")
    assert isinstance(successor.tokens, Tokens)
    assert successor.tokens.load("main", "old") == "new"
