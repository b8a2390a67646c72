"""The heartbeat: a run keeps its lease alive while it talks to the CRM, and falls silent when it has lost it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sync.stopping import stop_if_told

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sync.ledger import Lease, Ledger

# Far more often than a lease expires, far less often than requests are sent.
EVERY = timedelta(minutes=1)


class Heartbeat:
    """Called before each request. Does nothing until a lease is held.

    A run that waits long for a bulk job keeps its lease so; one whose lease was taken over (it slept through its
    expiry) sends nothing more: `LeaseLost` is raised instead. Nor does one that was told to stop, whose calls may be
    under way in threads that the signal did not reach.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lease: Lease | None = None
        self._last: datetime | None = None

    def hold(self, lease: Lease) -> None:
        """Keep this lease alive from now on."""
        self._lease, self._last = lease, self._clock()

    def __call__(self) -> None:
        """Renew the lease if that is due. Raises `LeaseLost` if another run has it, or what we were told to stop by."""
        stop_if_told()
        now = self._clock()
        if self._lease is not None and self._last is not None and now - self._last >= EVERY:
            self._ledger.leases.renew(self._lease)
            self._last = now
