"""What `foretag schedule` shows: the next times, what became of the last, what keeps work from beginning."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from config.problems import ConfigProblem
from sync.commands.schedule import show_schedule
from sync.ledger import Ledger
from sync.ledger.fires import WorkName
from sync.talk import Talk

NOON = datetime(2026, 6, 3, 10, tzinfo=UTC)  # a Wednesday, in Stockholm

SETTINGS = """\
connections:
  acme:
    crm: hubspot
    auth: {token: {env: TOKEN}}
    schedule:
      tasks: 0 8 * * mon-fri
      jitter: 0s
      blackouts:
        - {hours: 01:00-03:00, why: nightly import}
        - {month_end: 2, month_start: 1}
  globex:
    crm: hubspot
    auth: {token: {env: TOKEN}}
    schedule: {increment: null, full: null, reconcile: null}
"""


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def path(tmp_path):
    """A settings file beside its state folder."""
    path = tmp_path / "foretag.yaml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def ledger(tmp_path):
    """The history of those connections; one has run."""
    opened = Ledger.open(tmp_path / ".foretag", lambda: NOON)
    opened.bind("acme", "1", "Acme", live=True)
    opened.zones.keep_timezone("acme", "Europe/Stockholm")
    yield opened
    opened.close()


def shown(path, capsys, connection=None, at=None, count=1):
    """What it says, as JSON and as text."""
    for machine in (True, False):
        assert show_schedule(Talk(machine=machine), path, connection, at, count) == 0
    said = capsys.readouterr()
    first, _, text = said.out.partition("\n")
    return json.loads(first), text, said.err


def test_each_job_has_its_times_by_the_orgs_clock(path, ledger, capsys):
    """The connection's zone is the one that the history knows; machines get UTC, and when it would really begin."""
    said, text, _ = shown(path, capsys, "acme", count=2)
    (acme,) = said["connections"]
    assert (acme["timezone"], acme["blackout_until"], acme["state"]) == ("Europe/Stockholm", None, "ok")
    assert {work["job"]: [one["begins"][:16] for one in work["next"]] for work in acme["work"]} == {
        "increment": ["2026-06-03 10:15", "2026-06-03 10:30"],
        "full": ["2026-06-04 01:00", "2026-06-05 01:00"],
        "reconcile": ["2026-06-07 02:00", "2026-06-14 02:00"],
        "tasks": ["2026-06-04 06:00", "2026-06-05 06:00"],
    }
    assert text.splitlines()[0] == "acme, by the clock of Europe/Stockholm"
    assert "Thu 2026-06-04 03:00, put off by a blackout from 02:00" in text


def test_what_became_of_the_last_is_said(path, ledger, capsys):
    """Done, or the exit code and the run to ask about; at work, missed, or left by a worker that died."""
    worker = ledger.workers.begin("here:1", "1.0")
    ends = {
        "increment": (3, "20260603-1"),
        "full": (0, "20260603-2"),
        "reconcile": (None, None),
        "tasks": None,
    }
    for job, end in ends.items():
        ledger.fires.take(WorkName("acme", job), NOON, worker)
        if end is not None:
            ledger.fires.end(WorkName("acme", job), worker, *end)

    def became():
        said, text, err = shown(path, capsys, "acme")
        return [work["last"]["became"] for work in said["connections"][0]["work"]], text, err

    words, text, err = became()
    assert words == ["done, exit 3", "done", "missed", "at work"]
    assert "done, exit 3, run 20260603-1" in text
    assert "No worker" not in err
    ledger.workers.leave(worker)
    words, _, err = became()
    assert words[-1] == "left undone, is begun again"
    assert "No worker is running: `foretag worker` begins what is due." in err


