"""The pages of a worker, over HTTP."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from types import SimpleNamespace

import pytest

from config.problems import ConfigProblem
from sync.ledger import Ledger
from sync.service import web
from sync.service.events import Unusable
from sync.service.health import HANGS, Health
from sync.service.metrics import Metrics
from sync.service.web import serve
from tests.sync.service.watched import take_away


@pytest.fixture
def worker(ledger, clock):
    """What answers, and how."""
    beats = SimpleNamespace(now=0.0)
    health = Health(ledger, lambda: clock.now, lambda: beats.now)
    metrics = Metrics(ledger, lambda: clock.now)
    server = serve("127.0.0.1:0", metrics, health)
    yield SimpleNamespace(health=health, server=server, beats=beats, ledger=ledger, metrics=metrics)
    server.close()


def look(worker, path: str, method: str = "GET") -> tuple[int, bytes]:
    """What a page says."""
    connection = HTTPConnection(worker.server.address, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def ready(worker) -> tuple[int, dict]:
    """What `/readyz` says."""
    status, body = look(worker, "/readyz")
    return status, json.loads(body)


def test_settings_that_cannot_be_used_are_every_connection_s_trouble(worker):
    """Nothing is begun on any of them meanwhile, and the alarm goes by their state."""
    worker.ledger.notices.news("", "unusable", "x")
    assert ready(worker)[1]["connections"]["main"]["state"] == "unusable"
    worker.ledger.notices.over("", ("unusable",))
    assert ready(worker)[1]["connections"]["main"]["state"] == "ok"


def test_a_worker_that_is_started_anew_gets_its_port_back(worker):
    """At once, though the last one was just asked something and the system remembers that line for a minute."""
    address = worker.server.address
    with socket.create_connection(worker.server.server_address) as line:
        line.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        while line.recv(1024):
            pass
    worker.server.close()
    serve(address, worker.metrics, worker.health).close()


def test_a_loop_that_hangs_is_dead(worker):
    """Alive by each round, dead a minute after the last."""
    assert look(worker, "/healthz")[0] == 200
    worker.beats.now = HANGS
    assert look(worker, "/healthz")[0] == 503
    worker.health.beat()
    assert look(worker, "/healthz")[0] == 200


def test_ready_tells_how_each_connection_stands(worker, clock):
    """In one word each, the worst first; a connection in trouble leaves the worker ready."""
    ledger, gates = worker.ledger, worker.ledger.gates
    for name, live in (("preview", False), ("paused", True), ("rules", True), ("broken", True)):
        ledger.bind(name, f"00{name}", "Org", live=live)
    gates.pause("paused", "anna", "")
    ledger.notices.news("rules", "approval", "digest")
    ledger.notices.news("broken", "failed:full", "x")
    ledger.notices.news("broken", "missed:full", "x")
    status, told = ready(worker)
    assert (status, told["ready"], told["history"], told["settings"]) == (200, True, "ok", "ok")
    assert {name: one["state"] for name, one in told["connections"].items()} == {
        "main": "ok",
        "preview": "preview",
        "paused": "paused",
        "rules": "awaiting approval",
        "broken": "failing",
    }
    assert told["connections"]["broken"]["since"] == "2026-11-22T12:00:00+00:00"
    gates.approve("rules", "digest", "anna", "approve")
    assert ready(worker)[1]["connections"]["rules"]["state"] == "ok"


def test_settings_that_cannot_be_used_are_not_ready_until_they_can(worker):
    """Their problems are told; a single connection's leave the worker ready."""
    worker.health(Unusable("main", ("its own",)))
    assert ready(worker)[0] == 200
    worker.health(Unusable("", ("foretag.yaml:3:1: wrong",)))
    status, told = ready(worker)
    assert (status, told["settings"]) == (503, ["foretag.yaml:3:1: wrong"])
    worker.health.watch(["main"])
    assert ready(worker)[0] == 200


def test_without_the_history_it_is_not_ready(worker, tmp_path):
    """And says so, rather than nothing."""
    take_away(worker.ledger, tmp_path)
    status, told = ready(worker)
    assert (status, told["history"]) == (503, "away")


def test_a_history_that_lets_nobody_in_is_said_to_be_away(postgres, clock, tmp_path):
    """Whatever an admin must put right there, the pages answer, and the metrics say that it is not up."""
    history = postgres.history()
    ledger = Ledger.open(tmp_path, lambda: clock.now, history)
    postgres.execute(f"DROP DATABASE {history.url.rpartition('/')[2]} WITH (FORCE)")
    _, told = Health(ledger, lambda: clock.now, lambda: 0.0).ready()
    assert told["history"] == "away"
    assert b"foretag_history_up 0.0" in Metrics(ledger, lambda: clock.now).text()
    ledger.close()


def test_metrics_come_in_prometheus_format(worker):
    """And within 20 milliseconds, the best of some looks."""
    status, body = look(worker, "/metrics")
    assert status == 200
    assert b'foretag_connection_state{connection="main",state="ok"} 1.0' in body
    times = []
    for _ in range(10):
        began = time.perf_counter()
        look(worker, "/metrics")
        times.append(time.perf_counter() - began)
    assert min(times) < 0.020


def test_nothing_else_is_there(worker):
    """No other page, no other method, nothing of the program's version."""
    status, told = look(worker, "/")
    assert (status, json.loads(told)) == (404, {"pages": ["/healthz", "/readyz", "/metrics"]})
    assert look(worker, "/healthz", "HEAD") == (200, b"")
    assert look(worker, "/healthz", "POST")[0] == 501


def test_slow_callers_are_hung_up_on(worker, monkeypatch):
    """Many who say nothing take no place from others for long."""
    monkeypatch.setattr(web, "PATIENCE", 0.2)
    host, _, port = worker.server.address.rpartition(":")
    slow = [socket.create_connection((host, int(port)), timeout=5) for _ in range(web.AT_ONCE)]
    try:
        assert [one.recv(1) for one in slow] == [b""] * len(slow)
        assert look(worker, "/healthz")[0] == 200
    finally:
        for one in slow:
            one.close()


def test_many_slow_callers_keep_nobody_out(worker):
    """Whoever can reach the port could have the worker taken for dead, and started anew."""
    host, _, port = worker.server.address.rpartition(":")
    slow = [socket.create_connection((host, int(port)), timeout=5) for _ in range(4 * web.AT_ONCE)]
    try:
        assert look(worker, "/healthz")[0] == 200
        assert slow[0].recv(1) == b"", "who came first gave way"
    finally:
        for one in slow:
            one.close()


def test_an_address_that_is_taken_is_a_problem_with_words(worker):
    """Said at the start, with the setting to change."""
    with pytest.raises(
        ConfigProblem, match=r"service\.listen: nothing can listen on .*: Address already in use"
    ):
        serve(worker.server.address, worker.metrics, worker.health)


def test_what_watches_imports_no_data_library():
    """The waiting parent stays small."""
    modules = ", ".join(
        f"sync.service.{name}" for name in ("web", "notifier", "dead_man", "health", "metrics")
    )
    program = f"import sys; import {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"pandas", "pyarrow", "duckdb", "deltalake", "numpy", "requests"}.isdisjoint(done.stdout.split())
