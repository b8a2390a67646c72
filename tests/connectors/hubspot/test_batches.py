"""Batches against replies that are hard to read: each record still gets one honest outcome."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from connectors.contract import RetryLater
from connectors.hubspot.batches import Batches
from connectors.hubspot.by_id import read_by_id
from tests.connectors.hubspot.callers import Played

UPDATE = "POST companies/batch/update"
READ = "POST companies/batch/read"
CREATE = "POST tasks/batch/create"
ARCHIVE = "POST tasks/batch/archive"
STAMP = "2026-11-22T10:00:00.000Z"


def records(count: int, **properties: str) -> list[dict[str, Any]]:
    """Inputs with ids from 0 on."""
    return [{"id": str(number), "properties": {"foretag_tier": "A", **properties}} for number in range(count)]


def row(record_id: str, **properties: str) -> dict[str, Any]:
    """A record in a reply."""
    return {"id": record_id, "properties": properties, "updatedAt": STAMP}


def all_done(body: Any) -> tuple[int, Any]:
    """A reply that all is well."""
    return 200, {"status": "COMPLETE", "results": [row(one["id"]) for one in body["inputs"]]}


def bad_values(*problems: tuple[str, str]) -> tuple[int, Any]:
    """The refusal of a whole batch."""
    told = [{"isValid": False, "message": "no", "error": code, "name": name} for name, code in problems]
    message = f"Property values were not valid: {json.dumps(told)}"
    return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": message}


def played(mock: Any, **answers: Any) -> Played:
    """A portal that answers so; by the names above."""
    made = Played({globals()[name.upper()]: answer for name, answer in answers.items()})
    made.register(mock)
    return made


def statuses(outcomes: Any) -> dict[str, str]:
    """Status by id."""
    return {name: outcome.status for name, outcome in outcomes.items()}


def test_a_batch_refused_without_a_hint_is_halved_down_to_the_guilty_record(mock) -> None:
    """Its ninety-nine neighbours are written."""

    def update(body: Any) -> tuple[int, Any]:
        guilty = any(one["id"] == "37" for one in body["inputs"])
        return (
            (400, {"status": "error", "category": "VALIDATION_ERROR", "message": "no"})
            if guilty
            else all_done(body)
        )

    portal = played(mock, update=update)
    outcomes = Batches(portal.api()).update("companies", records(100))
    assert [name for name, status in statuses(outcomes).items() if status == "refused"] == ["37"]
    assert len(portal.asked) <= 15


def test_an_option_that_the_portal_lacks_costs_a_few_calls_for_each_batch(mock) -> None:
    """Records with the same value of the blamed property are judged together."""

    def update(body: Any) -> tuple[int, Any]:
        wrong = any(one["properties"]["foretag_tier"] == "D" for one in body["inputs"])
        return bad_values(("foretag_tier", "INVALID_OPTION")) if wrong else all_done(body)

    portal = played(mock, update=update)
    inputs = records(400)
    for number, one in enumerate(inputs):
        one["properties"]["foretag_tier"] = "ABCD"[number % 4]
    outcomes = Batches(portal.api()).update("companies", inputs)
    assert list(statuses(outcomes).values()).count("refused") == 100
    assert {outcome.code for outcome in outcomes.values() if outcome.status == "refused"} == {
        "INVALID_OPTION"
    }
    assert len(portal.asked) == 4 * 5


def test_a_property_archived_in_mid_run_refuses_only_the_records_that_carry_it(mock) -> None:
    """In one more call for each batch, whatever the values."""

    def update(body: Any) -> tuple[int, Any]:
        carried = any("foretag_alert" in one["properties"] for one in body["inputs"])
        return bad_values(("foretag_alert", "PROPERTY_DOESNT_EXIST")) if carried else all_done(body)

    portal = played(mock, update=update)
    inputs = records(100)
    for number in range(0, 100, 2):
        inputs[number]["properties"]["foretag_alert"] = f"Alert {number}"
    outcomes = Batches(portal.api()).update("companies", inputs)
    assert all(outcomes[str(number)].status == ("done" if number % 2 else "refused") for number in range(100))
    assert outcomes["0"].fields == ("foretag_alert",)
    assert len(portal.asked) == 2


def test_a_record_in_neither_results_nor_errors_is_looked_at(mock) -> None:
    """Merged or gone: refused. There, with our values: done. There, with others: nobody knows."""
    portal = played(
        mock,
        update=lambda body: (200, {"results": [row(one["id"]) for one in body["inputs"][3:]]}),
        read=lambda _: (
            207,
            {
                "results": [
                    row("1", foretag_tier="A", foretag_score="50.0"),
                    row("2", foretag_tier="C", foretag_score="50"),
                ],
                "errors": [],
            },
        ),
    )
    outcomes = Batches(portal.api()).update("companies", records(5, foretag_score="50"))
    assert [outcomes[str(number)].status for number in range(5)] == [
        "refused",
        "done",
        "unknown",
        "done",
        "done",
    ]
    assert "merged" in outcomes["0"].message


def test_errors_of_a_207_are_told_apart_by_id(mock) -> None:
    """And those that name nobody count for all that are missing."""

    def update(body: Any) -> tuple[int, Any]:
        gone = {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "gone",
            "context": {"ids": ["1"]},
        }
        other = {"status": "error", "category": "FORBIDDEN", "message": "not yours"}
        return 207, {"results": [row(one["id"]) for one in body["inputs"][3:]], "errors": [gone, other]}

    outcomes = Batches(played(mock, update=update).api()).update("companies", records(5))
    assert [outcomes[str(number)].code for number in range(5)] == [
        "FORBIDDEN",
        "OBJECT_NOT_FOUND",
        "FORBIDDEN",
        "",
        "",
    ]


def test_a_record_locked_for_a_moment_is_sent_again_after_two_seconds(mock) -> None:
    """Alone, not with its hundred neighbours."""
    locked = {"3", "7"}

    def update(body: Any) -> tuple[int, Any]:
        mine = [one["id"] for one in body["inputs"]]
        held = [name for name in mine if name in locked]
        locked.clear()
        errors = [{"status": "error", "category": "LOCKED", "message": "locked", "context": {"ids": held}}]
        return 207, {
            "results": [row(name) for name in mine if name not in held],
            "errors": errors if held else [],
        }

    portal = played(mock, update=update)
    outcomes = Batches(portal.api()).update("companies", records(50))
    assert set(statuses(outcomes).values()) == {"done"}
    assert portal.sizes(UPDATE) == [50, 2]
    assert portal.waits[0] >= 2


def test_a_record_that_stays_locked_is_refused_in_the_end(mock) -> None:
    """The next run tries again."""
    error = {"status": "error", "category": "LOCKED", "message": "locked", "context": {"ids": ["0"]}}
    portal = played(mock, update=lambda _: (207, {"results": [], "errors": [error]}))
    outcomes = Batches(portal.api()).update("companies", records(1))
    assert (outcomes["0"].status, outcomes["0"].code) == ("refused", "LOCKED")


def test_a_whole_batch_locked_waits_two_seconds_at_least(mock) -> None:
    """423, which says how long in no header."""
    replies = iter([(423, {"status": "error", "category": "LOCKED", "message": "locked"})])
    portal = played(mock, update=lambda body: next(replies, None) or all_done(body))
    assert set(statuses(Batches(portal.api()).update("companies", records(3))).values()) == {"done"}
    assert min(portal.waits) >= 2


def test_a_lost_reply_to_an_update_is_asked_again(mock) -> None:
    """To set a value twice is harmless."""
    broken = iter([requests.ConnectionError("reset")])

    def update(body: Any) -> tuple[int, Any]:
        for error in broken:
            raise error
        return all_done(body)

    portal = played(mock, update=update)
    assert set(statuses(Batches(portal.api()).update("companies", records(3))).values()) == {"done"}
    assert portal.sizes(UPDATE) == [3, 3]


def test_a_lost_reply_to_a_create_is_not(mock) -> None:
    """Nobody knows, and the caller looks."""

    def create(_: Any) -> tuple[int, Any]:
        raise requests.ConnectionError("reset")

    portal = played(mock, create=create)
    outcomes = Batches(portal.api()).create("tasks", {"k1": {"properties": {}}}, "foretag_key")
    assert (outcomes["k1"].status, outcomes["k1"].code) == ("unknown", "NO_ANSWER")
    assert portal.sizes(CREATE) == [1]


@pytest.mark.parametrize("echoed", [True, False], ids=["by trace id", "by key"])
def test_creates_are_told_apart_in_whatever_order_hubspot_answers(echoed, mock) -> None:
    """Errors by their trace ids; what was made by the trace id, if it comes back, else by our key."""

    def create(body: Any) -> tuple[int, Any]:
        context = {"objectWriteTraceId": ["k2"]}
        error = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "context": context}
        results = []
        for one in reversed(body["inputs"]):
            key = one["objectWriteTraceId"]
            named = {"objectWriteTraceId": key, "properties": {}} if echoed else {}
            results.append({**row(key.replace("k", "90"), foretag_key=key), **named})
        return 207, {"results": [one for one in results if one["id"] != "902"], "errors": [error]}

    portal = played(mock, create=create)
    made = Batches(portal.api()).create(
        "tasks", {f"k{n}": {"properties": {}} for n in range(4)}, "foretag_key"
    )
    assert [made[f"k{n}"].crm_id for n in range(4)] == ["900", "901", None, "903"]
    assert statuses(made)["k2"] == "refused"


def test_once_the_portal_is_gone_the_rest_is_not_sent(mock) -> None:
    """What was done is known, what was not sent says so."""
    answered = []

    def update(body: Any) -> tuple[int, Any]:
        answered.append(body)
        if len(answered) == 1:
            return all_done(body)
        return 429, {
            "status": "error",
            "errorType": "RATE_LIMIT",
            "policyName": "DAILY",
            "message": "You have reached your daily limit.",
        }

    portal = played(mock, update=update)
    family = ["one parent"] * 500
    outcomes = Batches(portal.api()).update("companies", records(500), family)
    assert list(statuses(outcomes).values()).count("done") == 100
    assert [outcome.code for outcome in outcomes.values()].count("NOT_SENT") == 400
    assert len(portal.asked) == 2
    with pytest.raises(RetryLater):
        Batches(portal.api()).update("companies", records(5))


def test_a_read_that_cannot_tell_of_a_record_is_no_answer(mock) -> None:
    """A task that only seems not to be there would be made twice."""
    error = {"status": "error", "category": "INTERNAL_ERROR", "message": "oops", "context": {"ids": ["1"]}}
    portal = played(mock, read=lambda _: (207, {"results": [], "errors": [error]}))
    with pytest.raises(RetryLater, match="cannot read"):
        read_by_id(portal.api(), "companies", ["1"], [])


@pytest.mark.parametrize("whole", [True, False], ids=["423", "207"])
def test_one_record_that_stays_locked_does_not_hold_up_the_others(whole, mock) -> None:
    """It is parted from them, batch by smaller batch; creates and updates alike were not begun."""

    def update(body: Any) -> tuple[int, Any]:
        ids = [one["id"] for one in body["inputs"]]
        if "37" not in ids:
            return all_done(body)
        error = {"status": "error", "category": "LOCKED", "message": "locked", "context": {"ids": ["37"]}}
        return (
            (423, error)
            if whole
            else (207, {"results": [row(one) for one in ids if one != "37"], "errors": [error]})
        )

    portal = played(mock, update=update)
    outcomes = Batches(portal.api()).update("companies", records(200))
    assert [name for name, outcome in outcomes.items() if outcome.status != "done"] == ["37"]
    assert outcomes["37"].code == "LOCKED"
    assert len(portal.asked) <= 30


def test_when_everything_is_refused_no_more_calls_are_spent(mock) -> None:
    """The trouble is not the records' then; what was not tried says so."""
    refusal = {"status": "error", "category": "VALIDATION_ERROR", "message": "Invalid input JSON"}
    portal = played(mock, update=lambda _: (400, refusal))
    outcomes = Batches(portal.api()).update("companies", records(9000))
    found = list(statuses(outcomes).values())
    assert 300 <= found.count("refused") < 2500
    assert len(portal.asked) <= 5000
    rest = {outcome.message for outcome in outcomes.values() if outcome.code == "NOT_SENT"}
    assert all("all refused: " in message and "Invalid input JSON" in message for message in rest)


