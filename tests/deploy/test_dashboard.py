"""The dashboard: panels that Grafana can draw, of metrics that a worker shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.deploy.promql import filled

CHECKED = ("grafana/dashboard.json",)
DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboard.json"
KINDS = {"row", "stat", "state-timeline", "table", "timeseries"}


@pytest.fixture(scope="module")
def dashboard():
    """The file."""
    return json.loads(DASHBOARD.read_text())


@pytest.fixture(scope="module")
def expressions(dashboard):
    """Each panel's expressions, by its title."""
    return [
        (panel["title"], one["expr"]) for panel in dashboard["panels"] for one in panel.get("targets", ())
    ]


def test_every_panel_reads_what_a_worker_shows(expressions, promql):
    """Series, labels and states are real ones."""
    assert [(title, faults) for title, one in expressions if (faults := promql.faults(filled(one)))] == []


def test_every_metric_of_a_worker_can_be_seen(expressions, promql):
    """A new metric wants a place here."""
    seen = {name for _, one in expressions for name in promql.named(filled(one))}
    shown = {name for name in promql.known if name.startswith("foretag_")}
    # When a job ended last stands with how it ended; the other two are halves of the histogram's buckets.
    aside = {
        "foretag_last_run_timestamp_seconds",
        "foretag_run_duration_seconds_sum",
        "foretag_run_duration_seconds_count",
    }
    assert shown - seen == aside


def test_every_panel_says_what_it_shows_and_of_which_source(dashboard):
    """Titles, descriptions, units; the data source is the reader's own choice."""
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["type"] in KINDS
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["targets"]
            for one in (panel, *panel["targets"]):
                assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_variables_are_all_there_and_all_used(dashboard, expressions, promql):
    """What an expression leaves open can be chosen, from labels that exist."""
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(dashboard["panels"])))
    assert used == set(variables)
    for one in variables.values():
        if one["type"] == "query":
            series, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", one["query"]).groups()
            assert label in promql.known[series]


def test_panels_lie_side_by_side_and_never_over_each_other(dashboard):
    """Within Grafana's 24 columns, each with a number of its own."""
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(numbers) == len(set(numbers))
