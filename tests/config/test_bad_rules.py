"""Bad rules files: each mistake is told with its place in the text, its rule, what is wrong and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.files.layers import load_layers
from config.problems import ConfigProblem
from config.rules import check_rules

# Blocks of what somebody writes, each with all that is told of it behind `-->`, as `line:column: …`.
BLOCKS = Path(__file__).with_name("bad_rules.txt").read_text(encoding="utf-8").split("\n\n")


def told(path):
    """What is wrong with a rules file, without its name; warnings with the word in front."""
    try:
        found = check_rules(load_layers(path))
    except ConfigProblem as error:
        found = error.problems
    return [
        ("warning " if problem.severity == "warning" else "")
        + str(problem).removeprefix(f"{path}:").replace(str(path.parent), "FOLDER")
        for problem in found
    ]


@pytest.mark.parametrize("block", BLOCKS)
def test_each_mistake_is_told_with_its_place_and_a_way_out(tmp_path, block):
    """The very words, and the column of the offending name where it stands in a condition."""
    text, *expected = block.rstrip("\n").split("\n--> ")
    path = tmp_path / "rules.yaml"
    path.write_text(text + "\n", encoding="utf-8")
    assert told(path) == expected


def test_the_mistakes_of_all_sections_come_at_once_errors_first(tmp_path):
    """A section that does not fit its model hides nothing of the others, nor of its own rules."""
    path = tmp_path / "rules.yaml"
    path.write_text(
        "growth: {base: much}\n"
        "priority: {margin: {0: 100, 20: 40}, chance_share: 0.3}\n"
        "tasks:\n  - {name: a, on: account, subject: '{x}', when: score > 100}\n"
        "  - {name: b, on: account, subject: S, when: lrge}\n"
    )
    assert [line.partition(": ")[0] for line in told(path)] == [
        "1:10",
        "2:38",
        "4:38",
        "4:50",
        "5:46",
        "warning 2:12",
    ]


def test_what_is_wrong_in_a_file_that_is_extended_is_told_by_that_file(tmp_path):
    """Line and column are those of the file that says it."""
    (tmp_path / "company.yaml").write_text(
        "# ours\ntiers: {A: 0.2}\nplaybook: [{on: account, when: lrge, say: a}]\n"
    )
    path = tmp_path / "rules.yaml"
    path.write_text("extends: company.yaml\ntiers: {B: 0.3}\n")
    assert told(path) == [
        "FOLDER/company.yaml:2:9: tiers.A: 0.2 means 0.2 %; write 20 for 20 %",
        'FOLDER/company.yaml:3:32: rule "playbook 1": when: unknown name "lrge"; did you mean "large"?',
        "2:9: tiers.B: 0.3 means 0.3 %; write 30 for 30 %",
    ]


def test_no_default_is_remarked_on(tmp_path):
    """Neither the shipped file nor an empty one has a problem, not even a warning."""
    path = tmp_path / "rules.yaml"
    path.write_text("")
    assert told(path) == []
    assert told(Path(__file__).parents[2] / "config" / "rules.yaml") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("15 %", "15"), ("30 days", "30"), ("2 weeks", "14"), ("3 months", "90"), ("1 year", "365"),
        ("$1,000.50", "1000.5"), ("1'000", "1000"), ("4,5", "4.5"), ("10k", "10000"), ("2 million", "2000000"),
        ("EUR 500", "500"), ("500 USD", "500"),
    ],
)  # fmt: skip
def test_numbers_with_units_and_separators_are_read_for_the_hint(text, number):
    """The hint gives the bare number, in the unit of the rules."""
    from config.language.units import written_as

    assert written_as(text).removeprefix("write ").split(":")[0].split(",")[0] == number


@pytest.mark.parametrize("text", ["auto", "soon", "", "5 apples", "1 2"])
def test_what_is_no_number_gets_no_such_hint(text):
    """Better none than a wrong one."""
    from config.language.units import written_as

    assert written_as(text) == ""
