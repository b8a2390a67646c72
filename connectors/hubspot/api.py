"""The portal's interface: JSON calls by kind of interface, on one transport, and the daily allowance."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from connectors.contract import Budget, RetryLater
from connectors.hubspot.paths import path
from connectors.transport import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import requests

    from connectors.hubspot.sdk import Sdk
    from connectors.transport import Transport


class Api:
    """Calls to one portal. They may be made from several threads at once."""

    def __init__(self, transport: Transport, version: str) -> None:
        self.transport = transport
        self.version = version
        self._used: int | None = None
        self._limit: int | None = None
        transport.observers.append(self._read_allowance)

    def call(self, method: str, kind: str, tail: str = "", *, counted: str = "", **request: Any) -> Any:
        """Send a request to `path(kind)/tail`; the parsed reply, if any.

        `kind` is one of `paths`; it is what the call is counted as, unless `counted` names something better.
        Other keywords go to `Transport.request`: `json`, `params`, `idempotent` (may it be sent twice).
        """
        response = self.transport.request(method, self.url(kind, tail), kind=counted or kind, **request)
        return read_json(response) if response.content else None

    def get(self, kind: str, tail: str = "", params: Mapping[str, Any] | None = None, **request: Any) -> Any:
        """Read something by its address."""
        return self.call("GET", kind, tail, params=params, **request)

    def ask(self, kind: str, tail: str, body: Mapping[str, Any], **request: Any) -> Any:
        """Read something by a POST whose body says what (search, batch/read): it may be sent twice."""
        return self.call("POST", kind, tail, json=body, idempotent=True, **request)

    def url(self, kind: str, tail: str = "") -> str:
        """The path of a resource."""
        base = path(kind, self.version)
        return f"{base}/{tail}" if tail else base

    @cached_property
    def sdk(self) -> Sdk:
        """HubSpot's own client on our transport, for what it does well."""
        from connectors.hubspot.sdk import Sdk  # noqa: PLC0415  # a second of imports, wanted late

        return Sdk(self.transport, self.version)

    # The account.

    @cached_property
    def account(self) -> Mapping[str, Any]:
        """Facts about the portal: portalId, accountType, timeZone, companyCurrency, additionalCurrencies."""
        facts: Mapping[str, Any] = self.get("account", "details")
        return facts

    def now(self) -> datetime:
        """HubSpot's clock (UTC), as of the last reply or of a light call."""
        if self.transport.server_date is None:
            self.get("account", "details")
        if self.transport.server_date is None:
            raise RetryLater("HubSpot's replies carry no date; a proxy may strip it")
        return self.transport.server_date

    def server_time(self) -> datetime:
        """HubSpot's clock (UTC), asked for now."""
        self.get("account", "details")
        return self.now()

    # The allowance.

    def budget(self) -> Budget:
        """The portal's daily allowance as of the last reply that told, and the calls made here."""
        return Budget(self._used, self._limit, sum(self.transport.calls.values()))

    def _read_allowance(self, response: requests.Response) -> None:
        limit = response.headers.get("X-HubSpot-RateLimit-Daily", "")
        left = response.headers.get("X-HubSpot-RateLimit-Daily-Remaining", "")
        if limit.isdigit() and left.isdigit():
            self._limit, self._used = int(limit), max(int(limit) - int(left), 0)
