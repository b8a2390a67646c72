"""Bad input on HubSpot, through whole runs: an outcome for each record, the others done, and what to do about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from config.problems import ConfigProblem
from connectors.contract import AuthProblem
from connectors.hubspot.batches import NOT_THERE
from sync.demo import set_up
from sync.exits import exit_code
from sync.pipeline import run
from tests.connectors.hubspot.test_pains import arrivals, keys
from tests.invariants.conftest import EVERY_RECORD

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sync.report import Report
    from tests.invariants.conftest import World as Installation


WRITTEN_BEFORE = "Written before that: 40 companies, 0 deals, 0 tasks."
FORETAG = str(Path(sys.executable).with_name("foretag"))


def said(installation: Installation, run_id: str, *options: str) -> str:
    """What `foretag runs RUN` answers."""
    done = subprocess.run(
        [FORETAG, "runs", run_id, "--settings", str(installation.settings), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COLUMNS": "1000"},
    )
    return done.stdout if options else done.stdout + done.stderr


def listed(installation: Installation, report: Report, status: str) -> dict[str, Any]:
    """The items of a run with a status, by record id, once it is certain that people are shown them all."""
    told = json.loads(said(installation, report.run, "--json"))
    assert (told["exit_code"], told["last_line"]) == (report.exit_code, report.last_line)
    items = {item["record_id"]: item for item in told["items"] if item["status"] == status}
    # A table: ids that share a reason stand together, ten of them at most, and long cells are wrapped.
    people = said(installation, report.run)
    for item in items.values():
        assert {item["code"], *item["message"].split()} <= set(people.split())
    # Of a task the record that it is about is shown; the key is for machines.
    named = [record_id for record_id, item in items.items() if item["object"] != "task"]
    assert len(named) > 10 or all(record_id in people for record_id in named)
    return items


def newest(installation: Installation) -> dict[str, Any]:
    """The last run, for one that raised; its last line is shown to people, too."""
    with installation.job() as job:
        run_id = job.ledger.runs()[0]["id"]
    told: dict[str, Any] = json.loads(said(installation, run_id, "--json"))
    assert told["last_line"] in said(installation, run_id)
    return told


@contextmanager
def meanwhile(
    installation: Installation, act: Callable[[], None], when: str = "stage"
) -> Iterator[Callable[[], Report]]:
    """A run during which something happens: after its check, and the reading of owners and stages at least."""
    with installation.job() as job:
        happened: list[str] = []

        def tell(what: str, done: int, total: int | None) -> None:
            if what == when and not happened:
                happened.append(what)
                act()

        yield lambda: run(replace(job, tell=tell))
        assert happened


def assert_heals(installation: Installation, *, edited: bool = False) -> None:
    """The next run does all that is left, the one after it nothing.

    An installation that knows nothing agrees; not where people edited the book, and a tier is still held.
    """
    installation.sandbox.faults.remove()
    assert installation.run().exit_code == 0
    with installation.counting() as written:
        assert installation.run().writes == 0
    assert written() == 0
    made = keys(installation)
    assert set(made.values()) <= {1}
    assert installation.plan().records == 0
    if not edited:
        installation.forget()
        assert installation.plan().records == 0


# Scopes.


def test_missing_scopes_stop_a_run_before_it_reads(installation) -> None:
    """All of them in one list, with where to give them; with them it goes through."""
    lost = ["crm.objects.deals.write", "crm.objects.owners.read"]
    installation.sandbox.faults.add([{"kind": "missing_scopes", "scopes": lost}])
    with installation.counting() as written, pytest.raises(ConfigProblem) as caught:
        installation.run()
    (problem,) = caught.value.problems
    assert problem.message == "the token lacks scopes: crm.objects.owners.read, crm.objects.deals.write"
    assert problem.fix == (
        "add them: Settings > Keys > the key > Scopes; docs/hubspot.md says what each is for"
    )
    assert (exit_code(caught.value), written()) == (2, 0)
    told = newest(installation)
    assert told["last_line"] == f"Stopped, to fix first: {problem}. Nothing was written."
    assert_heals(installation)


def test_a_scope_taken_away_in_mid_run_stops_it_with_the_rest_unsent(installation) -> None:
    """Companies are done and stay so; no deal was sent, each is on the list, and the scope is named."""
    scope = {"kind": "missing_scopes", "scopes": ["crm.objects.deals.write"], "match": "deals/batch/update"}
    installation.sandbox.faults.add([scope])
    position = installation.sandbox.journal.position
    with pytest.raises(ConfigProblem, match=r"crm\.objects\.deals\.write") as caught:
        installation.run()
    assert "docs/hubspot.md" in str(caught.value)
    told = newest(installation)
    assert told["exit_code"] == 2
    assert told["last_line"].startswith(f"Stopped, to fix first: {caught.value}. {WRITTEN_BEFORE}")
    assert [batch["object"] for batch in told["batches"] if batch["unknown"]] == ["opportunity"]
    assert {entry.object for entry in installation.sandbox.journal.writes(position)} == {"companies"}
    assert_heals(installation)


# The data region.


@pytest.mark.parametrize("match", [r"\.*", "deals/batch/update"], ids=["from the start", "in mid-run"])
def test_a_token_of_another_region_is_told_with_the_region(match, installation) -> None:
    """A portal that was moved needs a new token; nothing is tried again, and nothing is lost."""
    fault = {"kind": "wrong_region", "hublet": "eu1", "times": None, "match": match}
    installation.sandbox.faults.add([fault])
    position = installation.sandbox.journal.position
    with pytest.raises(ConfigProblem) as caught:
        installation.run()
    (problem,) = caught.value.problems
    assert "the token belongs to another data region" in problem.message
    assert "the portal is in region eu1" in problem.message
    assert problem.fix.startswith("make a new service key in this portal and store it")
    assert exit_code(caught.value) == 2
    refused = [entry for entry in arrivals(installation, ".", position) if "wrong_region" in entry.faults]
    assert len(refused) <= (1 if match == r"\.*" else 2)
    assert_heals(installation)


# Tokens.


def use_oauth(installation: Installation) -> None:
    """The worker signs in by a refresh token."""
    account = installation.sandbox.credentials.worker
    lines = ["    auth:", "      grant: refresh_token"]
    for name in ("client_id", "client_secret", "refresh_token"):
        path = installation.folder / f"worker_{name}"
        path.write_text(getattr(account, name))
        lines.append(f"      {name}: {{file: {path}}}")
    text = installation.settings.read_text()
    head, _, tail = text.partition("    auth:\n")
    _, _, tail = tail.partition("\n    rules:")
    key = installation.settings.parent / "encryption_key"
    key.write_bytes(Fernet.generate_key())
    head = f"encryption_key: {{file: {key}}}\n{head}"
    installation.settings.write_text(head + "\n".join(lines) + "\n    rules:" + tail)


@pytest.mark.parametrize(
    "match",
    ["objects/deals", "companies/batch/update", "tasks/batch/create"],
    ids=["read", "write", "create"],
)
def test_a_token_that_expires_in_mid_run_is_renewed(match, installation) -> None:
    """One sign-in more, every record once, and a run that does not show it."""
    use_oauth(installation)
    installation.sandbox.faults.add([{"kind": "expire_session", "everyone": True, "match": match}])
    position = installation.sandbox.journal.position
    report = installation.run()
    assert (report.exit_code, report.done) == (0, report.planned)
    assert min(report.done.values()) > 0
    assert len(arrivals(installation, "POST /oauth/.*token$", position)) == 2
    assert len([entry for entry in arrivals(installation, ".", position) if entry.status == 401]) >= 1
    ids = [one for entry in installation.sandbox.journal.writes(position) for one in entry.ids]
    assert len(ids) == len(set(ids)) == report.writes
    assert_heals(installation)


def test_a_key_deleted_in_mid_run_stops_it_and_says_so(installation) -> None:
    """A service key is not renewed: what was done is done, the rest is listed, and a person makes a new one."""
    installation.sandbox.faults.add([{"kind": "expire_session", "match": "deals/batch/update"}])
    with pytest.raises(AuthProblem, match="make a new one, and store it where the settings say") as caught:
        installation.run()
    assert exit_code(caught.value) == 2
    told = newest(installation)
    assert told["last_line"].startswith(f"Stopped, to fix first: {caught.value}. {WRITTEN_BEFORE}")
    assert [batch["object"] for batch in told["batches"] if batch["unknown"]] == ["opportunity"]


# One stamp.


def test_more_than_ten_thousand_deals_with_one_stamp_are_all_taken_in(make_installation) -> None:
    """A bulk edit of all of them: every row is read once, and the run ends."""
    installation = make_installation(data="synthetic:20:10300")
    installation.run()
    installation.sandbox.clock.advance(timedelta(hours=3))
    deals = installation.people.rows("opportunity", "amount")
    closed = {row["id"] for row in deals} - {row["id"] for row in installation.open_deals()}
    changed = min(closed)
    installation.people.edit("opportunity", {"id": changed, "amount": 123})
    installation.sandbox.portal.touch("deals", [row["id"] for row in deals], installation.sandbox.clock())
    installation.sandbox.clock.advance(timedelta(seconds=10))
    position = installation.sandbox.journal.position
    report = installation.run()
    assert (report.exit_code, report.pulled["opportunity"]) == (0, 10_300)
    assert report.book["opportunity"] == len(deals) - len(closed)
    # 10,000 rows in pages of 200, then those beyond in a window of their own; merges are asked for before.
    assert len(arrivals(installation, "/deals/search", position)) == 1 + 50 + 2
    assert {entry.status for entry in arrivals(installation, "/search", position)} == {200}
    with installation.job() as job:
        held = job.mirror.read("opportunity", ("id", "amount")).to_pylist()
    assert len(held) == len({row["id"] for row in held}) == 10_300
    assert float(next(row["amount"] for row in held if row["id"] == changed)) == 123


# Records that are not as they were.


@pytest.fixture
def leaver(installation) -> str:
    """The owner of the most records, each of which wants a task."""
    installation.use_rules(EVERY_RECORD)
    owners = [row["owner_id"] for row in installation.people.rows("account", "owner_id") if row["owner_id"]]
    return max(sorted(set(owners)), key=owners.count)


def theirs(installation: Installation, owner: str, column: str) -> set[str]:
    """Of the tasks that are due, an owner's: by a column of the plan."""
    tasks = installation.plan().tasks.to_pylist()
    found = {row[column] for row in tasks if row["owner_id"] == owner}
    assert 0 < len(found) < len(tasks)
    return found


