"""How many calls the portal takes: three rolling windows and a day, all on the sandbox's own clock.

Bursts are counted for each app, searches and the day for the whole portal. Searches tell nothing in headers; apps
with OAuth have no daily allowance.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.sandbox.hubspot.tokens import Token

Bucket = Literal["general", "search", "associations"]
Policy = Literal["TEN_SECONDLY_ROLLING", "SECONDLY", "DAILY"]
TEN_SECONDS, ONE_SECOND = timedelta(seconds=10), timedelta(seconds=1)
_MESSAGES: dict[Policy, str] = {
    "TEN_SECONDLY_ROLLING": "You have reached your ten_secondly_rolling limit.",
    "SECONDLY": "You have reached your secondly limit.",
    "DAILY": "You have reached your daily limit.",
}


class RateLimited(Exception):  # noqa: N818  # named by what it means
    """429, whose body differs from every other error's."""

    def __init__(self, policy: Policy, portal_id: int, headers: Mapping[str, str]) -> None:
        super().__init__(policy)
        self.policy, self.portal_id, self.headers = policy, portal_id, dict(headers)

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The wire form."""
        body = {
            "status": "error",
            "message": _MESSAGES[self.policy],
            "errorType": "RATE_LIMIT",
            "correlationId": correlation_id,
            "policyName": self.policy,
            "requestId": str(uuid.uuid4()),
        }
        if self.policy == "TEN_SECONDLY_ROLLING":
            body["groupName"] = f"publicapi:private-apps-api-calls:ten-secondly:{self.portal_id}"
        return body


@dataclass(slots=True)
class Maxima:
    """What is allowed; None for no limit. As a Professional portal has it."""

    general: int | None = 190
    oauth: int | None = 110
    associations: int | None = 150
    search: int | None = 5
    daily: int | None = 625_000


@dataclass(slots=True)
class Window:
    """Calls within the last seconds; refused ones do not count."""

    length: timedelta
    calls: deque[datetime] = field(default_factory=deque)

    def used(self, now: datetime) -> int:
        """How many calls lie within the window that ends now."""
        # The clock can be moved back too: what then lies ahead never happened.
        while self.calls and not now - self.length < self.calls[0] <= now:
            self.calls.popleft()
        return len(self.calls)


class Rates:
    """Counts calls and refuses those above the limits. Thread-safe.

    `retry_after` adds the header to refusals, which HubSpot does not always send.
    `associations_in_general` counts association calls in the general window too.
    """

    def __init__(self, clock: Callable[[], datetime], timezone: str, portal_id: int) -> None:
        self.maxima = Maxima()
        self.retry_after = False
        self.associations_in_general = False
        self._clock, self._zone, self._portal_id = clock, ZoneInfo(timezone), portal_id
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, str], Window] = {}
        self._day = self._today()
        self._used = 0

    def charge(self, caller: Token, bucket: Bucket) -> dict[str, str]:
        """Count one call; returns the headers that tell what is left. Raises `RateLimited`."""
        with self._lock:
            now = self._clock()
            self._roll()
            self._check_day(caller, bucket)
            counters = self._counters(caller, bucket)
            for window, maximum in counters:
                if maximum is not None and window.used(now) >= maximum:
                    raise self._refused(window, caller, bucket)
            for window, _ in counters:
                window.calls.append(now)
            if not caller.is_oauth:
                self._used += 1
            return self._headers(caller, bucket)

    def refusal(self, policy: Policy, retry_after: int | None = None) -> RateLimited:
        """A refusal whatever was used, as a fault wants it."""
        headers = (
            {}
            if policy == "SECONDLY"
            else self._told(self.maxima.general, 0, 0 if policy == "DAILY" else None)
        )
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        return RateLimited(policy, self._portal_id, headers)

    @property
    def used(self) -> int:
        """Calls of this day that count against the daily allowance."""
        with self._lock:
            self._roll()
            return self._used

    def use(self, calls: int) -> None:
        """Count calls as if other private apps of the portal had made them."""
        with self._lock:
            self._roll()
            self._used += calls

    def next_day(self) -> datetime:
        """When the daily count begins anew: midnight in the portal's zone, told in UTC."""
        today = self._today()
        midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), self._zone)
        return midnight.astimezone(UTC)

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Switch limits by their names (null: none), the two flags, and `use`. Raises `ValueError`, `TypeError`."""
        names = {one.name for one in fields(Maxima)}
        unknown = set(wanted) - names - {"retry_after", "associations_in_general", "use"}
        if unknown:
            raise ValueError(
                f"no such limit: {', '.join(sorted(unknown))}; known: {', '.join(sorted(names))}"
            )
        maxima = {name: None if wanted[name] is None else int(wanted[name]) for name in names & set(wanted)}
        used = int(wanted.get("use", 0))
        for name, maximum in maxima.items():
            setattr(self.maxima, name, maximum)
        self.retry_after = bool(wanted.get("retry_after", self.retry_after))
        self.associations_in_general = bool(
            wanted.get("associations_in_general", self.associations_in_general)
        )
        self.use(used)

    def told(self) -> dict[str, Any]:
        """The reply of `GET /sandbox/limits`."""
        return {
            **{one.name: getattr(self.maxima, one.name) for one in fields(Maxima)},
            "retry_after": self.retry_after,
            "associations_in_general": self.associations_in_general,
            "used": self.used,
        }

    def _check_day(self, caller: Token, bucket: Bucket) -> None:
        maximum = self.maxima.daily
        if caller.is_oauth or maximum is None or self._used < maximum:
            return
        seconds = (self.next_day() - self._clock()).total_seconds()
        raise RateLimited("DAILY", self._portal_id, self._refusal_headers(caller, bucket, seconds))

    def _refused(self, window: Window, caller: Token, bucket: Bucket) -> RateLimited:
        seconds = (window.calls[0] + window.length - self._clock()).total_seconds()
        policy: Policy = "SECONDLY" if window.length == ONE_SECOND else "TEN_SECONDLY_ROLLING"
        return RateLimited(policy, self._portal_id, self._refusal_headers(caller, bucket, seconds))

    def _refusal_headers(self, caller: Token, bucket: Bucket, seconds: float) -> dict[str, str]:
        headers = self._headers(caller, bucket)
        if self.retry_after:
            headers["Retry-After"] = str(max(int(-(-seconds // 1)), 1))
        return headers

    def _counters(self, caller: Token, bucket: Bucket) -> list[tuple[Window, int | None]]:
        """The windows in which a call of the bucket counts, with their maxima."""
        if bucket == "search":
            return [(self._window("", "search", ONE_SECOND), self.maxima.search)]
        general = (self._window(caller.app_id, _burst(caller), TEN_SECONDS), self._burst_maximum(caller))
        if bucket == "general":
            return [general]
        own = (self._window(caller.app_id, "associations", TEN_SECONDS), self.maxima.associations)
        return [own, general] if self.associations_in_general else [own]

    def _headers(self, caller: Token, bucket: Bucket) -> dict[str, str]:
        if bucket == "search":
            return {}
        window, maximum = self._counters(caller, bucket)[0]
        left = (
            None if caller.is_oauth or self.maxima.daily is None else max(self.maxima.daily - self._used, 0)
        )
        return self._told(maximum, None if maximum is None else maximum - window.used(self._clock()), left)

    def _told(
        self, maximum: int | None, remaining: int | None, daily_remaining: int | None
    ) -> dict[str, str]:
        headers = {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}
        if maximum is not None:
            headers["X-HubSpot-RateLimit-Max"] = str(maximum)
            headers["X-HubSpot-RateLimit-Remaining"] = str(max(remaining or 0, 0))
        if daily_remaining is not None:
            headers["X-HubSpot-RateLimit-Daily"] = str(self.maxima.daily)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(daily_remaining)
        return headers

    def _burst_maximum(self, caller: Token) -> int | None:
        return self.maxima.oauth if caller.is_oauth else self.maxima.general

    def _window(self, app_id: str, name: str, length: timedelta) -> Window:
        return self._windows.setdefault((app_id, name), Window(length))

    def _today(self) -> Any:
        return self._clock().astimezone(self._zone).date()

    def _roll(self) -> None:
        if self._today() != self._day:
            self._day, self._used = self._today(), 0


def _burst(caller: Token) -> str:
    return "oauth" if caller.is_oauth else "general"
