"""The table of exits, row by row: whatever ends a run has one code, one state, and words that are true."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO

import pytest
from typer.testing import CliRunner

from config.crms import CRMS
from config.problems import ConfigProblem, Problem
from connectors.contract import AuthProblem, RetryLater, Truncated
from connectors.transport import LostReply
from sync import exits
from sync.cli import app
from sync.commands.ending import confirm, explain_error
from sync.exit_codes import PARKED, STATES
from sync.exits import Guarded, exit_code
from sync.ledger.away import HistoryAway
from sync.report import Report, last_line
from sync.stopping import LeaseLost, Parked
from sync.store.away import StoreAway
from sync.talk import Talk

SALESFORCE, HUBSPOT = CRMS["salesforce"], CRMS["hubspot"]
ENDINGS = [
    (None, 0),
    (ConfigProblem("a setting"), 2),
    (AuthProblem(Problem("a credential")), 2),
    (Guarded("a limit"), 4),
    (RetryLater("away"), 69),
    (LostReply("no reply"), 69),
    (Truncated("cut short"), 69),
    (HistoryAway("its database is away"), 69),
    (StoreAway("its store is away"), 69),
    (RetryLater("used up", quota=True), 75),
    (LeaseLost("another run"), 75),
    (Parked("told to stop"), 75),
    (KeyboardInterrupt(), 130),
    (ValueError("ours"), 1),
    (SystemExit(3), 1),
    (MemoryError(), 1),
]
CODES = {
    0: "done",
    1: "bug",
    2: "fix",
    3: "refusals",
    4: "guard",
    69: "unavailable",
    75: "parked",
    130: "Ctrl-C",
}


@pytest.mark.parametrize(("error", "code"), ENDINGS, ids=lambda value: type(value).__name__)
def test_each_ending_has_its_code(error, code):
    """An error of the contract tells by its kind what a scheduler should do."""
    assert exit_code(error) == code


@pytest.mark.parametrize(("error", "code"), ENDINGS, ids=lambda value: type(value).__name__)
def test_an_error_counts_more_than_what_was_not_done(error, code):
    """3 is for runs that came to their end; a run that did not says why."""
    assert exit_code(error, incomplete=True) == (code or 3)


def test_every_code_has_a_state_in_the_history_and_a_word_in_the_help():
    """None can be added without being told to users."""
    named = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert named == set(STATES) == set(CODES)
    for code, word in CODES.items():
        assert f"{code} " in app.info.epilog
        assert word in app.info.epilog


@pytest.mark.parametrize(("error", "code"), ENDINGS[1:], ids=lambda value: type(value).__name__)
def test_the_last_line_of_an_error_is_one_line_that_tells_what_was_written(error, code):
    """Nothing before the first write, counts after it; never an empty line."""
    line = last_line(Report(), error, SALESFORCE)
    assert line.strip()
    assert "\n" not in line
    after = last_line(Report(done={"account": 3}), error, SALESFORCE)
    assert "3 accounts" in after
    assert (code == 2) is ("to fix first" in line)


@pytest.mark.parametrize("mode", ["live", "preview"])
def test_the_last_line_counts_everything_that_was_not_done(mode):
    """By kind, with the command that lists it."""
    report = Report(
        run="R",
        mode=mode,
        refused={"account": 2},
        unknown={"task": 3},
        unprocessed=2,
        stale=4,
        set_aside=1_005,
    )
    line = last_line(report, None, SALESFORCE)
    for part in ("2 refused", "1 sent, not confirmed", "2 not processed", "4 stale", "1,005 unreadable"):
        assert f"{part}: see `foretag runs R`." in line
    assert report.incomplete
    assert "see" not in last_line(Report(mode=mode), None, SALESFORCE)


def test_the_last_line_speaks_in_the_crms_own_words():
    """Whoever works in HubSpot has companies and deals."""
    report = Report(done={"account": 85, "opportunity": 2_089}, api_calls=30)
    assert last_line(report, None, HUBSPOT) == "Wrote 85 companies, 2,089 deals, 0 tasks in 30 API calls."
    assert last_line(report, None, SALESFORCE).startswith("Wrote 85 accounts, 2,089 opportunities, 0 tasks")


def test_the_last_line_of_a_bug_shows_its_place_and_no_content():
    """The words of a library's error may hold a record's values; the history keeps none of them."""
    try:
        int("Ms Contact, ceo@example.com")
    except ValueError as error:
        line = last_line(Report(), error, SALESFORCE)
    assert "ValueError at test_exits.py:" in line
    assert "Contact" not in line


def test_a_bug_is_told_to_people_and_shows_machines_no_content(capsys):
    """The traceback goes to the terminal, with a word of warning; the JSON object names the kind alone."""
    code = explain_error(Talk(machine=True), ValueError("Ms Contact"))
    said = capsys.readouterr()
    assert code == 1
    assert json.loads(said.out)["error"] == "ValueError"
    assert "Contact" not in said.out
    assert "This is a bug in Foretag, please report it" in said.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["backfill", "20261122-051527-1"], "only with --resume"),
        (["backfill", "--resume", "--sample", "5"], "not with a choice of records"),
        (["plan", "--rules", "new.yaml", "--sample", "5"], "not with --only"),
    ],
)
def test_options_that_do_not_go_together_are_no_bug(options, words):
    """They are told as other wrong options are, before any file is read."""
    done = CliRunner().invoke(app, options)
    assert (done.exit_code, words in done.output, "bug" in done.output) == (2, True, False)


def test_a_question_that_is_closed_unanswered_is_a_no(monkeypatch):
    """Ctrl-D, or a terminal that went away, writes nothing and says so."""

    class Seen(Talk):
        is_interactive = True

    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(Guarded, match="nothing was written"):
        confirm(Seen(), "Write this?")


def test_a_command_that_is_told_to_stop_before_it_began_is_parked():
    """While modules are loaded nobody else takes the signal: it looked like a bug, with a traceback."""
    program = """
import os, signal, sync.cli
sync.cli.app = lambda: os.kill(os.getpid(), signal.SIGTERM)
sync.cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == PARKED
    assert done.stderr == "Told to stop; the next run takes up what is open\n"
