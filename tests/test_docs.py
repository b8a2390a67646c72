"""The pages are true: tests, commands, options and alerts that they name exist; scopes are those that are asked for."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml

from connectors.hubspot.scopes import OPTIONAL, READ, SCHEMAS, SETUP, WRITE
from sync.cli import app

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "guarantees.md").read_text(encoding="utf-8")
HUBSPOT = (DOCS / "hubspot.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", PAGE + HUBSPOT)
PAGES = {
    path.name: path.read_text(encoding="utf-8") for path in (*DOCS.glob("*.md"), DOCS.parent / "README.md")
}
COMMANDS = typer.main.get_command(app).commands
# A command as a page shows it: in a line of text, after a prompt, or indented.
TYPED = re.compile(r"(?:`|\$ |^    )(?:\S*/)?foretag ([a-z][^`\n]*)", re.MULTILINE)


@pytest.mark.parametrize(("name", "path"), dict.fromkeys(LINKS))
def test_every_test_that_a_page_names_exists(name, path):
    """A test that is renamed or removed takes its line with it."""
    source = (DOCS / path).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", source, re.MULTILINE)


@pytest.mark.parametrize("number", range(1, 8))
def test_each_guarantee_lists_the_tests_named_after_it(number):
    """I1 to I7: at least one, and all that carry its number."""
    written = {
        name
        for path in (DOCS.parent / "tests" / "invariants").glob("test_*.py")
        for name in re.findall(
            rf"^def (test_i{number}_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    section = PAGE.partition(f"## I{number}: ")[2].partition("\n## ")[0]
    linked = set(re.findall(r"\[`(test_\w+)`\]", section))
    assert written
    assert written <= linked


@pytest.mark.parametrize("number", range(1, 16))
def test_each_fault_has_its_line(number):
    """All fifteen: at least one test each, and all that carry its number stand in its line."""
    written = {
        name
        for path in (DOCS.parent / "tests" / "faults").glob("test_*.py")
        for name in re.findall(
            rf"^def (test_fault_{number:02}_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {number} | ")]
    assert written
    assert written == set(re.findall(r"\[`(test_\w+)`\]", line))


def test_the_scopes_on_hubspots_page_are_those_that_the_product_asks_for():
    """An admin who copies them gives enough, and nothing more."""
    page = (DOCS / "hubspot.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`((?:crm|settings)\.[a-z_.]+|tickets)`", page))
    asked = {one[0] for right in (READ, WRITE, SETUP) for one in right.values()}
    assert told == asked | {*SCHEMAS, *OPTIONAL}


@pytest.mark.parametrize(
    ("heading", "file", "rows"),
    [
        ("What others complain about", "test_pains.py", 16),
        ("When something is wrong", "test_bad_input.py", 10),
    ],
)
def test_hubspots_page_lists_the_tests_of_its_two_tables(heading, file, rows):
    """Each complaint and each bad input stands there with its tests, and no test was left out."""
    section = HUBSPOT.partition(f"## {heading}")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(lines) == rows
    assert all("[`test_" in line for line in lines)
    source = (DOCS.parent / "tests" / "connectors" / "hubspot" / file).read_text(encoding="utf-8")
    written = re.findall(r"^def (test_\w+)\(", source, re.MULTILINE)
    assert set(written) <= set(re.findall(r"\[`(test_\w+)`\]", HUBSPOT))


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_tells_people_to_type_can_be_typed(page):
    """Each command is there, and takes the options and the values that the page gives it."""
    for line in sorted(set(TYPED.findall(PAGES[page]))):
        typed = re.split(r"\s[#>|]|  ", line)[0].replace(" N", " 1")
        name, *arguments = shlex.split(typed)
        assert name in COMMANDS, line
        if arguments:
            COMMANDS[name].make_context(name, arguments)


@pytest.mark.parametrize("page", PAGES)
def test_an_option_that_a_page_names_exists(page):
    """Also where it stands alone: some command takes it."""
    ours = {option for command in COMMANDS.values() for one in command.params for option in one.opts}
    named = set(re.findall(r"(?<=`)--[a-z-]+", PAGES[page]))
    assert named - ours - {"--help", "--log-level"} == set()


def test_the_runbook_knows_every_alert():
    """Whoever is called at night finds the alert's name on the page, and no name that never rings."""
    rules = yaml.safe_load(
        (DOCS.parent / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8")
    )
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert set(re.findall(r"`(Foretag[A-Z]\w+)`", PAGES["operations.md"])) == alerts
