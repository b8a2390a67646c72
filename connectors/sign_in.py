"""Signing in to any CRM: one token for all threads, refreshed once, a rotated refresh token kept before use."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from config.problems import Problem
from config.redaction import remember
from config.settings import AccessToken, RefreshToken
from connectors.contract import AuthProblem, ConfigProblem, RecordRefused

if TYPE_CHECKING:
    from config.sections.secret import Secret
    from connectors.tokens import TokenStore
    from connectors.transport import Transport

# How often, and after how many seconds each, to look for a token that another process asked for at the same moment.
_LOOKS, _LOOK = 4, 0.5

# (error, part of its description, what to do); the first row that matches counts, the last matches anything.
Fixes = tuple[tuple[str, str, str], ...]


class SignIn:
    """The session of one connection. Signs in on first use, and again when told that a token is stale.

    Args:
        name: the connection, for messages and for its kept token.
        auth: the credentials.
        address: where tokens are asked for.
        fixes: what to tell a person about a refusal.
    """

    def __init__(
        self, name: str, auth: Any, transport: Transport, tokens: TokenStore, *, address: str, fixes: Fixes
    ) -> None:
        self._name = name
        self._auth = auth
        self._transport = transport
        self._tokens = tokens
        self._address = address
        self._fixes = fixes
        self._token = ""
        self._lock = threading.Lock()

    def token(self) -> str:
        """The current access token."""
        return self._token or self.refresh("")

    def refresh(self, stale: str) -> str:
        """A token other than the stale one. Raises `AuthProblem` if the CRM does not give one."""
        with self._lock:
            if self._token == stale:
                self._token = self._granted(self._grant())
            return self._token

    def _grant(self) -> dict[str, Any]:
        """The reply that holds a token; a CRM with other grants than these two asks for them here."""
        if isinstance(self._auth, AccessToken):
            return self._given(self._auth)
        return self._use_refresh_token(self._auth)

    def _accepted(self, reply: dict[str, Any]) -> None:
        """Take in what else a CRM says in the reply that holds a token."""

    def _given(self, auth: AccessToken) -> dict[str, Any]:
        """A session that somebody else opened; there is no second one."""
        if self._token:
            raise AuthProblem(
                Problem(
                    "the access token is not accepted (any more)",
                    where=self._name,
                    fix="make a new one, and store it where the settings say",
                )
            )
        return {"access_token": self._read(auth.token, "token")}

    def _use_refresh_token(self, auth: RefreshToken) -> dict[str, Any]:
        """Use the newest token; if it is dead, another process has replaced it just now, or an admin has."""
        configured = self._read(auth.refresh_token, "refresh_token")
        token, tried = self._tokens.load(self._name, configured) or configured, list[str]()
        while True:
            try:
                return self._post_refresh_token(auth, token)
            except AuthProblem:
                tried.append(token)
                token = self._after(tried, configured)
                if token in tried:
                    raise

    def _after(self, dead: list[str], configured: str) -> str:
        """The token after dead ones: the CRM tells of it sooner than whoever asked for it can keep it."""
        for _ in range(_LOOKS):
            kept = self._tokens.load(self._name, configured)
            if kept is not None and kept not in dead:
                return kept
            self._transport.sleep(_LOOK)
        return configured

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
                self._address,
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
        if isinstance(self._auth, RefreshToken) and rotated:
            remember(str(rotated))
            configured = self._read(self._auth.refresh_token, "refresh_token")
            self._tokens.save(self._name, str(rotated), configured)
        remember(reply["access_token"])
        self._accepted(reply)
        return str(reply["access_token"])

    def _denied(self, code: str, said: str) -> AuthProblem:
        fix = next(fix for error, text, fix in self._fixes if error in ("", code) and text in said.lower())
        return AuthProblem(Problem(said.removeprefix(f"{self._name}: "), where=self._name, fix=fix))

    def _read(self, secret: Secret, key: str) -> str:
        try:
            return secret.read().get_secret_value()
        except ValueError as error:
            raise ConfigProblem(
                Problem(str(error), where=f"{self._name}.auth.{key}", fix="set it, or name another place")
            ) from None
