"""Who may call the portal: apps, their static tokens, refresh tokens, and access tokens that last half an hour."""

from __future__ import annotations

import hmac
import secrets
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.errors import HubSpotError

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN_LIFETIME = timedelta(minutes=30)
STATIC_PREFIX = "pat-"
_NAMES = uuid.UUID("5f2d9c1e-0d52-4a51-9a51-6d5a7d6f0c11")
# Units in which the refusal of an expired token tells its age, the largest that fits.
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class App:
    """An app that was installed in the portal, with the scopes it was granted. `user_id` installed it."""

    app_id: str
    username: str
    user_id: int
    client_id: str
    client_secret: str
    scopes: frozenset[str]

    def knows(self, client_secret: str) -> bool:
        """Whether this is the app's secret."""
        return hmac.compare_digest(self.client_secret.encode(), client_secret.encode())


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; `expires` is None for static ones. It is the caller of the calls that carry it."""

    text: str
    app: App
    expires: datetime | None

    @property
    def username(self) -> str:
        """The name that the journal keeps."""
        return self.app.username

    @property
    def app_id(self) -> str:
        """The app that calls."""
        return self.app.app_id

    @property
    def is_oauth(self) -> bool:
        """Whether it comes from the token endpoint, and not from a page of the portal."""
        return not self.text.startswith(STATIC_PREFIX)


@dataclass(slots=True)
class Tokens:
    """All tokens of the portal. Thread-safe."""

    clock: Callable[[], datetime]
    lifetime: timedelta = TOKEN_LIFETIME
    apps: dict[str, App] = field(default_factory=dict)
    _tokens: dict[str, Token] = field(default_factory=dict)
    _refresh_tokens: dict[str, App] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def install(self, app: App, refresh_token: str) -> str:
        """Make an app known with its refresh token; returns its static token, the same in every sandbox."""
        text = f"{STATIC_PREFIX}na1-{uuid.uuid5(_NAMES, app.client_id)}"
        with self._lock:
            self.apps[app.client_id] = app
            self._refresh_tokens[refresh_token] = app
            self._tokens[text] = Token(text, app, expires=None)
        return text

    def refresh(self, refresh_token: str) -> App | None:
        """The app whose refresh token this is."""
        with self._lock:
            return self._refresh_tokens.get(refresh_token)

    def open(self, app: App) -> Token:
        """A new access token of an app."""
        with self._lock:
            token = Token(f"C{secrets.token_urlsafe(60)}", app, self.clock() + self.lifetime)
            self._tokens[token.text] = token
            return token

    def find(self, text: str) -> Token | None:
        """The token, if it is valid now."""
        with self._lock:
            token = self._tokens.get(text)
        if token is None or (token.expires is not None and token.expires <= self.clock()):
            return None
        return token

    def caller(self, authorization: str) -> Token:
        """Who sends this `Authorization`. Raises the 401 that fits."""
        scheme, _, text = authorization.partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text:
            raise unknown_credentials()
        token = self.find(text)
        if token is not None:
            return token
        with self._lock:
            known = self._tokens.get(text)
        if known is None and text.startswith(STATIC_PREFIX):
            raise unknown_credentials()
        # What cannot be read as a token is told as one of the year 1970.
        expired = (
            known.expires
            if known is not None and known.expires is not None
            else datetime(1970, 1, 1, tzinfo=UTC)
        )
        raise expired_credentials(expired, self.clock())

    def expire(self, text: str) -> bool:
        """End one token now; true if it was valid. A static one ends too, as when it was rotated."""
        with self._lock:
            token = self.find(text)
            if token is not None:
                self._tokens[text] = Token(text, token.app, self.clock())
            return token is not None

    def expire_all(self) -> int:
        """End every access token that came from the token endpoint; returns how many were valid."""
        with self._lock:
            return sum(self.expire(text) for text, token in list(self._tokens.items()) if token.is_oauth)

    def revoke(self, refresh_token: str) -> bool:
        """Take a refresh token back; true if there was one."""
        with self._lock:
            return self._refresh_tokens.pop(refresh_token, None) is not None


def unknown_credentials() -> HubSpotError:
    """The refusal of a call without a token, or with one that nobody knows."""
    return HubSpotError(
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        status=401,
    )


def expired_credentials(expired: datetime, now: datetime) -> HubSpotError:
    """The refusal of a token that is too old."""
    age = max(int((now - expired).total_seconds()), 0)
    # Below two of a unit the next smaller one tells more.
    size, unit = next(((size, unit) for size, unit in _UNITS if age >= 2 * size), _UNITS[-1])
    stamp = expired.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return HubSpotError(
        "EXPIRED_AUTHENTICATION",
        f"The OAuth token used to make this call expired {age // size} {unit}(s) ago.",
        status=401,
        context={"expire time": [stamp]},
    )