def test_ids_that_hubspot_cannot_read_are_no_records(mock) -> None:
    """And hide none of the others."""

    def read(body: Any) -> tuple[int, Any]:
        ids = [one["id"] for one in body["inputs"]]
        if "nonsense" in ids:
            return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}
        return 200, {"results": [row(one) for one in ids]}

    portal = played(mock, read=read)
    found = read_by_id(portal.api(), "companies", ["1", "nonsense", "2", "3"], [])
    assert sorted(one["id"] for one in found) == ["1", "2", "3"]


def test_what_a_halved_batch_wrote_before_the_day_was_used_up_is_done(mock) -> None:
    """Only its other half was not sent, and nothing is said of it that is not so."""

    def update(body: Any) -> tuple[int, Any]:
        ids = [one["id"] for one in body["inputs"]]
        if len(portal.asked) == 1:
            return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}
        return all_done(body) if "0" in ids else (429, {"status": "error", "policyName": "DAILY"})

    portal = played(mock, update=update)
    outcomes = Batches(portal.api()).update("companies", records(100))
    assert [outcomes[str(number)].status for number in range(100)] == ["done"] * 50 + ["unknown"] * 50
    assert {outcomes[str(number)].code for number in range(50, 100)} == {"NOT_SENT"}


def test_locks_on_very_many_records_do_not_cost_a_call_for_each(mock) -> None:
    """Somebody's bulk job holds half of the portal: those are tried again in company."""

    def update(body: Any) -> tuple[int, Any]:
        held = [one["id"] for one in body["inputs"] if int(one["id"]) % 2]
        error = {"status": "error", "category": "LOCKED", "message": "locked", "context": {"ids": held}}
        free = [row(one["id"]) for one in body["inputs"] if one["id"] not in held]
        return 207, {"results": free, "errors": [error] if held else []}

    portal = played(mock, update=update)
    outcomes = Batches(portal.api()).update("companies", records(4000))
    assert list(statuses(outcomes).values()).count("done") == 2000
    assert len(portal.asked) <= 600


