"""An admin lets it write on a production org: looks, limits, applies, looks again, and takes it back."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import BOTH, BOTH_IN_TIME

OURS = ("foretag_tier", "foretag_score", "foretag_segment", "foretag_reason", "foretag_valid_until")


def held(shell):
    """What accounts hold of ours, by id."""
    return {row["id"]: row for row in shell.people.rows("account", *OURS)}


def ready(shell):
    """Our fields are there, and people see them."""
    assert shell.foretag("setup", "--yes").code == 0
    shell.people.let_in()


@BOTH_IN_TIME
def test_plan_read_apply_look_undo_look_again(production):
    """The whole walk: what the plan said is what the CRM holds; undone, it holds what it held before."""
    shell = production
    ready(shell)
    before = held(shell)
    planned = shell.foretag("plan", "-o", "friday.xlsx", "--json")
    assert planned.code == 0, planned.err
    count = planned.json["planned"]["account"]
    applied = shell.foretag("apply", "friday.xlsx", "--yes", "--json")
    assert applied.code == 0, applied.err
    assert "PRODUCTION" in applied.err
    assert applied.json["done"] == planned.json["planned"]
    after = held(shell)
    assert sum(row != before[key] for key, row in after.items()) == count > 0
    assert any(row["foretag_tier"] == "A" and row["foretag_reason"] for row in after.values())
    undone = shell.foretag("undo", applied.json["run"], "--yes", "--json")
    assert undone.code == 0, undone.err
    assert held(shell) == before
    assert [row["id"] for row in shell.people.rows("task", "key") if row["key"]] == []
    # What was taken back stays so until somebody says otherwise.
    again = shell.foretag("run", "--json")
    assert held(shell) == before
    assert "resume" in again.err
    assert shell.foretag("resume").code == 0
    assert shell.foretag("run", "--json").code == 0
    assert held(shell) == after


@pytest.mark.long
@BOTH
def test_a_rollout_in_stages(production):
    """A sample, an owner's book, then all; only the last ends the preview; a pause stops what is scheduled."""
    shell = production
    ready(shell)
    assert shell.foretag("run", "--json").json["done"] == {}
    sample = shell.foretag("plan", "--sample", "5", "-o", "sample.plan", "--json")
    assert sample.code == 0, sample.err
    applied = shell.foretag("apply", "sample.plan", "--yes", "--json")
    assert applied.code == 0, applied.err
    written = sum(row["foretag_tier"] is not None for row in held(shell).values())
    assert 0 < written <= 5
    assert "preview" in shell.foretag("run").err
    assert sum(row["foretag_tier"] is not None for row in held(shell).values()) == written
    assert shell.foretag("plan", "-o", "all.plan", "--json").code == 0
    assert shell.foretag("pause", "quarter end").code == 0
    paused = shell.foretag("apply", "all.plan", "--yes")
    assert (paused.code, "quarter end" in paused.err) == (75, True)
    assert shell.foretag("resume").code == 0
    assert shell.foretag("apply", "all.plan", "--yes").code == 0
    quiet = shell.foretag("run", "--json")
    assert (quiet.code, quiet.json["mode"], sum(quiet.json["done"].values())) == (0, "live", 0)
