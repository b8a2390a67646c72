"""Scores as of a past day: what they were then, from the CRM's own history, whatever happened since."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.problems import ConfigProblem
from sync.pipeline import preview
from tests.acceptance.conftest import BOTH_IN_TIME
from tests.contract.small_book import small_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from sync.report import Report
    from sync.writing.plan import Plan
    from tests.world import World

pytestmark = BOTH_IN_TIME

TAGS = ("foretag_tier", "foretag_score", "foretag_segment")


def as_of(world: World, day: date) -> tuple[Report, Plan]:
    """What a run would have written on a past day."""
    with world.job() as job:
        return preview(job, as_of=day)


def tags(world: World, object_name: str) -> dict[str, dict[str, Any]]:
    """Our tags, by record."""
    names = TAGS if object_name == "account" else TAGS[:2]
    return {row.pop("id"): row for row in world.people.rows(object_name, *names)}


def once_written(held: dict[str, dict[str, Any]], plan: Plan, object_name: str) -> dict[str, dict[str, Any]]:
    """What the CRM would hold if the plan were written."""
    after = {name: dict(row) for name, row in held.items()}
    for row in plan.changes[object_name].to_pylist():
        for name in after[row["id"]]:
            if row[name] is not None or name in row["clear"]:
                after[row["id"]][name] = row[name]
    return after


def later(world: World, days: float) -> None:
    """Time goes by in the CRM."""
    world.sandbox.clock.advance(timedelta(days=days))


@pytest.mark.long
@pytest.mark.parametrize("data", ["small", "pipeline"])
def test_they_are_what_they_were_whatever_happened_since(data: str, make_world: Callable[..., World]) -> None:
    """Deals won, lost, made, cut in value; tags written anew since: the scores of then come back, to the point."""
    world = make_world(data=small_book() if data == "small" else data)
    world.people.count_generously()
    world.run()
    then, today = (
        {name: tags(world, name) for name in ("account", "opportunity")},
        world.sandbox.clock().date(),
    )
    deals = [
        deal
        for deal in world.open_deals("amount", "stage")
        if then["opportunity"][deal["id"]]["foretag_tier"]
    ]
    later(world, 3)
    third = max(len(deals) // 3, 1)
    world.close(*deals[:third], won=True)
    world.close(*deals[third : 2 * third], won=False)
    world.people.edit("opportunity", *({"id": deal["id"], "amount": 9} for deal in deals[2 * third :]))
    account = world.people.rows("account", "name")[0]["id"]
    values = {"stage": deals[0]["stage"], "amount": 5_000_000, "close_date": today + timedelta(days=30)}
    (made,) = world.people.create("opportunity", {"name": "made later", "account_id": account, **values})
    world.run()
    report, plan = as_of(world, today)
    for name, were in then.items():
        held = tags(world, name)
        found = once_written(held, plan, name)
        known = {one: row for one, row in found.items() if one != made}
        assert held != were
        assert {one: row["foretag_tier"] for one, row in known.items()} == {
            one: row["foretag_tier"] for one, row in were.items()
        }
        # Scores are written from a difference of 5 on.
        assert all(
            abs((row["foretag_score"] or 0) - (were[one]["foretag_score"] or 0)) < 5
            for one, row in known.items()
        )
    assert made not in plan.changes["opportunity"]["id"].to_pylist()
    assert (report.as_of, plan.tasks.num_rows) == (str(today), 0)
    assert f"as of {today}" in report.last_line


@pytest.fixture
def small(make_world: Callable[..., World]) -> World:
    """Three accounts and three deals, after a run."""
    world = make_world(data=small_book())
    world.run()
    return world


@pytest.mark.long
def test_looking_back_changes_nothing_that_is_remembered(small: World) -> None:
    """Not the tags as last said, nor what keeps them calm: the next run writes nothing."""
    day = small.sandbox.clock().date()
    later(small, 1)
    small.run()
    with small.job() as job:
        before = job.tags.state(0), job.tags.day(), job.tags.read("tags_account")
        preview(job, as_of=day)
        assert (job.tags.state(0), job.tags.day(), job.tags.read("tags_account")) == before
        assert not list(job.scratch.glob("copy-*"))
    assert small.run().writes == 0


@pytest.mark.long
def test_what_keeps_a_tag_calm_is_that_of_then(small: World) -> None:
    """A tier that was given since is not remembered; the one before it is, with its day."""
    from sync.writing.past_tags import state_of

    day = small.sandbox.clock().date()
    was = tags(small, "account")
    (deal,) = [deal for deal in small.open_deals("amount") if deal["amount"] == 1500]
    later(small, 40)
    small.close(deal, won=False)
    small.run()
    moved = [
        one for one, row in tags(small, "account").items() if row["foretag_tier"] != was[one]["foretag_tier"]
    ]
    assert moved
    with small.job() as job:
        states = state_of(job, day, 1)
        assert states is not None
        rows = {row["id"]: row for row in states[0].to_pylist() if row["object"] == "account"}
    for one in moved:
        assert (rows[one]["tier"], rows[one]["since"]) == (was[one]["foretag_tier"], day)


@pytest.mark.long
def test_it_is_said_of_what_the_crm_tells_no_history(small: World) -> None:
    """With how many records changed since: Salesforce tracks nothing unless told, HubSpot no links."""
    day = small.sandbox.clock().date()
    later(small, 2)
    account = small.people.rows("account", "name")[0]["id"]
    small.people.edit("account", {"id": account, "employees": 77})
    small.people.edit("opportunity", *({"id": row["id"], "amount": 3} for row in small.open_deals()))
    untold = as_of(small, day)[0].untold
    known = {"salesforce": "account.employees", "hubspot": "opportunity.account_id"}[small.people.crm]
    assert untold[known] >= 1
    told = {"salesforce": "opportunity.amount", "hubspot": "account.employees"}[small.people.crm]
    assert told not in untold


@pytest.mark.long
def test_a_deal_closed_later_was_open_though_nobody_tells_its_stage(make_world: Callable[..., World]) -> None:
    """An org that was filled by an import has no history of its deals before that."""
    world = make_world()
    later(world, 2)
    deals = [deal for deal in world.open_deals("close_date") if deal["close_date"]][:3]
    day = world.sandbox.clock().date()
    later(world, 2)
    ahead = day + timedelta(days=1)
    world.people.edit("opportunity", *({"id": deal["id"], "close_date": ahead} for deal in deals))
    world.close(*deals, won=True)
    _, plan = as_of(world, day)
    rows = {row["id"]: row for row in plan.changes["opportunity"].to_pylist()}
    assert all(rows[deal["id"]]["foretag_tier"] for deal in deals)


@pytest.mark.long
def test_a_day_to_come_is_refused_and_today_is_as_ever(small: World) -> None:
    """Nothing is known of the one; the other is the plan of every day, tasks and all."""
    today = small.sandbox.clock().date()
    with pytest.raises(ConfigProblem, match="is not past: today is"):
        as_of(small, today + timedelta(days=1))
    report, plan = as_of(small, today)
    assert (report.as_of, plan.records) == ("", 0)
