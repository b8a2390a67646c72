"""`foretag check` and `foretag test` as their users, people and editors, meet them."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.conftest import BOTH_IN_TIME

RULES = """\
boosts:
  - {name: typo, on: opportunity, when: stage == "Engagin", points: 5, because: x}
  - {name: dead, on: account, when: purchases > 100000, points: 5, because: x}
tasks:
  - {name: margin, on: opportunity, when: margin > 30, subject: S}
playbook:
  - {on: opportunity, when: amount > 0 or amount <= 0, say: a}
  - {on: opportunity, say: b}
"""


@BOTH_IN_TIME
def test_the_check_knows_the_crm_and_the_local_copy(shell):
    """Words that nobody can choose; with a local copy rules for nobody or for all, and empty inputs: all warnings."""
    assert shell.foretag("setup", "--yes").code == 0
    shell.write("rules.yaml", RULES)
    before = shell.foretag("check", "--json")
    assert before.code == 0
    assert {one["there"] for one in before.json["secrets"]} == {True}
    (found,) = before.json["problems"]
    place = {key: found[key] for key in ("line", "column", "end_column", "severity", "rule", "fix")}
    assert place == {
        "line": 2,
        "column": 50,
        "end_column": 59,
        "severity": "warning",
        "rule": "typo",
        "fix": 'did you mean "Engaging"?',
    }
    assert found["message"] == 'when: stage is never "Engagin" in the CRM'
    assert shell.foretag("plan").code == 0
    deals = "deals" if shell.sandbox.crm == "hubspot" else "opportunities"
    accounts = "companies" if shell.sandbox.crm == "hubspot" else "accounts"
    after = shell.foretag("check", "--json").json["problems"]
    told = {(one["line"], one["message"].removeprefix("when: ")) for one in after}
    number = next(text.split()[4] for _, text in told if text.startswith("holds for all"))
    assert told >= {
        (2, f"holds for none of {number} {deals}"),
        (7, f"holds for all of {number} {deals}"),
        (5, f"margin is empty in {number} of {number} {deals}"),
    }
    assert any(
        line == 3 and text.startswith("holds for none of ") and accounts in text for line, text in told
    )
    assert {one["severity"] for one in after} == {"warning"}
    field = "hs_deal_stage_probability" if shell.sandbox.crm == "hubspot" else "Probability"
    shell.write("capacities.csv", "owner,accounts\nNobody Known,9\n")
    shell.write(
        "rules.yaml", f"fields: {{opportunity: {{margin: {field}}}}}\nfiles: {{capacities: capacities.csv}}\n"
    )
    # What was just mapped is not called empty before it was read.
    told = [one["message"] for one in shell.foretag("check", "--json").json["problems"]]
    assert told == [
        'no owner is called "Nobody Known": the row is left out',
        "fields: the local copy has not read opportunity.margin yet: nothing is told of what reads it",
    ]


def test_files_are_checked_alone_for_editors(shell):
    """No CRM, no settings: one JSON object with every problem; exit 2 for errors alone."""
    shell.write("rules.yaml", "tiers: {A: 0.2}\npriority: {margin: {0: 100, 20: 40}}\n")
    shell.write(
        "rules.test.yaml",
        "today: 2026-11-22\ntests: [{name: a, accounts: {Acme: {}}, expect: {Acmee: {tier: A}}}]\n",
    )
    done = shell.foretag("check", "rules.yaml", "rules.test.yaml", "--json")
    assert (done.code, done.json["exit_code"]) == (2, 2)
    assert [(one["file"], one["line"], one["column"], one["severity"]) for one in done.json["problems"]] == [
        ("rules.yaml", 1, 9, "error"),
        ("rules.yaml", 2, 12, "warning"),
        ("rules.test.yaml", 2, 50, "error"),
    ]
    shell.write("rules.yaml", "priority: {margin: {0: 100, 20: 40}}\n")
    done = shell.foretag("check", "rules.yaml")
    assert done.code == 0
    assert "warning: rules.yaml:1:12: priority.margin: reads backwards" in done.err


def test_problems_of_the_settings_and_of_the_rules_come_at_once(shell):
    """A mistake in one file hides none in the other."""
    shell.replace("foretag.yaml", "outputs: full", "outputs: everything")
    shell.write("rules.yaml", "tiers: {A: 0.2}\n")
    done = shell.foretag("check")
    assert done.code == 2
    assert "foretag.yaml:" in done.err
    assert "rules.yaml:1:9" in done.err


def test_of_several_connections_each_is_checked(shell):
    """One that lacks its secret hides nothing of another; each secret and each problem of the files is told once."""
    other = "  other:\n    crm: hubspot\n    auth: {token: {env: FORETAG_NOT_THERE}}\n"
    shell.write("foretag.yaml", (shell.folder / "foretag.yaml").read_text("utf-8") + other)
    assert shell.foretag("setup", "--yes", "--connection", "main").code == 0
    done = shell.foretag("check")
    machine = shell.foretag("check", "--json")
    assert (done.code, machine.code) == (2, 2)
    assert "other could not be checked to the end" in done.err
    assert "connection main" in done.err
    each = machine.json["connections"]
    assert (each["main"]["exit_code"], each["other"]["exit_code"]) == (0, 2)
    (missing,) = machine.json["problems"]
    assert "FORETAG_NOT_THERE is not set" in missing["message"]
    assert shell.foretag("check", "--connection", "main").code == 0


@pytest.mark.long
def test_two_connections_to_one_org_are_told(shell):
    """Each would write over the other's values at each of its runs."""
    lines = (shell.folder / "foretag.yaml").read_text("utf-8").splitlines(keepends=True)
    first = lines.index("  main:\n")
    shell.write("foretag.yaml", "".join([*lines, "  twin:\n", *lines[first + 1 :]]))
    assert shell.foretag("setup", "--yes", "--connection", "main").code == 0
    done = shell.foretag("check")
    assert done.code == 0
    assert "main, twin: are the same org" in done.err


def test_rules_are_tested_on_records_that_people_write_down(shell, tmp_path):
    """The starter's tests pass; a change of the rules fails them by file and line, exit 4; a bad file exits 2."""
    folder = tmp_path / "new"
    assert shell.foretag("init", str(folder)).code == 0
    tests = str(folder / "rules.test.yaml")
    passed = shell.foretag("test", tests, "--json")
    assert (passed.code, passed.json["failed"]) == (0, 0)
    (folder / "rules.yaml").write_text("tasks: []\n", encoding="utf-8")
    failed = shell.foretag("test", tests, "--json")
    assert (failed.code, failed.json["exit_code"]) == (4, 4)
    (problem,) = [problem for test in failed.json["files"][0]["tests"] for problem in test["problems"]]
    assert problem["message"] == "Renewal: tasks are none, not close-soon"
    assert (folder / "rules.test.yaml").read_text(encoding="utf-8").splitlines()[problem["line"] - 1][
        problem["column"] - 1 : problem["end_column"] - 1
    ] == "tasks"
    (folder / "rules.test.yaml").write_text("tests: []\n", encoding="utf-8")
    assert shell.foretag("test", tests).code == 2


def test_schemas_are_written_beside_the_files(shell, tmp_path):
    """By `foretag schema`, again after an upgrade."""
    (tmp_path / "rules.schema.json").write_text("{}")
    assert shell.foretag("schema", str(tmp_path)).code == 0
    assert json.loads((tmp_path / "rules.schema.json").read_text(encoding="utf-8"))["title"] == "rules.yaml"
