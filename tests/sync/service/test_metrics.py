"""What Prometheus is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.sections.schedule import Schedule
from sync.ledger.fires import WorkName
from sync.service.events import Missed
from sync.service.metrics import Metrics
from sync.service.schedule import plan_of
from tests.sync.service.watched import NOON, ended, take_away

REPORT = {
    "seconds": {"pull": 1.5, "score": 2.0},
    "pulled": {"account": 5, "opportunity": 7},
    "done": {"account": 3},
    "refused": {"account": 1},
    "unknown": {"account": 2},
    "set_aside": 4,
    "api_calls": 31,
}


@pytest.fixture
def metrics(ledger, clock):
    """The metrics of a worker."""
    return Metrics(ledger, lambda: clock.now)


def values(metrics) -> dict:
    """Every sample, by name and labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (one.name, *sorted(one.labels.values())): one.value for family in families for one in family.samples
    }


def test_what_a_run_did_is_counted(metrics):
    """Runs, stages, records and calls of two runs add up."""
    metrics(ended(3, **REPORT))
    metrics(ended(3, **REPORT))
    found = values(metrics)
    assert found["foretag_runs_total", "3", "increment", "main"] == 2
    assert found["foretag_run_duration_seconds_sum", "increment"] == 8
    assert found["foretag_stage_duration_seconds_sum", "main", "pull"] == 3.0
    assert found["foretag_records_pulled_total", "main", "opportunity"] == 14
    assert found["foretag_records_written_total", "account", "main"] == 6
    assert found["foretag_records_refused_total", "account", "main"] == 2
    assert found["foretag_records_unconfirmed_total", "account", "main"] == 4
    assert found["foretag_records_unreadable_total", "main"] == 8
    assert found["foretag_api_calls_total", "main"] == 62


def test_a_run_that_left_no_report_is_counted_too(metrics):
    """Killed, or ended before it began."""
    metrics(ended(1))
    metrics(Missed("main", "full", "", NOON, "too late"))
    found = values(metrics)
    assert found["foretag_runs_total", "1", "increment", "main"] == 1
    assert found["foretag_missed_fires_total", "full", "main"] == 1


def test_gauges_show_how_a_connection_stands(metrics, ledger, clock):
    """Lag, allowance, lease, last run and state are read from the history at each look."""
    clock.now -= timedelta(minutes=5)
    ledger.standing.pulled("main", ledger.start_run("main", "run", NOON.date(), "rules"))
    clock.now = NOON
    ledger.standing.allowance("main", 4000, 15000)
    worker = ledger.workers.begin("here:1", "1.0")
    work = WorkName("main", "increment")
    ledger.fires.take(work, NOON, worker)
    ledger.fires.end(work, worker, 69)
    ledger.notices.news("main", "away", "x")
    with ledger.leases.hold("main"):
        found = values(metrics)
        assert found["foretag_lease_held", "main"] == 1
    assert found["foretag_lag_seconds", "main"] == 300
    assert found["foretag_api_calls_remaining", "main"] == 4000
    assert found["foretag_api_calls_limit", "main"] == 15000
    assert found["foretag_last_run_exit_code", "increment", "main"] == 69
    assert found["foretag_connection_state", "failing", "main"] == 1
    assert found["foretag_connection_state", "main", "ok"] == 0
    assert found["foretag_workers",] == 1
    clock.now += timedelta(minutes=1)
    found = values(metrics)
    assert (found["foretag_lag_seconds", "main"], found["foretag_lease_held", "main"]) == (360, 0)
    ledger.fires.take(work, clock.now, worker)
    found = values(metrics)
    assert found["foretag_last_run_exit_code", "increment", "main"] == 69, "tried again, it has not ended yet"
    assert ("foretag_last_run_timestamp_seconds", "increment", "main") not in found


def test_a_connection_that_left_the_settings_is_not_shown(metrics, ledger):
    """Else its lag would raise an alarm for ever; one that never ran is shown as it is."""
    ledger.bind("old", "00E", "Org", live=True)
    metrics.watch(["main", "new"])
    found = values(metrics)
    assert ("foretag_connection_state", "ok", "old") not in found
    assert found["foretag_connection_state", "new", "ok"] == 1


def test_work_that_nobody_takes_is_shown_as_late(metrics, ledger, clock):
    """Due next is what no worker has taken yet: an hour without a worker shows as an hour."""
    every_hour = Schedule(increment="0 * * * *", full=None, reconcile=None, jitter="0s")
    works = plan_of("main", every_hour, "UTC", ())
    metrics.watch(["main"], works)
    due = ("foretag_next_due_timestamp_seconds", "increment", "main")
    hour = timedelta(hours=1)
    assert values(metrics)[due] == (NOON + hour).timestamp()
    worker = ledger.workers.begin("here:1", "1.0")
    clock.now += 2 * hour
    assert values(metrics)[due] == (NOON + hour).timestamp()
    ledger.fires.take(WorkName("main", "increment"), NOON + 2 * hour, worker)
    assert values(metrics)[due] == (NOON + 3 * hour).timestamp()
    metrics.watch(["main"])
    assert due not in values(metrics)


def test_without_the_history_the_rest_is_still_told(metrics, ledger, tmp_path):
    """A database that is away is itself what the metrics must show."""
    metrics(ended(0))
    take_away(ledger, tmp_path)
    found = values(metrics)
    assert found["foretag_history_up",] == 0
    assert found["foretag_runs_total", "0", "increment", "main"] == 1


def test_every_metric_is_explained_in_the_docs(metrics):
    """docs/operations.md or its table of metrics names each of ours, and none that there is not."""
    page = (Path(__file__).parents[3] / "docs/metrics.md").read_text(encoding="utf-8")
    named = {line.split("`")[1].partition("{")[0] for line in page.splitlines() if line.startswith("| `")}
    ours = {
        f"{family.name}{'_total' if family.type == 'counter' else '_info' if family.type == 'info' else ''}"
        for family in metrics.registry.collect()
        if family.name.startswith("foretag")
    }
    assert named == ours


def test_the_time_at_which_each_counter_began_is_not_shown(metrics):
    """With a thousand connections that would be a third of all there is to say."""
    metrics.told("mail", "sent")
    assert b"foretag_notifications_total{" in metrics.text()
    assert b"_created" not in metrics.text()
