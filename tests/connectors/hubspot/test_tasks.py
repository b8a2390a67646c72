"""Our tasks in HubSpot, over HTTP: associations, HTML, and keys that may not be unique."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.contract import ConfigProblem, RetryLater, Truncated
from connectors.hubspot.schema import Schema
from connectors.hubspot.tasks import Tasks
from tests.connectors.hubspot.callers import Played
from tests.contract.conftest import World, pull
from tests.contract.test_writing import held, statuses, task, task_table, tasks_of

SHOWN = (
    "hs_task_subject",
    "hs_task_body",
    "hs_task_status",
    "hs_task_priority",
    "hs_timestamp",
    "foretag_key",
)


def in_portal(world: World, task_id: str) -> dict[str, Any]:
    """A task as the portal keeps it, with what it hangs on."""
    found = world.sandbox.portal.get("tasks", task_id, properties=SHOWN, associations=["companies", "deals"])
    links = {
        name: [one["id"] for one in each["results"]] for name, each in found.get("associations", {}).items()
    }
    return {**found["properties"], **links}


@pytest.fixture
def plain_world(make_world) -> World:
    """A portal that lets no property of tasks be unique."""
    made = make_world()
    made.people.make_plain_key(made.admin())
    made.set_up()
    return made


def test_a_task_hangs_on_company_and_deal_from_its_first_moment(world) -> None:
    """In the one call that makes it, so that no rep sees it without them; and its text is text."""
    deal = next(row for row in pull(world.connect(), "opportunity", ["account_id"]).rows if row["account_id"])
    row = task(
        "k1", deal["account_id"], opportunity_id=deal["id"], description="Margin < 20 %\nCall Ann & Bo"
    )
    position = world.sandbox.journal.position
    connector = world.connect()
    (task_id,) = connector.upsert_tasks(task_table([row]))["crm_id"].to_pylist()
    made = in_portal(world, task_id)
    assert (made["companies"], made["deals"]) == ([deal["account_id"]], [deal["id"]])
    assert made["hs_task_body"] == "Margin &lt; 20 %<br>Call Ann &amp; Bo"
    assert (made["hs_task_status"], made["hs_task_priority"]) == ("NOT_STARTED", "HIGH")
    connector.server_time()
    assert [line for line in world.requests(position) if "/associations/" in line] == []


@pytest.mark.parametrize(
    ("timezone", "moment"),
    [
        ("GMT", "2026-01-31T12:00:00Z"),
        ("America/Los_Angeles", "2026-01-31T20:00:00Z"),
        ("Pacific/Auckland", "2026-01-30T23:00:00Z"),
    ],
)
def test_a_task_is_due_on_its_day_in_the_portals_zone(timezone, moment, make_world) -> None:
    """HubSpot keeps a moment: noon there, which is neither the day before nor overdue at breakfast."""
    world = make_world(timezone=timezone)
    world.set_up()
    made = world.connect().upsert_tasks(task_table([task("k1", min(held(world)), due=date(2026, 1, 31))]))
    assert in_portal(world, made["crm_id"][0].as_py())["hs_timestamp"] == moment
    (row,) = [row for row in tasks_of(world) if row["key"] == "k1"]
    assert row["due"] == date(2026, 1, 31)


def test_a_task_about_a_company_that_is_gone_does_not_fail_the_others(world) -> None:
    """It is refused, with HubSpot's words."""
    gone, *others = sorted(held(world))[:6]
    world.people.delete("account", gone)
    rows = [task(f"k{number}", company) for number, company in enumerate([gone, *others])]
    found = statuses(world.connect().upsert_tasks(task_table(rows)))
    assert found == {"k0": "refused", **{f"k{number}": "done" for number in range(1, 6)}}


def test_without_the_key_no_task_is_made(make_world) -> None:
    """HubSpot would make it and silently leave the key out."""
    world = make_world()
    position = world.sandbox.journal.position
    connector = world.connect()
    with pytest.raises(ConfigProblem, match=r"tasks\.foretag_key: .*foretag setup"):
        connector.upsert_tasks(
            task_table([task("k1", min(row["id"] for row in world.people.rows("account", "name")))])
        )
    assert world.sandbox.journal.writes(position) == []


def test_a_task_that_no_index_knows_yet_is_not_made_again(plain_world) -> None:
    """Without unique keys, the tasks of the company are looked through as well."""
    account = min(held(plain_world))
    plain_world.sandbox.faults.add([{"kind": "late_commit", "seconds": 3600}])
    (first,) = plain_world.connect().upsert_tasks(task_table([task("k1", account)]))["crm_id"].to_pylist()
    (again,) = plain_world.connect().upsert_tasks(task_table([task("k1", account)]))["crm_id"].to_pylist()
    assert again == first
    plain_world.sandbox.faults.add([{"kind": "lost_reply", "match": plain_world.people.making_tasks}])
    (lost,) = plain_world.connect().upsert_tasks(task_table([task("k2", account)]))["status"].to_pylist()
    assert lost == "done"
    keys = [row["key"] for row in plain_world.people.rows("task", "key") if row["key"]]
    assert sorted(keys) == ["k1", "k2"]


