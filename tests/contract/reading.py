"""What tests of reading have in common: the columns, both ways of a CRM, and a fault that spoils a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contract.conftest import World

ACCOUNT_FIELDS = ("name", "owner_id", "annual_revenue", "employees", "created_at")
# Below and above the number of rows from which on a CRM's way for large loads is taken.
BULK = 10
WAYS = pytest.mark.parametrize("bulk_threshold", [BULK, 100_000], ids=["bulk", "rest"])


def poisoned(
    world: World, column: str = "name", what: str = "bad_utf8", **which: object
) -> dict[str, object]:
    """The fault that makes a cell of an account unreadable wherever it appears."""
    people = world.people
    name, field = people.object_name("account"), people.field_name("account", column)
    return {"kind": "poison", "object": name, "what": what, "field": field, **which}
