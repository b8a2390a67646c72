"""Tests of rules: what people may write down, what is told of mistakes, and of differences."""

from __future__ import annotations

from importlib.resources import as_file, files

import pytest

from config.examples.rule_tests import RuleTests, within
from config.files.documents import load_document, validate
from config.problems import ConfigProblem
from config.rules import Rules
from sync.rule_tests import run_tests

HEAD = "today: 2026-11-22\ntests:\n"
NO_DAY = 'must be a day; write 2026-11-22, today, "in 30 days" or "30 days ago"'
ONE = "  - {name: a, accounts: {Acme: {deals: {Deal: {close_date: in 9 days}}}}, "


def opened(path):
    """A file of tests as document and model."""
    document = load_document(path)
    return document, validate(document, RuleTests)


def told(tmp_path, text, rules=None):
    """What is said of a file of tests: its mistakes, else the differences that a run finds."""
    path = tmp_path / "rules.test.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        results = run_tests(*opened(path), rules or Rules())
    except ConfigProblem as error:
        problems = error.problems
    else:
        problems = [problem for result in results for problem in result.problems]
    return [str(problem).removeprefix(f"{path}:") for problem in problems]


@pytest.mark.parametrize("name", ["rules.test.yaml", "starter/rules.test.yaml"])
def test_the_default_rules_pass_the_tests_that_ship_with_them(name):
    """Every idea of the default rules has a test of its own there."""
    with as_file(files("config").joinpath(name)) as path:
        results = run_tests(*opened(path), Rules())
    assert [str(problem) for result in results for problem in result.problems] == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "test"),
    [
        ({"priority": {"weights": {"soon": 10.0, "profitable": 80.0, "much": 10.0}}}, "soon goes before"),
        ({"priority": {"weights": {"soon": 40.0, "profitable": 5.0, "much": 55.0}}}, "soon goes before"),
        ({"priority": {"chance_share": 0.0}}, "a likelier deal"),
        ({"priority": {"pushes": {0: 100.0}, "overdue": {0: 100.0}}}, "a date that was pushed"),
        ({"needs": {"need_by": {0: 0.0}}}, "a need and a pain"),
        ({"needs": {"urgent": []}}, "an urgent request"),
        ({"segments": {"expected_spend": 0.0, "growth": 0.0}}, "much now and room"),
        ({"tiers": {"dwell_days": 0}}, "a tier falls only"),
        ({"exclude": []}, "partners, competitors"),
        ({"alerts": {"owner_share": 100.0, "company_share": 100.0}}, "an account that much"),
        ({"playbook": []}, "a large customer"),
        ({"tasks": []}, "a deal that is about to close"),
    ],
)
def test_the_shipped_tests_notice_what_a_change_takes_away(change, test):
    """Rules that no longer say one of the ideas fail the test of that idea."""
    with as_file(files("config").joinpath("rules.test.yaml")) as path:
        document, file = opened(path)
    (named,) = [one for one in file.tests if one.name.startswith(test)]
    (result,) = run_tests(document, file.model_copy(update={"tests": (named,)}), Rules.model_validate(change))
    assert result.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tests: []\n",
         [" 'today' is missing; the day of all tests, such as 2026-11-22", "1:1: tests: must have at least 1 item"]),
        ("today: soon\ntests:\n" + ONE + "order: [Deal]}\n",
         ['1:1: today: must be a day; write 2026-11-22, today, "in 30 days" or "30 days ago"']),
        ("today: 3 days ago\ntests:\n" + ONE + "order: [Deal]}\n", ["1:1: must be a date, such as 2026-11-22"]),
        (HEAD + ONE + "expect: {Acmee: {tier: A}}}\n",
         ['3:84: rule "a": no account or deal is called "Acmee"; did you mean "Acme"?']),
        (HEAD + ONE + "expect: {Acme: {teir: A}}}\n",
         ["3:91: rule \"a\": expect.Acme: unknown key 'teir'; did you mean \"tier\"?"]),
        (HEAD + ONE + "expect: {Deal: {segment: Reduce}}}\n", ['3:91: rule "a": a deal has no segment, accounts have']),
        (HEAD + ONE + "expect: {Acme: {score: about 50}}}\n",
         ['3:91: rule "a": expect.Acme.score: must be a score; write 80, ">= 60" or "40 to 60"']),
        (HEAD + ONE + "crowd: stedy, order: [Deal]}\n", ['3:75: rule "a": crowd: no crowd is called "stedy"']),
        (HEAD + "  - {name: a, accounts: {Acme: {}}}\n",
         ['3:5: rule "a": expects nothing; say what should come out under `expect:` or `order:`']),
        (HEAD + "  - {name: a, accounts: {Acme: {deals: {Acme: {}}}}, order: [Acme]}\n",
         ['3:41: rule "a": two records are called "Acme"; give each its own name']),
        (HEAD + "  - {name: a, accounts: {Acme: {parent: Amce}}, order: [Acme]}\n",
         ['3:33: rule "a": no account is called "Amce"; did you mean "Acme"?']),
        (HEAD + "  - {name: a, accounts: {Acme: {purchases: [{amount: 5 k, close_date: ago}]}}, order: [Acme]}\n",
         ['3:46: rule "a": accounts.Acme.purchases.0.amount: must be a number; write 5000',
          '3:59: rule "a": accounts.Acme.purchases.0.close_date: ' + NO_DAY]),
        (HEAD + 2 * (ONE + "order: [Deal]}\n"), ['4:6: rule "a": name: two tests are called "a"']),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_of_tests_is_told_with_its_place(tmp_path, text, expected):
    """As strictly as the rules themselves."""
    assert told(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("said", "crowd", "problem"),
    [
        ("in 9999 years", 5, "close_date: must be within a hundred years, from 1900 to 2199"),
        ("1899-12-31", 5, "close_date: must be within a hundred years, from 1900 to 2199"),
        ("in 9 days, amount: 1.0e+30", 5, "amount: must be less than or equal to 100000000000000"),
        ("in 9 days", 2_000_000_000, "crowd: must be less than or equal to 10000"),
    ],
)
def test_what_no_book_could_hold_is_a_mistake(tmp_path, said, crowd, problem):
    """Absurd days, amounts and crowds are told, instead of breaking calendars or filling the memory."""
    text = HEAD + ONE.replace("in 9 days", said) + f"crowd: {crowd}, order: [Deal]}}\n"
    (found,) = told(tmp_path, text)
    assert problem in found


