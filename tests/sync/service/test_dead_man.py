"""The dead man's switch: asked for after good runs alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.settings import Settings
from sync.ledger.fires import WorkName
from sync.service.dead_man import DeadMan
from sync.service.events import Missed
from tests.sync.service.watched import NOON, ended, receiving

AUTH = {"token": {"env": "TOKEN"}}


@pytest.fixture
def asked(ledger, monkeypatch):
    """The addresses that were asked for after these events."""

    def ask(*events: object) -> list[str]:
        with receiving() as received:
            monkeypatch.setenv("ALL", received.url + "/all")
            monkeypatch.setenv("MAIN", received.url + "/main")
            hubspot = {"crm": "hubspot", "auth": AUTH}
            settings = Settings(
                service={"dead_man": {"env": "ALL"}},
                connections={"main": hubspot | {"dead_man": {"env": "MAIN"}}, "other": hubspot},
            )
            dead_man = DeadMan(settings, ledger, pauses=())
            for event in events:
                dead_man(event)
            dead_man.close(60)  # a busy machine may take long to ask
            return received.paths

    return ask


def test_good_runs_are_told_of(asked):
    """Done, with or without refusals; of a connection without an address the worker's alone."""
    assert asked(ended(0)) == ["/main", "/all"]
    assert asked(ended(3)) == ["/main", "/all"]
    assert asked(ended(0, connection="other")) == ["/all"]


@pytest.mark.parametrize("code", [1, 2, 4, 69, 75, 130])
def test_no_other_end_is(asked, code):
    """Whatever wrote nothing raises the alarm by silence; so does work that was missed."""
    assert asked(ended(code), Missed("main", "full", "", NOON, "late")) == []


def test_the_workers_own_falls_silent_while_any_connection_is_in_trouble(asked, ledger):
    """One address for all must not hide the one that fails."""
    worker, failing = ledger.workers.begin("here:1", "1.0"), WorkName("other", "full")
    ledger.fires.take(failing, NOON, worker)
    ledger.fires.end(failing, worker, 2)
    assert asked(ended(0)) == ["/main"]
    ledger.fires.take(failing, NOON + timedelta(days=1), worker)
    assert asked(ended(0)) == ["/main"], "it is just being tried again"
    assert asked(ended(0, connection="other", job="full")) == ["/all"]
