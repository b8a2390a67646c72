"""The guide for people who write rules works as it stands: every example is loaded, tested, or refused as it says."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main

from config.files.layers import load_layers
from config.rules import check_rules
from sync.cli import app
from sync.rule_tests import test_rules as run_rule_tests
from sync.talk import Talk

GUIDE = Path(__file__).parents[1] / "docs" / "rules.md"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"```(yaml|csv|text)(?: (\S+\.csv))?\n(?:# (\S+\.yaml)\n)?(.*?)```", re.DOTALL)
_COMMAND = re.compile(r"`foretag ([a-z][^`]*)`")


@dataclass(frozen=True)
class Shown:
    """A block of the guide: a file of this name, or what is said of the file before it."""

    kind: str
    name: str
    text: str


def _sections() -> dict[str, list[Shown]]:
    parts = _SECTION.split(GUIDE.read_text(encoding="utf-8"))[1:]
    return {
        title: [
            Shown(kind, csv or name, said)
            for kind, csv, name, said in (found.groups("") for found in _BLOCK.finditer(text))
        ]
        for title, text in zip(parts[::2], parts[1::2], strict=True)
        if "```" in text
    }


SECTIONS = _sections()


def test_the_guide_goes_from_the_empty_file_to_points_cards():
    """A guide without examples would prove nothing."""
    assert len(SECTIONS) >= 12
    assert all(any(shown.kind == "yaml" for shown in blocks) for blocks in SECTIONS.values())


@pytest.mark.parametrize("title", SECTIONS)
def test_an_example_does_what_the_guide_says(title, tmp_path, monkeypatch, capsys):
    """Rules load without a problem, their tests pass, and what is broken is refused in the words of the guide."""
    monkeypatch.chdir(tmp_path)
    before = Path()
    for shown in SECTIONS[title]:
        if shown.kind == "text":
            said = "".join(f"{problem}\n" for problem in check_rules(load_layers(before)))
            assert said == shown.text
            continue
        if shown.kind == "csv":
            Path(shown.name).write_text(shown.text, encoding="utf-8")
            continue
        before = Path(shown.name)
        before.write_text(f"# {shown.name}\n{shown.text}", encoding="utf-8")
        if shown.name == "rules.yaml":
            assert check_rules(load_layers(before)) == []
        if shown.name.endswith(".test.yaml"):
            code = run_rule_tests(Talk(machine=False), [before])
            assert code == 0, capsys.readouterr().err


@pytest.mark.parametrize("line", sorted(set(_COMMAND.findall(GUIDE.read_text(encoding="utf-8")))))
def test_a_command_of_the_guide_can_be_typed(line):
    """The command is there, and takes what the guide gives it."""
    name, *arguments = shlex.split(line)
    command = typer.main.get_command(app).commands[name]
    if arguments:
        command.make_context(name, arguments)
