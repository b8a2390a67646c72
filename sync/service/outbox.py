"""Does one thing after another in a thread of its own, again if it fails: whoever hands it over never waits."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from sync.service.asking import NotTaken

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

# Seconds before each new attempt: a receiver that is started anew comes back within these.
PAUSES = (2.0, 15.0, 60.0, 300.0)
# Whatever is waiting besides is given up: it would come too late to be of use.
MOST = 100

Item = TypeVar("Item")


class Outbox(Generic[Item]):
    """`handle` does an item, or raises; `gave_up` is told of one that failed in all attempts.

    `close` leaves it some seconds to finish what was handed over, without pauses between attempts.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[Item], None],
        gave_up: Callable[[Item], None] = lambda _: None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._name, self._handle, self._gave_up, self._pauses = name, handle, gave_up, pauses
        self._waiting: queue.Queue[Item | None] = queue.Queue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hand it over."""
        if self._waiting.qsize() < MOST:
            self._waiting.put(item)
        else:
            log.error("outbox.full", outbox=self._name)
            self._does(self._gave_up, item, None)

    def close(self, seconds: float) -> None:
        """End, after what was handed over or so many seconds."""
        self._closing.set()
        self._waiting.put(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._try(item)

    def _try(self, item: Item) -> None:
        for pause in (*self._pauses, None):
            if self._does(self._handle, item, pause):
                return
            if pause is not None:
                self._closing.wait(pause)
        self._does(self._gave_up, item, None)

    def _does(self, what: Callable[[Item], None], item: Item, again_in: float | None) -> bool:
        try:
            what(item)
        except Exception as error:  # noqa: BLE001  # whatever goes wrong there must not end the thread
            log.warning("outbox.failed", outbox=self._name, why=_why(error), again_in=again_in)
            return False
        return True


def _why(error: Exception) -> str:
    """Our own words; of a library's error its kind alone, since its words may hold an address."""
    return str(error) if isinstance(error, NotTaken) else type(error).__name__
