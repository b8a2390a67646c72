"""The contract's world with Salesforce alone, for what the other CRMs do not have."""

from __future__ import annotations

import pytest

from tests.contract.conftest import make_world, world

__all__ = ["make_world", "world"]


@pytest.fixture
def crm() -> str:
    """No other."""
    return "salesforce"
