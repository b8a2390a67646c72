"""Reading some records of an object: searches in the order of ids, begun again before they reach 10,000 rows.

A search shows 10,000 rows of its result and no more. Pages are therefore never cut by time, of which many records may
share one moment, but by id: the next search asks for what follows the last id read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.contract import Truncated
from connectors.hubspot.records import Record, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.hubspot.api import Api

Filter = dict[str, Any]

PAGE = 200
MOST_ROWS = 10_000
ID = "hs_object_id"


class Search:
    """One search. `groups`: a record is found that fulfils all filters of one of them; none finds every record."""

    def __init__(
        self, api: Api, hs_object: str, properties: Sequence[str], groups: Sequence[Sequence[Filter]] = ((),)
    ) -> None:
        self._api = api
        self._object = hs_object
        self._properties = list(properties)
        self._groups = groups

    def total(self) -> int:
        """How many records it finds."""
        return int(self._ask({"limit": 1, "properties": [ID]})["total"])

    def last(self) -> tuple[int, int]:
        """How many records it finds, and the highest id among them (0 if none)."""
        sorts = [{"propertyName": ID, "direction": "DESCENDING"}]
        reply = self._ask({"limit": 1, "properties": [ID], "sorts": sorts})
        results = reply["results"]
        return int(reply["total"]), (number(results[0]) or 0) if results else 0

    def windows(self) -> Iterator[tuple[int, Iterator[list[Record]]]]:
        """Window after window: how many records it and all later ones hold, and its pages.

        Its pages must be read before the next window is asked for.
        """
        place = _Place()
        while not place.done:
            reply = self._page(place)
            yield int(reply["total"]), self._pages(reply, place)

    def _pages(self, reply: dict[str, Any], place: _Place) -> Iterator[list[Record]]:
        while True:
            fresh = place.move(reply)
            if fresh:
                yield fresh
            if place.done or not place.after:
                return
            reply = self._page(place)

    def _page(self, place: _Place) -> dict[str, Any]:
        body = {
            "limit": PAGE,
            "properties": self._properties,
            "sorts": [{"propertyName": ID, "direction": "ASCENDING"}],
            "filterGroups": self._filters(place.begin),
        }
        return self._ask(body | ({"after": place.after} if place.after else {}))

    def _filters(self, begin: int) -> list[dict[str, Any]]:
        beyond = [{"propertyName": ID, "operator": "GT", "value": str(begin)}] if begin else []
        return [{"filters": [*group, *beyond]} for group in self._groups if [*group, *beyond]]

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        reply: dict[str, Any] = self._api.ask(
            "objects",
            f"{self._object}/search",
            {"filterGroups": self._filters(0), **body},
            counted="search",
        )
        return reply


class _Place:
    """Where a search stands: the window's first id, the page in it, and what was read of it."""

    def __init__(self) -> None:
        self.begin = 0
        self.after = ""
        self.done = False
        self._last = 0
        self._seen: set[str | None] = set()

    def move(self, reply: dict[str, Any]) -> list[Record]:
        """Take a page in; its records that did not come before. Raises `Truncated` if pages do not advance."""
        records: list[Record] = reply["results"]
        fresh = [record for record in records if record.get("id") not in self._seen]
        self._seen.update(record["id"] for record in fresh if record.get("id"))
        self._last = max([self._last, *filter(None, map(number, fresh))])
        after = str(((reply.get("paging") or {}).get("next") or {}).get("after") or "")
        if after and after == self.after:
            raise Truncated("the pages of a search do not advance")
        self.after = after
        if after.isdigit() and int(after) + PAGE > MOST_ROWS:
            self._restart()
        elif not after:
            self.done = True
        return fresh

    def _restart(self) -> None:
        """A new window, of what follows the last id."""
        if self._last <= self.begin:
            raise Truncated("the pages of a search do not advance")
        self.begin, self.after, self._seen = self._last, "", set()
