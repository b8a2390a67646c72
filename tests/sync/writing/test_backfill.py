"""Backfills: priced before they begin, held to their terms, and taken up again wherever they stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from config.problems import ConfigProblem
from connectors.contract import Budget, RetryLater
from connectors.hubspot.connector import HubSpotConnector
from connectors.salesforce.connector import SalesforceConnector
from sync.exits import Guarded, exit_code
from sync.runs import backfill
from sync.runs.backfill import Terms
from sync.stopping import Parked
from sync.writing.selection import Selection
from tests.world import Crash

FORETAG = str(Path(sys.executable).with_name("foretag"))
# The second CRM takes its turn in `make faults`.
pytestmark = pytest.mark.parametrize("crm", ["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])


@pytest.fixture
def small_portions(monkeypatch):
    """Ten records at once, so that a small book has many portions."""
    for connector in (SalesforceConnector, HubSpotConnector):
        monkeypatch.setattr(connector, "portion", lambda *_: 10)


def quoted(world, selection=None, **terms):
    """A backfill, priced and kept; the quote, and by what it is called."""
    with world.job() as job:
        report, quote = backfill.quote(job, selection or Selection(), Terms(**terms))
    return quote, report.run


def taken_up(world, run=None, **terms):
    """A go at a backfill; what it says of itself in the history, and what it told meanwhile."""
    said = []
    with world.job() as job:
        kept = backfill.found(job, run)
        with suppress(Parked, RetryLater, Crash):
            backfill.do(job, replace(kept, terms=replace(kept.terms, **terms)), said.append)
        return job.ledger.runs()[0], said


def written_ids(world, since=0):
    """The ids of all records that the worker wrote, once for each time."""
    return [
        one
        for entry in world.sandbox.journal.writes(since)
        if entry.user == world.people.worker
        for one in entry.ids
    ]


def crash_after(monkeypatch, portions):
    """The process dies in the portion after so many, when the CRM has done what it was asked."""
    left = [portions]
    for connector in (SalesforceConnector, HubSpotConnector):
        monkeypatch.setattr(connector, "update", _dying(connector.update, left))


def _dying(update, left):
    def dying(self, *asked):
        outcomes = update(self, *asked)
        left[0] -= 1
        if left[0] < 0:
            raise Crash
        return outcomes

    return dying


@pytest.mark.long
def test_a_quote_says_what_it_would_take_and_writes_nothing(world):
    """Records, those that hold it already, calls, time and the share of the day; then the same once all is done."""
    with world.counting() as written:
        quote, run = quoted(world)
    assert written() == 0
    assert quote.planned["account"] == quote.chosen["account"] == 40
    assert quote.equal == {name: quote.chosen[name] - quote.planned[name] for name in quote.chosen}
    assert 0 < quote.calls < 40
    assert 0 < quote.looking <= 100
    assert 0 < quote.share < 0.01
    assert quote.left > quote.calls
    row, _ = taken_up(world, run)
    assert (row["exit_code"], row["of"]) == (0, run)
    done = row["report"]["done"]
    assert {name: count for name, count in done.items() if count} == {
        name: count for name, count in quote.planned.items() if count
    }
    again, _ = quoted(world)
    assert again.equal == again.chosen
    assert not any(again.planned.values())


@pytest.mark.long
def test_only_what_was_chosen_is_priced_and_written(world):
    """One field of one object: nothing else is in the quote, and nothing else is touched."""
    quote, run = quoted(world, Selection(only=("account.tier",), sample=7))
    assert (quote.records, quote.equal, list(quote.chosen)) == (7, {}, ["account"])
    position = world.sandbox.journal.position
    taken_up(world, run)
    (entry,) = world.sandbox.journal.writes(position)
    assert len(entry.ids) == 7
    assert entry.fields == (world.people.field_name("account", "foretag_tier"),)


def test_a_dead_backfill_goes_on_where_it_was_and_repeats_nothing(world, small_portions, monkeypatch):
    """It dies with a portion done by the CRM and not yet recorded: the next one knows it from the CRM."""
    _, run = quoted(world)
    position = world.sandbox.journal.position
    with monkeypatch.context() as patch:
        crash_after(patch, 2)
        taken_up(world, run)
    assert len(written_ids(world, position)) == 30
    row, _ = taken_up(world)
    assert (row["exit_code"], row["of"], row["report"]["already"]) == (0, run, 30)
    ids = written_ids(world, position)
    assert len(ids) == len(set(ids))
    with world.counting() as written:
        assert world.run().writes == 0
    assert written() == 0


@pytest.mark.long
def test_a_share_of_the_allowance_is_kept_and_the_rest_is_done_by_and_by(world, small_portions):
    """A share that lasts for reading and a portion or two: it stops, and goes on as often as it is told."""
    quote, run = quoted(world, Selection(only=("account",)))
    with world.job() as job:
        reading = job.ledger.runs()[0]["report"]["api_calls"]
    share = f"{(reading + 12) / quote.left:.4%}"
    position = world.sandbox.journal.position
    rows = []
    while not rows or rows[-1]["exit_code"] == 75:
        assert len(rows) < 5
        rows.append(taken_up(world, run, rate=share)[0])
    assert len(rows) > 1
    assert all("are its share" in row["last_line"] for row in rows[:-1])
    assert rows[-1]["exit_code"] == 0
    ids = written_ids(world, position)
    assert len(ids) == len(set(ids)) == 40


@pytest.mark.long
def test_a_share_of_an_allowance_that_nobody_tells_is_refused(world, monkeypatch):
    """As HubSpot tells none to apps that sign in by OAuth: nothing is written by a share of what is not known."""
    for connector in (SalesforceConnector, HubSpotConnector):
        monkeypatch.setattr(connector, "budget", lambda _: Budget(None, None, 0))
    quote, _ = quoted(world)
    assert (quote.left, quote.share) == (None, None)
    with (
        world.counting() as written,
        world.job() as job,
        pytest.raises(ConfigProblem, match="nobody tells how many API calls"),
    ):
        backfill.do(job, replace(backfill.found(job), terms=Terms(rate="25%")), print)
    assert written() == 0


@pytest.mark.long
def test_a_rate_of_records_is_kept_and_told(world, small_portions):
    """A second for each record: the last portion goes when those before it have had theirs."""
    quote, run = quoted(world, Selection(only=("account",)), rate="1/s")
    before = world.sandbox.clock()
    row, said = taken_up(world, run)
    assert row["exit_code"] == 0
    assert 29 <= (world.sandbox.clock() - before).total_seconds() < 60
    assert quote.seconds == 40
    assert said
    assert all(" of 40 · " in line and "API calls left" in line for line in said)


@pytest.mark.long
def test_outside_of_its_window_it_stops_before_it_costs_anything(world):
    """Parked, with the time of the org; given another window, it goes on."""
    _, run = quoted(world)
    now = world.sandbox.clock()
    position = world.sandbox.journal.position
    elsewhere = f"{(now.hour + 11) % 24:02}:00-{(now.hour + 12) % 24:02}:00"
    row, _ = taken_up(world, run, window=elsewhere)
    assert (row["exit_code"], row["state"]) == (75, "parked")
    assert f"outside of the window {elsewhere}" in row["last_line"]
    assert written_ids(world, position) == []
    assert row["report"]["pulled"] == {}
    row, _ = taken_up(world, run, window="00:00-23:59")
    assert row["exit_code"] == 0


@pytest.mark.long
def test_it_is_not_taken_up_under_other_rules_nor_when_done_nor_unknown(world):
    """Each is refused with what differs and what to do; nothing is written, nothing is begun in the history."""
    with world.job() as job:
        with pytest.raises(ConfigProblem, match="no backfill to take up again"):
            backfill.found(job)
        with pytest.raises(ConfigProblem, match='"20260101-1" is no backfill'):
            backfill.found(job, "20260101-1")
    rules = (world.folder / "rules.yaml").read_text()
    _, run = quoted(world)
    world.use_rules(rules + "\nwriting: {tolerance: 7}\n")
    with (
        world.counting() as written,
        world.job() as job,
        pytest.raises(ConfigProblem, match="rules digest") as caught,
    ):
        backfill.found(job)
    assert "begin a new one with `foretag backfill`" in str(caught.value)
    assert (written(), exit_code(caught.value)) == (0, 2)
    world.use_rules(rules)
    taken_up(world, run)
    with world.job() as job:
        with pytest.raises(ConfigProblem, match=f"backfill {run} is done"):
            backfill.found(job, run)
        assert not backfill.path_of(job, run).exists()


@pytest.mark.long
def test_a_plan_that_is_gone_or_damaged_is_refused(world):
    """Its file is what is done: without it, or with another, nothing is."""
    _, run = quoted(world)
    with world.job() as job:
        path = backfill.path_of(job, run)
        assert path.folder is None or path.folder.stat().st_mode & 0o777 == 0o600
        path.write(path.read()[:-200])
        with pytest.raises(ConfigProblem, match="damaged or cut short"):
            backfill.found(job)
        path.remove()
        with pytest.raises(ConfigProblem, match="no longer kept"):
            backfill.found(job)


@pytest.mark.long
def test_limits_hold_for_a_backfill_that_nobody_looked_at(world):
    """Unless a person said yes to so many records, the limit of changes stops it before its first write."""
    text = world.settings.read_text()
    world.settings.write_text(text.replace("max_changes: 100000000", "max_changes: 5"))
    _, run = quoted(world)
    with world.counting() as written, world.job() as job, pytest.raises(Guarded, match="the limit is 5"):
        backfill.do(job, backfill.found(job, run), print)
    assert written() == 0
    row, _ = taken_up(world, run, most=1_000)
    assert row["exit_code"] == 0


@pytest.mark.long
def test_what_nobody_set_does_not_limit_a_backfill(world, monkeypatch):
    """A run is stopped by the default limit of changes; a backfill writes much on purpose, after a quote."""
    monkeypatch.setattr("sync.writing.guards.DEFAULT_MAX_CHANGES", 3)
    monkeypatch.setattr("sync.writing.guards.DEFAULT_MAX_SHARE", 0)
    text = world.settings.read_text()
    world.settings.write_text(
        text.replace("max_changes: 100000000, ", "").replace("max_changes: 100000000", "")
    )
    with pytest.raises(Guarded, match=r"the limit is 3 \(by default"):
        world.run()
    quote, run = quoted(world)
    row, _ = taken_up(world, run)
    done = row["report"]["done"]
    assert (row["exit_code"], done["account"] + done["opportunity"]) == (0, quote.records)


@pytest.mark.long
def test_a_backfill_of_some_records_does_not_end_the_preview(make_world):
    """Only one of everything shows what a run will do from then on; and none writes by rules that nobody approved."""
    world = make_world(production=True)
    _, run = quoted(world, Selection(sample=5))
    row, _ = taken_up(world, run)
    assert (row["exit_code"], row["report"]["done"]) == (75, {})
    assert "not approved" in row["last_line"]
    with world.job() as job:
        job.ledger.gates.approve(job.name, job.rules.digest, "Ann", "approve")
    row, _ = taken_up(world, run)
    assert sum(row["report"]["done"].values()) == 5
    assert world.run().mode == "preview"
    _, run = quoted(world)
    row, _ = taken_up(world, run)
    assert row["exit_code"] == 0
    assert world.run().mode == "live"


@pytest.mark.long
def test_a_backfill_killed_at_any_instant_goes_on_and_repeats_nothing(world):
    """The real program, `kill -9` while the CRM holds back a reply; then `--resume`, to the end, by itself."""
    world.people.count_generously()
    options = ["--settings", str(world.settings)]
    world.sandbox.faults.add(
        [{"kind": "latency", "seconds": 600, "match": world.people.writing(), "after": 1}]
    )
    position = world.sandbox.journal.position
    process = subprocess.Popen([FORETAG, "backfill", "--yes", *options], stdin=subprocess.DEVNULL)
    try:
        for _ in range(10_000):
            if written_ids(world, position):
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.02)
                pytest.fail("it ended before it wrote")
    finally:
        process.kill()
        process.wait()
    world.sandbox.faults.remove()
    done = subprocess.run(
        [FORETAG, "backfill", "--resume", "--json", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ids = written_ids(world, position)
    assert len(ids) == len(set(ids)) > 0
    assert json.loads(done.stdout)["already"] > 0
    again = subprocess.run(
        [FORETAG, "backfill", "--resume", *options], capture_output=True, text=True, check=False
    )
    assert again.returncode == 2
    assert "is done" in again.stderr
    with world.counting() as written:
        world.run()
    assert written() == 0
