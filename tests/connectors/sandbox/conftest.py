"""What the sandbox's own tests share: sessions that only trust and know the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.sandbox.salesforce.schema import Field
    from connectors.sandbox.server import Account, Sandbox


class Api(requests.Session):
    """A plain client of one sandbox; addresses are relative to it, or to the API's newest common version."""

    def __init__(self, sandbox: Sandbox, base: str) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(sandbox.ca_file)
        self.sandbox, self.base = sandbox, base

    def request(self, method, url, *args, **kwargs):
        """Send to the sandbox."""
        if url.startswith("/"):
            url = self.base + url
        elif "://" not in url:
            url = f"{self.base}/services/data/v62.0/{url}"
        return super().request(method, url, *args, **kwargs)

    def log_in(self, account: Account) -> str:
        """Take a session by client credentials; returns its id."""
        reply = self.post(
            "/services/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(account.client_id, account.client_secret),
        )
        token = reply.json()["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"
        return token


@pytest.fixture
def connect() -> Iterator[Callable[..., Api]]:
    """Clients without a session: `connect(sandbox)`, over TLS unless `http=True`."""
    opened: list[Api] = []

    def make(sandbox: Sandbox, *, http: bool = False) -> Api:
        opened.append(Api(sandbox, sandbox.http_url if http else sandbox.url))
        return opened[-1]

    yield make
    for api in opened:
        api.close()


@pytest.fixture
def api(sandbox, connect) -> Api:
    """A client logged in as the org's admin."""
    client = connect(sandbox)
    client.log_in(sandbox.credentials.admin)
    return client


def add_field(sandbox: Sandbox, object_name: str, field: Field) -> None:
    """Give the org a custom field that its two users may read and edit."""
    org = sandbox.org
    org.add_field(object_name, field)
    permission_set = org.create_permission_set(
        f"Sees_{object_name}_{field.name}"[:40].rstrip("_c"), "Sees a field"
    )
    org.grant_fields(permission_set, {f"{object_name}.{field.name}": True})
    for user in (org.admin, org.worker):
        org.assign(permission_set, user.id)
