"""Who may log in, and the sessions they got: apps, passwords, registered keys, refresh tokens, expiry."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import secrets
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.keys import public_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.sandbox.salesforce.org import Org, User

SESSION_LIFETIME = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class App:
    """An external client app; `runs_as` is the user of its client credentials, `public_keys` are PEM."""

    client_id: str
    client_secret: str
    runs_as: str
    public_keys: tuple[str, ...] = ()
    rotate_refresh_tokens: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """A user's password and security token."""

    username: str
    password: str
    security_token: str

    def accepts(self, password: str) -> bool:
        """Whether this is the password, alone or with the security token behind it."""
        return any(
            hmac.compare_digest(password.encode(), accepted.encode())
            for accepted in (self.password, self.password + self.security_token)
        )


@dataclass(frozen=True, slots=True)
class Session:
    """One login: it ends by the org's clock, by revocation, or by a fault."""

    id: str
    user: User
    expires: datetime


@dataclass(slots=True)
class Sessions:
    """All sessions of the org. Thread-safe."""

    org: Org
    clock: Callable[[], datetime]
    lifetime: timedelta = SESSION_LIFETIME
    apps: dict[str, App] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _refresh_tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def open(self, user: User) -> Session:
        """A new session of a user; its id begins with the org's, as the CRM's do."""
        with self._lock:
            token = f"{self.org.id[:15]}!AQ4AQ{next(self._numbers):04d}.{secrets.token_urlsafe(48)}"
            session = Session(token, user, self.clock() + self.lifetime)
            self._sessions[token] = session
            return session

    def user(self, session_id: str) -> User | None:
        """The user of a living session."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                return None
            if session.expires <= self.clock():
                del self._sessions[session_id]
                return None
            # Sessions live on while they are used, as the org's timeout counts inactivity.
            self._sessions[session_id] = replace(session, expires=self.clock() + self.lifetime)
            return session.user

    def end(self, session_id: str) -> bool:
        """End one session; true if it was alive."""
        with self._lock:
            return self._sessions.pop(session_id, None) is not None

    def end_all(self) -> int:
        """End every session; returns how many there were."""
        with self._lock:
            count = len(self._sessions)
            self._sessions.clear()
            return count

    def login(self, username: str, password: str) -> User | None:
        """The user with this name and password."""
        login = self.logins.get(username.lower())
        return self.org.users.get(login.username.lower()) if login and login.accepts(password) else None

    def app(self, client_id: str, client_secret: str | None = None) -> App | None:
        """The app with this id, and this secret where one is given."""
        app = self.apps.get(client_id)
        if app is None or client_secret is None:
            return app
        return app if hmac.compare_digest(app.client_secret.encode(), client_secret.encode()) else None

    def register_key(self, client_id: str, pem: str) -> None:
        """Trust a key (PEM) for the app's JWTs. Raises `KeyError` for the app, `ValueError` for the key."""
        public_key(pem)
        with self._lock:
            app = self.apps[client_id]
            self.apps[client_id] = replace(app, public_keys=(*app.public_keys, pem))

    def rotate(self, client_id: str, *, rotate: bool = True) -> None:
        """Let the app's refresh tokens be single-use, each redemption giving the next one."""
        with self._lock:
            self.apps[client_id] = replace(self.apps[client_id], rotate_refresh_tokens=rotate)

    def issue_refresh_token(self, client_id: str, username: str, token: str = "") -> str:
        """A refresh token for a user of an app: a new one, or one that is known beforehand."""
        with self._lock:
            token = token or f"5Aep861{secrets.token_urlsafe(40)}"
            self._refresh_tokens[_digest(token)] = (client_id, username.lower())
            return token

    def redeem_refresh_token(self, app: App, token: str) -> tuple[User, str | None] | None:
        """The token's user, and the token that replaces it where the app rotates; None if it is not valid."""
        with self._lock:
            client_id, username = self._refresh_tokens.get(_digest(token), ("", ""))
            user = self.org.users.get(username)
            if client_id != app.client_id or user is None:
                return None
            if not app.rotate_refresh_tokens:
                return user, None
            del self._refresh_tokens[_digest(token)]
            return user, self.issue_refresh_token(client_id, username)

    def revoke(self, token: str) -> bool:
        """End a session or take back a refresh token; true if there was one."""
        with self._lock:
            return self.end(token) or self._refresh_tokens.pop(_digest(token), None) is not None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
