"""Reading, as the contract promises it: complete, counted, incremental, and robust against single bad records."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from config.records import RECORDS, schema
from connectors.contract import ConfigProblem, Page, RetryLater, Truncated
from tests.contract.conftest import World, pull
from tests.crms import CRMS, PASSING, POISONS

ACCOUNT_FIELDS = ("name", "owner_id", "annual_revenue", "employees", "created_at")
# Below and above the number of rows from which on a CRM's way for large loads is taken.
BULK = 10
WAYS = pytest.mark.parametrize("bulk_threshold", [BULK, 100_000], ids=["bulk", "rest"])


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


@WAYS
def test_a_look_shows_what_changed_a_moment_ago_ours_too(bulk_threshold, world) -> None:
    """It moves no cursor, goes back no further than asked, and costs one call where nothing changed."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    first, second, *_ = pull(connector, "account", ACCOUNT_FIELDS).rows
    world.people.edit("account", {"id": first["id"], "employees": 4711})
    world.advance(60)
    since = connector.server_time()
    connector.update("account", changes(second["id"], foretag_reason="ours"))
    (page,) = connector.recent("account", ACCOUNT_FIELDS, since)
    assert page.schema == schema("account", ("id", *ACCOUNT_FIELDS, "modified_at"))
    assert page["id"].to_pylist() == [second["id"]]
    world.advance(60)
    since, before = connector.server_time(), connector.budget().calls
    assert list(connector.recent("account", ACCOUNT_FIELDS, since)) == []
    assert connector.budget().calls == before + 1


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
    account = world.people.object_name("account")
    world.sandbox.faults.add([{"kind": "late_commit", "object": account, "seconds": 120}])
    connector.update("account", changes(first["id"], foretag_reason="late"))
    world.advance(60)
    # By another run, which knows no reply older than its own.
    cursor = pull(world.connect(), "account", ACCOUNT_FIELDS).checkpoint.cursor
    world.advance(300)
    assert first["id"] in pull(world.connect(), "account", ACCOUNT_FIELDS, cursor).ids()


def test_a_field_asked_for_later_is_read_for_old_records_too(world) -> None:
    """A new column with an old cursor would be null in every old row."""
    connector = world.connect()
    world.advance(86400)
    cursor = pull(connector, "account", ["name"]).checkpoint.cursor
    world.advance(86400)
    assert pull(connector, "account", ["name"], cursor).rows == []
    assert len(pull(connector, "account", ["name", "country"], cursor).rows) == 40


POISONED = {"nan": "annual_revenue", "ancient_date": "created_at"}


def poisoned(
    world: World, column: str = "name", what: str = "bad_utf8", **which: object
) -> dict[str, object]:
    """The fault that makes a cell of an account unreadable wherever it appears."""
    people = world.people
    name, field = people.object_name("account"), people.field_name("account", column)
    return {"kind": "poison", "object": name, "what": what, "field": field, **which}


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
def test_what_was_set_aside_is_read_once_it_is_well(bulk_threshold, world) -> None:
    """Days later and unchanged in the CRM, so that no window of changes would hold it; and only once."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    (first, *_) = pull(connector, "account", ACCOUNT_FIELDS).rows
    fault = world.sandbox.faults.add([poisoned(world, id=first["id"])])
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
    world.sandbox.faults.add([poisoned(world, id=first["id"])])
    cursor = pull(connector, "account", ACCOUNT_FIELDS).checkpoint.cursor
    assert first["id"] in cursor
    world.people.delete("account", first["id"])
    after = pull(connector, "account", ACCOUNT_FIELDS, cursor)
    assert after.set_aside == []
    assert first["id"] not in after.checkpoint.cursor


def test_an_unreadable_stamp_does_not_make_a_record_seem_deleted(world) -> None:
    """The ids of the living are complete; one that came without an id is counted, so that nobody concludes from it."""
    connector = world.connect()
    living = set(connector.ids("account").to_pylist())
    first = min(living)
    world.sandbox.faults.add([poisoned(world, "modified_at", "ancient_date", id=first)])
    assert set(connector.ids("account").to_pylist()) == living
    world.sandbox.faults.add([poisoned(world, what="missing_id", id=first)])
    assert set(connector.ids("account").to_pylist()) == living - {first} | {""}


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


def test_deleted_and_merged_records_are_told(world) -> None:
    """By id; a merged record with its winner, to the end of the chain."""
    connector, people = world.connect(), world.people
    world.advance(86400)
    pulled = pull(connector, "account", ["name"])
    gone, loser, middle, winner = sorted(pulled.ids())[:4]
    world.advance(60)
    people.delete("account", gone)
    united = people.merge("account", middle, loser)
    survivor = people.merge("account", winner, united)
    merged = {loser, middle, united, winner} - {survivor}
    deleted = connector.deleted("account", pulled.checkpoint.cursor)
    assert set(deleted.ids) == {gone, *merged}
    assert deleted.merged == dict.fromkeys(merged, survivor)
    assert deleted.complete
    assert set(connector.ids("account").to_pylist()) == (pulled.ids() | {survivor}) - {gone, *merged}


def test_a_cursor_older_than_the_recycle_bin_is_admitted(world) -> None:
    """Then the caller must compare ids."""
    connector = world.connect()
    cursor = pull(connector, "account", ["name"]).checkpoint.cursor
    world.advance((world.people.bin_days + 1) * 86400)
    assert not connector.deleted("account", cursor).complete


@pytest.mark.parametrize(("object_name", "column"), [("account", "name"), ("task", "due"), ("owner", "name")])
def test_stamps_and_rows_by_id_are_those_of_a_pull(world, object_name, column) -> None:
    """A first pull brings the same to compare with; a record that is named comes as it is, one that is gone not."""
    connector = world.connect()
    rows = {row["id"]: row for row in pull(connector, object_name, [column]).rows}
    listed = connector.stamps(object_name).to_pylist()
    assert {row["id"]: row["modified_at"] for row in listed} == {
        one: row["modified_at"] for one, row in rows.items()
    }
    chosen = sorted(rows)[:3]
    if object_name == "account":
        world.people.delete(object_name, chosen[0])
    named = connector.named(object_name, [column], chosen)
    found = [row for page in named for row in page.table.to_pylist()]
    there = chosen[1:] if object_name == "account" else chosen
    assert sorted(found, key=lambda row: row["id"]) == [rows[one] for one in there]


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


def changes(*ids: str, **fields: object) -> pa.Table:
    """A table of changes that sets the same values on each record."""
    columns = {name: [value] * len(ids) for name, value in fields.items()}
    return pa.table({"id": list(ids), "parent_id": pa.nulls(len(ids), pa.string()), **columns})


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
