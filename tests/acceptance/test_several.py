"""Several connections in one settings file: what already names its connection need not be told of it again."""

from __future__ import annotations

OTHER = "connections:\n  other: {crm: hubspot, auth: {token: {env: FORETAG_NOT_THERE}}}\n"


def test_a_run_or_a_plan_file_says_which_connection_is_meant(shell):
    """Undo, retry, resume and apply go by it; the list of runs tells whose they are, a run too."""
    assert shell.foretag("setup", "--yes").code == 0
    shell.people.let_in()
    shell.replace("foretag.yaml", "connections:\n", OTHER)
    assert "several connections" in shell.foretag("run").err
    assert shell.foretag("plan", "-c", "main", "-o", "all.plan").code == 0
    applied = shell.foretag("apply", "all.plan", "--yes", "--json")
    assert applied.code == 0, applied.err
    run = applied.json["run"]
    assert "nothing to retry" in shell.foretag("retry", run, "--yes").err
    assert shell.foretag("undo", run, "--dry-run").code == 0
    assert "is no backfill" in shell.foretag("backfill", "--resume", run, "--yes").err
    listed = shell.foretag("runs").out
    assert [line.split()[:3] for line in listed.splitlines() if line.startswith(run)] == [
        [run, "main", "apply"]
    ]
    assert f"{run}, apply on main: done" in shell.foretag("runs", run).err


def test_a_run_that_was_stopped_names_what_to_fix(shell):
    """Whoever looks into the history at night finds there what it was, without asking the CRM anew."""
    assert shell.foretag("setup", "--yes").code == 0
    shell.people.hide("account", "name")
    shell.people.hide("opportunity", "amount")
    stopped = shell.foretag("run", "--json")
    assert stopped.code == 2
    first, *others = (problem["where"] for problem in stopped.json["problems"])
    (run,) = (row["id"] for row in shell.foretag("runs", "--json").json)
    said = shell.foretag("runs", run).err
    assert f"Stopped, to fix first: {first}: " in said
    assert f"; {len(others)} more, see `foretag check`. Nothing was written." in said
