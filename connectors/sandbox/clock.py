"""The sandbox's own clock: it starts on the data's "today", ticks, and can be moved."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SandboxClock:
    """Calling it gives the org's time, in UTC. `ticks` gives seconds; default the machine's own."""

    def __init__(self, start: datetime, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._began = ticks()
        self._start = start
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Now, in the org."""
        with self._lock:
            return self._start + timedelta(seconds=self._ticks() - self._began)

    def advance(self, by: timedelta) -> datetime:
        """Move the clock, back too: clocks of real orgs are adjusted as well."""
        with self._lock:
            self._start += by
        return self()

    def set(self, now: datetime) -> datetime:
        """Set the clock to a moment (aware)."""
        with self._lock:
            self._start = now.astimezone(UTC)
            self._began = self._ticks()
        return self()
