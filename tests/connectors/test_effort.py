"""What a write costs at the least: what the connectors say, against what the CRM counts."""

from __future__ import annotations

import pytest

from config.settings import Limits
from connectors.hubspot import effort as hubspot
from connectors.salesforce import effort as salesforce


@pytest.mark.parametrize(
    ("crm", "threshold", "name", "records", "calls"),
    [
        (salesforce, 2_000, "account", 0, 0),
        (salesforce, 2_000, "account", 1, 1),
        (salesforce, 2_000, "account", 1_999, 10),
        (salesforce, 2_000, "account", 2_000, 5),
        (salesforce, 2_000, "opportunity", 1_000_000, 50),
        (salesforce, 2_000, "task", 500, 4),
        (hubspot, 500_000, "account", 101, 2),
        (hubspot, 500_000, "opportunity", 499_999, 5_000),
        (hubspot, 500_000, "account", 1_000_000, 300),
        (hubspot, 500_000, "task", 150, 4),
    ],
)
def test_the_least_calls_of_a_write_are_those_of_its_fullest_batches(crm, threshold, name, records, calls):
    """A call is as full as the CRM takes it; from some number on, a job or an import does the same in fewer."""
    told = crm.effort(name, records, threshold)
    assert told.calls == calls
    assert (told.seconds > 0) is (records > 0)


@pytest.mark.parametrize("crm", [salesforce, hubspot])
def test_the_least_calls_of_a_run_grow_with_what_it_reads_and_writes(crm):
    """Reading more, or writing more, never costs less."""
    before = 0
    for rows in (0, 100, 10_000, 1_000_000):
        least = crm.least_calls({"account": rows, "opportunity": rows}, {"account": rows}, 2_000)
        assert least > before
        before = least


def test_a_run_may_use_what_the_reserve_leaves_unless_told_otherwise():
    """No budget of its own is set."""
    assert (Limits().calls_per_run, Limits().calls_per_day) == (None, None)
