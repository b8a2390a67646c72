"""Everything that would stop a run on HubSpot, found at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.test_setup import FIELDS, WRITTEN


def check(world: Any, **options: Any) -> dict[str, str]:
    """Problems by their place."""
    return {problem.where: str(problem) for problem in world.connect(**options).check(FIELDS, WRITTEN)}


@pytest.mark.parametrize("renewable", [False, True], ids=["service key", "OAuth"])
def test_scopes_that_are_missing_stand_in_one_list(renewable, world) -> None:
    """Whether HubSpot tells the token's scopes or lets us try; and no other problem hides behind them."""
    lacking = ("crm.objects.deals.read", "crm.objects.companies.write", "crm.objects.owners.read")
    world.sandbox.faults.add([{"kind": "missing_scopes", "scopes": lacking}])
    found = check(world, connection=world.people.connection(renewable=renewable))
    for scope in lacking:
        assert scope in found["scopes"]
    assert "crm.objects.companies.read" not in found["scopes"]
    assert "Scopes" in found["scopes"]


def test_whoever_makes_tasks_must_be_allowed_to_write_them(world) -> None:
    """Tasks are no field of a record: the scope is asked for before the first of them is refused."""
    world.sandbox.faults.add([{"kind": "missing_scopes", "scopes": ["crm.objects.contacts.write"]}])
    assert "crm.objects.contacts.write" in check(world)["scopes"]
    without = {name: columns for name, columns in FIELDS.items() if name != "task"}
    assert world.connect().check(without, WRITTEN) == []


@pytest.mark.parametrize("renewable", [False, True], ids=["service key", "OAuth"])
def test_a_token_with_all_scopes_has_no_problem(renewable, world) -> None:
    """With the least that the worker needs, and nothing is changed by trying."""
    position = world.sandbox.journal.position
    assert check(world, connection=world.people.connection(renewable=renewable)) == {}
    assert world.sandbox.journal.writes(position) == []


def test_a_token_of_another_region_is_the_one_problem(world) -> None:
    """With the region, and what to do."""
    world.sandbox.faults.add([{"kind": "wrong_region", "hublet": "eu1", "times": None}])
    ((_, told),) = check(world).items()
    assert "eu1" in told
    assert "new service key" in told


def test_an_option_that_somebody_took_out_is_named(world) -> None:
    """Before a quarter of the book is refused for it."""
    portal = world.sandbox.portal
    options = [{"label": value, "value": value, "displayOrder": 0, "hidden": False} for value in ("A", "B")]
    portal.update_property(portal.person, "companies", "foretag_tier", {"options": options})
    ((where, told),) = check(world).items()
    assert where == "companies.foretag_tier"
    assert "lacks the options C, D" in told


@pytest.mark.parametrize(
    ("mapped", "said"),
    [
        ({"foretag_score": "name"}, ""),
        ({"foretag_score": "closedate_of_nothing"}, "correct `fields: {account: {foretag_score: …}}`"),
        ({"foretag_tier": "numberofemployees"}, "is of type number, and Tier needs enumeration or string"),
        ({"foretag_score": "num_associated_deals"}, "the property is read-only"),
        ({"foretag_reason": "description", "foretag_alert": "description"}, "foretag_reason, foretag_alert"),
        ({"foretag_alert": "x" * 101}, "more than 100 characters"),
    ],
    ids=["a text holds a number", "not there", "wrong type", "read-only", "twice the same", "too long"],
)
def test_a_mapped_output_is_looked_at_before_it_is_written(mapped, said, world) -> None:
    """What HubSpot would refuse for each record is said once."""
    found = check(world, mapping={"account": mapped})
    assert len(found) == bool(said), found
    assert all(said in told for told in found.values())


def test_a_used_up_allowance_is_told(world) -> None:
    """With how much is left, and how much of it is for others."""
    connection = world.people.connection()
    limits = connection.limits.model_copy(update={"api_reserve": 100.0})
    found = check(world, connection=connection.model_copy(update={"limits": limits}))
    assert "API calls are left today; 100 % are for others" in found["API calls"]
