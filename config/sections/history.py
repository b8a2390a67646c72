"""The history in a database that several workers share."""

from __future__ import annotations

from typing import Literal, get_args
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import Field, field_validator

from config.sections.loopback import LOOPBACK_HOSTS
from config.sections.secret import INSTEAD, Secret
from config.sections.strict import Strict

# What may follow the `?`: where a socket lies, how the server's certificate is checked, which server of several.
Parameter = Literal["host", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "target_session_attrs"]
# The other modes of libpq take any certificate, or none.
VERIFYING = ("verify-full", "verify-ca")


class History(Strict):
    """A PostgreSQL database."""

    url: str = Field(
        pattern=r"^postgresql://",
        description="postgresql://USER@HOST:5432/DATABASE, without a password; beyond this machine the server must"
        " show a certificate for its name, of an authority in ?sslrootcert=PATH if no public one signed it",
    )
    password: Secret | None = Field(
        default=None, description="of that user; default as libpq finds it (PGPASSWORD, PGPASSFILE, peer)"
    )

    @field_validator("url")
    @classmethod
    def _form(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise ValueError("write postgresql://USER@HOST:5432/DATABASE") from None
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.password is not None or "password" in query:
            raise ValueError(f"a password must not stand in this file: under `password` {INSTEAD}")
        unknown = sorted(set(query) - set(get_args(Parameter)))
        if unknown:
            raise ValueError(
                f"cannot take {', '.join(unknown)}: after ? only {', '.join(get_args(Parameter))}"
            )
        mode = query.get("sslmode", VERIFYING[0])
        if mode not in VERIFYING and not is_local(_hosts(parts, query)):
            raise ValueError(f"sslmode must be verify-full or verify-ca, but for this machine; not {mode}")
        return value


def _hosts(parts: SplitResult, query: dict[str, str]) -> str:
    return parts.hostname or query.get("host", "")


def is_local(host: str) -> bool:
    """Whether a database's host is this machine: a loopback address, or a socket in a folder (or its usual one)."""
    return not host or host.startswith(("/", "@")) or host in LOOPBACK_HOSTS