def test_purchases_without_end_begin_with_the_calendar(tmp_path):
    """Of a thousand purchases ten years apart, those that scoring can know of are made."""
    many = "purchases: [{close_date: today, amount: 5, times: 1000, every: 3650}]"
    assert told(tmp_path, HEAD + f"  - {{name: a, accounts: {{Acme: {{{many}}}}}, order: [Acme]}}\n") == []


def test_every_difference_is_told_by_its_line(tmp_path):
    """What came out, what was expected, and once per record the reason that the score gives."""
    text = HEAD + (
        "  - name: a deal of some kind\n"
        "    accounts:\n"
        "      Acme: {deals: {Deal: {close_date: in 5 days, amount: 100, margin: 62, probability: 90}, No: {}}}\n"
        "    expect:\n"
        "      Deal:\n"
        "        tier: D\n"
        '        score: "<= 10"\n'
        "        reason: [closes 27 Nov, for nothing]\n"
        "        reason_without: closes\n"
        "        next_step: Dance\n"
        "        tasks: [dance]\n"
        "      No: {tier: none}\n"
        "    order: [No, Deal]\n"
    )
    found = told(tmp_path, text)
    assert [line.split(":")[0] for line in found] == ["8", "9", "12", "10", "11", "13", "15"]
    assert found[0].startswith('8:9: rule "a deal of some kind": Deal: tier is A, not D (its reason: A ')
    assert found[1].endswith(", not <= 10")
    assert found[2].endswith('ask what stands in the way.", which has no "Dance"')
    assert found[3].endswith('which has no "for nothing"')
    assert found[5].endswith("Deal: tasks are close-soon, not dance")
    assert "Deal has " in found[6]
    assert found[6].endswith(", not less than No with none")


def test_a_crowd_is_no_choir(tmp_path):
    """Its accounts differ a little, so that ranks spread; a named crowd has what it says."""
    from sync.example_book import example_book

    path = tmp_path / "rules.test.yaml"
    path.write_text(
        "today: 2026-11-22\ncrowds: {small: {accounts: 5, owner: Ann, industry: Energy, calls: [today],"
        " purchases: [{close_date: 9 days ago, amount: 100, times: 2}]}}\n"
        "owners: {Ann: {active: false, team: North}}\n"
        "tests: [{name: a, crowd: [small], accounts: {Acme: {}}, order: [Acme]}]\n"
    )
    _, file = opened(path)
    tables = example_book(file, file.tests[0]).tables()
    assert tables["account"].num_rows == 6
    assert len(set(tables["opportunity"]["amount"].to_pylist())) == 5
    assert tables["call"].num_rows == 5
    owners = {row["id"]: (row["active"], row["team"]) for row in tables["owner"].to_pylist()}
    assert owners == {"Ann": (False, "North"), "rep": (True, None)}


@pytest.mark.parametrize(
    ("score", "wanted", "held"),
    [(80, 80, True), (80, 81, False), (60, ">= 60", True), (59, ">=60", False), (60, "< 60", False),
     (60, "<= 60", True), (61, "> 60", True), (50, "40 to 60", True), (61, "40 to 60", False),
     (None, "> 0", False), (None, 5, False)],
)  # fmt: skip
def test_a_score_is_a_number_or_a_range(score, wanted, held):
    """Bounds are what they say."""
    assert within(score, wanted) is held
