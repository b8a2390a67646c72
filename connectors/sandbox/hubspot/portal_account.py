"""What a portal consists of, and what it says about itself: its account, its owners and their teams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from connectors.sandbox.hubspot.associating import Associating
from connectors.sandbox.hubspot.columns import Columns
from connectors.sandbox.hubspot.linking import Linker
from connectors.sandbox.hubspot.parties import Person
from connectors.sandbox.hubspot.pipeline_admin import PipelineAdmin
from connectors.sandbox.hubspot.property_admin import PropertyAdmin
from connectors.sandbox.hubspot.reading import Reader
from connectors.sandbox.hubspot.search import Searcher
from connectors.sandbox.hubspot.state import State
from connectors.sandbox.hubspot.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.sandbox.datasets.hubspot import Dataset
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.parties import Clock, Faults, Journal, Listing

_PORTAL_ID = 62_518_840


class PortalAccount:
    """The parts of a portal, before anybody reads or writes records. Thread-safe.

    Attributes: id (portal id, int), name, timezone (IANA), currency, additional_currencies, account_type
    (STANDARD or SANDBOX), ui_domain, data_hosting, clock, dataset, person (somebody who works in the pages).
    """

    def __init__(
        self,
        dataset: Dataset,
        clock: Clock,
        *,
        faults: Faults | None = None,
        journal: Journal | None = None,
        production: bool = False,
        timezone: str = "GMT",
    ) -> None:
        """Load a data set. `clock` is the portal's own time (UTC, aware); every stamp comes from it."""
        self._state = State(dataset, clock, _PORTAL_ID, faults, journal)
        self.id, self.clock, self.timezone = _PORTAL_ID, clock, timezone
        self.name = f"HubSpot {_PORTAL_ID}"
        self.dataset = replace(dataset, tables={}, links=())
        self.account_type = "STANDARD" if production else "SANDBOX"
        self.ui_domain, self.data_hosting = "app.hubspot.com", "na1"
        self.person = Person("person@portal.example", "userId:7000003")
        self._reader, self._linker = Reader(self._state), Linker(self._state)
        self._writer = Writer(self._state, self._reader)
        self._searcher = Searcher(self._state, self._reader)
        self._columns = Columns(self._state, self._reader)
        self._associating = Associating(self._state)
        self._properties, self._pipelines = PropertyAdmin(self._state), PipelineAdmin(self._state)

    def object_type(self, alias: str) -> ObjectType:
        """The type that a path calls so (plural, singular, type id, `p_name`; any case); else 400."""
        return self._state.schema.find_type(alias)

    def account_details(self) -> dict[str, Any]:
        """GET account-info/details."""
        return {
            "portalId": self.id,
            "accountType": self.account_type,
            "timeZone": self.timezone,
            "companyCurrency": self.currency,
            "additionalCurrencies": self.additional_currencies,
            "utcOffset": self._utc_offset(),
            "utcOffsetMilliseconds": self._utc_offset_milliseconds(),
            "uiDomain": self.ui_domain,
            "dataHostingLocation": self.data_hosting,
        }

    @property
    def currency(self) -> str:
        """The home currency, an ISO code."""
        return self._state.currency

    @property
    def additional_currencies(self) -> list[str]:
        """The other currencies that deals may be in."""
        return list(self._state.exchange_rates)

    def use_currencies(self, home: str, rates: Mapping[str, float]) -> None:
        """Choose the home currency, and what one unit of each other currency is worth in it."""
        with self._state.lock:
            self._state.currency, self._state.exchange_rates = home, dict(rates)

    def _utc_offset_milliseconds(self) -> int:
        offset = self.clock().astimezone(ZoneInfo(self.timezone)).utcoffset()
        return 0 if offset is None else int(offset.total_seconds() * 1000)

    def _utc_offset(self) -> str:
        minutes = self._utc_offset_milliseconds() // 60_000
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"

    # Owners and teams.

    def owners(
        self, *, archived: bool = False, email: str | None = None, after: str | None = None, limit: int = 100
    ) -> Listing:
        """One page of owners by id, living or archived (whose userId is null)."""
        with self._state.lock:
            return self._state.owners.page(archived=archived, email=email, after=after, limit=limit)

    def owner(self, owner_id: str, *, id_property: str = "id", archived: bool = False) -> dict[str, Any]:
        """One owner by `id` or `userId`; else 404."""
        with self._state.lock:
            return self._state.owners.get(owner_id, id_property=id_property, archived=archived)

    def teams(self) -> list[dict[str, Any]]:
        """The teams: `{"id", "name", "userIds", "secondaryUserIds"}`."""
        with self._state.lock:
            return self._state.owners.teams()

    def archive_owner(self, owner_id: str) -> None:
        """Deactivate an owner: records keep pointing to it."""
        with self._state.lock:
            self._state.owners.archive(owner_id)
