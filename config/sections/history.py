"""The history in a database that several workers share."""

from __future__ import annotations

from pydantic import Field

from config.sections.secret import Secret
from config.sections.strict import Strict


class History(Strict):
    """A PostgreSQL database."""

    url: str = Field(
        pattern=r"^postgresql://",
        description="postgresql://USER@HOST:5432/DATABASE, without a password",
    )
    password: Secret | None = Field(
        default=None, description="of that user; default as libpq finds it (PGPASSWORD, PGPASSFILE, peer)"
    )
