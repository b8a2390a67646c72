"""What leaves the installation: logs, messages, metrics and the history name nobody, whatever goes wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from config.sections.notify import Notify, Webhook
from config.sections.secret import Secret
from sync.opening import now, opened_ledger
from sync.service.metrics import Metrics
from sync.service.notifier import Notifier
from tests.acceptance.conftest import BOTH_IN_TIME
from tests.crms import POISONS
from tests.sync.service.watched import ended, receiving
from tests.world import EVERY_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.sandbox.server import Sandbox
    from tests.acceptance.conftest import Done, Shell

LOGGED = {"FORETAG_LOG": "debug", "FORETAG_LOG_FORM": "json"}


@pytest.fixture
def runs(shell, monkeypatch) -> list[Done]:
    """Whole runs, each with failures of its own."""
    # A task's subject names its record: the CRM may quote it.
    shell.write("rules.yaml", EVERY_RECORD)
    assert shell.foretag("setup", "--yes").code == 0
    people, faults = shell.people, shell.sandbox.faults
    for kind in ("account", "opportunity"):
        named = [
            {"id": row["id"], "name": f"Lindqvist {kind} {number}"}
            for number, row in enumerate(people.rows(kind, "name"))
        ]
        for start in range(0, len(named), people.batch):
            people.edit(kind, *named[start : start + people.batch])
    ill = [what for what in ("nan", "huge_text", "ancient_date") if what in POISONS[shell.sandbox.crm]]
    first = people.rows("account", "name")[0]
    steps: list[tuple[list[dict[str, Any]], dict[str, str], int]] = [
        (
            [
                {"kind": "status", "status": 503, "match": people.reading},
                people.allowance_used_up(match=people.writing()),
            ],
            {},
            75,
        ),
        ([], {shell.secret: "not-the-secret-of-this-org"}, 2),
        (
            [
                people.refuse_some("This record does not meet the rules"),
                people.refuse_tasks("This task does not meet the rules"),
                {
                    "kind": "poison",
                    "object": people.object_name("account"),
                    "what": ill[0],
                    "id": first["id"],
                },
            ],
            {},
            3,
        ),
    ]
    done = []
    for add, environment, code in steps:
        faults.add(add)
        done.append(shell.foretag("run", "--json", **LOGGED, **environment))
        assert done[-1].code == code, done[-1].err
        faults.remove()
    return done


def book(shell: Shell) -> set[str]:
    """Every name, address and secret that there is: of owners, accounts, deals and tasks."""
    people = shell.people
    names = {row["name"] for kind in ("account", "opportunity") for row in people.rows(kind, "name")}
    names |= {row["subject"] for row in people.rows("task", "subject")}
    secrets = {value for name, value in shell.environment.items() if name.startswith("FORETAG_")}
    return {
        text
        for text in names | secrets | set(owners(shell.sandbox))
        if text and len(text) > 3 and not text.isdigit()
    }


def owners(sandbox: Sandbox) -> Iterator[str]:
    """Names and addresses of those who work there."""
    if sandbox.crm == "salesforce":
        users = sandbox.org.query("SELECT Name, Email, Username FROM User", sandbox.org.admin)
        for user in users.records(0, 1000, "62.0"):
            yield from (user["Name"], user["Email"], user["Username"])
    else:
        for owner in sandbox.portal.owners(limit=500).results:
            yield from (owner["firstName"], owner["lastName"], owner["email"])


@BOTH_IN_TIME
def test_no_run_tells_of_anybody(shell, runs, monkeypatch):
    """Logs from debug on, what machines are told, the history's lists, messages to people and metrics."""
    with opened_ledger(shell.folder / "foretag.yaml") as (_, ledger), receiving() as received:
        monkeypatch.setenv("HOOK", received.url)
        metrics = Metrics(ledger, now)
        notifier = Notifier(Notify(webhooks=(Webhook(url=Secret(env="HOOK")),)), ledger, pauses=())
        for done in runs:
            event = replace(ended(done.code), report=done.json)
            metrics(event)
            notifier(event)
        notifier.close(20)
        listed = [item for run in ledger.runs() for item in ledger.items(run["id"])]
        told = {
            "stderr": "".join(done.err for done in runs),
            "stdout": "".join(done.out for done in runs),
            "the history's lists": str(listed),
            "messages": json.dumps(received.bodies, ensure_ascii=False),
            "metrics": metrics.text().decode(),
        }
    assert len(listed) > 5
    assert [body["text"].partition(":")[0] for body in received.bodies] == ["main"] * 4
    lines = [json.loads(line) for line in told["stderr"].splitlines()]
    assert {"run.ended", "record.not_done", "crm.retry"} <= {line["event"] for line in lines}
    known = book(shell)
    assert len(known) > 100
    found = [(where, text) for where, words in told.items() for text in known if text in words]
    assert found == []
