"""The contract's tests run against every CRM that the sandbox plays: one `World` for each."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import SalesforceConnection
from connectors.contract import Checkpoint, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from connectors.contract import Connector, SetAside
    from connectors.sandbox.server import Sandbox

CRMS = ("salesforce",)


@dataclass
class World:
    """A sandbox, and how to connect to it. `waits` are the seconds that would have been slept."""

    sandbox: Sandbox
    folder: Path
    waits: list[float] = field(default_factory=list)

    def connect(self, who: str = "worker", **options: Any) -> Connector:
        """A connector with the credentials of the worker or of the admin."""
        from connectors.salesforce import MemoryTokens, connect

        return connect(
            "acme",
            self.connection(who),
            options.pop("mapping", {}),
            tokens=MemoryTokens(),
            clock=lambda: datetime(2020, 1, 1, tzinfo=UTC),
            sleep=self.waits.append,
            rng=random.Random(5),
            **options,
        )

    def connection(self, who: str = "worker") -> SalesforceConnection:
        """Settings as a user would write them, over TLS."""
        account = getattr(self.sandbox.credentials, who)
        auth = {
            "client_id": self.secret(f"{who}-id", account.client_id),
            "client_secret": self.secret(f"{who}-secret", account.client_secret),
        }
        return SalesforceConnection(
            crm="salesforce", url=self.sandbox.url, ca_file=self.sandbox.ca_file, auth=auth
        )

    def secret(self, name: str, value: str) -> dict[str, str]:
        """A secret in a file."""
        path = self.folder / name
        path.write_text(value)
        return {"file": str(path)}

    def set_up(self) -> None:
        """Make our fields and permissions, as an admin would by `foretag setup`."""
        admin = self.connect("admin", worker=self.sandbox.credentials.worker.username)
        admin.ensure_fields(admin.missing("full"))

    def make_plain_key(self) -> None:
        """Make the key of our tasks a field that is neither unique nor an external id, as some orgs demand."""
        metadata = {"label": "Foretag key", "type": "Text", "length": 64}
        body = {"FullName": "Activity.Foretag_Key__c", "Metadata": metadata}
        api = self.connect("admin")._api
        api.call("POST", "tooling/sobjects/CustomField", json=body)

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


@pytest.fixture(params=CRMS)
def make_world(request: Any, make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> Callable[..., World]:
    """Make a world with a small book, or with the arguments of `Sandbox`."""
    return lambda **options: World(make_sandbox(crm=request.param, **options), tmp_path)


@pytest.fixture
def world(make_world: Callable[..., World]) -> Iterator[World]:
    """A world whose CRM is set up."""
    made = make_world()
    made.set_up()
    return made
