"""The command line as its three users meet it: real processes, real exit codes, real words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from config.crms import CRMS
from config.outputs import written
from tests.acceptance.conftest import BOTH, BOTH_IN_TIME

FORETAG = str(Path(sys.executable).with_name("foretag"))
COMMANDS = (
    "demo",
    "check",
    "test",
    "schema",
    "setup",
    "plan",
    "apply",
    "run",
    "explain",
    "runs",
    "sandbox",
    "init",
)


@pytest.mark.long
@BOTH_IN_TIME
def test_the_demo_does_the_whole_job_and_says_so(crm, tmp_path):
    """One JSON object, the promised keys, the same scores in each CRM, and nothing written by the second run."""
    done = subprocess.run(
        [FORETAG, "demo", "--crm", crm, "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) == {
        "crm",
        "data",
        "today",
        "accounts",
        "opportunities",
        "fields_created",
        "accounts_written",
        "opportunities_written",
        "tasks_created",
        "api_calls",
        "seconds",
        "tiers",
        "segments",
        "second_run_writes",
        "refused",
        "unknown",
        "set_aside",
        "open_opportunities",
        "tasks_held_back",
    }
    assert (result["crm"], result["data"], result["today"]) == (crm, "pipeline", "2018-01-01")
    assert (result["accounts"], result["opportunities"], result["accounts_written"]) == (85, 8800, 85)
    assert (result["second_run_writes"], result["refused"], result["unknown"]) == (0, 0, 0)
    assert result["fields_created"] > 20
    assert (result["tasks_created"], result["opportunities_written"]) == (81, 2089)
    assert result["tiers"] == {"A": 18, "B": 22, "C": 29, "D": 16}
    assert result["segments"] == {"Monitor": 37, "Nurture": 27, "Prioritize": 10, "Reduce": 11}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    """Nobody has to guess."""
    done = subprocess.run(
        [FORETAG, command, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert f"Example: foretag {command}" in done.stdout
    assert "--json" in done.stdout


@BOTH
def test_init_writes_files_that_check_can_read_and_never_overwrites(crm, tmp_path, shell):
    """The starter files are good as they are, but for the address and the secrets."""
    folder = tmp_path / "new"
    assert shell.foretag("init", "--crm", crm, str(folder)).code == 0
    (name, *_) = CRMS[crm].variables().values()
    done = shell.foretag("check", "--settings", str(folder / "foretag.yaml"), **{name: ""})
    assert done.code == 2
    assert f"environment variable {name} is not set" in done.err
    again = shell.foretag("init", "--crm", crm, str(folder))
    assert again.code == 2
    assert "is not overwritten" in again.err


def test_a_crm_that_nobody_knows_is_told(shell):
    """With the names of those that are known."""
    for command in ("demo", "sandbox", "init"):
        done = shell.foretag(command, "--crm", "pipedrive", "--json")
        assert done.code == 2
        assert 'there is no CRM "pipedrive"; it is salesforce or hubspot' in done.err


@BOTH_IN_TIME
def test_the_first_walk(production):
    """Check, set up, check, plan to a file, apply it, run: as the README says."""
    before = production.start("check")
    assert before.code == 2
    assert "foretag setup" in before.err
    assert "PRODUCTION" in before.err

    refused = production.start("setup")
    assert refused.code == 2
    assert "repeat with --yes" in refused.err
    assert production.start("setup", "--yes").code == 0
    assert "Nothing is missing" in production.start("setup", "--yes").err
    assert production.start("check").code == 0

    preview = production.start("run", "--json")
    assert preview.code == 0
    assert preview.json["mode"] == "preview"
    assert preview.json["done"] == {}

    planned = production.start("plan", "-o", "friday.plan")
    assert planned.code == 0
    assert "Nothing was written." in planned.err
    unanswered = production.start("apply", "friday.plan")
    assert unanswered.code == 2
    assert "repeat with --yes" in unanswered.err
    applied = production.start("apply", "friday.plan", "--yes", "--json")
    assert applied.code == 0, applied.err
    assert applied.json["done"]["account"] == applied.json["planned"]["account"] > 0

    after = production.start("run", "--json")
    assert (after.code, after.json["mode"], sum(after.json["done"].values())) == (0, "live", 0)

    history = production.start("runs", "--json").json
    assert [row["command"] for row in history] == ["run", "apply", "plan", "run"]
    told = production.start("runs", applied.json["run"])
    assert applied.json["last_line"] in told.err


@pytest.mark.long
@pytest.mark.parametrize("crm", ["hubspot"])
def test_people_of_hubspot_read_their_own_words(shell):
    """Companies, deals, properties, portals: no command says a word that only Salesforce's people use."""
    said = ""
    for command in (
        ("setup",),
        ("setup", "--yes"),
        ("setup", "--print", "by-hand"),
        ("check",),
        ("plan", "-o", "p"),
        ("apply", "p", "--yes"),
        ("run",),
        ("explain", "nobody"),
    ):
        done = shell.foretag(*command)
        said += done.out + done.err
    (applied,) = (row["id"] for row in shell.foretag("runs", "--json").json if row["command"] == "apply")
    told = shell.foretag("runs", applied)
    said += told.out + told.err
    for word in ("properties", "companies", "deals", "docs/hubspot.md", 'no company is called "nobody"'):
        assert word in said
    printed = "".join(path.read_text() for path in (shell.folder / "by-hand").rglob("*.*"))
    assert (
        re.findall(
            r"(?i)\b(?:accounts?(?! \d)|opportunit\w+|fields?|orgs?|salesforce|picklists?)\b", said + printed
        )
        == []
    )


