"""A waterfall begins each bar where the one before it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scoring.moves import Outlook
from sync.explaining.rule_lines import RuleLines
from sync.explaining.waterfall import bar, to_go

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("start", "end", "drawn"),
    [
        (0, 10, "█████"),
        (10, 14, "     ██"),
        (14, 10, "     ░░"),
        (20, 20, " " * 10),
        (99, 100, " " * 50 + "█"),
        (0, -10, "░"),
    ],
)
def test_a_bar_goes_from_sum_to_sum(start, end, drawn):
    """Full where points are added, hollow where they are taken away; even one point is seen."""
    assert bar(start, end) == drawn


def test_a_rule_is_told_by_its_line_or_as_a_default(tmp_path: Path):
    """Exactly the key counts: a section that says something else does not make its other rules the user's."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("priority:\n  pushes: {0: 100, 1: 50}\n")
    lines = RuleLines.read(rules)
    assert lines.of(("priority", "pushes")) == "rules.yaml:2"
    assert lines.of(("priority", "idle")) == "default"
    assert lines.of(()) == ""


def test_a_rule_is_told_where_it_really_stands(tmp_path: Path):
    """A rule that another file gives stands there; what a team says goes before what the company says."""
    (tmp_path / "company.yaml").write_text("priority:\n  idle: {1: 100}\n  pushes: {0: 100}\n")
    rules = tmp_path / "rules.yaml"
    rules.write_text("extends: company.yaml\nteams:\n  North West:\n    priority:\n      pushes: {0: 90}\n")
    lines = RuleLines.read(rules)
    assert lines.of(("priority", "idle"), (("teams", "North West"),)) == "company.yaml:2"
    assert lines.of(("priority", "pushes"), (("pipelines", None), ("teams", "north  west"))) == "rules.yaml:5"
    assert lines.of(("priority", "pushes"), (("teams", "South"),)) == "company.yaml:3"


@pytest.mark.parametrize(
    ("tier", "said"),
    [("C", "4 more for tier B"), ("A", "In tier A for now; by its score it is 4 short of B")],
)
def test_what_is_missing_is_told_beside_the_tier_that_is_held(tier, said):
    """A record that keeps its A for some days is not told to strive for B."""
    assert to_go(Outlook("B", 4, ()), tier) == f"{said}; what would move it"
