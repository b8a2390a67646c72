"""What a run may spend of the CRM's API allowance: looked at before each step, so that none of it crosses a limit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.contract import RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from config.settings import Limits
    from connectors.contract import Connector
    from sync.job import Job
    from sync.ledger.calls import Calls
    from sync.report import Report


@dataclass
class Spending:
    """Counts the API calls of one run. `earlier` ones are its connection's of the day; `most` is a share of its own.

    Limits are looked at between pages that are read and before each portion that is written, with what the portion
    takes at the least. What is under way is finished, whatever it takes: its outcome is worth more than a few calls.
    """

    connector: Connector
    limits: Limits
    run: str
    calls: Calls
    earlier: int
    most: int | None = None
    noted: int = field(default=0)

    @classmethod
    def of(cls, job: Job, run: str) -> Spending:
        """The spending of a run that begins now."""
        earlier = job.ledger.calls.of_day(job.name, but=run)
        return cls(job.connector, job.connection.limits, run, job.ledger.calls, earlier)

    @property
    def used(self) -> int:
        """How many calls the run has made so far."""
        return self.connector.budget().calls

    @property
    def left(self) -> int | None:
        """How many more it may make, as far as anybody tells; None: nobody does."""
        counts = [count for count, _ in self._bounds()]
        return min(counts) if counts else None

    def take_share(self, share: float) -> None:
        """From now on use no more than this share of what is left."""
        if self.left is not None:
            self.most = self.used + int(max(self.left, 0) * share)

    def __call__(self, object_name: str, rows: pa.Table) -> pa.Table:
        """All rows of a portion, if they may be sent; see `Check`."""
        self.require(self.connector.effort(object_name, rows.num_rows).calls)
        return rows

    def require(self, calls: int = 1) -> None:
        """Raise `RetryLater` (exit 75) where so many calls more would cross a limit."""
        self.note()
        for count, limit in self._bounds():
            if count < calls:
                raise RetryLater(
                    f"{max(count, 0):,} API calls are left to this run, its next step takes {calls:,} or more:"
                    f" {limit}; what is not done yet is taken up later",
                    quota=True,
                )

    def watched(self, tell: Callable[[str, int, int | None], None]) -> Callable[[str, int, int | None], None]:
        """The same way to tell of progress, that ends the run where no more may be read."""

        def told(what: str, done: int, total: int | None) -> None:
            tell(what, done, total)
            self.require()

        return told

    def note(self) -> None:
        """Write down what has been used, for others, whatever becomes of this process."""
        if self.used != self.noted:
            self.noted = self.used
            self.calls.note(self.run, self.used)

    def settle(self, report: Report) -> None:
        """Tell a run's report what it used, and the least that would have done for what it did."""
        self.note()
        report.api_calls += self.used
        written = {
            name: done + report.refused.get(name, 0) + report.unknown.get(name, 0)
            for name, done in report.done.items()
        }
        report.least_calls = self.connector.least_calls(report.pulled, written)

    def _bounds(self) -> list[tuple[int, str]]:
        """How many calls each limit leaves, with the words for it."""
        budget, limits, used = self.connector.budget(), self.limits, self.used
        bounds = []
        if budget.limit and budget.left is not None:
            reserve = int(budget.limit * limits.api_reserve / 100)
            told = (
                f"{budget.left:,} of the {budget.limit:,} of today are left, of which the reserve of"
                f" {limits.api_reserve:g} % (`limits.api_reserve`) is for other integrations"
            )
            bounds.append((budget.left - reserve, told))
        if limits.calls_per_run is not None:
            told = f"`limits.calls_per_run` allows {limits.calls_per_run:,}, {used:,} are made"
            bounds.append((limits.calls_per_run - used, told))
        if limits.calls_per_day is not None:
            told = (
                f"`limits.calls_per_day` allows {limits.calls_per_day:,} within 24 hours,"
                f" {used + self.earlier:,} are made"
            )
            bounds.append((limits.calls_per_day - used - self.earlier, told))
        if self.most is not None:
            bounds.append((self.most - used, f"{self.most:,} are its share, {used:,} are made"))
        return bounds
