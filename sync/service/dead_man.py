"""The dead man's switch: an address that is asked for after good runs, and watched by somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.exit_codes import DONE, INCOMPLETE, PARKED
from sync.service.asking import ask
from sync.service.events import Ended
from sync.service.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.sections.secret import Secret
    from config.settings import Settings
    from sync.ledger import Ledger
    from sync.service.events import Event

GOOD = (DONE, INCOMPLETE)
# The next good run will ask again: no long retries.
PAUSES = (2.0, 15.0)


class DeadMan:
    """A listener to a worker's events that asks for a connection's address after each good run of it.

    And for the worker's own, while no connection's last run of any job was a bad one. So silence raises the alarm: when
    the worker is dead, cannot reach the network, or does no good work.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        told: Callable[[str, str], None] = lambda _channel, _outcome: None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._ledger = ledger
        self._told = told
        self._box: Outbox[Ended] = Outbox(
            "dead_man", self._take, lambda _: told("dead_man", "failed"), pauses
        )
        self.watch(settings)

    def watch(self, settings: Settings) -> None:
        """The settings were read anew."""
        self._settings = settings

    def __call__(self, event: Event) -> None:
        """Take note; the rest is done elsewhere."""
        if isinstance(event, Ended) and event.exit_code in GOOD:
            self._box.put(event)

    def close(self, seconds: float = 5.0) -> None:
        """End, after what is to be asked, or so many seconds."""
        self._box.close(seconds)

    def _take(self, event: Ended) -> None:
        connection = self._settings.connections.get(event.connection)
        if connection is not None and connection.dead_man is not None:
            self._ask(connection.dead_man)
        if self._settings.service.dead_man is not None and self._all_well(event):
            self._ask(self._settings.service.dead_man)

    def _ask(self, address: Secret) -> None:
        ask(address.read().get_secret_value())
        self._told("dead_man", "sent")

    def _all_well(self, event: Ended) -> bool:
        """Whether no scheduled work, but for what ended just now, went badly the last time."""
        return all(
            fire.exit_code is None or fire.exit_code in (*GOOD, PARKED)
            for work, fire in self._ledger.fires.last().items()
            if work.connection in self._settings.connections
            and work != (event.connection, event.job, event.zone)
        )
