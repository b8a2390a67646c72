"""Tests that lack their tool are named at the end, and fail the run where everything must be installed."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
HOOKS = "from tests.conftest import pytest_sessionfinish, pytest_terminal_summary"
LACKING = """
import pytest

def test_with_node():
    pytest.skip("needs Node: not here")

def test_for_other_reasons():
    pytest.skip("only on Sundays")

def test_without_tools():
    pass
"""


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_missing_tool_is_summed_up_and_fails_only_where_all_must_be_there(
    pytester, monkeypatch, ci, status
):
    """Elsewhere the run passes, and says what it did not try; other skips count as before."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CI", ci)
    pytester.makeconftest(HOOKS)
    pytester.makepyfile(test_some=LACKING)
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert run.ret == status
    run.stdout.fnmatch_lines(["*1 not run for lack of a tool*", "*test_with_node: needs Node: not here"])
    run.assert_outcomes(passed=1, skipped=2)
