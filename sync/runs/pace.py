"""The pace of a long write: how fast, within which hours of the day, and what is told of it meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from config.problems import ConfigProblem, Problem
from sync.stopping import Parked

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

# At a rate of records, a portion is a minute's worth: waits stay short, and calls few.
PORTION_SECONDS = 60
# A wait is cut into such pieces, so that the lease is kept alive.
_LONGEST_NAP = 30.0
# Between two words on how far it has come.
_SECONDS_BETWEEN_WORDS = 10.0
_MINUTE, _HOUR = 60, 3600
_RATE = re.compile(r"(?P<number>\d+(\.\d+)?) ?(?P<unit>%|/s|/min)")
_WINDOW = re.compile(r"(\d{1,2}:\d\d) ?- ?(\d{1,2}:\d\d)")


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast: records a second, or a share (0 to 1) of the API calls that are left; as it is made, neither."""

    per_second: float | None = None
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read `200/s`, `600/min` or `25%`. Raises `ConfigProblem`."""
        found = _RATE.fullmatch(text.strip())
        number = float(found["number"]) if found else 0.0
        if found is None or not number or (found["unit"] == "%" and number > 100):
            raise ConfigProblem(
                Problem(
                    f'"{text}" is no rate',
                    where="--rate",
                    fix="give records (200/s, 600/min), or a share of the API calls that are left (25%)",
                )
            )
        if found["unit"] == "%":
            return cls(share=number / 100)
        return cls(per_second=number / (_MINUTE if found["unit"] == "/min" else 1))

    @property
    def portion(self) -> int | None:
        """How many records to send at once at most; None: as many as the CRM likes best."""
        return None if self.per_second is None else max(int(self.per_second * PORTION_SECONDS), 1)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of each day, in the org's time zone, within which to write; it may reach over midnight."""

    opens: time
    closes: time

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read `22:00-06:00`. Raises `ConfigProblem`."""
        found = _WINDOW.fullmatch(text.strip())
        try:
            first, last = (
                (time.fromisoformat(part.zfill(5)) for part in found.groups() if found)
                if found
                else (None, None)
            )
        except ValueError:
            first = last = None
        if first is None or last is None or first == last:
            raise ConfigProblem(
                Problem(
                    f'"{text}" is no window',
                    where="--window",
                    fix="give two times of the day, as 22:00-06:00",
                )
            )
        return cls(first, last)

    def holds(self, moment: datetime) -> bool:
        """Whether a moment, in the org's time zone, lies within."""
        now = moment.time()
        if self.opens < self.closes:
            return self.opens <= now < self.closes
        return now >= self.opens or now < self.closes

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


@dataclass
class Pace:
    """Lets each portion go when rate and window allow, and says how far the write has come; see `Check`.

    `now` tells the moment in the org's time zone when it began, and `monotonic` how much later it is.
    """

    rate: Rate
    window: Window | None
    total: int
    now: datetime
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    alive: Callable[[], None]
    calls_left: Callable[[], int | None]
    say: Callable[[str], None]
    sent: int = 0
    began: float = field(init=False)
    spoke: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.spoke = self.monotonic()

    def __call__(self, object_name: str, rows: pa.Table) -> pa.Table:  # noqa: ARG002  # a `Check`
        """All rows of a portion, once they may go. Raises `Parked` (exit 75) outside of the window."""
        self.require_window()
        if self.rate.per_second is not None:
            self._wait(self.began + self.sent / self.rate.per_second)
            self.require_window()
        self._tell()
        self.sent += rows.num_rows
        return rows

    def require_window(self) -> None:
        """Raise `Parked` (exit 75) if this is not the time of the day."""
        passed = timedelta(seconds=self.monotonic() - self.began)
        now = (self.now.astimezone(UTC) + passed).astimezone(self.now.tzinfo)
        if self.window is not None and not self.window.holds(now):
            raise Parked(f"it is {now:%H:%M} in the org's time zone, outside of the window {self.window}")

    def _wait(self, until: float) -> None:
        while (left := until - self.monotonic()) > 0:
            # A signal ends this, and so does another run that took over.
            self.alive()
            self.sleep(min(left, _LONGEST_NAP))

    def _tell(self) -> None:
        """`12,000 of 85,000 · 450 a second · about 3 min to go · 99,120 API calls left`, now and then."""
        now = self.monotonic()
        if not self.sent or now - self.spoke < _SECONDS_BETWEEN_WORDS:
            return
        self.spoke = now
        speed = self.sent / (now - self.began)
        words = [
            f"{self.sent:,} of {self.total:,}",
            f"{speed:,.0f} a second",
            f"{lasting((self.total - self.sent) / speed)} to go",
        ]
        left = self.calls_left()
        if left is not None:
            words.append(f"{left:,} API calls left")
        self.say(" · ".join(words))


def lasting(seconds: float) -> str:
    """How long, in words: `under a minute`, `about 12 min`, `about 3.5 h`."""
    if seconds < _MINUTE:
        return "under a minute"
    if seconds < 2 * _HOUR:
        return f"about {seconds / _MINUTE:.0f} min"
    return f"about {seconds / _HOUR:.1f} h"
