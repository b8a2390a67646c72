"""Records as they were: what a CRM's own history tells of a past moment, and what it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tests.contract.conftest import World, pull
from tests.contract.small_book import small_book

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

DEAL = (
    "stage",
    "amount",
    "close_date",
    "probability",
    "is_closed",
    "is_won",
    "stage_changed_at",
    "owner_id",
    "account_id",
)


def then(
    world: World, object_name: str, fields: tuple[str, ...], as_of: datetime, **options: Any
) -> dict[str, Any]:
    """What the CRM tells of every record, by id; a column that is not told is left out."""
    connector = world.connect(**options)
    now = pull(connector, object_name, fields)
    rows = [{name: row[name] for name in ("id", *fields)} for row in now.rows]
    kinds = {
        page.schema.field(name).name: page.schema.field(name).type
        for page in [_page(connector, object_name, fields)]
        for name in page.column_names
    }
    held = pa.table({name: pa.array([row[name] for row in rows], kinds[name]) for name in ("id", *fields)})
    found = [row for part in connector.history(object_name, fields, held, as_of) for row in part.to_pylist()]
    return {row["id"]: {name: row[name] for name in fields if row[f"told_{name}"]} for row in found}


def _page(connector: Any, object_name: str, fields: tuple[str, ...]) -> Any:
    return next(iter(connector.pull(object_name, fields, None))).table


def one_open(world: World) -> dict[str, Any]:
    """An open deal, as it is now."""
    rows = pull(world.connect(), "opportunity", DEAL).rows
    return next(row for row in rows if row["stage"] == "Prospecting")


def won(world: World) -> str:
    """The name of the stage of won deals."""
    return next(row["name"] for row in world.people.rows("stage", "name", "is_won") if row["is_won"])


@pytest.mark.parametrize(
    "bulk_threshold", [1, pytest.param(100_000, marks=pytest.mark.long)], ids=["bulk", "rest"]
)
def test_a_deal_closed_since_is_told_as_it_was_open(bulk_threshold, world) -> None:
    """Stage, amount, close date, and what follows from the stage; since when it was in it."""
    deal = one_open(world)
    world.advance(86_400)
    as_of = world.sandbox.clock()
    world.advance(86_400)
    world.people.edit("opportunity", {"id": deal["id"], "stage": won(world), "amount": 7})
    world.advance(86_400)
    world.people.edit("opportunity", {"id": deal["id"], "amount": 8})
    told = then(world, "opportunity", DEAL, as_of, bulk_threshold=bulk_threshold)[deal["id"]]
    for name in ("stage", "amount", "close_date", "is_closed", "is_won", "stage_changed_at", "probability"):
        assert told[name] == deal[name], name
    assert not told["is_closed"]


def test_a_change_of_the_same_day_that_came_before_counts(world) -> None:
    """The last value before the moment, not the first of all."""
    deal = one_open(world)
    for amount in (11, 12, 13):
        world.advance(3600)
        world.people.edit("opportunity", {"id": deal["id"], "amount": amount})
        if amount == 12:
            world.advance(60)
            as_of = world.sandbox.clock()
    assert then(world, "opportunity", DEAL, as_of)[deal["id"]]["amount"] == 12


def test_who_owned_a_record_is_told_where_the_crm_kept_it(world) -> None:
    """HubSpot keeps it of its own accord, Salesforce if an admin tracks the field; else it is said not to be told."""
    fields = ("owner_id", "industry")
    (first, second, *_) = pull(world.connect(), "account", fields).rows
    owner = next(
        row["owner_id"]
        for row in pull(world.connect(), "account", fields).rows
        if row["owner_id"] != first["owner_id"]
    )
    world.advance(3600)
    as_of = world.sandbox.clock()
    world.advance(3600)
    if world.people.crm == "salesforce":
        world.people.edit("account", {"id": first["id"], "owner_id": owner})
        untold = then(world, "account", fields, as_of)
        assert untold[first["id"]] == {}
        world.people.edit("account", {"id": first["id"], "owner_id": first["owner_id"]})
        world.sandbox.org.track("Account", "OwnerId")
    world.people.edit("account", {"id": first["id"], "owner_id": owner})
    told = then(world, "account", fields, as_of)
    assert told[first["id"]]["owner_id"] == first["owner_id"]
    assert told[second["id"]]["owner_id"] == second["owner_id"]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A world whose deals have a past."""
    made = make_world(data=small_book())
    made.set_up("case")
    return made


def test_a_request_answered_since_is_told_as_open(world) -> None:
    """By the day on which it was closed, or by the stage that it was in."""
    (case, *_) = [row for row in pull(world.connect(), "case", ("is_closed",)).rows if not row["is_closed"]]
    closed = [row for row in pull(world.connect(), "case", ("is_closed",)).rows if row["is_closed"]]
    world.advance(3600)
    as_of = world.sandbox.clock()
    world.advance(3600)
    _answer(world, case["id"])
    told = then(world, "case", ("is_closed",), as_of)
    assert told[case["id"]] == {"is_closed": False}
    assert all(told[row["id"]] == {"is_closed": True} for row in closed)


def _answer(world: World, case: str) -> None:
    """Somebody closes a request."""
    if world.people.crm == "salesforce":
        done = world.sandbox.org.update(world.sandbox.org.admin, "Case", [{"Id": case, "Status": "Closed"}])
        assert done[0].success
        return
    portal = world.sandbox.portal
    stage = next(
        one["id"]
        for pipeline in portal.pipelines("tickets")
        for one in pipeline["stages"]
        if one["metadata"]["ticketState"] == "CLOSED"
    )
    portal.update(
        portal.person, "tickets", [{"id": case, "properties": {"hs_pipeline_stage": stage}}], source="CRM_UI"
    )


def test_a_record_that_is_gone_tells_nothing(world) -> None:
    """It was deleted after it was read."""
    deal = one_open(world)
    connector = world.connect()
    held = _page(connector, "opportunity", DEAL).select(["id", *DEAL])
    world.people.delete("opportunity", deal["id"])
    found = [
        row
        for part in connector.history("opportunity", DEAL, held, world.sandbox.clock() + timedelta(1))
        for row in part.to_pylist()
    ]
    assert not any(row["id"] == deal["id"] and any(row[f"told_{name}"] for name in DEAL) for row in found)
