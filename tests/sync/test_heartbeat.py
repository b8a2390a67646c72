"""The heartbeat: a long run keeps its lease, and a run that lost it sends nothing more."""

import signal
from datetime import timedelta

import pytest
import requests
import responses

from connectors.salesforce.statuses import SALESFORCE
from connectors.transport import Transport
from sync.heartbeat import EVERY, Heartbeat
from sync.ledger import LEASE, Ledger
from sync.stopping import LeaseLost, Parked, listen
from tests.sync.test_ledger import Clock


@pytest.fixture
def clock():
    """A standing clock."""
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    """A fresh ledger."""
    ledger = Ledger.open(tmp_path, clock)
    yield ledger
    ledger.close()


def test_a_run_that_waits_long_keeps_its_lease(ledger, clock):
    """Polling a bulk job for an hour, request by request, is no reason to lose the right to work."""
    heartbeat = Heartbeat(ledger, clock)
    with ledger.leases.hold("main") as lease:
        heartbeat.hold(lease)
        for _ in range(60):
            clock.now += timedelta(minutes=1)
            heartbeat()
        with pytest.raises(LeaseLost), ledger.leases.hold("main"):
            pass


def test_a_run_that_lost_its_lease_sends_nothing_more(ledger, clock):
    """It slept through its expiry, another run took over: the next request never leaves."""
    heartbeat = Heartbeat(ledger, clock)
    transport = Transport(
        "main",
        "https://crm.example",
        SALESFORCE,
        timeouts=(1, 1),
        sleep=None,
        rng=None,
        before_send=heartbeat,
    )
    with (
        ledger.leases.hold("main") as lease,
        responses.RequestsMock(assert_all_requests_are_fired=False) as crm,
    ):
        crm.get("https://crm.example/x", json={})
        heartbeat.hold(lease)
        assert (
            transport.request("GET", "https://crm.example/x", anonymous=True).status_code == requests.codes.ok
        )
        clock.now += LEASE + EVERY
        with ledger.leases.hold("main"), pytest.raises(LeaseLost):
            transport.request("GET", "https://crm.example/x", anonymous=True)
        assert len(crm.calls) == 1


def test_a_run_that_was_told_to_stop_sends_nothing_more(ledger, clock, monkeypatch):
    """The signal reaches the main thread only; what other threads would repeat never leaves."""
    # Signals belong to the process: what this one asks for is forgotten after the test.
    monkeypatch.setattr("sync.stopping._asked", [])
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    heartbeat = Heartbeat(ledger, clock)
    heartbeat()
    try:
        listen()
        with pytest.raises(Parked):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Parked):
            heartbeat()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
