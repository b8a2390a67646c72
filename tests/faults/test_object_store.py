"""The local copy in an object store: what holds in a folder holds there, and a store that is away loses nothing."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from config.problems import ConfigProblem
from sync.exits import exit_code
from sync.store import place as places
from sync.store.away import StoreAway
from sync.store.place import options_of
from tests.crms import CRMS
from tests.faults.test_crashes import test_fault_01_a_crash_around_the_writes  # noqa: F401  # again, on a store
from tests.faults.trips import TABLE, Trip, tripping
from tests.invariants.test_invariants import test_i2_tasks_are_made_once  # noqa: F401  # again, on a store
from tests.invariants.test_promises import (  # noqa: F401  # again, on a store
    test_i4_a_plan_skips_and_lists_what_was_overtaken,
)
from tests.object_store import KEY, SECRET
from tests.sync.test_forget import (  # noqa: F401  # again, on a store
    known,
    test_a_record_deleted_in_the_crm_is_erased_after_its_time,
    test_nothing_is_left_of_a_forgotten_record_and_it_does_not_come_back,
    test_old_values_go_after_their_time_and_an_undo_says_so,
)
from tests.sync.writing.test_backfill import (  # noqa: F401  # again, on a store
    small_portions,
    test_a_dead_backfill_goes_on_where_it_was_and_repeats_nothing,
    test_a_plan_that_is_gone_or_damaged_is_refused,
)
from tests.sync.writing.test_undo import (  # noqa: F401  # again, on a store
    test_an_undo_puts_back_what_was_there_and_an_undo_of_it_what_we_wrote,
    test_an_undo_that_died_is_completed_by_another,
)

pytestmark = pytest.mark.long


@pytest.fixture
def crm(request):
    """One of them: what is kept does not depend on the CRM."""
    return getattr(request, "param", CRMS[0])


@pytest.fixture
def make_world(make_world, bucket_storage):
    """Worlds whose copies lie in a bucket."""

    def make(**options):
        world = make_world(**options)
        world.keep_in(bucket_storage)
        return world

    return make


@pytest.fixture
def world(make_world):
    """One of them, with our fields, before the first run."""
    return make_world()


def test_nothing_but_the_history_stays_on_the_machine(world, bucket_storage, object_store):
    """So that any other one can go on, by the same history."""
    with world.counting() as written:
        assert world.run().exit_code == 0
    assert written()
    assert {path.name for path in (world.folder / "state").rglob("*") if path.is_file()} <= {
        "history.sqlite",
        "history.sqlite-wal",
        "history.sqlite-shm",
    }
    assert object_store.keys(bucket_storage.url.split("/")[2])
    with world.counting() as written:
        assert world.run().writes == 0
    assert written() == 0


def _without_keys(text):
    assert KEY not in text
    assert SECRET not in text
    return text


def test_a_store_that_is_away_ends_a_run_and_the_next_one_completes(world, monkeypatch):
    """Before it begins or in its midst: exit 69 and the store's address, never a key."""
    monkeypatch.setattr(places, "RETRY", "1s")
    options = places.options_of
    # A port that nobody listens on.
    away = Trip(8, lambda: monkeypatch.setattr(places, "options_of", _elsewhere), only=TABLE)
    with tripping(monkeypatch, away), pytest.raises(StoreAway) as ended:
        world.run()
    _without_keys(f"{ended.value!r} {ended.value.__cause__}")
    with pytest.raises(StoreAway, match="s3://"):
        world.run()
    monkeypatch.setattr(places, "options_of", options)
    with world.job() as job:
        (row, *_) = job.ledger.runs()
    assert (row["exit_code"], row["state"]) == (69, "failed")
    assert "The store of the local copy (s3://" in _without_keys(str(row))
    assert world.run().exit_code == 0
    with world.counting() as written:
        assert world.run().exit_code == 0
    assert written() == 0


def _elsewhere(storage):
    return options_of(storage) | {"aws_endpoint": "http://127.0.0.1:9"}


def test_a_key_that_is_taken_away_is_a_matter_for_a_person(world, monkeypatch):
    """Exit 2, and where it was looked for."""
    monkeypatch.delenv("FORETAG_TEST_KEY")
    with pytest.raises(
        ConfigProblem, match=r"storage.access_key: environment variable FORETAG_TEST_KEY"
    ) as ended:
        world.run()
    assert exit_code(ended.value) == 2


_LOOK = """
import sys
from pathlib import Path
from config.sections.storage import Storage
from sync.store.damage import damage_told
from sync.store.place import Place
with damage_told(Path()):
    Place.of_connection(Storage(url="s3://copies", endpoint=sys.argv[1], region="eu"), Path(), "main").names()
"""


def test_a_store_whose_certificate_nobody_signed_is_not_asked(tmp_path):
    """Whatever the environment says; an authority of one's own is named by SSL_CERT_FILE."""
    authority, asked = trustme.CA(), []

    class Store(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}

        def look(**environment):
            address = f"https://127.0.0.1:{server.server_port}"
            command = [sys.executable, "-c", _LOOK, address]
            env = {**os.environ, **keys, **environment}
            return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stderr

        weakened = look(AWS_ALLOW_INVALID_CERTIFICATES="true", AWS_ALLOW_HTTP="true")
        assert "its certificate is not to be trusted" in weakened
        assert not asked
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        look(SSL_CERT_FILE=str(tmp_path / "ca.pem"))
        assert asked
        server.shutdown()
