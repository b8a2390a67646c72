"""Log lines: one form for ours and the libraries', with the run's names, without secrets and content."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from config.redaction import remember
from connectors.in_flight import in_flight
from sync import logs
from sync.ledger import Ledger
from sync.talk import Talk


@pytest.fixture
def lines(capsys, monkeypatch):
    """What was logged as JSON from debug on; the configuration of others is put back."""
    monkeypatch.setenv(logs.FORM, "json")
    monkeypatch.setenv(logs.LEVEL, "debug")
    before = structlog.get_config()
    logs.configure()
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.configure(**before)
    logging.captureWarnings(capture=False)
    logs._last.clear()


def test_each_line_of_a_run_names_it_whatever_thread_says_it(lines):
    """Also in calls that are under way at once."""
    log = structlog.get_logger()
    with logs.bound(connection="main"), logs.bound(run="R-1"):
        list(in_flight(lambda number: log.info("crm.call", number=number), range(3), 2))
    log.info("after")
    *calls, after = lines()
    assert [(line["connection"], line["run"], line["number"]) for line in calls] == [
        ("main", "R-1", number) for number in range(3)
    ]
    assert "run" not in after
    assert list(after) == ["at", "level", "event"]


def test_libraries_are_heard_when_something_is_amiss_and_without_their_queries(lines):
    """Their talk may hold records: what they say quietly is not ours to pass on."""
    library = logging.getLogger("urllib3.connectionpool")
    library.info("SELECT Name FROM Contact WHERE Name = 'Anna'")
    library.warning("Retrying: /query?q=SELECT+Name+WHERE+Anna after %s", "Anna@example.com")
    library.error("it broke", exc_info=ValueError("Anna"))
    retrying, broke = lines()
    assert (retrying["event"], retrying["library"]) == ("library", "urllib3.connectionpool")
    assert retrying["said"] == "Retrying: /query?... after (address)"
    assert (broke["level"], broke["error"]) == ("error", "ValueError")
    assert "Anna" not in json.dumps([retrying, broke])


def test_a_secret_that_was_read_is_in_no_line(lines):
    """Wherever in it, and however deep."""
    remember("the-very-secret-value")
    structlog.get_logger().warning(
        "x", why="sent the-very-secret-value", more={"a": ["the-very-secret-value"]}
    )
    (line,) = lines()
    assert line["why"] == "sent [secret]"
    assert "very-secret" not in json.dumps(line)


def test_of_an_error_its_kind_alone_is_logged(lines):
    """A library's words may show a record."""
    structlog.get_logger().warning("x", error=ValueError("Anna"), kind=KeyError)
    (line,) = lines()
    assert (line["error"], line["kind"]) == ("ValueError", "KeyError")


def test_what_is_said_to_people_is_a_line_among_lines_and_a_bug_is_told_by_its_place(lines):
    """A machine that reads the log finds nothing between the lines."""
    talk = Talk(machine=True)
    with logs.bound(run="R-1"):
        pass
    talk.say("Wrote 3 accounts.")
    talk.say("Careful.", "yellow")
    name = "Anna"
    with pytest.raises(ValueError, match=name) as bug:
        int(name)
    talk.bug(bug.value)
    said, careful, told = lines()
    assert (said["event"], said["text"], said["level"], said["run"]) == (
        "said",
        "Wrote 3 accounts.",
        "info",
        "R-1",
    )
    assert careful["level"] == "warning"
    assert "A bug in Foretag, ValueError" in told["text"]
    assert "test_logs.py" in told["text"]
    assert name not in told["text"]


def test_a_log_on_a_terminal_has_no_bars_among_its_lines(capsys, monkeypatch):
    """A worker's runs share their terminal: bars of several at once would draw over each other and over the lines."""
    monkeypatch.setenv(logs.FORM, "console")
    monkeypatch.setenv("FORCE_COLOR", "1")
    before = structlog.get_config()
    talk = Talk(machine=True)
    assert talk.err.is_terminal
    with talk.progress() as tell:
        tell("account", 5, 10)
    talk.say("Careful.", "yellow")
    structlog.configure(**before)
    (line,) = capsys.readouterr().err.splitlines()
    assert "said" in line
    assert "Careful." in line


def test_a_person_is_told_of_what_is_amiss_alone(capsys, monkeypatch):
    """In plain lines, unless asked for more; a word that is none changes nothing."""
    for variable in (logs.FORM, logs.LEVEL):
        monkeypatch.setenv(variable, "no such word")
    before = structlog.get_config()
    logs.configure()
    structlog.get_logger().info("run.stage")
    structlog.get_logger().warning("batch.unconfirmed", records=3)
    structlog.configure(**before)
    said = capsys.readouterr().err
    assert "run.stage" not in said
    assert "batch.unconfirmed records=3" in said


def test_what_a_run_knows_last_is_kept_for_those_who_watch(tmp_path):
    """How far the local copy reaches, and what is left of the allowance; a CRM that tells nothing changes nothing."""
    from tests.sync.service.watched import NOON

    ledger = Ledger.open(tmp_path, lambda: NOON)
    try:
        ledger.bind("main", "00D", "Org", live=True)
        ledger.standing.pulled("main", ledger.start_run("main", "run", NOON.date(), "rules"))
        ledger.standing.allowance("main", 10, 100)
        ledger.standing.allowance("main", None, None)
        (stand,) = ledger.standing.read()
        assert (stand.pulled_at, stand.api_left, stand.api_limit) == (NOON, 10, 100)
    finally:
        ledger.close()
