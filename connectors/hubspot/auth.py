"""Signing in to HubSpot: a service key or private app's token as it is, or OAuth with a refresh token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.hubspot.paths import path
from connectors.sign_in import Fixes, SignIn

if TYPE_CHECKING:
    from config.settings import HubSpotConnection
    from connectors.tokens import TokenStore
    from connectors.transport import Transport

# The first row that matches counts.
FIXES: Fixes = (
    ("BAD_REFRESH_TOKEN", "", "install the app in this portal again and store the new refresh token"),
    ("BAD_CLIENT_SECRET", "", "check `client_secret` of the HubSpot app"),
    ("BAD_CLIENT_ID", "", "check `client_id` of the HubSpot app"),
    ("invalid_grant", "", "install the app in this portal again and store the new refresh token"),
    ("invalid_client", "", "check `client_id` and `client_secret` of the HubSpot app"),
    ("", "", "check `client_id`, `client_secret` and `refresh_token` of the HubSpot app"),
)


def sign_in(name: str, connection: HubSpotConnection, transport: Transport, tokens: TokenStore) -> SignIn:
    """The session of one portal."""
    address = connection.url + path("token", connection.api_version)
    return SignIn(name, connection.auth, transport, tokens, address=address, fixes=FIXES)
