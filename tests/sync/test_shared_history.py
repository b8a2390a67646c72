"""The history in a PostgreSQL that several machines share: who may open it, who comes first, what its loss means."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
import trustme

from config.problems import ConfigProblem
from config.sections.history import History
from config.sections.secret import Secret
from sync.ledger import Item, Ledger
from sync.ledger.away import HistoryAway
from tests.sync.test_ledger import Clock
from tests.tls_front import tls_front

TODAY = date(2026, 3, 1)
# Of this machine too, but not one of its names for itself: a server there is met as one from afar is.
AFAR = "127.0.0.2"
AT_ONCE = 4


@pytest.fixture
def clock():
    """A standing clock."""
    return Clock()


@pytest.fixture
def opened(tmp_path, clock):
    """Open a history; it is closed with the test."""
    ledgers = []

    def opened(history, state=tmp_path / "state"):
        ledgers.append(Ledger.open(state, clock, history))
        return ledgers[-1]

    yield opened
    for ledger in ledgers:
        ledger.close()


@pytest.fixture(scope="module")
def strict(postgres):
    """The server, with users who may not do everything."""
    postgres.execute(
        "CREATE ROLE ops LOGIN PASSWORD 'right-one'; CREATE ROLE plain LOGIN; CREATE ROLE shut LOGIN"
    )
    postgres.stop()
    postgres.let_in("host all ops 127.0.0.1/32 scram-sha-256", "host all shut 127.0.0.1/32 reject")
    postgres.start()
    return postgres


def test_what_an_admin_must_put_right_is_said(strict, opened, monkeypatch):
    """No such database or user, no right, no password or another one: each with what to do, none with the password."""
    monkeypatch.setenv("WRONG", "wrong-one")
    for name in ("PGPASSWORD", "UNSET"):
        monkeypatch.delenv(name, raising=False)
    empty = strict.new_database(empty=True)
    ours = {"database": empty, "user": "ops"}
    cases = [
        (strict.address("nowhere"), 'database "nowhere" does not exist', "CREATE DATABASE"),
        (strict.address(empty, user="nobody"), 'role "nobody" does not exist', "CREATE ROLE"),
        (
            strict.address(empty, user="plain"),
            "permission denied for schema public",
            "the right to make tables",
        ),
        (strict.address(empty, user="shut"), "pg_hba.conf rejects", "let this machine and user in"),
        (strict.address(**ours), "no password supplied", "history.password"),
        (
            with_password(strict.address(**ours), "WRONG"),
            "password authentication failed",
            "history.password",
        ),
        (with_password(strict.address(**ours), "UNSET"), "environment variable UNSET is not set", ""),
    ]
    for history, what, fix in cases:
        with pytest.raises(ConfigProblem) as caught:
            opened(history)
        told = str(caught.value)
        assert what in told
        assert fix in told
        assert "wrong-one" not in told


def with_password(history: History, variable: str) -> History:
    """The same, with the password in an environment variable."""
    return History(url=history.url, password=Secret(env=variable))


def test_a_password_is_read_for_each_line_anew_and_never_shown(strict, opened, monkeypatch):
    """It may be replaced while a worker runs; neither address nor error holds it."""
    database = strict.new_database()
    strict.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO ops", database)
    monkeypatch.setenv("PASSWORD", "right-one")
    ledger = opened(with_password(strict.address(database, user="ops"), "PASSWORD"))
    assert "right-one" not in repr(ledger._engine) + repr(ledger._engine.url)
    strict.execute("ALTER ROLE ops PASSWORD 'next-one'")
    ledger._engine.dispose()
    monkeypatch.setenv("PASSWORD", "next-one")
    assert ledger.runs() == []


@pytest.mark.parametrize("of", ["ROLE plain", "DATABASE {}"])
def test_a_server_that_has_no_line_free_is_away_for_now(strict, opened, of):
    """Others use them up: that passes by itself."""
    history = strict.history(user="plain")
    lines = f"ALTER {of.format(history.url.rpartition('/')[2])} CONNECTION LIMIT"
    strict.execute(f"{lines} 0")
    try:
        with pytest.raises(HistoryAway, match="is away: too many connections"):
            opened(history)
    finally:
        strict.execute(f"{lines} -1")


def test_a_server_from_afar_must_prove_who_it_is(postgres, opened, tmp_path):
    """By a certificate for its name, of an authority that is trusted."""
    authority, other = trustme.CA(), trustme.CA()
    for name, one in (("ours", authority), ("other", other)):
        one.cert_pem.write_to_path(tmp_path / name)
    database = postgres.new_database()
    with tls_front(AFAR, authority.issue_cert(AFAR), postgres.port) as port:
        address = f"postgresql://postgres@{AFAR}:{port}/{database}"
        for wrong in (address, f"{address}?sslrootcert={tmp_path / 'other'}"):
            with pytest.raises(ConfigProblem, match=r"certificate verify failed.*sslrootcert=PATH"):
                opened(History(url=wrong))
        ledger = opened(History(url=f"{address}?sslrootcert={tmp_path / 'ours'}"))
        assert ledger.runs() == []
        ledger.close()
    with tls_front(AFAR, authority.issue_cert("elsewhere.example"), postgres.port) as port:
        address = f"postgresql://postgres@{AFAR}:{port}/{database}?sslrootcert={tmp_path / 'ours'}"
        with pytest.raises(
            ConfigProblem, match=r'server certificate for "elsewhere.example" .*does not match'
        ):
            opened(History(url=address))


def test_nothing_is_said_to_a_server_from_afar_without_tls(postgres, opened):
    """Neither user nor password."""
    postgres.stop()
    postgres.start(f"listen_addresses=127.0.0.1,{AFAR}")
    with pytest.raises(ConfigProblem, match=r"does not support SSL.*turn TLS on in the server"):
        opened(postgres.history(host=AFAR))


def test_a_server_that_started_anew_is_not_noticed(postgres, opened):
    """Between two writes the line is made anew."""
    ledger = opened(postgres.history())
    run = ledger.start_run("main", "run", TODAY, "abc")
    postgres.stop()
    postgres.start()
    ledger.finish_run(run, "done", 0, "Wrote 1", {})
    assert ledger.run(run)["state"] == "done"


def test_a_server_that_dies_loses_nothing_that_was_written_down(postgres, opened):
    """What was committed is there when it is back; what was under way is not, and the next run takes it up."""
    ledger = opened(postgres.history())
    run = ledger.start_run("main", "run", TODAY, "abc")
    ledger.intend(run, "account", 3)
    with pytest.raises(HistoryAway, match=r"The history's database \(postgresql://.+\) is away: "):
        die_in_mid_write(postgres, ledger)
    with pytest.raises(HistoryAway, match="refused"):
        ledger.settle(run, 1, 3, [])
    postgres.start()
    assert ledger.run(run)["last_line"] is None
    ledger.start_run("main", "run", TODAY, "abc")
    assert ledger.run(run)["state"] == "failed"
    assert [batch["state"] for batch in ledger.batches(run)] == ["abandoned"]


def die_in_mid_write(postgres, ledger):
    """The server's machine loses its power between two statements of a transaction."""
    with ledger._engine.begin() as db:
        db.exec_driver_sql("UPDATE run SET last_line = 'half'")
        postgres.kill()
        db.exec_driver_sql("UPDATE run SET last_line = 'whole'")


