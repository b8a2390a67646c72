"""A HubSpot portal with its people, for tests of what only HubSpot has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses

from sync.demo import set_up
from tests.contract.conftest import World
from tests.crms import people_of
from tests.invariants.conftest import World as Installation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from connectors.sandbox.server import Sandbox


@pytest.fixture
def make_world(make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> Callable[..., World]:
    """Make a portal with a small book, or with the arguments of `Sandbox`."""
    return lambda **options: World(people_of(make_sandbox(crm="hubspot", **options), tmp_path))


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A portal that is set up."""
    made = make_world()
    made.set_up()
    return made


@pytest.fixture
def make_installation(make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> Callable[..., Installation]:
    """Make a portal with our properties and a worker beside it; options go to the sandbox."""

    def make(**options: object) -> Installation:
        made = Installation(make_sandbox(crm="hubspot", **options), tmp_path)
        set_up(made.settings)
        return made

    return make


@pytest.fixture
def installation(make_installation: Callable[..., Installation]) -> Installation:
    """A worker beside a small portal, before the first run."""
    return make_installation()


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    """All requests of a test that plays the portal itself."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as requests_mock:
        yield requests_mock
