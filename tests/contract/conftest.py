"""The contract's tests run against every CRM that the sandbox plays: one `World` for each."""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from connectors.contract import Checkpoint, Page
from connectors.tokens import MemoryTokens
from tests.conftest import SMALL_BOOK
from tests.crms import people_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from config.settings import Connection
    from connectors.contract import Connector, SetAside
    from connectors.sandbox.server import Sandbox
    from tests.crms.people import People


@dataclass
class World:
    """A sandbox with its people, and how to connect to it. `waits` are the seconds that nobody slept."""

    people: People
    waits: list[float] = field(default_factory=list)

    @property
    def sandbox(self) -> Sandbox:
        """The CRM."""
        return self.people.sandbox

    def connect(
        self, who: str = "worker", *, connection: Connection | None = None, **options: Any
    ) -> Connector:
        """A connector with the credentials of the worker or of the admin, or with other settings.

        The worker's own clock stands in 2020.
        """
        crm: Any = import_module(f"connectors.{self.people.crm}")
        connector: Connector = crm.connect(
            "acme",
            connection or self.people.connection(who),
            options.pop("mapping", {}),
            tokens=MemoryTokens(),
            clock=lambda: datetime(2020, 1, 1, tzinfo=UTC),
            sleep=self._wait,
            monotonic=lambda: self.sandbox.clock().timestamp(),
            rng=random.Random(5),
            **options,
        )
        return connector

    def admin(self) -> Connector:
        """A connector that can set the worker up."""
        return self.connect("admin", worker=self.sandbox.credentials.worker.username)

    def set_up(self, *reads: str) -> None:
        """Make our fields and permissions, as an admin would by `foretag setup`, for rules that name these objects."""
        admin = self.admin()
        admin.ensure_fields(admin.missing("full", reads))

    def _wait(self, seconds: float) -> None:
        """Nobody waits, but the CRM's clock goes on."""
        self.waits.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let the CRM's clock go on."""
        self.sandbox.clock.advance(timedelta(seconds=seconds))

    def requests(self, since: int = 0) -> list[str]:
        """The requests that arrived, as method and path."""
        return [f"{entry.method} {entry.path}" for entry in self.sandbox.journal.requests(since)]


@dataclass(frozen=True)
class Pulled:
    """All that a pull yielded."""

    rows: list[dict[str, Any]]
    set_aside: list[SetAside]
    checkpoint: Checkpoint

    def ids(self) -> set[str]:
        """The ids of the rows."""
        return {row["id"] for row in self.rows}


def pull(connector: Connector, object_name: str, fields: Sequence[str], since: str | None = None) -> Pulled:
    """Read a pull to its end."""
    messages = list(connector.pull(object_name, fields, since))
    (checkpoint,) = [message for message in messages if isinstance(message, Checkpoint)]
    assert messages[-1] is checkpoint
    pages = [message for message in messages if isinstance(message, Page)]
    return Pulled(
        [row for page in pages for row in page.table.to_pylist()],
        [one for page in pages for one in page.set_aside],
        checkpoint,
    )


@pytest.fixture
def make_world(crm: str, make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> Callable[..., World]:
    """Make a world with a small book, or with the arguments of `Sandbox`."""
    return lambda **options: World(people_of(make_sandbox(crm=crm, **options), tmp_path))


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A world whose CRM is set up."""
    made = make_world()
    made.set_up()
    return made


@pytest.fixture(scope="session")
def worlds_to_read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], World]]:
    """A CRM of each kind that is set up once, for all tests of a process that change no record."""
    from connectors.sandbox.server import Sandbox

    with ExitStack() as running:

        @cache
        def made(crm: str) -> World:
            sandbox = running.enter_context(Sandbox(crm=crm, data=SMALL_BOOK))
            world = World(people_of(sandbox, tmp_path_factory.mktemp(crm)))
            world.set_up()
            return world

        yield made


@pytest.fixture
def world_to_read(crm: str, worlds_to_read: Callable[[str], World]) -> Iterator[World]:
    """A world whose CRM is set up, and shared: its faults and waits end with the test, its clock goes on."""
    world = worlds_to_read(crm)
    yield world
    world.sandbox.faults.remove()
    world.waits.clear()
