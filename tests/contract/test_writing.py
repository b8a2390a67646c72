"""Writing, as the contract promises it: one outcome for each record, nothing but our fields, nothing twice."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from connectors.contract import OUTCOME_SCHEMA, ConfigProblem, RetryLater
from tests.contract.conftest import World, pull

HELD = ("foretag_tier", "foretag_score", "foretag_reason", "foretag_valid_until")
# Below and above the number of rows from which on a CRM's way for large writes is taken.
BULK = 10
WAYS = pytest.mark.parametrize("bulk_threshold", [BULK, 100_000], ids=["bulk", "batches"])


def changes(ids: list[str], clear: list[list[str]] | None = None, **fields: list[Any]) -> pa.Table:
    """A table of changes; each field is a list as long as the ids."""
    columns = {"foretag_score": pa.int64(), "foretag_valid_until": pa.date32()}
    table = {"id": ids, "parent_id": pa.nulls(len(ids), pa.string())}
    table |= {name: pa.array(values, columns.get(name)) for name, values in fields.items()}
    table["clear"] = pa.array(clear or [[]] * len(ids), pa.list_(pa.string()))
    return pa.table(table)


def held(world: World) -> dict[str, dict[str, Any]]:
    """What the CRM holds now in our fields, by account."""
    rows = pull(world.connect(), "account", HELD).rows
    return {row["id"]: {name: row[name] for name in HELD} for row in rows}


def statuses(outcomes: pa.Table) -> dict[str, str]:
    """Status by id."""
    assert outcomes.schema == OUTCOME_SCHEMA
    return dict(zip(outcomes["id"].to_pylist(), outcomes["status"].to_pylist(), strict=True))


@WAYS
def test_set_leave_and_clear_are_three_things(bulk_threshold, world) -> None:
    """A value sets, a null leaves what is there, a name in `clear` empties."""
    connector = world.connect(bulk_threshold=bulk_threshold)
    ids = sorted(held(world))[:20]
    everything = {
        "foretag_tier": ["A"] * 20, "foretag_score": [81] * 20, "foretag_reason": ['said "so",\nhe'] * 20,
        "foretag_valid_until": [date(2026, 1, 31)] * 20,
    }  # fmt: skip
    assert set(statuses(connector.update("account", changes(ids, **everything))).values()) == {"done"}
    now = held(world)
    assert all(now[one] == {name: values[0] for name, values in everything.items()} for one in ids)
    some = changes(ids, [["foretag_reason"]] * 20, foretag_score=[None] * 10 + [5] * 10)
    assert set(statuses(connector.update("account", some)).values()) == {"done"}
    now = held(world)
    assert all(now[one]["foretag_reason"] is None and now[one]["foretag_tier"] == "A" for one in ids)
    assert [now[one]["foretag_score"] for one in ids] == [81] * 10 + [5] * 10


@WAYS
def test_one_bad_record_never_fails_its_neighbours(bulk_threshold, world) -> None:
    """Each of the bad ones is refused with the CRM's reason, or with ours; the others are done."""
    ids = sorted(held(world))[:20]
    wrong, gone = ids[3], ids[7]
    world.people.delete("account", gone)
    tiers = ["B"] * 20
    tiers[3] = "No such tier"
    table = changes(ids, foretag_tier=tiers, foretag_reason=["fine"] * 20)
    outcomes = world.connect(bulk_threshold=bulk_threshold).update("account", table)
    found = statuses(outcomes)
    assert {one for one, status in found.items() if status == "refused"} == {wrong, gone}
    codes = dict(zip(outcomes["id"].to_pylist(), outcomes["code"].to_pylist(), strict=True))
    assert codes[wrong] == world.people.bad_option_code
    assert codes[gone]
    assert list(found.values()).count("done") == 18
    assert sum(row["foretag_reason"] == "fine" for row in held(world).values()) == 18


@WAYS
def test_records_that_are_locked_for_a_moment_are_written_in_the_end(bulk_threshold, world) -> None:
    """Somebody else saves at the same time, which is nobody's fault: again, a little later."""
    world.sandbox.faults.add([{"kind": "lock_rows", "percent": 50, "hold": 2}])
    ids = sorted(held(world))
    connector = world.connect(bulk_threshold=bulk_threshold)
    outcomes = connector.update("account", changes(ids, foretag_score=[1] * 40))
    assert set(statuses(outcomes).values()) == {"done"}


