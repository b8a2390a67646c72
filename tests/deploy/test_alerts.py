"""Alerts: rules that Prometheus takes, on metrics that a worker shows, and that ring when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml

from config.sections.schedule import Schedule
from sync.ledger import Ledger
from sync.service.metrics import Metrics
from sync.service.schedule import plan_of

CHECKED = ("prometheus/alerts.yaml",)
HERE = Path(__file__).parent
DEPLOY = HERE.parents[1] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
OPERATOR = json.loads((HERE / "operator.schema.json").read_text())


@pytest.fixture(scope="module")
def rules():
    """All rules of the file."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def test_the_file_is_one_of_rules():
    """Groups, names, durations, severities, words: nothing else."""
    jsonschema.validate(
        yaml.safe_load(ALERTS.read_text()), {**OPERATOR["$defs"]["rules"], "$defs": OPERATOR["$defs"]}
    )


def test_every_alert_reads_what_a_worker_shows(rules, promql):
    """Series, labels and states are real ones: a renamed metric fails here, not on the night that it is wanted."""
    assert {rule["alert"]: promql.faults(rule["expr"]) for rule in rules} == {
        rule["alert"]: [] for rule in rules
    }


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("foretag_lags_seconds > 1", "no worker shows foretag_lags_seconds"),
        ('foretag_lag_seconds{org="a"} > 1', "foretag_lag_seconds has no label org"),
        ("sum by (owner) (foretag_runs_total)", "none of ['foretag_runs_total'] has a label owner"),
        ('foretag_connection_state{state="broken"} == 1', "no connection is ever broken"),
        ("up and on (owner) foretag_workers", "none of ['foretag_workers', 'up'] has a label owner"),
    ],
)
def test_a_wrong_name_would_be_found(promql, expression, fault):
    """The reader of these tests sees what is wrong."""
    assert promql.faults(expression) == [fault]


def test_what_must_ring_at_the_first_time_is_counted_from_nothing_on(tmp_path):
    """A rise is told by two looks: a series that begins at one has not risen."""
    ledger = Ledger.open(tmp_path, lambda: datetime.now(UTC))
    metrics = Metrics(ledger, lambda: datetime.now(UTC))
    metrics.watch(
        ["main"], plan_of("main", Schedule(tasks="0 7 * * *"), "Europe/Stockholm", ["Europe/Stockholm"])
    )
    shown = metrics.text().decode()
    ledger.close()
    assert 'foretag_notifications_total{channel="mail",outcome="failed"} 0.0' in shown
    assert 'foretag_missed_fires_total{connection="main",job="tasks"} 0.0' in shown


def test_words_name_labels_that_the_alert_has(rules, promql):
    """A summary that says `{{ $labels.connection }}` is of an alert that keeps this label."""
    for rule in rules:
        kept = {
            label for labels in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in labels.split(", ")
        }
        said = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert said <= kept, rule["alert"]


def test_commands_in_its_words_exist(rules):
    """What an alert advises can be typed."""
    from sync.cli.options import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    words = " ".join(text for rule in rules for text in rule["annotations"].values())
    advised = set(re.findall(r"`foretag (\w+)", words))
    assert advised
    assert advised <= known


def test_the_operator_gets_the_same_rules():
    """Where Prometheus is run by its operator the file has another head, and nothing else is other."""
    operators = yaml.safe_load((DEPLOY / "kubernetes" / "monitoring" / "prometheus-rule.yaml").read_text())
    assert operators["spec"] == yaml.safe_load(ALERTS.read_text())


@pytest.mark.long
def test_prometheus_takes_them_and_they_ring_when_they_should():
    """By promtool: the syntax, and what each does on series of a day (alerts.test.yaml)."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool: not here")
    for command in (("check", "rules", str(ALERTS)), ("test", "rules", str(HERE / "alerts.test.yaml"))):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_been_made_to_ring(rules):
    """The unit tests have a case for each."""
    rung = set(re.findall(r'alertname="(\w+)"', (HERE / "alerts.test.yaml").read_text()))
    assert rung == {rule["alert"] for rule in rules}