def test_an_archived_owner_gets_no_task_and_their_records_are_scored(leaver, installation) -> None:
    """The records keep pointing to whoever left; those whose task would be theirs are listed."""
    due = theirs(installation, leaver, "id")
    installation.sandbox.portal.archive_owner(leaver)
    report = installation.run()
    assert (report.exit_code, report.done["account"], report.held_back) == (0, 40, len(due))
    assert report.done == report.planned
    held_back = listed(installation, report, "held_back")
    assert set(held_back) == due
    (message,) = {item["message"] for item in held_back.values()}
    assert message == "its owner is not active: give the record to somebody who is"
    assert leaver not in {row["owner_id"] for row in installation.people.rows("task", "owner_id")}
    assert_heals(installation)


def test_an_owner_who_leaves_in_mid_run_costs_only_their_own_tasks(leaver, installation) -> None:
    """HubSpot refuses those; the others of the same batch are made, and nobody asks again."""
    due = theirs(installation, leaver, "key")
    with meanwhile(installation, lambda: installation.sandbox.portal.archive_owner(leaver)) as go:
        report = go()
    assert (report.exit_code, report.refused) == (3, {"account": 0, "opportunity": 0, "task": len(due)})
    assert report.done["task"] == report.planned["task"] - len(due)
    assert f" {len(due)} refused: see `foretag runs {report.run}`." in report.last_line
    refused = listed(installation, report, "refused")
    assert set(refused) == due
    (told,) = {(item["message"], item["fix"]) for item in refused.values()}
    assert told == (
        "Property values were not valid: hubspot_owner_id: INVALID_OPTION",
        "that owner has left HubSpot: give the record another one",
    )
    assert_heals(installation)


