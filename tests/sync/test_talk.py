"""What is said to people: their own texts come out as they are."""

from __future__ import annotations

import json

import pytest

from config.problems import ConfigProblem
from connectors.sandbox.server import Sandbox
from sync.commands.ending import confirm
from sync.local_crm import serve_sandbox
from sync.talk import Talk


@pytest.mark.parametrize("text", ["synthetic:x:y", "[red]Acme[/red]", ":warning: Ltd"])
def test_texts_of_others_are_shown_as_they_are(text, capfd):
    """A name that looks like markup or like a smiley stays a name."""
    talk = Talk()
    talk.say(text)
    talk.table(text, ("name",), [(text,)])
    told = capfd.readouterr()
    assert told.err.strip() == text
    assert [line.strip() for line in told.out.splitlines()] == [text, "name", text]


def test_where_nobody_can_answer_production_waits_for_a_yes():
    """A script goes on with any other org, as it was told; for production it must say so."""
    confirm(Talk(machine=True), "Write this?", production=False)
    with pytest.raises(ConfigProblem, match="repeat with --yes"):
        confirm(Talk(machine=True), "Write this?", production=True)


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_the_local_crm_tells_how_to_sign_in_to_it(crm, capfd, make_sandbox, monkeypatch):
    """Its tokens look like real ones, and are the one thing that is said openly."""
    sandbox = make_sandbox(crm=crm)
    # It would serve until it is stopped.
    monkeypatch.setattr(Sandbox, "serve", lambda _, ready: ready(sandbox))
    for machine in (False, True):
        known = {"faults": None, "keys": None, "production": False}
        serve_sandbox(Talk(machine=machine), crm=crm, port=0, data=sandbox.data, **known)
    told = capfd.readouterr()
    worker = sandbox.credentials.worker
    secret = worker.token if crm == "hubspot" else worker.client_secret
    assert f"={secret}\n" in told.err
    assert secret in json.loads(told.out).values()
    assert "[secret]" not in told.err + told.out
