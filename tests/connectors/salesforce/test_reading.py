"""What Salesforce's ways of reading have of their own: locators, result pages, jobs and query timeouts."""

from __future__ import annotations

import re

import pytest

from connectors.contract import RetryLater
from tests.contract.conftest import pull

WAYS = pytest.mark.parametrize("bulk_threshold", [10, 100_000], ids=["bulk", "rest"])


def test_a_forgotten_result_goes_on_after_the_last_record(make_world) -> None:
    """A lost locator costs a page, not the pull; nothing twice, nothing missing."""
    world = make_world(data="synthetic:100:5000")
    world.sandbox.faults.add([{"kind": "lose_locators", "times": 2}])
    pulled = pull(world.connect(bulk_threshold=100_000), "opportunity", ["name"])
    assert len(pulled.rows) == len(pulled.ids()) == 5000
    assert pulled.checkpoint.read == pulled.checkpoint.expected


@WAYS
def test_a_query_that_takes_too_long_is_asked_in_halves(bulk_threshold, world) -> None:
    """Of its window, older half first."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    world.sandbox.faults.add([{"kind": "query_timeout", "match": r"/query\b", "times": 2}])
    pulled = pull(connector, "opportunity", ["name"])
    assert len(pulled.ids()) == 200
    assert pulled.checkpoint.read == pulled.checkpoint.expected


def test_a_mapping_may_go_through_a_parent(world) -> None:
    """Fields of parent objects are columns like others."""
    connector = world.connect(mapping={"opportunity": {"name": "Account.Name", "type": "StageName"}})
    rows = pull(connector, "opportunity", ["name", "type", "account_id"]).rows
    names = {row["id"]: row["name"] for row in pull(connector, "account", ["name"]).rows}
    assert all(row["name"] == names[row["account_id"]] for row in rows if row["account_id"])


def test_jobs_are_deleted_after_reading(world) -> None:
    """Results would lie in the org for a week."""
    connector = world.connect(bulk_threshold=10)
    pull(connector, "account", ["name"])
    connector.server_time()  # the journal is written after the reply
    assert any(re.match(r"DELETE .*/jobs/query/750", line) for line in world.requests())


@pytest.fixture
def small_pages(world, monkeypatch) -> None:
    """Results of many pages, without the hundred thousands of rows that real ones have."""
    from connectors.salesforce import bulk_read

    monkeypatch.setattr(bulk_read, "PAGE_RECORDS", 50)
    world.sandbox.faults.add([{"kind": "short_pages", "rows": 7}])


@pytest.mark.parametrize("result_key", ["resultUrl", "resultLink"])
@pytest.mark.parametrize("next_key", ["nextRecordsUrl", "nextRecordUrl"])
def test_parallel_result_pages_are_found_under_every_spelling(
    result_key, next_key, small_pages, world
) -> None:
    """The vendor's documents disagree on the keys; 29 pages of 7 rows come whole either way."""
    world.sandbox.faults.add([{"kind": "page_links", "result_key": result_key, "next_key": next_key}])
    pulled = pull(world.connect(bulk_threshold=10), "opportunity", ["name"])
    assert len(pulled.rows) == len(pulled.ids()) == 200
    assert sum("/resultPages" in line for line in world.requests()) == 6


def test_one_cut_page_of_many_costs_one_request(small_pages, world) -> None:
    """The page is read again from its locator, not the whole result."""
    world.sandbox.faults.add([{
        "kind": "truncate", "match": "locator=", "after": 6, "bytes": 60, "framing": "close",
    }])  # fmt: skip
    connector = world.connect(bulk_threshold=10)
    pulled = pull(connector, "opportunity", ["name"])
    connector.server_time()  # the journal is written after the reply
    assert len(pulled.rows) == len(pulled.ids()) == 200
    assert sum("/results?" in line for line in world.requests()) == 30


def test_before_version_58_pages_follow_one_another(small_pages, world) -> None:
    """By their locators, until the word null."""
    connection = world.people.connection().model_copy(update={"api_version": "57.0"})
    connector = world.connect(connection=connection, bulk_threshold=10)
    pulled = pull(connector, "opportunity", ["name"])
    assert len(pulled.rows) == len(pulled.ids()) == 200
    assert not any("/resultPages" in line for line in world.requests())


def test_a_slow_job_is_waited_for_with_growing_patience(world) -> None:
    """Not every five seconds, and not for ever at once."""
    world.sandbox.faults.add([{"kind": "slow_jobs", "polls": 8}])
    assert len(pull(world.connect(bulk_threshold=10), "opportunity", ["name"]).rows) == 200
    assert world.waits == sorted(world.waits)
    assert world.waits[0] == pytest.approx(0.2)
    assert max(world.waits) == 10


@pytest.mark.parametrize("fault", ["job_failed", "job_aborted"])
def test_a_query_job_that_fails_is_a_clear_error(fault, world) -> None:
    """With the job's id and the CRM's own reason."""
    world.sandbox.faults.add([{"kind": fault}])
    with pytest.raises(RetryLater, match=r"bulk query on Account ended as (Failed|Aborted): .*job 750"):
        pull(world.connect(bulk_threshold=10), "account", ["name"])


def test_a_query_too_long_for_an_address_travels_in_a_body(world) -> None:
    """Many keys, one question."""
    connector = world.connect()
    assert connector.tasks([f"key-{number:060d}" for number in range(120)]) == {}
    connector.server_time()  # the journal is written after the reply
    assert any(re.match("POST .*/composite", line) for line in world.requests())
