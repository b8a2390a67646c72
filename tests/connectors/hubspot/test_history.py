"""What a portal's history tells, where it is cut short, odd, or that of a merged record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from connectors.hubspot.history import MOST_VERSIONS, _Then
from tests.contract.conftest import pull
from tests.contract.small_book import small_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.conftest import World

AS_OF = datetime.fromisoformat("2026-03-01T00:00:00Z")


def version(day: str, value: str | None, source: str = "CRM_UI") -> dict[str, Any]:
    """One value of a property, from a day on."""
    return {"value": value, "timestamp": f"{day}T10:00:00Z", "sourceType": source}


@pytest.mark.parametrize(
    ("versions", "known", "value"),
    [
        ([version("2026-02-01", "5"), version("2026-01-01", "4")], True, "5"),
        ([version("2026-01-01", "4"), version("2026-02-01", "5")], True, "5"),
        ([version("2026-04-01", "5"), version("2026-02-01", "")], True, None),
        ([version("2026-04-01", "5")], True, None),
        ([], True, None),
        ([version("2026-04-01", "5", "CALCULATED")], False, None),
        ([version("2026-04-01", "5")] * MOST_VERSIONS, False, None),
        ([{"value": "5", "timestamp": "once"}, version("2026-02-01", "4")], False, None),
        ([{"value": "5", "timestamp": "2026-02-01T10:00:00"}], False, None),
    ],
    ids=[
        "newest first",
        "oldest first",
        "emptied",
        "not yet",
        "never",
        "calculated",
        "cut short",
        "odd",
        "no zone",
    ],
)
def test_a_value_counts_as_known_only_where_it_is(
    versions: list[dict[str, Any]], *, known: bool, value: str | None
) -> None:
    """A list that is full, worked out anew, or of no readable time may hide what was before."""
    then = _Then({"id": "1", "propertiesWithHistory": {"amount": versions}}, AS_OF)
    assert (("amount" in then.known), then.values.get("amount")) == (known, value)


def test_a_merged_company_has_the_past_of_its_primary_record(make_world: Callable[..., World]) -> None:
    """It is a new record, as old as the older one; what it got from the other record, it did not have then."""
    world = make_world(data=small_book())
    world.set_up()
    fields = ("owner_id", "type", "territory")
    now = pull(world.connect(), "account", ("name", *fields)).rows
    first, second = (next(row for row in now if row["name"] == name) for name in ("Birch", "Cedar"))
    world.advance(3600)
    as_of = world.sandbox.clock()
    world.advance(3600)
    heir = world.people.merge("account", first["id"], second["id"])
    rows = world.connect().history("account", fields, pa.table({"id": [heir]}), as_of)
    (row,) = [row for part in rows for row in part.to_pylist()]
    assert (row["told_owner_id"], row["owner_id"]) == (True, first["owner_id"])
    assert (row["told_type"], row["type"]) == (True, first["type"])


def test_fifty_records_of_history_come_with_a_call(make_world: Callable[..., World]) -> None:
    """HubSpot gives no more at once."""
    world = make_world(data="synthetic:40:120")
    world.set_up()
    held = pa.table({"id": [row["id"] for row in pull(world.connect(), "opportunity", ("amount",)).rows]})
    connector, position = world.connect(), world.sandbox.journal.position
    parts = connector.history("opportunity", ("amount",), held, world.sandbox.clock() + timedelta(1))
    assert sum(part.num_rows for part in parts) == 120
    assert len([one for one in world.requests(position) if "batch/read" in one]) == 3