def test_a_company_merged_in_mid_run_is_refused_alone(installation) -> None:
    """It is said where it went; all others are done, and the next run scores what became of it."""
    first, second, *_ = (row["id"] for row in installation.people.rows("account"))
    merge = lambda: installation.people.merge("account", first, second)  # noqa: E731  # what happens
    with meanwhile(installation, merge, "opportunity") as go:
        report = go()
    living = {row["id"] for row in installation.people.rows("account")}
    # HubSpot may give the merged company an id of its own.
    gone = {first, second} - living
    assert (report.exit_code, report.refused) == (3, {"account": len(gone), "opportunity": 0, "task": 0})
    assert report.done == report.planned | {"account": 40 - len(gone)}
    refused = listed(installation, report, "refused")
    assert set(refused) == gone
    assert {item["message"] for item in refused.values()} == {NOT_THERE}
    position = installation.sandbox.journal.position
    assert installation.run().exit_code == 0
    with installation.job() as job:
        assert set(job.mirror.read("account", ("id",))["id"].to_pylist()) == living
    assert not any(gone & set(entry.ids) for entry in installation.sandbox.journal.writes(position))
    assert all(row["foretag_tier"] for row in installation.people.rows("account", "foretag_tier"))
    assert_heals(installation, edited=True)


def test_a_deal_without_a_company_is_scored_like_any_other(installation) -> None:
    """It has no account, its task hangs on the deal alone, and nothing fails."""
    installation.use_rules(EVERY_RECORD)
    deal = installation.open_deals()[0]["id"]
    installation.people.edit("opportunity", {"id": deal, "account_id": None})
    report = installation.run()
    assert (report.exit_code, report.done) == (0, report.planned)
    assert installation.row("opportunity", deal, "foretag_tier")["foretag_tier"]
    with installation.job() as job:
        held = job.mirror.read("opportunity", ("id", "account_id")).to_pylist()
    assert {row["id"]: row["account_id"] for row in held}[deal] is None
    tasks = installation.people.rows("task", "key", "account_id", "opportunity_id")
    assert [(row["account_id"]) for row in tasks if row["opportunity_id"] == deal] == [None]
    assert_heals(installation)


