"""Rotated refresh tokens, kept encrypted: whoever reads the database cannot sign in with them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from config.problems import ConfigProblem, Problem
from config.redaction import remember
from config.sections.secret import NEW_KEY
from sync.ledger import tables
from sync.ledger.rows import upsert

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from config.sections.secret import Secret

# Before it, tokens were kept as they are; a refresh token never begins so.
_SEALED = "fernet"
_WHERE = "encryption_key"


class Tokens:
    """The newest refresh token of each connection, as connectors want it kept (`TokenStore`).

    Args:
        engine: the history's database.
        key: where the key lies; several, apart by blanks or commas, while one replaces another: the first one
            encrypts, each may decrypt. None where no connection signs in by a refresh token.
    """

    def __init__(self, engine: sa.Engine, key: Secret | None = None) -> None:
        self._engine = engine
        self._key = key

    def load(self, connection: str, configured: str) -> str | None:
        """The newest token that descends from the configured one; nothing if it was never replaced.

        One that was kept unencrypted, or by an older key, is encrypted anew. Raises `ConfigProblem` if no key fits, or
        there is none.
        """
        keys, kept = (
            self._keys(),
            self._kept(connection),
        )  # a key that is none is told before a token is replaced
        if kept is None or kept.startswith(_SEALED + ":"):
            return kept and self._opened(connection, kept, configured, keys)
        self.save(connection, kept, configured)
        return kept

    def save(self, connection: str, refresh_token: str, configured: str) -> None:
        """Keep a token that descends from the configured one, encrypted and durably, before it is used."""
        remember(refresh_token)
        sealed = self._keys()[0].encrypt(refresh_token.encode()).decode()
        with self._engine.begin() as db:
            value = f"{_SEALED}:{_digest(configured)}:{sealed}"
            upsert(db, tables.token, {"connection": connection}, {"value": value})

    def _kept(self, connection: str) -> str | None:
        with self._engine.connect() as db:
            return db.scalar(sa.select(tables.token.c.value).where(tables.token.c.connection == connection))

    def _opened(self, connection: str, kept: str, configured: str, keys: list[Fernet]) -> str | None:
        _, ancestor, sealed = kept.split(":", 2)
        if ancestor != _digest(configured):
            # Somebody signed in anew and configured the new token: what descends from the old one is dead.
            return None
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  # late: only few connections need it

        for number, key in enumerate(keys):
            try:
                token = key.decrypt(sealed).decode()
            except InvalidToken:
                continue
            remember(token)
            if number:
                self.save(connection, token, configured)
            return token
        raise ConfigProblem(
            Problem(
                f"the kept sign-in of {connection} was encrypted by another key than {self._key}",
                where=_WHERE,
                fix="give that key, too (several apart by blanks, the newest first); if it is lost, authorise the app"
                " again and store the new refresh token where the settings say",
            )
        )

    def _keys(self) -> list[Fernet]:
        """The keys, the newest first; read each time, so that they can be replaced while a worker runs."""
        from cryptography.fernet import Fernet  # noqa: PLC0415  # late, as above

        if self._key is None:
            raise ConfigProblem(
                Problem("is missing: a refresh token is to be kept", where=_WHERE, fix=NEW_KEY)
            )
        try:
            texts = re.split(r"[\s,]+", self._key.read().get_secret_value().strip())
        except ValueError as error:
            raise ConfigProblem(Problem(str(error), where=_WHERE, fix=NEW_KEY)) from None
        for text in texts:
            remember(text)
        try:
            return [Fernet(text) for text in texts]
        except ValueError:
            problem = Problem(f"{self._key} holds no Fernet key", where=_WHERE, fix=NEW_KEY)
            raise ConfigProblem(problem) from None


def _digest(configured: str) -> str:
    """Which configured token it was; a token is long and random, so this tells nothing of it."""
    return hashlib.sha256(configured.encode()).hexdigest()[:16]
