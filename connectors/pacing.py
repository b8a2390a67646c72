"""Keeping within a CRM's rates: a request leaves only while the CRM, however it counts, must still allow it."""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Clocks tick, ours and theirs.
SLACK = 0.01


@dataclass(frozen=True, slots=True)
class Slot:
    """A request that may leave: how many slots were taken then, its own too, and how many ever."""

    taken: int
    number: int


class Pace:
    """At most `limit` requests in any `interval` seconds.

    A request takes a slot before it leaves, and the slot is free again `interval` after its reply came. The CRM
    counted the request at some moment in between; so however late that was, it never sees one too many.
    Several threads may ask; they get their slots in turn.

    Args:
        limit: requests per interval.
        interval: seconds.
        monotonic: seconds of a clock that never goes back.
        sleep: waits some seconds of that clock.
    """

    def __init__(
        self,
        limit: int,
        interval: float,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.limit = limit
        self.interval = interval
        self._monotonic = monotonic
        self._sleep = sleep
        # One thread waits for the next slot, the others behind it: nobody sleeps for a slot he will not get.
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._under_way = 0
        self._ever = 0
        self._freed_at: list[float] = []
        self._held_until = float("-inf")

    def take(self) -> Slot:
        """Wait until a request may leave, and count it."""
        with self._turn:
            while not isinstance(found := self._take_or_wait(), Slot):
                self._sleep(found)
            return found

    def give_back(self) -> None:
        """The reply to a request came, or none will: its slot is free again when the interval has passed."""
        with self._changed:
            self._under_way -= 1
            heapq.heappush(self._freed_at, self._monotonic() + self.interval + SLACK)
            self._changed.notify()

    def hold(self) -> None:
        """The CRM counted one too many, whoever sent the others: let nothing leave for a whole interval."""
        with self._changed:
            self._held_until = self._monotonic() + self.interval + SLACK

    def learn(self, slot: Slot, limit: int, left: int, interval: float) -> None:
        """What the reply to a request says: the limit, how many are left of it, and seconds.

        Where less is left than we know of, others use the same allowance: their requests take slots, too. The reply
        may be old by now; ours can be all that had slots when its request left, and all that got one since.
        """
        with self._changed:
            self.limit, self.interval = limit, interval
            ours = slot.taken + (self._ever - slot.number)
            until = self._monotonic() + interval + SLACK
            known = self._under_way + len(self._freed_at)
            for _ in range(min(limit - left - ours, limit - known)):
                heapq.heappush(self._freed_at, until)

    def _take_or_wait(self) -> Slot | float:
        """Take a slot; or the seconds until it makes sense to look again."""
        with self._changed:
            while True:
                now = self._monotonic()
                while self._freed_at and self._freed_at[0] <= now:
                    heapq.heappop(self._freed_at)
                if now < self._held_until:
                    return self._held_until - now
                if self._under_way + len(self._freed_at) < self.limit:
                    self._under_way += 1
                    self._ever += 1
                    return Slot(self._under_way + len(self._freed_at), self._ever)
                if self._freed_at:
                    return self._freed_at[0] - now
                # Every slot is out with a request: only a reply changes that.
                self._changed.wait()
