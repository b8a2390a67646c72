"""Reading, as the contract promises it: what changed since, what is gone, and what was set aside until it is well."""

from __future__ import annotations

import pyarrow as pa
import pytest

from config.records import schema
from tests.contract.conftest import pull
from tests.contract.reading import ACCOUNT_FIELDS, WAYS, poisoned


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


def changes(*ids: str, **fields: object) -> pa.Table:
    """A table of changes that sets the same values on each record."""
    columns = {name: [value] * len(ids) for name, value in fields.items()}
    return pa.table({"id": list(ids), "parent_id": pa.nulls(len(ids), pa.string()), **columns})
