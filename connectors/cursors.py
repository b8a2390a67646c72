"""The cursor of an object: a stamp by the CRM's clock, the fields read up to it, and what could not be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from config.problems import Problem
from connectors.contract import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

# Replies carry whole seconds.
SETTLE = timedelta(seconds=2)


def utc_text(stamp: datetime) -> str:
    """A stamp in UTC with milliseconds, rounded down."""
    return stamp.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Every change stamped before `stamp` has been handed over, with these fields.

    The records in `unread` were set aside: they are asked for by id until they can be read or are gone, since
    nothing says that they will ever be stamped anew.
    """

    stamp: datetime
    fields: frozenset[str]
    unread: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read a cursor of ours."""
        try:
            content = json.loads(text)
            return cls(
                datetime.fromisoformat(content["stamp"]),
                frozenset(content["fields"]),
                frozenset(content.get("unread", ())),
            )
        except (ValueError, KeyError, TypeError):
            raise ConfigProblem(
                Problem(
                    "a stored cursor cannot be read",
                    fix="remove the local copy; the next run reads everything",
                )
            ) from None

    @classmethod
    def after(cls, server_time: datetime, fields: Iterable[str], unread: Iterable[str] = ()) -> Cursor:
        """The cursor of a pull whose query began at this time of the CRM's clock."""
        return cls(server_time - SETTLE, frozenset(fields), frozenset(unread))

    def __str__(self) -> str:
        content = {"stamp": utc_text(self.stamp), "fields": sorted(self.fields)}
        return json.dumps(content | ({"unread": sorted(self.unread)} if self.unread else {}))

    def back(self, overlap: timedelta) -> datetime:
        """Where the next window begins, so that changes which are seen late, and ties, are in it."""
        return self.stamp - overlap