def all_at_once(do):
    """What several threads get that do the same at the same moment."""
    barrier = Barrier(AT_ONCE)

    def start(number):
        barrier.wait()
        return do(number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(start, range(AT_ONCE)))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_workers_that_start_at_once_one_makes_the_tables(kind, opened, request):
    """The others wait for it, and find them made."""
    history = None
    if kind == "postgresql":
        history = request.getfixturevalue("postgres").history(empty=True)
    ledgers = all_at_once(lambda _: opened(history))
    assert [ledger.runs() for ledger in ledgers] == [[]] * AT_ONCE


def test_runs_that_start_at_once_have_ids_of_their_own(history, opened):
    """On whatever machine, in the same second."""
    ledgers = [opened(history) for _ in range(AT_ONCE)]
    runs = all_at_once(lambda number: ledgers[number].start_run(f"c{number}", "run", TODAY, "abc"))
    assert len(set(runs)) == AT_ONCE
    assert {run["id"] for run in ledgers[0].runs()} == set(runs)


def test_of_runs_that_want_a_connection_at_once_one_has_it(history, opened):
    """The first lease ever, which has no row to be changed yet."""
    from sync.stopping import LeaseLost

    ledgers = [opened(history) for _ in range(AT_ONCE)]

    def take(number):
        try:
            return ledgers[number].leases._acquire("main")
        except LeaseLost:
            return None

    assert sum(lease is not None for lease in all_at_once(take)) == 1


def test_a_row_is_made_once_whoever_else_makes_it(history, opened):
    """Two who find no row both keep theirs; the later word counts."""
    ledgers = [opened(history) for _ in range(AT_ONCE)]
    all_at_once(lambda number: ledgers[number].keep_cursor("main", "account", str(number), ["id"]))
    assert ledgers[0].cursor("main", "account")[0] in {str(number) for number in range(AT_ONCE)}


def test_no_word_of_a_crm_stops_a_run(history, opened):
    """A zero in a message, which PostgreSQL's texts cannot hold, and words longer than a column."""
    ledger = opened(history)
    ledger.bind("main", "00D", "A" * 300, live=False)
    run = ledger.start_run("main", "run", TODAY, "abc")
    ledger.list_items(run, [Item("account", "1", "refused", "X" * 300, "a\0b")])
    (item,) = ledger.items(run)
    assert item.code == "X" * 255
    assert item.message in {"a\0b", "a\ufffdb"}


def test_a_newer_schema_is_refused_by_the_address_without_its_password(postgres, opened, monkeypatch):
    """An old program never touches a schema that it does not know."""
    database = postgres.new_database()
    postgres.execute("UPDATE alembic_version SET version_num = '9999'", database)
    monkeypatch.setenv("PASSWORD", "right-one")
    history = with_password(postgres.address(database), "PASSWORD")
    with pytest.raises(ConfigProblem, match="written by a newer version of Foretag") as caught:
        opened(history)
    assert history.url in str(caught.value)
    assert "right-one" not in str(caught.value)
