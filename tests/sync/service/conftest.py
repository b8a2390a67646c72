"""A history, and a clock that goes when told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sync.ledger import Ledger
from tests.sync.service.watched import NOON


@pytest.fixture
def clock():
    """A clock that goes when told."""
    return SimpleNamespace(now=NOON)


@pytest.fixture
def ledger(tmp_path, clock):
    """A history of its own, with one connection that may write."""
    opened = Ledger.open(tmp_path, lambda: clock.now)
    opened.bind("main", "00D", "Org", live=True)
    yield opened
    opened.close()