@WAYS
def test_a_lost_reply_to_a_field_write_is_asked_again(bulk_threshold, world) -> None:
    """Setting a value twice is harmless."""
    ids = sorted(held(world))
    connector = world.connect(bulk_threshold=bulk_threshold)
    connector.schema("account")
    world.sandbox.faults.add(
        [{"kind": "lost_reply", "match": world.people.writing(bulk=bulk_threshold == BULK), "times": 2}]
    )
    outcomes = connector.update("account", changes(ids, foretag_score=[9] * 40))
    assert set(statuses(outcomes).values()) == {"done"}
    assert {row["foretag_score"] for row in held(world).values()} == {9}


@pytest.mark.parametrize("column", ["name", "amount", "foretag_override", "foretag_status", "nonsense"])
def test_a_field_that_is_not_ours_is_never_written(column, world) -> None:
    """I6: neither the CRM's own fields, nor people's, nor formulas; nothing is sent."""
    connector = world.connect()
    (first, *_) = sorted(held(world))
    before = connector.budget().calls
    with pytest.raises(ConfigProblem, match="not one of the fields that Foretag writes"):
        connector.update("account", changes([first], **{column: ["x"]}))
    with pytest.raises(ConfigProblem, match="not one of the fields that Foretag writes"):
        connector.update("account", changes([first], [[column]]))
    assert connector.budget().calls == before


def test_a_field_that_became_read_only_stops_before_the_first_write(world) -> None:
    """With the field in the message, and what to do."""
    people, ids = world.people, sorted(held(world))
    world.sandbox.faults.add([people.freeze("account", "foretag_tier")])
    position = world.sandbox.journal.position
    place = re.escape(people.place("account", "foretag_tier"))
    with pytest.raises(ConfigProblem, match=f"{place}: .*{people.read_only_words}"):
        world.connect().update("account", changes(ids, foretag_tier=["A"] * 40))
    assert world.sandbox.journal.writes(position) == []


def test_when_the_crm_goes_away_in_mid_update_the_rest_is_not_sent(make_world) -> None:
    """What was done is known, what was not sent says so."""
    world = make_world(data="synthetic:1800:10")
    world.set_up()
    ids = sorted(row["id"] for row in pull(world.connect(), "account", ["name"]).rows)
    connector, people = world.connect(), world.people
    world.sandbox.faults.add([{"kind": "status", "match": people.writing(), "after": 1, "times": None}])
    count = people.batch * (people.in_flight + 2)
    outcomes = connector.update("account", changes(ids[:count], foretag_score=[3] * count))
    found, codes = outcomes["status"].to_pylist(), outcomes["code"].to_pylist()
    assert found.count("done") == people.batch
    assert codes.count("NOT_SENT") >= count - people.batch * (1 + people.in_flight)
    assert 0 < codes.count("NOT_SENT") < found.count("unknown") == count - people.batch
    with pytest.raises(RetryLater):
        connector.update("account", changes(ids[:5], foretag_score=[3] * 5))


def test_the_stamp_of_an_outcome_is_a_lower_bound(world) -> None:
    """So that a pulled row with the real stamp counts as newer, or as the same."""
    ids = sorted(held(world))[:3]
    connector = world.connect()
    outcomes = connector.update("account", changes(ids, foretag_score=[1, 2, 3]))
    stamps = {row["id"]: row["modified_at"] for row in pull(connector, "account", HELD).rows}
    for row in outcomes.to_pylist():
        assert row["modified_at"] <= stamps[row["id"]]


# Tasks.


def task(key: str, account_id: str, **more: Any) -> dict[str, Any]:
    """A task as the plan describes it."""
    return {
        "key": key, "subject": "Call them", "description": "Because.", "owner_id": None, "account_id": account_id,
        "opportunity_id": None, "due": date(2026, 1, 31), "priority": "high", **more,
    }  # fmt: skip


def tasks_of(world: World) -> list[dict[str, Any]]:
    """The open tasks that the CRM holds."""
    return pull(world.connect(), "task", ["key", "account_id", "is_closed", "due"]).rows


