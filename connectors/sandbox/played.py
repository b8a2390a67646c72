"""What the sandbox needs of a CRM that it plays: one object for each, with the same few things to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from connectors.sandbox.clock import SandboxClock
    from connectors.sandbox.datasets.book import Book
    from connectors.sandbox.faults import Faults
    from connectors.sandbox.journal import Journal


@dataclass(frozen=True, slots=True)
class Scene:
    """What every played CRM is made of: its data before any CRM has shaped it, and what all CRMs share."""

    book: Book
    clock: SandboxClock
    faults: Faults
    journal: Journal
    production: bool
    timezone: str


@dataclass(frozen=True, slots=True)
class Account:
    """How one of the two bundled users gets in; what the CRM does not have is empty.

    `token` needs no sign-in. An app's id and secret, with a refresh token or without, get a token for a while.
    """

    username: str
    client_id: str
    client_secret: str
    refresh_token: str
    password: str = ""
    security_token: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The worker's and the admin's: the same in every sandbox, as only this machine reaches it."""

    worker: Account
    admin: Account


class Allowance(Protocol):
    """The limits on calls, as far as they can be switched."""

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Switch limits, and count calls of others. Raises `ValueError` or `TypeError`."""
        ...

    def use(self, calls: int) -> None:
        """Count calls as if other integrations had made them."""
        ...

    @property
    def used(self) -> int:
        """Calls that count against the daily allowance now."""
        ...

    def told(self) -> dict[str, Any]:
        """The limits as `GET /sandbox/limits` tells them."""
        ...


class Played(Protocol):
    """One CRM, played: its state, who may call it, what it allows, and the application that serves it."""

    @property
    def name(self) -> str:
        """The name of the org or portal."""
        ...

    @property
    def credentials(self) -> Credentials:
        """How the two bundled users get in."""
        ...

    @property
    def limits(self) -> Allowance:
        """How many calls it allows."""
        ...

    def register_key(self, client_id: str, pem: str) -> None:
        """Trust a key (PEM) for an app's JWTs. Raises `KeyError` for the app, `ValueError` for the key."""
        ...

    def app(self, others: Sequence[BaseRoute]) -> ASGIApp:
        """The application; `others` are the sandbox's own switches."""
        ...
