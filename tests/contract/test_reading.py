"""Reading, as the contract promises it: complete, counted, incremental, and robust against single bad records."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from config.records import RECORDS, schema
from connectors.contract import ConfigProblem, Page, RetryLater, Truncated
from tests.contract.conftest import pull

ACCOUNT_FIELDS = ("name", "owner_id", "annual_revenue", "employees", "created_at")
# Below and above the number of rows from which on the Bulk API is used.
WAYS = pytest.mark.parametrize("bulk_threshold", [10, 100_000], ids=["bulk", "rest"])


@pytest.mark.parametrize("object_name", list(RECORDS))
@WAYS
def test_a_pull_has_the_canonical_schema_and_the_crms_own_count(object_name, bulk_threshold, world) -> None:
    """Every object, both ways of reading: the asked-for columns with their types, as many rows as the CRM has."""
    columns = tuple(column.name for column in RECORDS[object_name])
    connector = world.connect(bulk_threshold=bulk_threshold)
    pages = [m for m in connector.pull(object_name, columns, None) if isinstance(m, Page)]
    assert all(page.table.schema == schema(object_name) for page in pages)
    pulled = pull(connector, object_name, columns)
    assert pulled.checkpoint.read == pulled.checkpoint.expected == len(pulled.rows)
    assert len(pulled.ids()) == len(pulled.rows)
    if object_name in ("account", "opportunity"):
        assert len(pulled.rows) == {"account": 40, "opportunity": 200}[object_name]


def test_both_ways_of_reading_read_the_same(world) -> None:
    """The same rows to the last value, by REST and by Bulk."""
    columns = [column.name for column in RECORDS["opportunity"]]
    small, large = (
        sorted(
            pull(world.connect(bulk_threshold=limit), "opportunity", columns).rows, key=lambda row: row["id"]
        )
        for limit in (100_000, 10)
    )
    assert small == large


@WAYS
def test_an_increment_holds_what_changed_since_and_what_may_have_come_late(bulk_threshold, world) -> None:
    """A change after the cursor comes; what changed long before it does not."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    world.advance(86400)
    cursor = pull(connector, "account", ACCOUNT_FIELDS).checkpoint.cursor
    world.advance(3600)
    (first, *_) = pull(connector, "account", ACCOUNT_FIELDS).rows
    connector.update("account", changes(first["id"], foretag_reason="changed"))
    assert pull(connector, "account", ACCOUNT_FIELDS, cursor).ids() == {first["id"]}


def test_the_cursor_ignores_our_own_clock(world) -> None:
    """The worker's clock stands in 2020, the CRM's elsewhere; the cursor is the CRM's."""
    connector = world.connect()
    cursor = pull(connector, "account", ACCOUNT_FIELDS).checkpoint.cursor
    assert str(connector.server_time().year) in cursor
    assert "2020" not in cursor


def test_a_commit_that_comes_late_is_in_the_next_increment(world) -> None:
    """Its stamp lies before the cursor: the overlap looks back for it."""
    connector = world.connect()
    world.advance(86400)
    (first, *_) = pull(connector, "account", ACCOUNT_FIELDS).rows
    world.sandbox.faults.add([{"kind": "late_commit", "object": "Account", "seconds": 120}])
    connector.update("account", changes(first["id"], foretag_reason="late"))
    world.advance(60)
    cursor = pull(connector, "account", ACCOUNT_FIELDS).checkpoint.cursor
    world.advance(300)
    assert first["id"] in pull(connector, "account", ACCOUNT_FIELDS, cursor).ids()


def test_a_field_asked_for_later_is_read_for_old_records_too(world) -> None:
    """A new column with an old cursor would be null in every old row."""
    connector = world.connect()
    world.advance(86400)
    cursor = pull(connector, "account", ["name"]).checkpoint.cursor
    world.advance(86400)
    assert pull(connector, "account", ["name"], cursor).rows == []
    assert len(pull(connector, "account", ["name", "country"], cursor).rows) == 40


POISONS = ["nan", "huge_text", "ancient_date", "lone_surrogate", "bad_utf8", "missing_id"]
POISONED_FIELD = {"nan": "AnnualRevenue", "ancient_date": "CreatedDate"}


