"""Mass writes: no more than 10,000 records ever share a modification stamp, since others page by it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.conftest import World

MOST = 10_000
COMPANIES = 10_400
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("way", ["batches", pytest.param("imports", marks=pytest.mark.long)])
def test_a_mass_write_never_gives_more_records_one_stamp(way: str, make_world: Callable[..., World]) -> None:
    """Though the portal's clock stands still but for our waits, and works as fast as it is asked."""
    world = make_world(data=f"synthetic:{COMPANIES}:{COMPANIES}", clock=lambda: NOON)
    world.set_up()
    world.sandbox.limits.change({"general": 5_000, "search": 500, "associations": 5_000})
    portal: Any = world.sandbox.portal
    ids = portal.table("companies", ["hs_object_id"], {})["hs_object_id"].to_pylist()
    rows = len(ids)
    changes = pa.table(
        {
            "id": ids,
            "parent_id": pa.nulls(rows, pa.string()),
            "foretag_score": pa.array([7] * rows, pa.int64()),
            "clear": pa.array([[]] * rows, pa.list_(pa.string())),
        }
    )
    connector = world.connect(bulk_threshold=1 if way == "imports" else 500_000)
    outcomes = connector.update("account", changes)
    assert set(outcomes["status"].to_pylist()) == {"done"}
    written = portal.table("companies", ["hs_lastmodifieddate", "foretag_score"], {}).to_pylist()
    stamps = Counter(row["hs_lastmodifieddate"] for row in written)
    assert {row["foretag_score"] for row in written} == {"7"}
    assert 1 < len(stamps) < 5
    assert max(stamps.values()) <= MOST
