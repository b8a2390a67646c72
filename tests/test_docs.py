"""The page of guarantees names real tests, and leaves out none of those that are named after a guarantee."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "guarantees.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", PAGE)


@pytest.mark.parametrize(("name", "path"), LINKS)
def test_every_test_that_the_guarantees_name_exists(name, path):
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
