"""How many calls a backfill of a million accounts takes on Salesforce: shown with smaller jobs."""

from __future__ import annotations

import re

import pytest

from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.effort import PORTION
from sync.runs import backfill
from sync.writing.selection import Selection

# Creating, filling and closing a job, and fetching its results; not looking at it.
WRITES = re.compile(r"(POST|PUT|PATCH|DELETE) \S*/jobs/ingest|GET \S*/jobs/ingest/\S+/\w*(Results|records)$")


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"])
def test_a_million_accounts_take_sixty_write_calls_at_most(make_world, monkeypatch):
    """By Bulk, four calls to a job; here a job has a fiftieth of its size."""
    monkeypatch.setattr(SalesforceConnector, "portion", lambda *_: PORTION // 50)
    world = make_world(data="synthetic:6000:10")
    with world.job() as job:
        report, _ = backfill.quote(job, Selection(only=("account",)))
    position = world.sandbox.journal.position
    with world.job() as job:
        done = backfill.do(job, backfill.found(job, report.run), lambda _: None).done
    requests = [one for one in world.sandbox.journal.entries(position) if one.kind == "request"]
    calls = [one for one in requests if WRITES.match(f"{one.method} {one.path}")]
    assert done == {"account": 6_000}
    assert not any("composite/sobjects" in one.path for one in requests)
    assert len(calls) == 3 * 4
    assert 1_000_000 / PORTION * 4 <= 60