def task_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Tasks as the contract wants them."""
    return pa.Table.from_pylist(
        rows,
        schema=pa.schema([
            *((name, pa.string()) for name in ("key", "subject", "description", "owner_id", "account_id")),
            ("opportunity_id", pa.string()), ("due", pa.date32()), ("priority", pa.string()),
        ]),
    )  # fmt: skip


def test_a_task_is_made_once_however_often_it_is_asked_for(world) -> None:
    """The key decides; outcomes carry it, and the id of the task."""
    connector = world.connect()
    account = min(held(world))
    first = connector.upsert_tasks(task_table([task("k1", account), task("k2", account)]))
    again = connector.upsert_tasks(task_table([task("k2", account), task("k3", account)]))
    assert first["id"].to_pylist() == ["k1", "k2"]
    assert first["crm_id"][1] == again["crm_id"][0]
    assert sorted(row["key"] for row in tasks_of(world)) == ["k1", "k2", "k3"]
    assert connector.tasks(["k1", "k3", "k4"]).keys() == {"k1", "k3"}


@pytest.fixture(params=["unique key", "plain key"])
def keyed_world(request, make_world) -> World:
    """A CRM whose key field is unique, and one that has no unique fields on tasks."""
    made = make_world()
    if request.param == "plain key":
        made.people.make_plain_key(made.admin())
    made.set_up()
    return made


def test_a_lost_reply_to_a_create_makes_no_second_task(keyed_world) -> None:
    """Matched by the unique key, or looked up before any repeat."""
    connector = keyed_world.connect()
    account = min(held(keyed_world))
    connector.schema("task")
    keyed_world.sandbox.faults.add([{"kind": "lost_reply", "match": keyed_world.people.making_tasks}])
    outcomes = connector.upsert_tasks(task_table([task(f"k{n}", account) for n in range(5)]))
    assert set(statuses(outcomes).values()) == {"done"}
    assert sorted(row["key"] for row in tasks_of(keyed_world)) == [f"k{n}" for n in range(5)]


def test_a_create_that_never_arrived_is_sent_once_more(keyed_world) -> None:
    """The reply was an error, the task is not there: the second attempt makes it."""
    connector = keyed_world.connect()
    account = min(held(keyed_world))
    keyed_world.sandbox.faults.add(
        [{"kind": "status", "status": 500, "match": keyed_world.people.making_tasks}]
    )
    outcomes = connector.upsert_tasks(task_table([task("k1", account)]))
    assert set(statuses(outcomes).values()) == {"done"}
    assert [row["key"] for row in tasks_of(keyed_world)] == ["k1"]


def test_what_cannot_be_looked_up_is_unknown(make_world) -> None:
    """A lost reply, and then silence: never repeated blindly."""
    world = make_world()
    world.people.make_plain_key(world.admin())
    world.set_up()
    connector, people = world.connect(), world.people
    # Of another account, whose tasks are looked through as well.
    other, account = sorted(held(world))[:2]
    before = world.sandbox.journal.position
    connector.upsert_tasks(task_table([task("k0", other)]))
    connector.server_time()  # the journal is written after the reply
    looks = sum(re.search(people.finding_tasks, line) is not None for line in world.requests(before))
    world.sandbox.faults.add([
        {"kind": "lost_reply", "match": people.making_tasks},
        {"kind": "status", "match": people.finding_tasks, "after": looks, "times": None},
    ])  # fmt: skip
    outcomes = connector.upsert_tasks(task_table([task("k1", account)]))
    assert set(statuses(outcomes).values()) == {"unknown"}
    world.sandbox.faults.remove()
    assert connector.tasks(["k1"]).keys() == {"k1"}


def test_deleted_tasks_are_still_known_by_key(world) -> None:
    """So that a task that a rep threw away is not made again."""
    connector = world.connect()
    account = min(held(world))
    (task_id,) = connector.upsert_tasks(task_table([task("k1", account)]))["crm_id"].to_pylist()
    assert statuses(connector.delete_tasks([task_id])) == {task_id: "done"}
    assert statuses(connector.delete_tasks([task_id])) == {task_id: "done"}
    assert connector.tasks(["k1"]) == {"k1": task_id}
    assert tasks_of(world) == []


def test_closing_a_task_completes_it_and_adds_the_comment_once(world) -> None:
    """With a status that closes; the description keeps what it said."""
    connector = world.connect()
    account = min(held(world))
    (task_id,) = connector.upsert_tasks(task_table([task("k1", account)]))["crm_id"].to_pylist()
    for _ in range(2):
        assert statuses(connector.close_tasks([task_id], "No longer needed.")) == {task_id: "done"}
    tasks = {row["id"]: row for row in world.people.rows("task", "is_closed", "description")}
    assert tasks[task_id]["is_closed"] is True
    assert tasks[task_id]["description"] == "Because.\nNo longer needed."


def test_a_closed_task_is_seen_closed_by_the_next_increment(world) -> None:
    """Although only open ones are pulled at first."""
    connector = world.connect()
    account = min(held(world))
    (task_id,) = connector.upsert_tasks(task_table([task("k1", account)]))["crm_id"].to_pylist()
    cursor = pull(connector, "task", ["key", "is_closed"]).checkpoint.cursor
    connector.close_tasks([task_id], "Done.")
    (row,) = pull(connector, "task", ["key", "is_closed"], cursor).rows
    assert row["is_closed"] is True


def changed_tasks(**row: Any) -> pa.Table:
    """One change of a task, as the contract wants it."""
    names = ("id", "subject", "description", "owner_id")
    fields = [*((name, pa.string()) for name in names), ("due", pa.date32())]
    return pa.Table.from_pylist([row], schema=pa.schema(fields))


def test_a_task_of_ours_is_seen_as_it_is(world) -> None:
    """In readable words, whatever form the CRM keeps them in; neither tasks of people nor what is gone."""
    connector = world.connect()
    account, description = min(held(world)), "Because <5 & >3.\n\nCall “her” now."
    owner = next(filter(None, (row["owner_id"] for row in world.people.rows("account", "owner_id"))))
    more = {"description": description, "owner_id": owner}
    made = connector.upsert_tasks(task_table([task(key, account, **more) for key in "ab"]))
    first, second = made["crm_id"].to_pylist()
    (other,) = world.people.create(
        "task", {"subject": "Theirs", "account_id": account, "due": date(2026, 1, 30)}
    )
    connector.delete_tasks([second])
    (row,) = connector.our_tasks([first, second, other]).to_pylist()
    words = " ".join(row.pop("description").split())
    assert words == "Because <5 & >3. Call “her” now."
    assert row == {
        "id": first, "key": "a", "subject": "Call them", "owner_id": owner, "due": date(2026, 1, 31),
        "begun": False, "is_closed": False,
    }  # fmt: skip


def test_a_task_that_somebody_took_up_or_finished_shows_it(world) -> None:
    """By its status: one that is other than a new task's."""
    connector = world.connect()
    account = min(held(world))
    ids = connector.upsert_tasks(task_table([task(key, account) for key in "abc"]))["crm_id"].to_pylist()
    world.people.edit("task", {"id": ids[0], "status": world.people.under_way})
    connector.close_tasks([ids[1]], "")
    states = {row["id"]: (row["begun"], row["is_closed"]) for row in connector.our_tasks(ids).to_pylist()}
    assert states == {ids[0]: (True, False), ids[1]: (True, True), ids[2]: (False, False)}


