"""Salesforce as the sandbox plays it: the org, its sessions and limits, and the application over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.datasets.salesforce import load_dataset
from connectors.sandbox.pages import Pages
from connectors.sandbox.played import Account, Credentials
from connectors.sandbox.salesforce.app import salesforce_app
from connectors.sandbox.salesforce.context import SandboxContext
from connectors.sandbox.salesforce.limits import Limits
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.sessions import App, Login, Sessions
from connectors.sandbox.salesforce.views import SalesforceViews

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from connectors.sandbox.played import Scene
    from connectors.sandbox.salesforce.org import User


class PlayedSalesforce:
    """One Salesforce org that can be served."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.org = Org(
            load_dataset(scene.book.name, scene.book),
            scene.clock,
            faults=scene.faults,
            journal=scene.journal,
            production=scene.production,
            timezone=scene.timezone,
        )
        self.sessions = Sessions(self.org, scene.clock)
        self.limits = Limits(scene.clock)
        self.credentials = Credentials(
            self._account("worker", self.org.worker), self._account("admin", self.org.admin)
        )

    @property
    def name(self) -> str:
        """The org's name."""
        return self.org.name

    def register_key(self, client_id: str, pem: str) -> None:
        """Trust a key (PEM) for an app's JWTs. Raises `KeyError` for the app, `ValueError` for the key."""
        self.sessions.register_key(client_id, pem)

    def app(self, others: Sequence[BaseRoute]) -> ASGIApp:
        """The application, with the pages that people look at."""
        scene = self._scene
        context = SandboxContext(
            self.org, self.sessions, scene.faults, scene.journal, self.limits, scene.clock
        )
        return salesforce_app(context, [*others, *Pages(SalesforceViews(self.org)).routes()])

    def _account(self, name: str, user: User) -> Account:
        app = App(f"3MVG9.foretag.sandbox.{name}", f"sandbox-{name}-secret", runs_as=user.username)
        login = Login(user.username, f"sandbox-{name}-password", f"sandbox{name}token")
        self.sessions.apps[app.client_id] = app
        self.sessions.logins[user.username.lower()] = login
        refresh_token = self.sessions.issue_refresh_token(
            app.client_id, user.username, f"sandbox-{name}-refresh-token"
        )
        return Account(
            user.username,
            app.client_id,
            app.client_secret,
            refresh_token,
            login.password,
            login.security_token,
        )
