"""Building SOQL: queries as values, so that a window can be cut and a count asked for the same condition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Query:
    """Fields of an object under conditions. `first` and `before` bound its stamp, half open."""

    sf_object: str
    paths: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    first: datetime | None = None
    before: datetime | None = None
    include_deleted: bool = False
    stamp: str = "SystemModstamp"

    def window(self, first: datetime | None, before: datetime | None) -> Query:
        """The same query for changes from `first` until just before `before`."""
        return replace(self, first=first, before=before)

    def where(self, *more: str) -> str:
        """The condition, with its keyword; empty if there is none."""
        window = [f"{self.stamp} >= {literal(self.first)}"] if self.first else []
        window += [f"{self.stamp} < {literal(self.before)}"] if self.before else []
        conditions = [*self.conditions, *window, *more]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def select(self, *more: str, order: str = "") -> str:
        """The query's text; `more` are further conditions."""
        tail = f" ORDER BY {order}" if order else ""
        return f"SELECT {', '.join(self.paths)} FROM {self.sf_object}{self.where(*more)}{tail}"  # noqa: S608  # built

    def count(self) -> str:
        """The text that counts the same records."""
        return f"SELECT COUNT() FROM {self.sf_object}{self.where()}"  # noqa: S608  # built


def literal(stamp: datetime) -> str:
    """A date-time literal in UTC with milliseconds, rounded down."""
    stamp = stamp.astimezone(UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z"


def quoted(text: str) -> str:
    """A string literal."""
    return (
        "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r") + "'"
    )


def one_of(field: str, values: Iterable[str]) -> str:
    """A condition that a field has one of these values."""
    return f"{field} IN ({', '.join(quoted(value) for value in values)})"
