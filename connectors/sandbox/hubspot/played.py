"""HubSpot as the sandbox plays it: the portal, its tokens and rates, and the application over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.datasets.hubspot import load_dataset
from connectors.sandbox.hubspot.app import hubspot_app
from connectors.sandbox.hubspot.context import HubSpotContext
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.rates import Rates
from connectors.sandbox.hubspot.scopes import ADMIN_SCOPES, WORKER_SCOPES
from connectors.sandbox.hubspot.tokens import App, Tokens
from connectors.sandbox.hubspot.views import HubSpotViews
from connectors.sandbox.pages import Pages
from connectors.sandbox.played import Account, Credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from connectors.sandbox.played import Scene


class PlayedHubSpot:
    """One HubSpot portal that can be served."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.portal = Portal(
            load_dataset(scene.book.name, scene.book),
            scene.clock,
            faults=scene.faults,
            journal=scene.journal,
            production=scene.production,
            timezone=scene.timezone,
        )
        self.tokens = Tokens(scene.clock)
        self.limits = Rates(scene.clock, scene.timezone, self.portal.id)
        self.credentials = Credentials(
            self._account("worker", 1, WORKER_SCOPES), self._account("admin", 2, ADMIN_SCOPES)
        )

    @property
    def name(self) -> str:
        """The portal's name."""
        return self.portal.name

    def register_key(self, client_id: str, _pem: str) -> None:
        """HubSpot has no JWTs. Raises `ValueError`."""
        raise ValueError(f"HubSpot's apps have no keys, so {client_id} can have none")

    def app(self, others: Sequence[BaseRoute]) -> ASGIApp:
        """The application, with the pages that people look at."""
        scene = self._scene
        context = HubSpotContext(
            self.portal, self.tokens, self.limits, scene.faults, scene.journal, scene.clock
        )
        return hubspot_app(context, [*others, *Pages(HubSpotViews(self.portal)).routes()])

    def _account(self, name: str, number: int, scopes: frozenset[str]) -> Account:
        app = App(
            app_id=str(9_000_000 + number),
            username=f"{name}@foretag-sandbox.example",
            user_id=7_000_000 + number,
            client_id=f"00000000-5a4d-4b0e-8000-00000000000{number}",
            client_secret=f"sandbox-{name}-secret",
            scopes=scopes,
        )
        refresh_token = f"na1-sandbox-{name}-refresh-token"
        token = self.tokens.install(app, refresh_token)
        return Account(app.username, app.client_id, app.client_secret, refresh_token, token=token)