def test_a_task_is_changed_only_in_what_is_given(world) -> None:
    """Texts, then the due date; the rest stays as it was."""
    connector = world.connect()
    account = min(held(world))
    (task_id,) = connector.upsert_tasks(task_table([task("a", account)]))["crm_id"].to_pylist()
    (before,) = connector.our_tasks([task_id]).to_pylist()
    for row in ({"subject": "Call us", "description": "A\nB"}, {"due": date(2026, 2, 3)}):
        assert statuses(connector.update_tasks(changed_tasks(id=task_id, **row))) == {task_id: "done"}
    (after,) = connector.our_tasks([task_id]).to_pylist()
    assert after.pop("description").split() == ["A", "B"]
    before.pop("description")
    assert after == before | {"subject": "Call us", "due": date(2026, 2, 3)}


def test_a_task_that_is_gone_is_refused_and_its_neighbours_changed(world) -> None:
    """One outcome for each."""
    connector = world.connect()
    account = min(held(world))
    ids = connector.upsert_tasks(task_table([task(key, account) for key in "ab"]))["crm_id"].to_pylist()
    connector.delete_tasks(ids[:1])
    table = pa.concat_tables([changed_tasks(id=one, subject="New") for one in ids])
    assert statuses(connector.update_tasks(table)) == {ids[0]: "refused", ids[1]: "done"}