def test_a_task_that_is_there_is_not_asked_for_again(world) -> None:
    """Nor one that a rep threw away; but one that somebody made anew goes before it."""
    connector, portal = world.connect(), world.sandbox.portal
    row = task_table([task("k1", min(held(world)))])
    (gone,) = connector.upsert_tasks(row)["crm_id"].to_pylist()
    world.people.delete("task", gone)
    position = world.sandbox.journal.position
    assert connector.upsert_tasks(row)["crm_id"].to_pylist() == [gone]
    connector.server_time()  # the journal is written after the reply
    assert not [line for line in world.requests(position) if line.endswith("/batch/create")]
    body = {"properties": {"foretag_key": "k1", "hs_timestamp": "2026-01-31T12:00:00Z"}}
    anew = portal.create_one(portal.person, "tasks", body)["id"]
    assert connector.tasks(["k1"]) == {"k1": anew}


def test_a_task_that_hubspot_stumbled_over_is_looked_for_and_made_again(mock) -> None:
    """An error of HubSpot's own is no refusal, and nobody knows whether the task was made."""
    key = {"name": "foretag_key", "label": "Foretag key", "type": "string", "hasUniqueValue": True}
    error = {"status": "error", "category": "INTERNAL_ERROR", "context": {"objectWriteTraceId": ["k1"]}}
    replies = iter([
        (207, {"results": [], "numErrors": 1, "errors": [error]}),
        (201, {"results": [{"id": "7", "properties": {"foretag_key": "k1"}}]}),
    ])  # fmt: skip
    played = Played({
        "GET properties/tasks": lambda _: (200, {"results": [key]}),
        "POST tasks/batch/read": lambda _: (200, {"results": []}),
        "POST tasks/batch/create": lambda _: next(replies),
        "GET details": lambda _: (200, {"timeZone": "UTC"}),
    })  # fmt: skip
    played.register(mock)
    api = played.api()
    outcomes = Tasks(api, Schema(api, {})).upsert(task_table([task("k1", "512")])).to_pylist()
    assert [(one["status"], one["crm_id"]) for one in outcomes] == [("done", "7")]
    calls = [call for call, _ in played.asked if "batch" in call]
    assert calls[calls.index("POST tasks/batch/create") + 1] == "POST tasks/batch/read"


@pytest.mark.parametrize(
    "answer",
    [
        (400, {"status": "error", "category": "VALIDATION_ERROR", "message": "k1 is taken"}),
        (201, {"status": "COMPLETE", "results": []}),
    ],
    ids=["refused", "not mentioned"],
)
def test_a_task_that_another_worker_made_meanwhile_is_done(answer, mock) -> None:
    """Its unique key says so, whatever HubSpot says of ours."""
    key = {"name": "foretag_key", "label": "Foretag key", "type": "string", "hasUniqueValue": True}
    there: list[Any] = []

    def create(_: Any) -> tuple[int, Any]:
        there.append({"id": "7", "properties": {"foretag_key": "k1"}})
        return answer

    played = Played({
        "GET properties/tasks": lambda _: (200, {"results": [key]}),
        "POST tasks/batch/read": lambda _: (200, {"results": there}),
        "POST tasks/batch/create": create,
        "GET details": lambda _: (200, {"timeZone": "UTC"}),
    })  # fmt: skip
    played.register(mock)
    api = played.api()
    outcomes = Tasks(api, Schema(api, {})).upsert(task_table([task("k1", "512")])).to_pylist()
    assert [(one["status"], one["crm_id"]) for one in outcomes] == [("done", "7")]


def test_keys_are_found_however_many_there_are(plain_world) -> None:
    """More than a search takes values, or a page rows; one of them in the recycle bin.

    Search knows texts in lower case alone.
    """
    account = min(held(plain_world))
    connector = plain_world.connect()
    rows = [task(f"Key{number}", account) for number in range(250)]
    made = dict(
        zip(
            *connector.upsert_tasks(task_table(rows)).select(["id", "crm_id"]).to_pydict().values(),
            strict=True,
        )
    )
    connector.delete_tasks([made["Key7"]])
    assert connector.tasks([*made, "Key999"]) == made


def test_closing_a_task_leaves_what_a_rep_wrote(world) -> None:
    """The comment comes after it, once; and what was closed by the rep already stays closed."""
    connector = world.connect()
    (task_id,) = connector.upsert_tasks(task_table([task("k1", min(held(world)))]))["crm_id"].to_pylist()
    body = "<p>Because.</p><p><b>Ann:</b> rang, no answer</p>"
    portal = world.sandbox.portal
    portal.update_one(portal.person, "tasks", task_id, {"hs_task_body": body}, source="CRM_UI")
    for _ in range(2):
        connector.close_tasks([task_id], "No longer needed.")
    found = in_portal(world, task_id)
    assert found["hs_task_body"] == f"{body}<br>No longer needed."
    assert found["hs_task_status"] == "COMPLETED"