@WAYS
@pytest.mark.parametrize("what", POISONS)
def test_a_poisoned_record_is_set_aside_alone(what, bulk_threshold, world) -> None:
    """All others are read; the reason names the field and shows nothing of the content."""
    field = POISONED_FIELD.get(what, "Name")
    world.sandbox.faults.add(
        [{"kind": "poison", "object": "Account", "what": what, "field": field, "rows": [3]}]
    )
    pulled = pull(world.connect(bulk_threshold=bulk_threshold), "account", ACCOUNT_FIELDS)
    assert len(pulled.rows) == 39
    (aside,) = pulled.set_aside
    assert (aside.id == "") is (what == "missing_id")
    assert len(aside.reason) < 80
    assert re.match(r"(name|annual_revenue|created_at|id) is ", aside.reason)
    assert pulled.checkpoint.read == pulled.checkpoint.expected == 40


def poisoned(record_id: str, field: str = "Name", what: str = "bad_utf8") -> dict[str, object]:
    """The fault that makes one record unreadable wherever it appears."""
    return {"kind": "poison", "object": "Account", "what": what, "field": field, "id": record_id}


@WAYS
def test_what_was_set_aside_is_read_once_it_is_well(bulk_threshold, world) -> None:
    """Days later and unchanged in the CRM, so that no window of changes would hold it; and only once."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    (first, *_) = pull(connector, "account", ACCOUNT_FIELDS).rows
    fault = world.sandbox.faults.add([poisoned(first["id"])])
    world.advance(86400)
    cursor = pull(connector, "account", ACCOUNT_FIELDS).checkpoint.cursor
    world.advance(86400)
    still = pull(connector, "account", ACCOUNT_FIELDS, cursor)
    assert (still.rows, [row.id for row in still.set_aside]) == ([], [first["id"]])
    world.advance(86400)
    world.sandbox.faults.remove(*fault)
    well = pull(connector, "account", ACCOUNT_FIELDS, still.checkpoint.cursor)
    assert well.rows == [first]
    assert pull(connector, "account", ACCOUNT_FIELDS, well.checkpoint.cursor).rows == []


def test_what_was_set_aside_and_is_gone_is_not_asked_for_for_ever(world) -> None:
    """The cursor forgets it with the CRM."""
    connector = world.connect()
    (first, *_) = pull(connector, "account", ACCOUNT_FIELDS).rows
    world.sandbox.faults.add([poisoned(first["id"])])
    cursor = pull(connector, "account", ACCOUNT_FIELDS).checkpoint.cursor
    assert first["id"] in cursor
    world.sandbox.org.delete(world.sandbox.org.admin, "Account", [first["id"]])
    after = pull(connector, "account", ACCOUNT_FIELDS, cursor)
    assert after.set_aside == []
    assert first["id"] not in after.checkpoint.cursor


def test_an_unreadable_stamp_does_not_make_a_record_seem_deleted(world) -> None:
    """The ids of the living are complete; one that came without an id is counted, so that nobody concludes from it."""
    connector = world.connect()
    living = set(connector.ids("account").to_pylist())
    first = min(living)
    world.sandbox.faults.add([poisoned(first, "SystemModstamp", "ancient_date")])
    assert set(connector.ids("account").to_pylist()) == living
    world.sandbox.faults.add([poisoned(first, what="missing_id")])
    assert set(connector.ids("account").to_pylist()) == living - {first} | {""}


@pytest.mark.parametrize("framing", ["as_is", "length", "chunked", "close"])
def test_a_result_page_that_is_cut_is_fetched_again(framing, world) -> None:
    """However the end of the reply is marked, a short page is never taken for a whole one."""
    world.sandbox.faults.add([{
        "kind": "truncate", "match": "/results", "bytes": 700, "framing": framing, "times": 2,
    }])  # fmt: skip
    pulled = pull(world.connect(bulk_threshold=10), "opportunity", ["name", "amount"])
    assert len(pulled.rows) == 200


@pytest.mark.parametrize("framing", ["as_is", "length", "chunked", "close"])
def test_a_query_page_that_is_cut_is_asked_for_again(framing, world) -> None:
    """The same by REST."""
    world.sandbox.faults.add([{
        "kind": "truncate", "match": r"/query\?q=SELECT%20Id", "bytes": 700, "framing": framing, "times": 2,
    }])  # fmt: skip
    assert len(pull(world.connect(), "opportunity", ["name", "amount"]).rows) == 200


def test_a_page_that_stays_cut_stops_the_pull(world) -> None:
    """After four attempts, rather than scoring half a book."""
    world.sandbox.faults.add([{"kind": "truncate", "match": "/results", "bytes": 700, "times": None}])
    with pytest.raises(Truncated):
        pull(world.connect(bulk_threshold=10), "opportunity", ["name"])


@WAYS
def test_a_session_that_expires_in_mid_pull_is_renewed_once(bulk_threshold, world) -> None:
    """One sign-in more, nothing lost."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    before = world.sandbox.journal.position
    world.sandbox.faults.add([{"kind": "expire_session", "after": 1}])
    assert len(pull(connector, "opportunity", ["name"]).rows) == 200
    assert sum("oauth2/token" in line for line in world.requests(before)) == 2