# Properties that are not as they were.


def assert_set_up_again_heals(installation: Installation, words: str) -> None:
    """The next run stops before it writes, with what is wrong and what to do; that done, all is written."""
    with installation.counting() as written, pytest.raises(ConfigProblem) as caught:
        installation.run()
    (problem,) = caught.value.problems
    assert (str(problem).startswith(words), "run `foretag setup`" in problem.fix) == (True, True), problem
    assert (exit_code(caught.value), written()) == (2, 0)
    set_up(installation.settings)
    assert_heals(installation)


def test_an_option_taken_out_in_mid_run_refuses_the_records_that_want_it(installation) -> None:
    """In a few calls more; the others are done."""
    portal, position = installation.sandbox.portal, installation.sandbox.journal.position
    wanted = {
        row["id"] for row in installation.plan().changes["account"].to_pylist() if row["foretag_tier"] == "D"
    }
    assert 0 < len(wanted) < 40

    def take_out() -> None:
        options = portal.property("companies", "foretag_tier")["options"]
        left = {"options": [one for one in options if one["value"] != "D"]}
        portal.update_property(portal.person, "companies", "foretag_tier", left)

    with meanwhile(installation, take_out) as go:
        report = go()
    assert (report.exit_code, report.refused["account"]) == (3, len(wanted))
    assert report.done["account"] == 40 - len(wanted)
    assert report.done["opportunity"] == report.planned["opportunity"]
    refused = listed(installation, report, "refused")
    assert set(refused) == wanted
    (told,) = {(item["message"], item["fix"]) for item in refused.values()}
    assert told == (
        (
            "demo: HubSpot refuses it: 400 INVALID_OPTION Property values were not valid: foretag_tier: INVALID_OPTION"
            " (POST /crm/v3/objects/companies/batch/update)"
        ),
        "run `foretag setup`, which adds the options that are missing",
    )
    # The batch, and each of its four values.
    assert len(arrivals(installation, "companies/batch/update", position)) == 5
    assert_set_up_again_heals(installation, "companies.foretag_tier: lacks the options D")


def test_a_property_archived_in_mid_run_refuses_the_records_that_carry_it(installation) -> None:
    """In one call more; the others are done."""
    portal, position = installation.sandbox.portal, installation.sandbox.journal.position
    wanted = {
        row["id"]
        for row in installation.plan().changes["account"].to_pylist()
        if row["foretag_alert"] is not None
    }
    assert 0 < len(wanted) < 40
    with meanwhile(
        installation, lambda: portal.archive_property(portal.person, "companies", "foretag_alert")
    ) as go:
        report = go()
    assert (report.exit_code, report.refused["account"]) == (3, len(wanted))
    assert report.done["account"] == 40 - len(wanted)
    refused = listed(installation, report, "refused")
    assert set(refused) == wanted
    (told,) = {(item["message"], item["fix"]) for item in refused.values()}
    assert told == (
        (
            "demo: HubSpot refuses it: 400 PROPERTY_DOESNT_EXIST Property values were not valid:"
            " foretag_alert: PROPERTY_DOESNT_EXIST (POST /crm/v3/objects/companies/batch/update)"
        ),
        "run `foretag setup`, which makes the property",
    )
    assert len(arrivals(installation, "companies/batch/update", position)) == 2
    assert_set_up_again_heals(installation, "companies.foretag_alert: the property is missing")
