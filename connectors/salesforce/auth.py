"""Signing in: client credentials, JWT bearer and refresh token against the org's own token endpoint."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt

from config.problems import Problem
from config.sections.loopback import is_private
from config.settings import ClientCredentials, JwtBearer
from connectors.contract import AuthProblem, ConfigProblem
from connectors.sign_in import SignIn as AnySignIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from config.settings import SalesforceConnection
    from connectors.tokens import TokenStore
    from connectors.transport import Transport

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  # a path, not a secret
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_SECONDS = 180
_SKEW_SECONDS = 60

# (error, part of its description) -> what to do; the first row that matches counts.
FIXES = (
    ("invalid_client_id", "", "check `client_id`: it is the consumer key of the external client app"),
    ("invalid_client", "", "check `client_id` and `client_secret` of the external client app"),
    ("invalid_app_access", "", "allow the worker's user to use the external client app"),
    ("inactive_user", "", "activate the worker's user in Salesforce"),
    ("inactive_org", "", "the org is locked, closed or suspended; ask Salesforce"),
    ("invalid_grant", "inactive", "activate the worker's user in Salesforce"),
    ("invalid_grant", "approved", "pre-authorize the worker's user in the app's policies"),
    (
        "invalid_grant",
        "audience",
        "set `audience` to https://login.salesforce.com, or https://test.salesforce.com",
    ),
    (
        "invalid_grant",
        "assertion",
        "check `username`, and that `private_key` belongs to the app's certificate",
    ),
    ("invalid_grant", "request not supported on this domain", "set `url` to the org's My Domain address"),
    (
        "invalid_grant",
        "no client credentials user",
        "choose a Run As user in the app's client credentials flow",
    ),
    ("invalid_grant", "ip restricted", "allow this machine's address, or relax the app's IP restrictions"),
    ("invalid_grant", "expired", "authorise the app again and store the new refresh token"),
    (
        "invalid_grant",
        "",
        "check that the app allows this grant for the worker's user, and `url` is its My Domain",
    ),
    ("unsupported_grant_type", "", "switch this flow on in the external client app"),
    ("unauthorized_client", "", "switch this flow on in the external client app"),
    ("rate_limit_exceeded", "", "too many sign-ins; wait an hour"),
    ("", "", "check `url`, it must be the org's My Domain address, and the credentials"),
)


class SignIn(AnySignIn):
    """The session of one org, which may live at another address than the one configured."""

    def __init__(
        self,
        name: str,
        connection: SalesforceConnection,
        transport: Transport,
        tokens: TokenStore,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(
            name, connection.auth, transport, tokens, address=connection.url + TOKEN_PATH, fixes=FIXES
        )
        self._connection = connection
        self._clock = clock
        self.identity = ""

    def _grant(self) -> dict[str, Any]:
        auth = self._auth
        if isinstance(auth, ClientCredentials):
            return self._post(
                grant_type="client_credentials",
                client_id=self._read(auth.client_id, "client_id"),
                client_secret=self._read(auth.client_secret, "client_secret"),
            )
        return self._assert_identity(auth) if isinstance(auth, JwtBearer) else super()._grant()

    def _accepted(self, reply: dict[str, Any]) -> None:
        """Go on where Salesforce says, as whom it says."""
        self._move(str(reply.get("instance_url") or self._connection.url))
        self.identity = str(reply.get("id", ""))

    def _assert_identity(self, auth: JwtBearer) -> dict[str, Any]:
        """Sign in with a signed assertion; again by Salesforce's clock if ours turns out to be wrong."""
        now = self._clock()
        try:
            return self._post(grant_type=_JWT_GRANT, assertion=self._assertion(auth, now))
        except AuthProblem:
            theirs = self._transport.server_date
            if theirs is None or abs((theirs.astimezone(UTC) - now).total_seconds()) < _SKEW_SECONDS:
                raise
            return self._post(grant_type=_JWT_GRANT, assertion=self._assertion(auth, theirs))

    def _assertion(self, auth: JwtBearer, now: datetime) -> str:
        claims = {
            "iss": self._read(auth.client_id, "client_id"),
            "sub": auth.username,
            "aud": auth.audience or self._connection.url,
            "exp": int(now.timestamp()) + _JWT_SECONDS,
        }
        try:
            return jwt.encode(claims, self._read(auth.private_key, "private_key"), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise ConfigProblem(
                Problem(
                    "the private key is not an RSA key in PEM form",
                    where=f"{self._name}.auth.private_key",
                    fix="give the key that belongs to the certificate of the external client app",
                )
            ) from None

    def _move(self, address: str) -> None:
        """Go on at the address that Salesforce names, as long as it is a safe one."""
        if not is_private(address):
            raise AuthProblem(
                Problem(
                    f"sign-in leads to {address}, which is not encrypted", where=self._name, fix="check `url`"
                )
            )
        parts = urlsplit(address)
        self._transport.origin = f"{parts.scheme}://{parts.netloc}"
