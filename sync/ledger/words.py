"""How text goes to PostgreSQL: all of it, but for what its texts cannot hold and a CRM's words may have in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.types.string import StrDumper

if TYPE_CHECKING:
    from psycopg.abc import Buffer

_UNSHOWN = "\ufffd"


class WordsDumper(StrDumper):
    """Writes the sign for what cannot be shown where a text has a zero: no word of a CRM stops a run."""

    def dump(self, obj: str) -> Buffer | None:
        """The text as the server takes it."""
        return super().dump(obj.replace("\0", _UNSHOWN))
