"""Whether a worker lives and can work, and how its connections stand: what `/healthz` and `/readyz` say."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sync.service.events import Unusable
from sync.service.states import looked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from sync.ledger import Ledger
    from sync.service.events import Event

# The worker's loop goes round at least every few seconds; after so many without a round it hangs.
HANGS = 60.0


class Health:
    """A listener to a worker's events that answers how it is; `clock` gives UTC, `monotonic` seconds."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._monotonic = monotonic
        self._beaten = monotonic()
        self._names: frozenset[str] | None = None
        self._problems: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Remember that the settings cannot be used. A single connection's trouble stands in the history."""
        if isinstance(event, Unusable) and not event.connection:
            with self._lock:
                self._problems = event.problems

    def beat(self) -> None:
        """The worker's loop goes round: it calls this each time."""
        self._beaten = self._monotonic()

    def watch(self, connections: Collection[str]) -> None:
        """The settings were read and are good, with these connections."""
        with self._lock:
            self._names, self._problems = frozenset(connections), ()

    def alive(self) -> tuple[bool, dict[str, Any]]:
        """Whether the loop goes round: else the process had better be started anew."""
        silent = self._monotonic() - self._beaten
        return silent < HANGS, {"alive": silent < HANGS, "seconds_since_last_round": round(silent, 1)}

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether it can work at all, and how each connection stands.

        A connection in trouble leaves the worker ready: the others go on.
        """
        look = looked(self._ledger, self._clock, self._names)
        alive, _ = self.alive()
        ready = look is not None and not self._problems and alive
        connections = {} if look is None else {one.connection: _told(one) for one in look.connections}
        return ready, {
            "ready": ready,
            "history": "ok" if look is not None else "away",
            "settings": list(self._problems) or "ok",
            "workers": None if look is None else look.workers,
            "connections": connections,
        }


def _told(one: Any) -> dict[str, Any]:
    return {
        "state": one.state,
        "since": one.since and one.since.isoformat(timespec="seconds"),
        "pulled_at": one.stand and one.stand.pulled_at and one.stand.pulled_at.isoformat(timespec="seconds"),
    }
