"""The API allowance: what a run may use of it, and that it stops in time."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.contract import RetryLater
from connectors.hubspot.connector import HubSpotConnector
from connectors.salesforce.connector import SalesforceConnector
from sync.exits import exit_code
from sync.ledger import Ledger
from sync.pipeline import recorded, run

# The second CRM takes its turn in `make faults`.
both = pytest.mark.parametrize("crm", ["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])


def limited(world, **limits):
    """The settings with these limits; the reserve is 0 unless given."""
    text = world.settings.read_text()
    told = "".join(f", {name}: {value}" for name, value in {"api_reserve": 0, **limits}.items())
    world.settings.write_text(text.replace("api_reserve: 0", told.removeprefix(", ")))
    return text


def in_small_portions(monkeypatch):
    """Ten records at once, so that a small book has many portions."""
    for connector in (SalesforceConnector, HubSpotConnector):
        monkeypatch.setattr(connector, "portion", lambda *_: 10)


def calls_counted(world, since):
    """The calls that the CRM counts against the allowance."""
    return sum(entry.counted for entry in world.sandbox.journal.entries(since) if entry.kind == "request")


@pytest.mark.long
@both
def test_a_budget_of_a_run_is_kept_in_mid_write_and_the_next_runs_go_on(world, monkeypatch):
    """It parks between two portions, with what is done recorded; run by run the work is completed, nothing twice."""
    in_small_portions(monkeypatch)
    world.plan()
    with world.job() as job, recorded(job, "plan") as pass_:
        pass_.plan()
    read = pass_.report.api_calls
    text = limited(world, calls_per_run=read + 3)
    with world.counting() as written:
        lines = []
        while not lines or lines[-1]["state"] == "parked":
            assert len(lines) < 40
            start = world.sandbox.journal.position
            with world.job() as job:
                with suppress(RetryLater):
                    run(job)
                lines.append(job.ledger.runs()[0])
            assert calls_counted(world, start) <= read + 3 + 1
        done = written()
    assert len(lines) > 1
    assert {line["exit_code"] for line in lines[:-1]} == {75}
    assert all("`limits.calls_per_run` allows" in line["last_line"] for line in lines[:-1])
    assert lines[-1]["exit_code"] == 0
    world.settings.write_text(text)
    with world.counting() as again:
        assert world.run().writes == 0
    assert again() == 0
    ids = [
        one
        for entry in world.sandbox.journal.writes()
        for one in entry.ids
        if entry.user == world.people.worker
    ]
    assert done == len(ids) == len(set(ids))


@pytest.mark.long
@both
def test_a_budget_of_a_day_counts_what_earlier_runs_used(world):
    """The second run of a day has what the first one left, and parks before it reads on."""
    first = world.run()
    limited(world, calls_per_day=first.api_calls + 4)
    with world.counting() as written, pytest.raises(RetryLater, match="within 24 hours") as caught:
        world.run()
    assert (exit_code(caught.value), written()) == (75, 0)


def test_calls_count_for_24_hours_whatever_became_of_their_process(tmp_path):
    """Those of a run that died without a word count as long as nobody closed it, and a day from then on."""
    hours = [0]
    ledger = Ledger.open(tmp_path, lambda: datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hours[0]))
    dead = ledger.start_run("crm", "run", date(2026, 11, 20), "rules")
    ledger.calls.note(dead, 70)
    hours[0] = 30
    assert ledger.calls.of_day("crm", but="") == 70
    assert (ledger.calls.of_day("crm", but=dead), ledger.calls.of_day("other", but="")) == (0, 0)
    later = ledger.start_run("crm", "run", date(2026, 11, 21), "rules")
    ledger.calls.note(later, 5)
    hours[0] = 53
    assert ledger.calls.of_day("crm", but="") == 75
    hours[0] = 55
    assert ledger.calls.of_day("crm", but=later) == 0
    ledger.close()


@both
def test_the_reserve_is_kept_in_mid_write(world, monkeypatch):
    """What others use while a run writes counts, too: the next portion does not go."""
    in_small_portions(monkeypatch)
    limited(world, api_reserve=50)
    position = world.sandbox.journal.position

    def others_are_busy(object_name, rows):
        world.people.use_up()
        return rows

    with world.job() as job, suppress(RetryLater), recorded(job, "run") as pass_:
        pass_.apply(pass_.plan(), [Once(others_are_busy)])
    assert pass_.report.exit_code == 75
    assert "the reserve of 50 %" in pass_.report.last_line
    # The first portion went: its reply is what told of the others.
    assert world.writes(position) == 10


class Once:
    """A check that does something before the first portion alone."""

    def __init__(self, does) -> None:
        self.does = [does]

    def __call__(self, object_name, rows):
        """See `Check`."""
        return self.does.pop()(object_name, rows) if self.does else rows


@both
def test_an_allowance_used_up_in_the_last_portion_parks_the_run(world):
    """The CRM says so in mid-batch: what it wrote is recorded, and the run is parked, not called done."""
    world.run()
    account = world.people.rows("account", "foretag_tier")[0]
    world.people.edit("account", {"id": account["id"], "foretag_override": "Leave alone"})
    deals = [deal["id"] for deal in world.open_deals()][:1]
    world.people.edit("opportunity", *({"id": deal, "foretag_override": "A"} for deal in deals))
    with world.job() as job, suppress(RetryLater), recorded(job, "run") as pass_:
        plan = pass_.plan()
        world.sandbox.faults.add([world.people.allowance_used_up()])
        pass_.apply(plan)
    assert pass_.report.exit_code == 75


@pytest.mark.long
@both
def test_a_run_tells_its_calls_and_the_least_that_would_have_done(world):
    """Never fewer than the least, and the least is no wish: a small book comes near it."""
    report = world.run()
    assert 0 < report.least_calls <= report.api_calls <= 4 * report.least_calls