@pytest.mark.parametrize("odd", [{"updatedAt": "soon"}, {"updatedAt": 1763805600000}, {"updatedAt": None}])
def test_a_stamp_that_cannot_be_read_spoils_no_outcome(odd, mock) -> None:
    """The record was written, whenever that was."""
    portal = played(
        mock, update=lambda body: (200, {"results": [{**row(one["id"]), **odd} for one in body["inputs"]]})
    )
    outcomes = Batches(portal.api()).update("companies", records(3))
    assert {(outcome.status, outcome.modified_at) for outcome in outcomes.values()} == {("done", None)}


def test_a_result_without_an_id_is_looked_up(mock) -> None:
    """Nobody can tell whose it is."""
    portal = played(
        mock,
        update=lambda body: (200, {"results": [{"properties": {}} for _ in body["inputs"]]}),
        read=lambda body: (200, {"results": [row(one["id"], foretag_tier="A") for one in body["inputs"]]}),
    )
    outcomes = Batches(portal.api()).update("companies", records(3))
    assert set(statuses(outcomes).values()) == {"done"}


@pytest.mark.parametrize(
    "named",
    [
        {"context": {"ids": ["k1"]}},
        {"context": {"objectWriteTraceId": ["k1"]}},
        {"context": {"id": ["k1"]}},
        {"id": "k1"},
    ],
)
def test_a_207_names_a_record_in_several_ways(named, mock) -> None:
    """By its id, in a list of ids, or by the trace under which it was sent; its neighbour was made."""
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", **named}
    made = {"id": "9", "properties": {"foretag_key": "k2"}, "updatedAt": STAMP}
    portal = played(mock, create=lambda _: (207, {"results": [made], "numErrors": 1, "errors": [error]}))
    inputs = {key: {"properties": {"foretag_key": key}} for key in ("k1", "k2", "k3")}
    outcomes = Batches(portal.api()).create("tasks", inputs, "foretag_key")
    assert [outcomes[key].code or outcomes[key].status for key in inputs] == [
        "VALIDATION_ERROR", "done", "NOT_RETURNED",
    ]  # fmt: skip


