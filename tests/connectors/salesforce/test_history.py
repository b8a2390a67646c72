"""What an org's histories tell: for how long, and of which fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.conftest import pull
from tests.contract.small_book import small_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.conftest import World

DAY = 86_400


@pytest.mark.parametrize(("days", "told"), [(30, True), (600, False)])
def test_tracked_changes_are_trusted_for_eighteen_months(
    days: int, *, told: bool, make_world: Callable[..., World]
) -> None:
    """Salesforce keeps them no longer: what is left does not begin where it is asked."""
    world = make_world(data=small_book())
    world.set_up()
    world.sandbox.org.track("Account", "Industry")
    (first, *_) = pull(world.connect(), "account", ("industry",)).rows
    world.advance(3600)
    as_of = world.sandbox.clock()
    world.advance(days * DAY)
    world.people.edit("account", {"id": first["id"], "industry": "Energy"})
    connector = world.connect()
    held = next(iter(connector.pull("account", ("industry",), None))).table
    (rows,) = connector.history("account", ("industry",), held, as_of)
    assert rows["told_industry"].to_pylist() == [told] * rows.num_rows
    if told:
        then = dict(zip(rows["id"].to_pylist(), rows["industry"].to_pylist(), strict=True))
        assert then[first["id"]] == first["industry"]


def test_how_often_a_deal_was_pushed_is_counted_until_then(make_world: Callable[..., World]) -> None:
    """To a later month, as Salesforce counts; what came after the moment does not count."""
    world = make_world(data=small_book())
    world.set_up()
    deal = next(
        row for row in pull(world.connect(), "opportunity", ("is_closed",)).rows if not row["is_closed"]
    )
    for month, then in ((6, None), (7, None), (5, None), (8, "as_of"), (9, None)):
        world.advance(DAY)
        world.people.edit("opportunity", {"id": deal["id"], "close_date": f"2027-0{month}-01"})
        if then:
            world.advance(60)
            as_of = world.sandbox.clock()
    connector = world.connect()
    held = next(iter(connector.pull("opportunity", ("push_count", "close_date"), None))).table
    (rows,) = connector.history("opportunity", ("push_count", "close_date"), held, as_of)
    (row,) = [row for row in rows.to_pylist() if row["id"] == deal["id"]]
    assert (row["push_count"], str(row["close_date"])) == (3, "2027-08-01")


def test_a_column_mapped_to_a_field_of_ones_own_is_not_read_from_snapshots(
    make_world: Callable[..., World],
) -> None:
    """OpportunityHistory tells of Amount, whatever the connection takes for the amount."""
    world = make_world(data=small_book())
    world.set_up()
    world.advance(3600)
    connector = world.connect(mapping={"opportunity": {"amount": "ExpectedRevenue"}})
    held = next(iter(connector.pull("opportunity", ("amount", "stage"), None))).table
    (rows,) = connector.history("opportunity", ("amount", "stage"), held, world.sandbox.clock())
    assert not any(rows["told_amount"].to_pylist())
    assert all(rows["told_stage"].to_pylist())
