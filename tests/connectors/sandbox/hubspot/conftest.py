"""What the tests of HubSpot's wire share: a portal, and plain clients that carry a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.sandbox.server import Sandbox


class Api(requests.Session):
    """A plain client of one portal; addresses are relative to it."""

    def __init__(self, sandbox: Sandbox, token: str | None) -> None:
        super().__init__()
        self.trust_env = False
        self.sandbox = sandbox
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method, url, *args, **kwargs):
        """Send to the sandbox."""
        if url.startswith("/"):
            url = self.sandbox.http_url + url
        return super().request(method, url, *args, **{"timeout": 30, **kwargs})

    def objects(self, kind, **parameters):
        """One page of records."""
        reply = self.get(f"/crm/v3/objects/{kind}", params=parameters)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def search(self, kind, **body):
        """One page of found records."""
        return self.post(f"/crm/v3/objects/{kind}/search", json=body)

    def batch(self, kind, action, inputs, **body):
        """One batch."""
        return self.post(f"/crm/v3/objects/{kind}/batch/{action}", json={"inputs": inputs, **body})


@pytest.fixture
def sandbox(make_sandbox) -> Sandbox:
    """One portal with a small book."""
    return make_sandbox(crm="hubspot")


@pytest.fixture
def plain_client() -> type[Api]:
    """For portals of a test's own: `plain_client(sandbox, token)`."""
    return Api


@pytest.fixture
def connect(sandbox) -> Iterator[Callable[..., Api]]:
    """Clients of the portal: `connect(token)`, or without one."""
    opened: list[Api] = []

    def make(token: str | None = None) -> Api:
        opened.append(Api(sandbox, token))
        return opened[-1]

    yield make
    for api in opened:
        api.close()


@pytest.fixture
def api(sandbox, connect) -> Api:
    """A client with the admin's static token."""
    return connect(sandbox.credentials.admin.token)


@pytest.fixture
def worker(sandbox, connect) -> Api:
    """A client with the worker's static token."""
    return connect(sandbox.credentials.worker.token)


@pytest.fixture
def oauth(sandbox, connect) -> Callable[[], Api]:
    """Clients with a fresh access token of the worker's app."""

    def make() -> Api:
        account = sandbox.credentials.worker
        client = connect()
        reply = client.post("/oauth/v1/token", data=refresh_form(account))
        client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
        return client

    return make


def refresh_form(account) -> dict[str, str]:
    """What an app sends for an access token."""
    return {
        "grant_type": "refresh_token",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
        "refresh_token": account.refresh_token,
    }