@BOTH
def test_explain_tells_where_every_point_came_from(shell):
    """By name, by id, in a short form where the CRM has one; the points add up to the score."""
    shell.foretag("setup", "--yes")
    shell.foretag("run")
    unknown = shell.foretag("explain", "Acount 0000001")
    assert unknown.code == 2
    assert f'no {CRMS[shell.sandbox.crm].nouns["account"]} is called "Acount 0000001"' in unknown.err
    meant = unknown.err.partition('did you mean "')[2].partition('"')[0]
    part = shell.foretag("explain", meant[2:])
    assert f'did you mean "{meant}"' in part.err
    done = shell.foretag("explain", meant, "--json")
    assert done.code == 0, done.err
    explained = done.json
    assert (
        sum(part["points"] for part in explained["points"]["priority"]) == explained["tags"]["foretag_score"]
    )
    by_id = shell.foretag("explain", explained["id"][: shell.people.id_shown], "--json").json
    assert by_id == explained


@pytest.mark.long
@BOTH_IN_TIME
def test_plan_shows_what_other_rules_would_do(shell):
    """Matrices and movers for machines, a page for people; the CRM and the present rules' plan stay as they are."""
    shell.foretag("setup", "--yes")
    shell.foretag("run")
    shell.write("new.yaml", "priority: {weights: {soon: 20, profitable: 0, much: 80}}\ntiers: {A: 30}\n")
    done = shell.foretag("plan", "--rules", "new.yaml", "--html", "new.html", "--json")
    assert done.code == 0, done.err
    compared = done.json["comparison"]
    for name in ("account", "opportunity"):
        matrix = compared[name]["tiers"]
        assert sum(n for row in matrix.values() for n in row.values()) > 0
        assert compared[name]["biggest"][0]["reason_new"]
    assert compared["account"]["moved"] + compared["opportunity"]["moved"] > 0
    assert "What new.yaml would do" in (shell.folder / "new.html").read_text()
    assert "Nothing was written" in done.json["last_line"]
    again = shell.foretag("run", "--json").json
    assert sum(again["planned"].values()) == 0


@pytest.mark.long
def test_rules_that_read_other_fields_are_tried_on_a_copy(shell):
    """They see their own field; the local copy of the present rules keeps what it held."""
    shell.foretag("setup", "--yes")
    shell.foretag("run")
    shell.write("new.yaml", "fields: {opportunity: {margin: Probability}}\n")
    done = shell.foretag("plan", "--rules", "new.yaml", "--json")
    assert done.code == 0, done.err
    reasons = " ".join(row["reason_new"] for row in done.json["comparison"]["opportunity"]["biggest"])
    assert "margin +" in reasons
    assert done.json["api_calls"] > shell.foretag("plan", "--json").json["api_calls"]
    assert sum(shell.foretag("run", "--json").json["planned"].values()) == 0


def test_a_field_that_is_mapped_anew_is_read_anew(shell):
    """No record changed, but each now says something else: the next run sees it."""
    shell.foretag("setup", "--yes")
    shell.foretag("run")
    shell.write("rules.yaml", "fields: {opportunity: {margin: Probability}}\n")
    assert "margin +" in shell.foretag("plan").out


@pytest.mark.parametrize(
    "options", [("--html", "page.html"), ("--rules", "rules.yaml", "--output", "plan.parquet")]
)
def test_options_of_plan_that_do_not_go_together_are_refused(shell, options):
    """Said before anything is read, with the option's name."""
    done = shell.foretag("plan", *options)
    assert done.code == 2
    assert options[-2] in done.err


def test_explain_tells_of_an_opportunity_too(shell):
    """An open deal has points of its own."""
    shell.foretag("setup", "--yes")
    shell.foretag("plan", "-o", "the.plan")
    deals = pq.read_table(shell.folder / "the.plan", filters=[("object", "=", "opportunity")])
    done = shell.foretag("explain", deals["id"][0].as_py(), "--json")
    assert done.code == 0, done.err
    assert done.json["object"] == "opportunity"
    assert (
        sum(part["points"] for part in done.json["points"]["priority"]) == done.json["tags"]["foretag_score"]
    )


