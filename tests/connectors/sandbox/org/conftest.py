"""An org of its own for each test, with a clock that tests turn and a journal that they read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.datasets import load_dataset
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.schema import Field, PicklistValue

STATUS = 'IF(ISBLANK(Foretag_Valid_Until__c), "", IF(Foretag_Valid_Until__c < TODAY(), "Stale", "Current"))'


@dataclass
class Hands:
    """What a test turns and reads: the clock, the faults, the writes that were journaled."""

    now: datetime = datetime(2018, 1, 1, 12, tzinfo=UTC)
    locked: set[str] = field(default_factory=set)
    delay: timedelta = timedelta(0)
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    rules: list[tuple[str, str]] = field(default_factory=list)
    written: list[tuple] = field(default_factory=list)

    def clock(self) -> datetime:
        """The org's time."""
        return self.now

    def lock_row(self, record_id: str) -> bool:
        """Whether the record is locked."""
        return record_id in self.locked

    def read_only_fields(self, object_name: str) -> frozenset[str]:
        """Fields that cannot be written."""
        return self.read_only

    def hidden_fields(self, object_name: str) -> frozenset[str]:
        """Fields that nobody sees."""
        return self.hidden

    def validation_rules(self, object_name: str) -> list[tuple[str, str]]:
        """Rules on accounts."""
        return self.rules if object_name == "Account" else []

    def commit_delay(self, object_name: str) -> timedelta:
        """How late saves are seen."""
        return self.delay

    def write(self, user, operation, object_name, record_ids, fields, changed) -> None:
        """Keep what is journaled."""
        self.written.append((operation, object_name, list(record_ids), changed))


@pytest.fixture(scope="session")
def dataset():
    """The default data set, read once."""
    return load_dataset("pipeline")


@pytest.fixture
def hands() -> Hands:
    """The test's hands."""
    return Hands()


@pytest.fixture
def org(dataset, hands) -> Org:
    """An org with the default data set."""
    return Org(dataset, hands.clock, faults=hands, journal=hands)


@pytest.fixture
def ids(org) -> list[str]:
    """The ids of the first three accounts."""
    return [row["Id"] for row in rows(org, "SELECT Id FROM Account ORDER BY Id LIMIT 3")]


@pytest.fixture
def granted(org) -> Org:
    """The org with a few fields of ours that a permission set shows to the worker."""
    choices = tuple(PicklistValue(tier) for tier in "ABCD")
    org.add_field(
        "Account", Field("Foretag_Tier__c", "Tier", "picklist", 255, picklist=choices, restricted=True)
    )
    org.add_field("Account", Field("Foretag_Score__c", "Score", "double", precision=3))
    org.add_field("Account", Field("Foretag_Reason__c", "Why", "string", 255))
    org.add_field("Account", Field("Foretag_Valid_Until__c", "Valid until", "date"))
    org.add_field("Account", Field("Foretag_Status__c", "Status", "string", 1300, formula=STATUS))
    org.add_field("Account", Field("Topics__c", "Topics", "multipicklist", 255, picklist=choices))
    org.add_field("Activity", Field("Foretag_Key__c", "Key", "string", 64, unique=True, external_id=True))
    permission_set = org.create_permission_set("Worker", "Worker")
    names = ("Tier__c", "Score__c", "Reason__c", "Valid_Until__c")
    org.grant_fields(permission_set, {f"Account.Foretag_{name}": True for name in names})
    org.grant_fields(permission_set, {"Account.Foretag_Status__c": False, "Account.Topics__c": True})
    org.grant_fields(permission_set, {"Task.Foretag_Key__c": True})
    org.assign(permission_set, org.worker.id)
    return org


def rows(org: Org, soql: str, user=None, **options) -> list[dict]:
    """All records that a query finds."""
    result = org.query(soql, user or org.worker, **options)
    return result.records(0, result.num_rows, "62.0")


@pytest.fixture
def select(org):
    """Run a query as the worker."""
    return lambda soql, **options: rows(org, soql, **options)