def test_what_is_due_now_is_said(path, ledger, capsys):
    """A worker that was down since yesterday begins with these."""
    worker = ledger.workers.begin("here:1", "1.0")
    for job in ("full", "tasks"):
        ledger.fires.take(WorkName("acme", job), NOON - timedelta(days=1), worker)
        ledger.fires.end(WorkName("acme", job), worker, 0)
    said, text, _ = shown(path, capsys, "acme")
    due = {work["job"]: work["due_since"] for work in said["connections"][0]["work"]}
    assert due["full"] == "2026-06-03 00:00:00+00:00"
    assert due["tasks"] is None  # too late by now: eight o'clock was four hours ago
    assert "now: due since Wed 2026-06-03 02:00" in text


def test_what_keeps_work_from_beginning_or_writing_is_said(path, ledger, capsys):
    """Blackouts with their reason and end, a pause; and that a connection has never run, or has no schedule."""
    ledger.gates.pause("acme", "Ann", "until Monday")
    said, text, err = shown(path, capsys, at=datetime(2026, 6, 30, 12))  # noqa: DTZ001  # by each one's clock
    acme, globex = said["connections"]
    assert acme["blackout_until"] == "2026-07-01 22:00:00+00:00"
    assert (acme["state"], globex["state"], globex["work"]) == ("paused", "never run", [])
    assert [line for line in err.splitlines() if line.startswith("acme")][:4] == [
        "acme: nothing begins 01:00-03:00 (nightly import).",
        "acme: nothing begins on the last 2 days and the first day of each month.",
        "acme is in a blackout until Thu 2026-07-02 00:00.",
        "acme is paused: work begins, and writes nothing until `foretag resume`.",
    ]
    assert "globex, by UTC until a first run has seen the org's time zone: nothing is scheduled." in err
    assert "put off by a blackout from Tue 2026-06-30 12:15" not in text


def test_tasks_are_listed_for_each_zone_of_owners(path, ledger, capsys):
    """By the owners' own clock."""
    ledger.zones.keep("acme", ["America/New_York", "Asia/Kolkata"])
    said, text, _ = shown(path, capsys, "acme")
    tasks = [work for work in said["connections"][0]["work"] if work["job"] == "tasks"]
    assert [(work["zone"], work["next"][0]["begins"][:16]) for work in tasks] == [
        ("America/New_York", "2026-06-03 12:00"),
        ("Asia/Kolkata", "2026-06-04 02:30"),
    ]
    assert "owners in" in text.splitlines()[1]


def test_a_connection_that_is_not_there_is_a_mistake(path):
    """With those that are."""
    with pytest.raises(ConfigProblem, match="there is no connection initech; there are: acme, globex"):
        show_schedule(Talk(), path, "initech", None, 1)


def test_the_page_shows_what_is_really_shown(tmp_path, capsys):
    """Its settings give its output, on a Wednesday in June after the first runs."""
    page = (Path(__file__).parents[3] / "docs" / "schedules.md").read_text(encoding="utf-8")
    (tmp_path / "foretag.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    ledger = Ledger.open(tmp_path / ".foretag", lambda: NOON)
    ledger.bind("acme", "1", "Acme", live=True)
    ledger.zones.keep_timezone("acme", "Europe/Stockholm")
    ledger.zones.keep("acme", ["America/New_York", "Europe/Stockholm"])
    worker = ledger.workers.begin("here:1", "1.0")
    hours = {"increment": timedelta(), "full": timedelta(hours=10), "reconcile": timedelta(days=3, hours=8)}
    for job, ago in hours.items():
        ledger.fires.take(WorkName("acme", job), NOON - ago, worker)
        ledger.fires.end(
            WorkName("acme", job), worker, 3 if job == "full" else 0, f"{NOON - ago:%Y%m%d-%H%M%S}-1"
        )
    show_schedule(Talk(), tmp_path / "foretag.yaml", None, None, 2)
    ledger.close()
    said = capsys.readouterr()
    real = [line.rstrip() for line in (said.out + said.err).splitlines()]
    assert page.partition("$ foretag schedule --next 2\n")[2].partition("\n```")[0].splitlines() == real
