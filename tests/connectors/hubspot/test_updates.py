"""Writing companies and deals, over HTTP: what only HubSpot does to writes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tests.contract.conftest import World, pull
from tests.contract.test_writing import changes, held, statuses


def writes(world: World, since: int) -> list[str]:
    """The batches of updates that arrived."""
    return [line for line in world.requests(since) if "batch/update" in line]


def test_a_merged_company_is_refused_and_the_others_are_done(world) -> None:
    """HubSpot passes merged ids over in silence; nobody takes that for done."""
    one, other, *others = sorted(held(world))[:10]
    world.people.merge("account", one, other)
    outcomes = world.connect().update("account", changes([one, other, *others], foretag_score=[7] * 10))
    refused = {row["id"]: row["message"] for row in outcomes.to_pylist() if row["status"] != "done"}
    assert set(refused) == {one, other}
    assert all("merged" in message for message in refused.values())


@pytest.mark.parametrize("bulk_threshold", [10, 100_000], ids=["import", "batches"])
def test_a_property_archived_between_check_and_write_refuses_what_carries_it(bulk_threshold, world) -> None:
    """The other records are done, and the refusal names the property."""
    ids = sorted(held(world))[:20]
    connector = world.connect(bulk_threshold=bulk_threshold)
    connector.schema("account")
    gone = {"object": "companies", "property": "foretag_alert", "match": "batch/update|imports"}
    world.sandbox.faults.add([{"kind": "archive_property", **gone}])
    alerts = ["quiet" if number % 2 else None for number in range(20)]
    outcomes = connector.update("account", changes(ids, foretag_score=[7] * 20, foretag_alert=alerts))
    found = statuses(outcomes)
    assert [found[one] for one in ids] == ["refused" if alert else "done" for alert in alerts]
    refused = [row for row in outcomes.to_pylist() if row["status"] == "refused"]
    assert all("foretag_alert" in row["message"] for row in refused)


@pytest.mark.parametrize("whole_batch", [True, False], ids=["400", "207"])
def test_records_that_the_portals_rules_refuse_do_not_fail_their_neighbours(whole_batch, world) -> None:
    """Whether HubSpot names them or throws the whole batch back."""
    ids = sorted(held(world))
    bad = ids[3], ids[30]
    world.sandbox.faults.add([{"kind": "refuse_rows", "ids": bad, "whole_batch": whole_batch}])
    found = statuses(world.connect().update("account", changes(ids, foretag_score=[7] * 40)))
    assert {name for name, status in found.items() if status == "refused"} == set(bad)
    assert list(found.values()).count("done") == 38


def test_deals_of_a_company_are_written_in_one_batch(make_world) -> None:
    """So that no two calls meet at one company; and the batches are full all the same."""
    world = make_world(data="synthetic:60:450")
    world.set_up()
    rows = pull(world.connect(), "opportunity", ["name", "account_id"]).rows
    table = pa.table({
        "id": [row["id"] for row in rows],
        "parent_id": pa.array([row["account_id"] for row in rows], pa.string()),
        "foretag_score": pa.array([5] * len(rows), pa.int64()),
    })  # fmt: skip
    position = world.sandbox.journal.position
    outcomes = world.connect().update("opportunity", table)
    assert set(statuses(outcomes).values()) == {"done"}
    written = [set(entry.ids) for entry in world.sandbox.journal.writes(position) if entry.object == "deals"]
    assert len(written) == -(-len(rows) // 100)
    by_company: dict[str, set[str]] = {}
    for row in rows:
        by_company.setdefault(row["account_id"] or row["id"], set()).add(row["id"])
    for deals in by_company.values():
        assert sum(bool(deals & batch) for batch in written) == 1


def test_an_expired_access_token_is_renewed_in_the_middle(make_world) -> None:
    """With several batches in flight, and not one record sent for nothing."""
    world = make_world(data="synthetic:400:10")
    world.set_up()
    connector = world.connect(connection=world.people.connection(renewable=True))
    ids = sorted(held(world))
    world.sandbox.faults.add(
        [{"kind": "expire_session", "match": "batch/update", "after": 1, "everyone": True}]
    )
    outcomes = connector.update("account", changes(ids, foretag_score=[7] * 400))
    assert set(statuses(outcomes).values()) == {"done"}


def test_dated_paths_write_as_numbered_ones_do(world) -> None:
    """One setting moves every call."""
    connection = world.people.connection().model_copy(update={"api_version": "2026-03"})
    ids = sorted(held(world))[:5]
    position = world.sandbox.journal.position
    connector = world.connect(connection=connection)
    assert set(statuses(connector.update("account", changes(ids, foretag_score=[7] * 5))).values()) == {
        "done"
    }
    assert [line for line in world.requests(position) if "/v3/" in line] == []


def test_a_row_without_anything_to_say_is_not_sent(world) -> None:
    """Nor are the calls made that it would take."""
    ids = sorted(held(world))[:3]
    connector = world.connect()
    position = world.sandbox.journal.position
    found = statuses(connector.update("account", changes(ids, foretag_score=[None, None, None])))
    assert set(found.values()) == {"done"}
    connector.server_time()
    assert writes(world, position) == []


@pytest.mark.parametrize("value", ["1.5", "many"])
def test_a_value_that_a_number_cannot_hold_never_leaves(value, world) -> None:
    """HubSpot would take 1.5; the field's own type does not."""
    (first, second, *_) = sorted(held(world))
    table = pa.table({"id": [first, second], "foretag_score": [value, "7"]})
    outcomes: list[dict[str, Any]] = world.connect().update("account", table).to_pylist()
    assert [row["code"] for row in outcomes] == ["VALUE_NOT_SENDABLE", ""]
    assert outcomes[0]["status"] == "refused"


def test_fifty_thousand_companies_would_take_five_hundred_calls(make_world) -> None:
    """A hundred records in each, and not one call beside them, seen on a smaller book."""
    world = make_world(data="synthetic:1500:10")
    world.set_up()
    ids = sorted(held(world))
    connector = world.connect()
    connector.schema("account")
    before = connector.budget().calls
    connector.update("account", changes(ids, foretag_score=[7] * 1500))
    assert connector.budget().calls - before == 15


def test_a_portion_is_an_import_or_a_few_seconds_of_batches(make_world) -> None:
    """What an import takes is not cut below its threshold; batches are, so that a run can be stopped between."""
    connector = make_world().connect(bulk_threshold=50_000)
    assert connector.portion(50_000) >= 50_000
    assert 100 <= connector.portion(49_999) <= 10_000
