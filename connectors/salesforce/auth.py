"""Signing in: client credentials, JWT bearer and refresh token against the org's own token endpoint."""

from __future__ import annotations

import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt

from config.problems import Problem
from config.settings import LOOPBACK_HOSTS, AccessToken, ClientCredentials, JwtBearer, RefreshToken
from connectors.contract import AuthProblem, ConfigProblem, RecordRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from config.settings import SalesforceConnection, Secret
    from connectors.salesforce.tokens import TokenStore
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


class SignIn:
    """The session of one connection. Signs in on first use, and again when told that a token is stale."""

    def __init__(
        self,
        name: str,
        connection: SalesforceConnection,
        transport: Transport,
        tokens: TokenStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._name = name
        self._connection = connection
        self._transport = transport
        self._tokens = tokens
        self._clock = clock
        self._token = ""
        self._lock = threading.Lock()
        self.identity = ""

    def token(self) -> str:
        """The current access token."""
        return self._token or self.refresh("")

    def refresh(self, stale: str) -> str:
        """A token other than the stale one. Raises `AuthProblem` if Salesforce does not give one."""
        with self._lock:
            if self._token == stale:
                self._token = self._granted(self._grant())
            return self._token

    def _grant(self) -> dict[str, Any]:
        auth = self._connection.auth
        if isinstance(auth, ClientCredentials):
            return self._post(
                grant_type="client_credentials",
                client_id=self._read(auth.client_id, "client_id"),
                client_secret=self._read(auth.client_secret, "client_secret"),
            )
        if isinstance(auth, JwtBearer):
            return self._assert_identity(auth)
        if isinstance(auth, AccessToken):
            return self._given(auth)
        return self._use_refresh_token(auth)

    def _given(self, auth: AccessToken) -> dict[str, Any]:
        """A session that somebody else opened; there is no second one."""
        if self._token:
            raise AuthProblem(
                Problem(
                    "the access token has expired", where=self._name, fix="sign in again and give a new one"
                )
            )
        return {"access_token": self._read(auth.token, "token")}

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

    def _use_refresh_token(self, auth: RefreshToken) -> dict[str, Any]:
        """Use the newest token; if a kept one is dead, an admin may have configured a newer one."""
        configured = self._read(auth.refresh_token, "refresh_token")
        kept = self._tokens.load(self._name)
        try:
            return self._post_refresh_token(auth, kept or configured)
        except AuthProblem:
            if kept in (None, configured):
                raise
            return self._post_refresh_token(auth, configured)

    def _post_refresh_token(self, auth: RefreshToken, refresh_token: str) -> dict[str, Any]:
        form = {"client_id": self._read(auth.client_id, "client_id"), "refresh_token": refresh_token}
        if auth.client_secret is not None:
            form["client_secret"] = self._read(auth.client_secret, "client_secret")
        return self._post(grant_type="refresh_token", **form)

    def _post(self, **form: str) -> dict[str, Any]:
        # A token may be asked for twice, but a rotated refresh token dies with its first use.
        repeatable = form["grant_type"] != "refresh_token"
        try:
            response = self._transport.request(
                "POST",
                self._connection.url + TOKEN_PATH,
                data=form,
                anonymous=True,
                kind="token",
                idempotent=repeatable,
                allow_redirects=False,
            )
            body = response.json()
        except RecordRefused as error:
            raise self._denied(error.code, str(error)) from None
        except ValueError:
            raise self._denied("", "the reply to our sign-in is not JSON") from None
        return body if isinstance(body, dict) else {}

    def _granted(self, reply: dict[str, Any]) -> str:
        """The access token of a reply; a rotated refresh token is saved before anything uses it."""
        if not isinstance(reply.get("access_token"), str):
            raise self._denied("", "the reply to our sign-in holds no access token")
        rotated = reply.get("refresh_token")
        if isinstance(self._connection.auth, RefreshToken) and rotated:
            self._tokens.save(self._name, str(rotated))
        self._move(str(reply.get("instance_url") or self._connection.url))
        self.identity = str(reply.get("id", ""))
        return str(reply["access_token"])

    def _move(self, address: str) -> None:
        """Go on at the address that Salesforce names, as long as it is a safe one."""
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
            raise AuthProblem(
                Problem(
                    f"sign-in leads to {address}, which is not encrypted", where=self._name, fix="check `url`"
                )
            )
        self._transport.origin = f"{parts.scheme}://{parts.netloc}"

    def _denied(self, code: str, said: str) -> AuthProblem:
        fix = next(fix for error, text, fix in FIXES if error in ("", code) and text in said.lower())
        return AuthProblem(Problem(said.removeprefix(f"{self._name}: "), where=self._name, fix=fix))

    def _read(self, secret: Secret, key: str) -> str:
        try:
            return secret.read().get_secret_value()
        except ValueError as error:
            raise ConfigProblem(
                Problem(str(error), where=f"{self._name}.auth.{key}", fix="set it, or name another place")
            ) from None
