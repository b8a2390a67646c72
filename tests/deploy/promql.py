"""PromQL read as Prometheus reads it, and held against the metrics that a worker really has."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import promql_parser
from promql_parser import AggregateExpr, BinaryExpr, VectorSelector

from sync.service.metrics import GAUGES, Metrics
from sync.service.states import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.ledger import Ledger

# What Prometheus adds to every series of a target, and of its own accord.
TARGET = frozenset({"job", "instance"})
OF_PROMETHEUS = {"up": TARGET}
_SUFFIXES = {
    "counter": {"_total": ()},
    "gauge": {"": ()},
    "info": {"_info": ()},
    "summary": {"_sum": (), "_count": ()},
    "histogram": {"_bucket": ("le",), "_sum": (), "_count": ()},
}


def series(ledger: Ledger) -> dict[str, frozenset[str]]:
    """Each series that a worker shows, with its labels: read off the registry that it serves."""
    registry = Metrics(ledger, lambda: datetime.now(UTC)).registry
    labels = {name: names for name, _, names in GAUGES}
    for metric, (name, *_) in ((one, names) for one, names in registry._collector_to_names.items() if names):
        labels.setdefault(name, getattr(metric, "_labelnames", ()))
    labels["foretag_worker"] = ("version", "python")
    return OF_PROMETHEUS | {
        family.name + suffix: frozenset((*labels.get(family.name, ()), *more)) | TARGET
        for family in registry.collect()
        for suffix, more in _SUFFIXES[family.type].items()
    }


class Reader:
    """Reads expressions; `faults` lists series and labels that no worker has."""

    def __init__(self, known: dict[str, frozenset[str]]) -> None:
        self.known = known

    def faults(self, expression: str) -> list[str]:
        """What is wrong with an expression. Raises `ValueError` if it is none."""
        return list(self._faults(promql_parser.parse(expression)))

    def named(self, expression: str) -> set[str]:
        """The series that it reads."""
        return {one.name for one in _walk(promql_parser.parse(expression)) if isinstance(one, VectorSelector)}

    def _faults(self, tree: object) -> Iterator[str]:
        for one in _walk(tree):
            if isinstance(one, VectorSelector):
                labels = self.known.get(one.name)
                if labels is None:
                    yield f"no worker shows {one.name}"
                    continue
                asked = {matcher.name for matcher in one.matchers.matchers}
                yield from (f"{one.name} has no label {name}" for name in sorted(asked - labels))
                states = {
                    value
                    for each in one.matchers.matchers
                    if each.name == "state"
                    for value in each.value.split("|")
                }
                yield from (f"no connection is ever {state}" for state in sorted(states - set(STATES)))
            elif isinstance(one, (AggregateExpr, BinaryExpr)) and one.modifier is not None:
                modifier = one.modifier if isinstance(one, AggregateExpr) else one.modifier.matching
                names = {each.name for each in _walk(one) if isinstance(each, VectorSelector)}
                shared = frozenset.union(*(self.known.get(name, frozenset()) for name in names))
                kept = set(modifier.labels) if modifier is not None else set()
                yield from (f"none of {sorted(names)} has a label {name}" for name in sorted(kept - shared))


def _walk(tree: object) -> Iterator[object]:
    """The parts of an expression, itself first."""
    yield tree
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        part = getattr(tree, name, None)
        if part is not None:
            yield from _walk(part)
    for part in getattr(tree, "args", None) or ():
        yield from _walk(part)


def filled(expression: str) -> str:
    """An expression of a dashboard with its variables put in."""
    return re.sub(r"\$\{?(\w+)\}?", lambda one: "5m" if one[1].startswith("__") else "some", expression)
