"""Reading some records of an object: searches in the order of ids, each page asked for by the id before it.

HubSpot's own pages are places in a result: it shows 10,000 of them, and when a record is deleted meanwhile, all that
follow move up by one, so that the next page passes one over. So a page is never the next 200 places, nor cut by
time, of which many records may share one moment: it is what follows the last id read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.contract import Truncated
from connectors.hubspot.records import ID, Record, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.hubspot.api import Api

Filter = dict[str, Any]

PAGE = 200
ATTEMPTS = 3
# Between attempts HubSpot's index may catch up with its records.
PAUSE = 5.0


class Search:
    """One search. `groups`: a record is found that fulfils all filters of one of them; none finds every record.

    `read` and `expected` tell, after `pages`, how many records came and how many HubSpot counts.
    """

    def __init__(
        self, api: Api, hs_object: str, properties: Sequence[str], groups: Sequence[Sequence[Filter]] = ((),)
    ) -> None:
        self._api = api
        self._object = hs_object
        self._properties = list(properties)
        self._groups = groups
        self.read = 0
        self.expected = 0

    def total(self) -> int:
        """How many records it finds."""
        return int(self._ask({"limit": 1, "properties": [ID]})["total"])

    def last(self) -> tuple[int, int]:
        """How many records it finds, and the highest id among them (0 if none)."""
        sorts = [{"propertyName": ID, "direction": "DESCENDING"}]
        reply = self._ask({"limit": 1, "properties": [ID], "sorts": sorts})
        results = reply["results"]
        return int(reply["total"]), (number(results[0]) or 0) if results else 0

    def pages(self) -> Iterator[list[Record]]:
        """The records it finds; all of them again if fewer came than it counts, for its index moves.

        Raises `Truncated` if fewer come every time, or if its pages do not advance.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                self._api.transport.sleep(PAUSE)
            yield from self._once()
            if self.read < self.expected:
                self.expected = min(self.expected, self.total())
            if self.read >= self.expected:
                return
        raise Truncated(f"{self._object}: {self.read} of {self.expected} records arrived")

    def _once(self) -> Iterator[list[Record]]:
        self.read = self.expected = 0
        last, more = 0, True
        while more:
            reply = self._page(last)
            records: list[Record] = reply["results"]
            # Its count is of this page and all that follow.
            self.expected = max(self.expected, self.read + int(reply["total"]))
            self.read += len(records)
            if records:
                yield records
            more = bool(((reply.get("paging") or {}).get("next") or {}).get("after"))
            highest = max([last, *filter(None, map(number, records))])
            if more and highest == last:
                raise Truncated("the pages of a search do not advance")
            last = highest

    def _page(self, last: int) -> dict[str, Any]:
        return self._ask({
            "limit": PAGE,
            "properties": self._properties,
            "sorts": [{"propertyName": ID, "direction": "ASCENDING"}],
            "filterGroups": self._filters(last),
        })  # fmt: skip

    def _filters(self, last: int) -> list[dict[str, Any]]:
        beyond = [{"propertyName": ID, "operator": "GT", "value": str(last)}] if last else []
        return [{"filters": [*group, *beyond]} for group in self._groups if [*group, *beyond]]

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        reply: dict[str, Any] = self._api.ask(
            "objects",
            f"{self._object}/search",
            {"filterGroups": self._filters(0), **body},
            counted="search",
        )
        return reply
