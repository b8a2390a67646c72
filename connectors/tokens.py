"""Where a refreshed sign-in is kept, so that a rotated token survives the process that got it."""

from __future__ import annotations

from typing import Protocol


class TokenStore(Protocol):
    """Keeps the newest refresh token of each connection; `configured` is the one in the settings that it came from."""

    def load(self, connection: str, configured: str) -> str | None:
        """The newest refresh token, or nothing if none was ever saved that came from the configured one."""
        ...

    def save(self, connection: str, refresh_token: str, configured: str) -> None:
        """Keep a refresh token; it must be durable when this returns, for the old one is dead by then."""
        ...


class MemoryTokens:
    """Tokens for one process only: right where refresh tokens are not rotated, and for tests."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def load(self, connection: str, configured: str) -> str | None:  # noqa: ARG002  # it forgets at each start anyway
        """The newest refresh token, or nothing if none was ever saved."""
        return self._tokens.get(connection)

    def save(self, connection: str, refresh_token: str, configured: str) -> None:  # noqa: ARG002  # as above
        """Keep a refresh token as long as this object lives."""
        self._tokens[connection] = refresh_token