@pytest.mark.parametrize(
    ("edits", "environment", "words"),
    [
        (
            [("foretag.yaml", "outputs: full", "output: full")],
            {},
            "unknown key 'output'; did you mean \"outputs\"?",
        ),
        ([("foretag.yaml", "crm: salesforce", "crm: [")], {}, "is not valid YAML"),
        ([("foretag.yaml", "https://localhost", "https://127.0.0.9")], {}, "cannot be reached"),
        ([], {"FORETAG_CLIENT_SECRET": "wrong"}, "invalid_client"),
        ([], {"FORETAG_CLIENT_SECRET": ""}, "environment variable FORETAG_CLIENT_SECRET is not set"),
        ([("foretag.yaml", "rules.yaml", "none.yaml")], {}, "none.yaml"),
    ],
)
def test_what_a_user_gets_wrong_is_named(shell, edits, environment, words):
    """What, where and what to do; never a traceback; the same words for machines."""
    shell.replace("foretag.yaml", "    tasks: true\n", "    tasks: true\n    rules: rules.yaml\n")
    for edit in edits:
        shell.replace(*edit)
    done = shell.foretag("check", **environment)
    machine = shell.foretag("check", "--json", **environment)
    assert words in done.err
    assert "Traceback" not in done.err
    assert done.code in (2, 69)
    assert (machine.json["exit_code"], machine.code) == (done.code, done.code)
    assert "wrong" not in done.err.replace("wrong-", "")


def test_rules_with_mistakes_are_all_named_at_once(shell):
    """Line and column of each, before anything is asked of the CRM."""
    shell.write("rules.yaml", "priority:\n  weights: {soon: -1}\nwritng: {}\n")
    done = shell.foretag("check")
    assert done.code == 2
    assert "rules.yaml:2:" in done.err
    assert "rules.yaml:3:1: unknown key 'writng'; did you mean \"writing\"?" in done.err


@BOTH_IN_TIME
def test_a_plan_is_read_changed_refused_and_done(production):
    """As a spreadsheet: its summary is shown, a changed cell refused, and applied twice it writes once."""
    shell = production
    shell.foretag("setup", "--yes")
    assert shell.foretag("plan", "-o", "friday.csv").code == 0
    text = (shell.folder / "friday.csv").read_text("utf-8-sig")
    summary = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")][:-1]
    assert "PRODUCTION" in summary[0]
    again = shell.foretag("plan", "-o", "friday.csv")
    assert (again.code, again.err) == (
        2,
        "error: friday.csv: there is such a file; name another, or remove it\n",
    )
    shell.write("changed.csv", text.replace('"D"', '"A"', 1))
    position = shell.sandbox.journal.position
    refused = shell.foretag("apply", "changed.csv", "--yes")
    assert refused.code == 2
    assert "changed.csv: was changed or cut short after it was made" in refused.err
    assert shell.sandbox.journal.writes(position) == []
    done = shell.foretag("apply", "friday.csv", "--yes", "--json")
    assert done.code == 0, done.err
    for line in summary:
        assert line in done.err
    position = shell.sandbox.journal.position
    again = shell.foretag("apply", "friday.csv", "--yes", "--json").json
    assert shell.sandbox.journal.writes(position) == []
    assert again["already"] == sum(done.json["done"].values()) > 0


def test_a_plan_of_another_kind_is_refused(shell):
    """Rules that changed since, and a file that is no plan."""
    shell.foretag("setup", "--yes")
    assert shell.foretag("plan", "-o", "p").code == 0
    shell.write("rules.yaml", "writing: {tolerance: 7}\n")
    done = shell.foretag("apply", "p")
    assert done.code == 2
    assert "rules digest" in done.err
    shell.write("p", "not a plan")
    assert "not a plan file" in shell.foretag("apply", "p").err


@BOTH
def test_a_guard_stops_before_the_first_write(shell):
    """Exit 4, and the message says how to go on."""
    shell.foretag("setup", "--yes")
    done = shell.foretag("run", "--max-changes", "3", "--json")
    assert done.code == 4
    assert "nothing was written" in done.json["message"]
    assert shell.foretag("runs", "--json").json[0]["exit_code"] == 4


@BOTH
def test_setup_prints_metadata_for_the_admins_own_deployment(shell):
    """Nothing is asked of the CRM that needs an admin."""
    nobody = dict.fromkeys(CRMS[shell.sandbox.crm].variables("ADMIN").values(), "")
    done = shell.foretag("setup", "--print", "metadata", **nobody)
    assert done.code == 0, done.err
    printed = "".join(path.read_text() for path in (shell.folder / "metadata").rglob("*.*"))
    assert "README.md" in {path.name for path in (shell.folder / "metadata").iterdir()}
    assert all(shell.people.field_name("account", field.name) in printed for field in written("account"))
