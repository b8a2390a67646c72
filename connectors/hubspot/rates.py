"""HubSpot's rates: a lane for searches, one for associations and one for all else, corrected by its headers.

Batches that change records also keep apart in time, so that their stamps differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.hubspot.paths import kind_of
from connectors.pacing import Pace, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from config.settings import Rates

WINDOW = 10.0
# The least that any portal allows, until its headers tell more.
GENERAL = 100
ASSOCIATIONS = 100
SEARCHES_PER_SECOND = 5.0
# The general limit tells the portal's plan, and the plan tells the limit of associations, which no header does.
ASSOCIATIONS_BY_GENERAL = {190: 150, 250: 200}
# More than 10,000 records of one modification stamp break readers that page by it, and a search shows no more: so
# this many batches of 100 may be under way, or done so short a while ago that the next might get their millisecond.
BATCHES_OF_ONE_STAMP = 100
APART = 0.01

Ticket = tuple[Pace, Slot, Pace | None]


class Lanes:
    """Lets a request leave when its lane allows it. What `rates` gives is a ceiling that headers only lower."""

    def __init__(
        self, rates: Rates, *, monotonic: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._rates = rates
        self._general_limit = 0
        searches = rates.search or SEARCHES_PER_SECOND
        most = max(int(searches), 1)
        self._search = Pace(most, most / searches, monotonic=monotonic, sleep=sleep)
        self._general = Pace(rates.general or GENERAL, WINDOW, monotonic=monotonic, sleep=sleep)
        self._associations = Pace(
            rates.associations or ASSOCIATIONS, WINDOW, monotonic=monotonic, sleep=sleep
        )
        self._stamped = Pace(BATCHES_OF_ONE_STAMP, APART, monotonic=monotonic, sleep=sleep)

    def enter(self, path: str) -> Ticket:
        """Wait until a request to this path may leave."""
        stamped = self._stamped if path.endswith("/batch/update") else None
        if stamped is not None:
            stamped.take()
        lane = self._lane(path)
        return lane, lane.take(), stamped

    def leave(self, ticket: Ticket, response: requests.Response | None) -> None:
        """Its reply came, or none will."""
        lane, slot, stamped = ticket
        if stamped is not None:
            stamped.give_back()
        if response is not None:
            self._learn(lane, slot, response)
            if response.status_code == 429:  # too many requests
                lane.hold()
        lane.give_back()

    def _lane(self, path: str) -> Pace:
        if path.endswith("/search"):
            return self._search
        return self._associations if kind_of(path) == "associations" else self._general

    def _learn(self, lane: Pace, slot: Slot, response: requests.Response) -> None:
        """Take in the headers. Searches have none, and those of associations may only repeat the general ones."""
        found = [_number(response, name) for name in ("Max", "Remaining", "Interval-Milliseconds")]
        limit, left, milliseconds = found
        if limit is None or left is None or limit < 1:
            return
        interval = WINDOW if not milliseconds else milliseconds / 1000
        general = lane is self._general
        if general and self._rates.associations is None:
            self._associations.limit = ASSOCIATIONS_BY_GENERAL.get(limit, ASSOCIATIONS)
        if not general and limit == self._general_limit:
            return
        if general:
            self._general_limit = limit
        allowed = min(limit, (self._rates.general if general else self._rates.associations) or limit)
        lane.learn(slot, allowed, left, interval)


def _number(response: requests.Response, name: str) -> int | None:
    text = response.headers.get(f"X-HubSpot-RateLimit-{name}", "")
    return int(text) if text.isdigit() else None
