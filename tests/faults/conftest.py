"""What the fault tests share: each says what it tried, and how many times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(params=["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])
def crm(request: pytest.FixtureRequest) -> str:
    """Both CRMs meet every fault; the second one's turn is among the long tests."""
    name: str = request.param
    return name


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Callable[[int, str], None]:
    """Call it with a count and words; the summary prints them."""

    def tell(times: int, what: str) -> None:
        request.node.user_properties.append(("tried", f"{times:,} x {what}"))

    return tell
