"""Reading every row, whatever comes in between, from a CRM that the tests share: none of them changes a record."""

from __future__ import annotations

import re

import pytest

from config.records import RECORDS, schema
from connectors.contract import ConfigProblem, Page, RetryLater, Truncated
from tests.contract.conftest import World, pull
from tests.contract.reading import ACCOUNT_FIELDS, BULK, WAYS, poisoned
from tests.crms import CRMS, PASSING, POISONS


@pytest.fixture
def world(world_to_read) -> World:
    """One for all: to set up one of its own costs more than to read it."""
    return world_to_read


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


POISONED = {"nan": "annual_revenue", "ancient_date": "created_at"}


@WAYS
@pytest.mark.parametrize(("crm", "what"), [(crm, what) for crm in CRMS for what in POISONS[crm]])
def test_a_poisoned_record_is_set_aside_alone(what, bulk_threshold, world) -> None:
    """All others are read; the reason names the field and shows nothing of the content."""
    world.sandbox.faults.add([poisoned(world, POISONED.get(what, "name"), what, rows=[3])])
    pulled = pull(world.connect(bulk_threshold=bulk_threshold), "account", ACCOUNT_FIELDS)
    assert len(pulled.rows) == 39
    (aside,) = pulled.set_aside
    assert (aside.id == "") is (what == "missing_id")
    assert len(aside.reason) < 80
    assert re.match(r"(name|annual_revenue|created_at|id) is ", aside.reason)
    assert pulled.checkpoint.read == pulled.checkpoint.expected == 40


@WAYS
@pytest.mark.parametrize("framing", ["as_is", "length", "chunked", "close"])
def test_a_page_that_is_cut_is_asked_for_again(framing, bulk_threshold, world) -> None:
    """However the end of the reply is marked, a short page is never taken for a whole one."""
    page = world.people.first_page(bulk=bulk_threshold == BULK)
    world.sandbox.faults.add([
        {"kind": "truncate", "match": page, "bytes": 700, "framing": framing, "times": 2},
    ])  # fmt: skip
    pulled = pull(world.connect(bulk_threshold=bulk_threshold), "opportunity", ["name", "amount"])
    assert len(pulled.rows) == len(pulled.ids()) == 200
    assert acted(world) == {"truncate": 2}


def test_a_page_that_stays_cut_stops_the_pull(world) -> None:
    """After four attempts, and whatever other way there is, rather than scoring half a book."""
    page = "|".join(world.people.first_page(bulk=bulk) for bulk in (True, False))
    world.sandbox.faults.add([{"kind": "truncate", "match": page, "bytes": 700, "times": None}])
    with pytest.raises((Truncated, RetryLater)):
        pull(world.connect(bulk_threshold=BULK), "opportunity", ["name"])


def acted(world: World) -> dict[str, int]:
    """How often each fault acted: one that never met a call proves nothing."""
    return {fault["kind"]: fault["acted"] for fault in world.sandbox.faults.listing()}


@WAYS
def test_a_session_that_expires_in_mid_pull_is_renewed_once(bulk_threshold, world) -> None:
    """One sign-in more, nothing lost."""
    connection = world.people.connection(renewable=True)
    connector = world.connect(connection=connection, bulk_threshold=bulk_threshold)
    before = world.sandbox.journal.position
    world.sandbox.faults.add([{"kind": "expire_session", "after": 1}])
    assert len(pull(connector, "opportunity", ["name"]).rows) == 200
    connector.server_time()  # the journal is written after the reply
    assert sum(re.search(world.people.signing_in, line) is not None for line in world.requests(before)) == 2


@WAYS
@pytest.mark.parametrize(("crm", "status"), [(crm, status) for crm in CRMS for status in PASSING[crm]])
def test_a_burst_of_unavailability_is_waited_out(status, bulk_threshold, world) -> None:
    """With growing waits, and then everything is there."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    connector.schema("opportunity")
    world.sandbox.faults.add([{"kind": "status", "status": status, "times": 3}])
    assert len(pull(connector, "opportunity", ["name"]).rows) == 200
    assert len(world.waits) >= 3
    assert acted(world) == {"status": 3}


@WAYS
def test_the_daily_allowance_parks_the_run(bulk_threshold, world) -> None:
    """Used up is not broken: the error says so, and nothing is sent again."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    connector.schema("account")
    world.sandbox.faults.add([world.people.allowance_used_up()])
    with pytest.raises(RetryLater) as caught:
        pull(connector, "account", ["name"])
    assert caught.value.quota
    assert world.waits == []


def test_too_many_long_calls_are_a_matter_of_seconds(world) -> None:
    """The same code, another meaning: wait and go on."""
    connector = world.connect()
    world.sandbox.faults.add([world.people.too_many_at_once()])
    assert len(pull(connector, "account", ["name"]).rows) == 40


@WAYS
def test_a_web_page_in_the_crms_place_is_named_as_such(bulk_threshold, world) -> None:
    """Status 200 and HTML: a proxy or a maintenance page."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    world.sandbox.faults.add([{"kind": "html_200", "times": None}])
    with pytest.raises(RetryLater, match="a web page instead of data"):
        pull(connector, "account", ["name"])


def test_a_mapping_replaces_a_field(world) -> None:
    """By the CRM's own name of another."""
    mapped = {"pain": world.people.field_name("opportunity", "name")}
    rows = pull(world.connect(mapping={"opportunity": mapped}), "opportunity", ["name", "pain"]).rows
    assert len(rows) == 200
    assert all(row["pain"] == row["name"] is not None for row in rows)


def test_a_column_that_does_not_exist_is_named(world) -> None:
    """Before anything is asked of the CRM."""
    with pytest.raises(ConfigProblem, match="no such columns: nonsense"):
        pull(world.connect(), "account", ["nonsense"])


def test_the_words_that_people_may_choose_are_those_that_records_hold(world) -> None:
    """Labels, for a CRM that tells them from values; stages of pipelines, too; nothing that is no longer active."""
    connector = world.connect()
    deals, accounts = connector.choices("opportunity"), connector.choices("account")
    assert {row["stage"] for row in pull(connector, "opportunity", ["stage"]).rows} <= set(deals["stage"])
    held = {row["industry"] for row in pull(connector, "account", ["industry"]).rows}
    assert held - {None}
    assert held - {None} <= set(accounts["industry"])
    assert "amount" not in deals
    assert "name" not in accounts
