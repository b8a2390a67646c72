"""What Prometheus is told of a worker: counts of what it did, and how its connections stand by the history.

Labels are connections, jobs, objects, stages and codes, all of them few and named in the settings; never an id of a
record or a run, nor a word of the CRM's. Counters are this worker's own. Gauges of connections are read from the
history at each look, so that every worker of a history shows the same: take their `max`.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    Summary,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

from sync.ledger.fires import WorkName
from sync.service.events import Ended, Missed
from sync.service.states import STATES, looked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sync.ledger import Ledger
    from sync.service.events import Event
    from sync.service.schedule import Work
    from sync.service.states import Look

# When each counter began: a third of all series, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types

_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 900, 1800, 3600, 7200, 14400, 21600)

# What of a report is counted by object.
_BY_OBJECT = {
    "pulled": ("foretag_records_pulled", "Records read from the CRM."),
    "done": ("foretag_records_written", "Records and tasks written to the CRM."),
    "refused": ("foretag_records_refused", "Records and tasks that the CRM refused."),
    "unknown": ("foretag_records_unconfirmed", "Records and tasks sent of which the CRM confirmed nothing."),
}


class Metrics:
    """A listener to a worker's events that can be looked at; `clock` gives UTC."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        worker = Info("foretag_worker", "Which Foretag this is, on which Python.", registry=registry)
        worker.info({"version": version("foretag"), "python": platform.python_version()})
        self._runs = Counter(
            "foretag_runs",
            "Scheduled runs that ended, by exit code.",
            ("connection", "job", "exit_code"),
            registry=registry,
        )
        self._duration = Histogram(
            "foretag_run_duration_seconds",
            "How long scheduled runs took.",
            ("job",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._stages = Summary(
            "foretag_stage_duration_seconds",
            "How long each stage of a run took.",
            ("connection", "stage"),
            registry=registry,
        )
        self._records = {
            name: Counter(metric, text, ("connection", "object"), registry=registry)
            for name, (metric, text) in _BY_OBJECT.items()
        }
        self._unreadable = Counter(
            "foretag_records_unreadable",
            "Records that could not be read and were set aside.",
            ("connection",),
            registry=registry,
        )
        self._calls = Counter(
            "foretag_api_calls", "API calls to the CRM.", ("connection",), registry=registry
        )
        self._missed = Counter(
            "foretag_missed_fires",
            "Scheduled work that did not take place.",
            ("connection", "job"),
            registry=registry,
        )
        self._told = Counter(
            "foretag_notifications",
            "Messages to people: sent, or given up after all retries.",
            ("channel", "outcome"),
            registry=registry,
        )
        # Shown before the first of them: a rise is counted from what was seen before.
        for channel in ("webhook", "mail", "dead_man"):
            for outcome in ("sent", "failed"):
                self._told.labels(channel, outcome)
        self._under_way = Gauge(
            "foretag_runs_under_way", "Runs that this worker has under way.", registry=registry
        )
        self._history = _History(ledger, clock)
        registry.register(self._history)

    def __call__(self, event: Event) -> None:
        """Count what happened."""
        if isinstance(event, Ended):
            self._ended(event)
        elif isinstance(event, Missed):
            self._missed.labels(event.connection, event.job).inc()

    def watch(self, connections: Collection[str], works: Iterable[Work] = ()) -> None:
        """Show these connections alone, and when this work is due; the history may know others, of old settings."""
        self._history.names = frozenset(connections)
        # Of what was planned before it is known when it is due next.
        known = {id(due.work): due for due in self._history.dues}
        self._history.dues = [known.get(id(work)) or _Due(work, self._clock()) for work in works]
        for due in self._history.dues:
            self._missed.labels(due.work.connection, due.work.job)

    def count(self, under_way: Callable[[], int]) -> None:
        """Ask for the number of runs under way here."""
        self._under_way.set_function(under_way)

    def told(self, channel: str, outcome: str) -> None:
        """A message went out by a channel (webhook, mail, dead_man), or did not: sent, failed."""
        self._told.labels(channel, outcome).inc()

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)

    def _ended(self, event: Ended) -> None:
        report = event.report
        self._runs.labels(event.connection, event.job, str(event.exit_code)).inc()
        self._duration.labels(event.job).observe((event.finished - event.started).total_seconds())
        for stage, seconds in _numbers(report, "seconds").items():
            self._stages.labels(event.connection, stage).observe(seconds)
        for name, counter in self._records.items():
            for object_name, count in _numbers(report, name).items():
                counter.labels(event.connection, object_name).inc(count)
        self._unreadable.labels(event.connection).inc(report.get("set_aside", 0))
        self._calls.labels(event.connection).inc(report.get("api_calls", 0))


class _History:
    """Gauges that are read from the history at each look; if it is away, nothing but that is shown."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._clock = clock
        self.names: frozenset[str] | None = None
        self.dues: Sequence[_Due] = ()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The gauges without values: the names are known before anything has run."""
        yield from _gauges().values()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as of now."""
        gauges = _gauges()
        look = looked(self._ledger, self._clock, self.names)
        gauges["foretag_history_up"].add_metric((), float(look is not None))
        if look is not None:
            _fill(gauges, look)
            _fill_dues(gauges["foretag_next_due_timestamp_seconds"], self.dues, look)
        yield from gauges.values()


@dataclass(slots=True)
class _Due:
    """When some work is due next: after what it was taken for last, or since it was planned; worked out once."""

    work: Work
    after: datetime
    at: datetime | None = None
    is_known: bool = False

    def next(self, taken: datetime | None) -> datetime | None:
        """The moment, past if it is late; None: never."""
        if not self.is_known or (taken is not None and taken > self.after):
            self.after = max(taken or self.after, self.after)
            coming = (fire.at for fire in self.work.fires(self.after) if fire.due > self.after)
            self.at, self.is_known = next(coming, None), True
        return self.at


# The gauges of the history: name, meaning, labels.
GAUGES = (
    ("foretag_history_up", "Whether the history can be read.", ()),
    ("foretag_workers", "Workers that share the history and were heard of lately.", ()),
    (
        "foretag_connection_state",
        "1 for the state that a connection is in, 0 for the others.",
        ("connection", "state"),
    ),
    (
        "foretag_lag_seconds",
        "How old the local copy is: seconds since the last change of the CRM that is in it for sure.",
        ("connection",),
    ),
    ("foretag_lease_held", "Whether a run is working on the connection.", ("connection",)),
    (
        "foretag_api_calls_remaining",
        "API calls that the org has left of its day, as last told by the CRM.",
        ("connection",),
    ),
    ("foretag_api_calls_limit", "API calls that the org has a day.", ("connection",)),
    (
        "foretag_records_waiting",
        "Records that were refused and wait until they change.",
        ("connection",),
    ),
    ("foretag_last_run_timestamp_seconds", "When a job ended last.", ("connection", "job")),
    ("foretag_last_run_exit_code", "How a job ended last.", ("connection", "job")),
    (
        "foretag_next_due_timestamp_seconds",
        "When a job is due next: the first moment that no worker has taken yet, so it is past if it is late.",
        ("connection", "job"),
    ),
)


def _gauges() -> dict[str, GaugeMetricFamily]:
    return {name: GaugeMetricFamily(name, text, labels=labels) for name, text, labels in GAUGES}


def _fill(gauges: Mapping[str, GaugeMetricFamily], look: Look) -> None:
    gauges["foretag_workers"].add_metric((), look.workers)
    for one in look.connections:
        names, stand = (one.connection,), one.stand
        for state in STATES:
            gauges["foretag_connection_state"].add_metric((*names, state), float(state == one.state))
        if stand is None:
            continue
        values = {
            "foretag_lag_seconds": one.lag(look.at),
            "foretag_lease_held": stand.leased,
            "foretag_api_calls_remaining": stand.api_left,
            "foretag_api_calls_limit": stand.api_limit,
            "foretag_records_waiting": stand.waiting,
        }
        for name, value in values.items():
            if value is not None:
                gauges[name].add_metric(names, float(value))
    for work in look.fires:
        if work.ended is not None:
            gauges["foretag_last_run_timestamp_seconds"].add_metric(work[:2], work.ended.timestamp())
        gauges["foretag_last_run_exit_code"].add_metric(work[:2], work.exit_code)


def _fill_dues(gauge: GaugeMetricFamily, dues: Iterable[_Due], look: Look) -> None:
    first: dict[tuple[str, str], float] = {}
    for due in dues:
        work = due.work
        at = due.next(look.taken.get(WorkName(work.connection, work.job, work.zone)))
        if at is not None:
            names = (work.connection, str(work.job))
            first[names] = min(at.timestamp(), first.get(names, at.timestamp()))
    for names, seconds in first.items():
        gauge.add_metric(names, seconds)


def _numbers(report: Mapping[str, Any], name: str) -> Mapping[str, float]:
    """Counts by object, or seconds by stage; nothing if a report is without."""
    found = report.get(name)
    return found if isinstance(found, dict) else {}