@pytest.mark.parametrize(("category", "calls"), [("INTERNAL_ERROR", 1), ("LOCKED", 6)])
def test_a_create_that_may_have_been_done_is_not_sent_again(category, calls, mock) -> None:
    """Only one that was surely turned away is."""
    error = {
        "status": "error",
        "category": category,
        "message": "no",
        "context": {"objectWriteTraceId": ["k1"]},
    }
    portal = played(mock, create=lambda _: (207, {"results": [], "numErrors": 1, "errors": [error]}))
    outcomes = Batches(portal.api()).create(
        "tasks", {"k1": {"properties": {"foretag_key": "k1"}}}, "foretag_key"
    )
    assert outcomes["k1"].code == category
    assert len(portal.sizes(CREATE)) == calls


def test_what_is_archived_already_is_done(mock) -> None:
    """A lost reply is asked for again, and whatever is not there any more is where it should be."""
    gone = {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "gone",
        "context": {"ids": ["0", "1"]},
    }
    lost = [requests.ConnectionError("reset")]

    def archive(_: Any) -> tuple[int, Any]:
        if lost:
            raise lost.pop()
        return 207, {"results": [], "numErrors": 1, "errors": [gone]}

    portal = played(mock, archive=archive)
    outcomes = Batches(portal.api()).archive("tasks", ["0", "1"])
    assert statuses(outcomes) == {"0": "done", "1": "done"}