def test_a_task_that_was_thrown_away_cannot_be_closed(world) -> None:
    """And says so, beside the one that can."""
    connector = world.connect()
    rows = [task("k1", min(held(world))), task("k2", min(held(world)))]
    gone, there = connector.upsert_tasks(task_table(rows))["crm_id"].to_pylist()
    world.people.delete("task", gone)
    assert statuses(connector.close_tasks([gone, there], "Done.")) == {gone: "refused", there: "done"}


def test_when_it_cannot_be_told_whether_a_task_is_there_none_is_made(world) -> None:
    """The run stops, rather than make it twice."""
    connector = world.connect()
    connector.schema("task")
    position = world.sandbox.journal.position
    world.sandbox.faults.add([{"kind": "status", "match": "tasks/batch/read", "times": None}])
    with pytest.raises(RetryLater):
        connector.upsert_tasks(task_table([task("k1", "1")]))
    assert world.sandbox.journal.writes(position) == []


def test_a_portal_that_looks_no_task_up_by_its_key_is_searched(mock) -> None:
    """Although it calls the key unique: the index, and the recycle bin."""
    key = {"name": "foretag_key", "label": "Foretag key", "type": "string", "hasUniqueValue": True}
    no = {"status": "error", "category": "VALIDATION_ERROR", "message": "idProperty is not supported"}
    row = {"id": "1", "properties": {"foretag_key": "k1"}}
    played = Played({
        "GET properties/tasks": lambda _: (200, {"results": [key]}),
        "POST tasks/batch/read": lambda _: (400, no),
        "POST tasks/search": lambda _: (200, {"total": 1, "results": [row]}),
        "GET objects/tasks": lambda _: (200, {"results": [{"id": "2", "properties": {"foretag_key": "k2"}}]}),
    })  # fmt: skip
    played.register(mock)
    api = played.api()
    assert Tasks(api, Schema(api, {})).find(["k1", "k2", "k3"]) == {"k1": "1", "k2": "2"}


def test_pages_that_do_not_advance_end_in_an_error(mock) -> None:
    """Rather than in a run that never ends."""
    key = {"name": "foretag_key", "label": "Foretag key", "type": "string"}
    played = Played({
        "GET properties/tasks": lambda _: (200, {"results": [key]}),
        "POST tasks/search": lambda _: (200, {"total": 1, "results": [], "paging": {"next": {"after": "5"}}}),
    })  # fmt: skip
    played.register(mock)
    api = played.api()
    with pytest.raises(Truncated, match="do not advance"):
        Tasks(api, Schema(api, {})).find(["k1"])


def test_what_a_rep_writes_while_many_tasks_are_closed_is_kept(mock) -> None:
    """A body is read just before it is written, not minutes ahead with all the others."""
    bodies = {str(number): "call" for number in range(250)}

    def read(body: Any) -> tuple[int, Any]:
        return 200, {
            "results": [
                {"id": one["id"], "properties": {"hs_task_body": bodies[one["id"]]}} for one in body["inputs"]
            ]
        }

    def update(body: Any) -> tuple[int, Any]:
        for one in body["inputs"]:
            bodies[one["id"]] = one["properties"]["hs_task_body"]
        if body["inputs"][0]["id"] == "0":
            bodies["249"] = "They called back"
        return 200, {"results": [{"id": one["id"], "properties": {}} for one in body["inputs"]]}

    played = Played({"POST tasks/batch/read": read, "POST tasks/batch/update": update})
    played.register(mock)
    api = played.api()
    outcomes = Tasks(api, Schema(api, {})).close(list(bodies), "No longer needed")
    assert set(outcomes["status"].to_pylist()) == {"done"}
    assert bodies["249"] == "They called back<br>No longer needed"


def test_tasks_that_were_closed_before_the_day_was_used_up_are_done(mock) -> None:
    """The others were not sent, and say so."""

    def update(body: Any) -> tuple[int, Any]:
        if len(played.asked) > 2:
            return 429, {"status": "error", "policyName": "DAILY"}
        return 200, {"results": [{"id": one["id"], "properties": {}} for one in body["inputs"]]}

    rows = lambda body: [{"id": one["id"], "properties": {}} for one in body["inputs"]]  # noqa: E731
    played = Played({
        "POST tasks/batch/read": lambda body: (200, {"results": rows(body)}),
        "POST tasks/batch/update": update,
    })  # fmt: skip
    played.register(mock)
    api = played.api()
    outcomes = Tasks(api, Schema(api, {})).close([str(number) for number in range(150)], "Done")
    assert outcomes["status"].to_pylist() == ["done"] * 100 + ["unknown"] * 50
    assert set(outcomes["code"].to_pylist()[100:]) == {"NOT_SENT"}
