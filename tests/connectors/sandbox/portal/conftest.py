"""A portal of its own for each test, with a clock that tests turn and a journal that they read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.datasets.hubspot import load_dataset
from connectors.sandbox.hubspot.portal import Person, Portal


@dataclass
class Hands:
    """What a test turns and reads: the clock, the faults, the writes that were journaled."""

    now: datetime = datetime(2018, 1, 1, 12, tzinfo=UTC)
    locked: set[str] = field(default_factory=set)
    delay: timedelta = timedelta(0)
    read_only: frozenset[str] = frozenset()
    written: list[tuple] = field(default_factory=list)

    def clock(self) -> datetime:
        """The portal's time."""
        return self.now

    def later(self, **by: float) -> str:
        """Turn the clock; the new time as the portal writes it."""
        self.now += timedelta(**by)
        return self.now.isoformat().replace("+00:00", "Z")

    def lock_row(self, record_id: str) -> bool:
        """Whether the record is locked."""
        return record_id in self.locked

    def read_only_fields(self, object_name: str) -> frozenset[str]:
        """Properties that cannot be written."""
        return self.read_only

    def commit_delay(self, object_name: str) -> timedelta:
        """How late search sees writes."""
        return self.delay

    def write(self, user, operation, object_name, record_ids, fields, changed) -> None:
        """Keep what is journaled."""
        self.written.append((operation, object_name, list(record_ids), tuple(fields), changed))


@pytest.fixture(scope="session")
def dataset():
    """The default data set, read once."""
    return load_dataset("pipeline")


@pytest.fixture
def hands() -> Hands:
    """Clock, faults and journal of the test's portal."""
    return Hands()


@pytest.fixture
def portal(dataset, hands) -> Portal:
    """A fresh portal."""
    return Portal(dataset, hands.clock, faults=hands, journal=hands)


@pytest.fixture
def app() -> Person:
    """Who writes."""
    return Person("worker@portal.example", "9000001")


@pytest.fixture
def ids(portal):
    """Ids of the first records of a type: `ids("deals", 3)`."""

    def first(kind: str, count: int) -> list[str]:
        return [one["id"] for one in portal.list_records(kind, limit=count).results]

    return first


@pytest.fixture
def make(portal, app):
    """Make one record: `make("companies", name="Acme")` gives its id."""

    def make_one(kind: str, **properties: str) -> str:
        return portal.create_one(app, kind, {"properties": properties})["id"]

    return make_one


@pytest.fixture
def value(portal):
    """One property of one record: `value("deals", "123", "amount")`."""

    def value_of(kind: str, record_id: str, name: str) -> str | None:
        return portal.get(kind, record_id, properties=[name])["properties"][name]

    return value_of
