"""What the invariants share: the world of `tests/world.py`, and which CRMs they run against."""

from __future__ import annotations

import pytest

from tests.world import EVERY_RECORD, World

__all__ = ["EVERY_RECORD", "World"]


@pytest.fixture(params=["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])
def crm(request: pytest.FixtureRequest) -> str:
    """Each holds on both CRMs; the second one's turn is among the long tests."""
    name: str = request.param
    return name
