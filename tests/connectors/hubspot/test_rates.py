"""Three lanes: what each allows before and after HubSpot's headers, and what settings make of it."""

from __future__ import annotations

import requests

from config.settings import Rates
from connectors.hubspot.rates import Lanes

LIST = "/crm/v3/objects/deals"
SEARCH = "/crm/objects/2026-03/deals/search"
LINKS = "/crm/v4/associations/deals/companies/batch/read"


class Portal:
    """A clock, and replies with headers."""

    def __init__(self, **rates: float) -> None:
        self.now = 0.0
        self.lanes = Lanes(Rates.model_validate(rates), monotonic=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def send(self, path: str, *, status: int = 200, **headers: int) -> float:
        """Send one request; the moment at which it left."""
        ticket = self.lanes.enter(path)
        left = self.now
        reply = requests.Response()
        reply.status_code = status
        reply.headers.update(
            {f"X-HubSpot-RateLimit-{name.replace('_', '-')}": str(value) for name, value in headers.items()}
        )
        self.lanes.leave(ticket, reply)
        return left

    def burst(self, path: str) -> int:
        """How many leave before one has to wait."""
        sent, began = 0, self.now
        while self.send(path) == began:
            sent += 1
        return sent


def test_without_headers_the_least_that_any_portal_allows_is_used() -> None:
    """100 in 10 seconds, 5 searches in one, 100 calls to associations; each lane for itself."""
    assert Portal().burst(LIST) == 100
    assert Portal().burst(SEARCH) == 5
    assert Portal().burst(LINKS) == 100


def test_headers_tell_the_plan_and_the_plan_tells_the_lane_of_associations() -> None:
    """190 is Professional, which has 150 for associations; 250 comes with the add-on; 110 is an OAuth app."""
    for limit, associations in ((190, 150), (250, 200), (110, 100), (100, 100)):
        portal = Portal()
        portal.send(LIST, Max=limit, Remaining=limit - 1, Interval_Milliseconds=10_000)
        assert portal.burst(LINKS) == associations
        assert portal.burst(LIST) >= limit - 1


def test_settings_are_a_ceiling() -> None:
    """Whatever the headers offer; but they may lower it."""
    portal = Portal(general=30, search=2.0, associations=40)
    portal.send(LIST, Max=190, Remaining=189, Interval_Milliseconds=10_000)
    assert (portal.burst(LIST), portal.burst(SEARCH), portal.burst(LINKS)) == (29, 2, 40)
    low = Portal(general=30)
    low.send(LIST, Max=10, Remaining=9, Interval_Milliseconds=10_000)
    assert low.burst(LIST) == 9


def test_others_use_of_the_app_does_not_starve_a_lower_ceiling() -> None:
    """With 100 of 190 left to all, our 30 are still ours."""
    portal = Portal(general=30)
    portal.send(LIST, Max=190, Remaining=100, Interval_Milliseconds=10_000)
    assert portal.burst(LIST) == 29


def test_a_slow_search_setting_stretches_the_second() -> None:
    """Half a search per second is one in two seconds."""
    portal = Portal(search=0.5)
    portal.send(SEARCH)
    assert portal.send(SEARCH) >= 2.0


def test_general_headers_on_a_reply_of_associations_change_nothing_there() -> None:
    """They may repeat the general lane's numbers, which are higher."""
    portal = Portal()
    portal.send(LIST, Max=190, Remaining=189, Interval_Milliseconds=10_000)
    portal.send(LINKS, Max=190, Remaining=3, Interval_Milliseconds=10_000)
    assert portal.burst(LINKS) == 149


def test_a_refused_request_holds_its_lane_alone() -> None:
    """A search too many does not stop the lists."""
    portal = Portal()
    portal.send(SEARCH, status=429)
    assert portal.send(LIST) == 0.0
    assert portal.send(SEARCH) >= 1.0


def test_a_request_without_a_reply_does_not_keep_its_place() -> None:
    """It may have been counted all the same: the place is free when an interval has passed."""
    portal = Portal(general=2)
    portal.lanes.leave(portal.lanes.enter(LIST), None)
    assert portal.burst(LIST) == 1
    portal.now += 20
    assert portal.burst(LIST) == 2