@WAYS
@pytest.mark.parametrize("status", [503, 500, 429, 406, 420])
def test_a_burst_of_unavailability_is_waited_out(status, bulk_threshold, world) -> None:
    """With growing waits, and then everything is there."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    connector.schema("opportunity")
    world.sandbox.faults.add([{"kind": "status", "status": status, "times": 3}])
    assert len(pull(connector, "opportunity", ["name"]).rows) == 200
    assert len(world.waits) >= 3


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


@WAYS
def test_the_daily_allowance_parks_the_run(bulk_threshold, world) -> None:
    """Used up is not broken: the error says so, and nothing is sent again."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    connector.schema("account")
    world.sandbox.faults.add([{"kind": "request_limit", "scope": "daily", "times": None}])
    with pytest.raises(RetryLater) as caught:
        pull(connector, "account", ["name"])
    assert caught.value.quota
    assert world.waits == []


def test_too_many_long_calls_are_a_matter_of_seconds(world) -> None:
    """The same code, another meaning: wait and go on."""
    connector = world.connect()
    world.sandbox.faults.add([{"kind": "request_limit", "scope": "concurrent", "times": 2}])
    assert len(pull(connector, "account", ["name"]).rows) == 40


@WAYS
def test_a_web_page_in_the_crms_place_is_named_as_such(bulk_threshold, world) -> None:
    """Status 200 and HTML: a proxy or a maintenance page."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    world.sandbox.faults.add([{"kind": "html_200", "times": None}])
    with pytest.raises(RetryLater, match="a web page instead of data"):
        pull(connector, "account", ["name"])


def test_deleted_and_merged_records_are_told(world) -> None:
    """By id; a merged record with its winner, to the end of the chain."""
    connector, admin, org = world.connect(), world.sandbox.org.admin, world.sandbox.org
    world.advance(86400)
    pulled = pull(connector, "account", ["name"])
    gone, loser, middle, winner = sorted(pulled.ids())[:4]
    world.advance(60)
    org.delete(admin, "Account", [gone])
    org.merge(admin, "Account", middle, [loser])
    org.merge(admin, "Account", winner, [middle])
    deleted = connector.deleted("account", pulled.checkpoint.cursor)
    assert set(deleted.ids) == {gone, loser, middle}
    assert deleted.merged == {loser: winner, middle: winner}
    assert deleted.complete
    assert set(connector.ids("account").to_pylist()) == pulled.ids() - {gone, loser, middle}


def test_a_cursor_older_than_the_recycle_bin_is_admitted(world) -> None:
    """Then the caller must compare ids."""
    connector = world.connect()
    cursor = pull(connector, "account", ["name"]).checkpoint.cursor
    world.advance(16 * 86400)
    assert not connector.deleted("account", cursor).complete


def test_a_mapping_replaces_a_field_and_may_go_through_a_parent(world) -> None:
    """Including fields of parent objects."""
    connector = world.connect(mapping={"opportunity": {"name": "Account.Name", "type": "StageName"}})
    rows = pull(connector, "opportunity", ["name", "type", "account_id"]).rows
    names = {row["id"]: row["name"] for row in pull(connector, "account", ["name"]).rows}
    assert all(row["name"] == names[row["account_id"]] for row in rows if row["account_id"])


def test_a_column_that_does_not_exist_is_named(world) -> None:
    """Before anything is asked of the CRM."""
    with pytest.raises(ConfigProblem, match="no such columns: nonsense"):
        pull(world.connect(), "account", ["nonsense"])


def test_jobs_are_deleted_after_reading(world) -> None:
    """Results would lie in the org for a week."""
    connector = world.connect(bulk_threshold=10)
    pull(connector, "account", ["name"])
    connector.server_time()  # the journal is written after the reply
    assert any(re.match(r"DELETE .*/jobs/query/750", line) for line in world.requests())


def changes(*ids: str, **fields: object) -> pa.Table:
    """A table of changes that sets the same values on each record."""
    columns = {name: [value] * len(ids) for name, value in fields.items()}
    return pa.table({"id": list(ids), "parent_id": pa.nulls(len(ids), pa.string()), **columns})


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
    connection = world.connection().model_copy(update={"api_version": "57.0"})
    world.connection = lambda _: connection
    connector = world.connect(bulk_threshold=10)
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
