"""Query results that a client is still paging through: what a query locator points to, until it is lost."""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.sandbox.salesforce.org import QueryResult, User

LIFETIME = timedelta(days=2)
PER_USER = 10
_LOCATOR = re.compile(r"(0r8\w{15})-(\d+)")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A snapshot of a query's result, and how many rows its pages have."""

    id: str
    result: QueryResult
    user_id: str
    page_rows: int
    opened: datetime


@dataclass(slots=True)
class Cursors:
    """The open cursors. Each user has ten; opening one more loses the oldest. Thread-safe."""

    clock: Callable[[], datetime]
    _cursors: dict[str, Cursor] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, result: QueryResult, user: User, page_rows: int) -> Cursor:
        """A cursor for the rest of a result."""
        with self._lock:
            cursor = Cursor(
                f"0r8000000{next(self._numbers):06d}AAA", result, user.id, page_rows, self.clock()
            )
            mine = [other for other in self._cursors.values() if other.user_id == user.id]
            for oldest in mine[: max(len(mine) + 1 - PER_USER, 0)]:
                del self._cursors[oldest.id]
            self._cursors[cursor.id] = cursor
            return cursor

    def find(self, locator: str, user: User) -> tuple[Cursor, int]:
        """The cursor and the first row that a locator means. Raises INVALID_QUERY_LOCATOR."""
        match = _LOCATOR.fullmatch(locator)
        with self._lock:
            cursor = self._cursors.get(match.group(1)) if match else None
            if cursor is not None and cursor.opened + LIFETIME < self.clock():
                del self._cursors[cursor.id]
                cursor = None
        if (
            match is None
            or cursor is None
            or cursor.user_id != user.id
            or int(match.group(2)) > cursor.result.num_rows
        ):
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return cursor, int(match.group(2))
