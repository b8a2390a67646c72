"""The org's API allowance: calls in the last 24 hours of its own clock, and the header that tells."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAY = timedelta(hours=24)

# What an Enterprise org with a handful of licences has.
DAILY_API_REQUESTS = 115_000
_OTHERS = {
    "ConcurrentAsyncGetReportInstances": 200,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyDurableGenericStreamingApiEvents": 200_000,
    "DailyDurableStreamingApiEvents": 200_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyStandardVolumePlatformEvents": 25_000,
    "DailyStreamingApiEvents": 200_000,
    "DailyWorkflowEmails": 20_000,
    "DataStorageMB": 10_240,
    "FileStorageMB": 10_240,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5_000,
    "HourlyDashboardStatuses": 999_999_999,
    "HourlyODataCallout": 20_000,
    "HourlyPublishedPlatformEvents": 250_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000,
    "MonthlyPlatformEvents": 750_000,
    "SingleEmail": 5_000,
    "StreamingApiConcurrentClients": 2_000,
}


class Limits:
    """Counts calls, refuses those above the daily maximum, and writes `Sforce-Limit-Info`. Thread-safe.

    `per_app` adds the per-app part to the header, which some orgs send and some clients stumble over.
    `used_before` are calls that other integrations made before this sandbox began.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        maximum: int = DAILY_API_REQUESTS,
        *,
        used_before: int = 17,
        per_app: bool = False,
    ) -> None:
        self.maximum = maximum
        self.per_app = per_app
        self._clock = clock
        self._lock = threading.Lock()
        # (minute, calls in it): calls leave the count 24 hours after they were made.
        self._minutes: deque[tuple[datetime, int]] = deque([(_minute(clock()), used_before)])
        self._used = used_before
        self._taken: dict[str, int] = {}

    def charge(self) -> None:
        """Count one call. Raises REQUEST_LIMIT_EXCEEDED when the allowance is used up."""
        with self._lock:
            self._forget()
            if self._used >= self.maximum:
                raise daily_limit_exceeded()
            self._used += 1
            minute = _minute(self._clock())
            calls = self._minutes.pop()[1] if self._minutes and self._minutes[-1][0] == minute else 0
            self._minutes.append((minute, calls + 1))

    @property
    def used(self) -> int:
        """Calls within the last 24 hours."""
        with self._lock:
            self._forget()
            return self._used

    def use(self, calls: int) -> None:
        """Count calls as if other integrations had made them."""
        with self._lock:
            self._used += calls
            self._minutes.append((_minute(self._clock()), calls))

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Switch `maximum` and `per_app`, and `use` some calls. Raises `ValueError` or `TypeError`."""
        maximum, per_app = int(wanted.get("maximum", self.maximum)), bool(wanted.get("per_app", self.per_app))
        used = int(wanted.get("use", 0))
        self.maximum, self.per_app = maximum, per_app
        self.use(used)

    def told(self) -> dict[str, Any]:
        """The reply of `GET /sandbox/limits`."""
        return {"header": self.header()}

    def take(self, name: str, amount: int) -> None:
        """Use up some of a daily allowance of bulk jobs. Raises EXCEEDEDQUOTA where not enough is left."""
        with self._lock:
            taken = self._taken.get(name, 0) + amount
            if taken > _OTHERS[name]:
                raise SalesforceError(
                    "EXCEEDEDQUOTA", f"ApiBatchItems Limit exceeded: {name} is {_OTHERS[name]}"
                )
            self._taken[name] = taken

    def header(self) -> str:
        """The value of `Sforce-Limit-Info`."""
        used = self.used
        per_app = f"; per-app-api-usage={used}/{self.maximum}(appName=foretag)" if self.per_app else ""
        return f"api-usage={used}/{self.maximum}{per_app}"

    def as_json(self) -> dict[str, Any]:
        """The reply of `GET /limits`."""
        daily = {"Max": self.maximum, "Remaining": max(self.maximum - self.used, 0)}
        others = {
            name: {"Max": maximum, "Remaining": maximum - self._taken.get(name, 0)}
            for name, maximum in _OTHERS.items()
        }
        return dict(sorted({**others, "DailyApiRequests": daily}.items()))

    def _forget(self) -> None:
        oldest = self._clock() - DAY
        while self._minutes and self._minutes[0][0] < oldest:
            self._used -= self._minutes.popleft()[1]


def daily_limit_exceeded() -> SalesforceError:
    """The refusal of a call above the daily allowance."""
    return SalesforceError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def concurrent_limit_exceeded() -> SalesforceError:
    """The refusal of a call while too many long-running ones are under way."""
    message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    return SalesforceError("REQUEST_LIMIT_EXCEEDED", message)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
