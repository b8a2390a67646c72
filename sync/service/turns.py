"""Whose turn it is: what the schedule says is due, seen against what any worker took before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sync.ledger.fires import WorkName
from sync.ledger.workers import AHEAD
from sync.service.schedule import Start, TooLate, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sync.ledger import Ledger
    from sync.ledger.fires import Fire
    from sync.service.schedule import Work

_JUST_BEFORE = timedelta(microseconds=1)


def name_of(work: Work) -> WorkName:
    """How the history knows some work."""
    return WorkName(work.connection, work.job, work.zone)


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one worker among all that share a history, of work that it is not at.

    Reading for the first time begins at once; what else nobody ever took, at its first time after that.
    """

    ledger: Ledger
    worker: str

    def due(
        self, works: Iterable[Work], now: datetime, connection: str | None = None
    ) -> dict[WorkName, Work]:
        """Those of these works, of this connection or of all, for which something is to be done now."""
        last = self.ledger.fires.last(connection)
        lost = {fire.work for fire in self.ledger.fires.open(connection, idle=self.worker)}
        return {
            name: work
            for work in works
            if not isinstance(
                self._turn(work, last.get(name := name_of(work)), now, is_lost=name in lost), Wait
            )
        }

    def of(self, work: Work, now: datetime) -> Start | TooLate | Wait:
        """What is to be done of some work now."""
        last = self.ledger.fires.last(work.connection).get(name_of(work))
        return self._turn(work, last, now, is_lost=self._lost(work) is not None)

    def take(self, work: Work, due: datetime) -> bool:
        """Be the one of all workers that does it; false: another is."""
        lost = self._lost(work)
        if lost is not None and lost.due == due:
            return self.ledger.fires.adopt(lost, self.worker)
        return self.ledger.fires.take(name_of(work), due, self.worker)

    def _lost(self, work: Work) -> Fire | None:
        """Its last fire, if it has not ended and nobody is at it: we are not, or we would not ask."""
        left = self.ledger.fires.open(work.connection, idle=self.worker)
        return next((fire for fire in left if fire.work == name_of(work)), None)

    def _turn(self, work: Work, last: Fire | None, now: datetime, *, is_lost: bool) -> Start | TooLate | Wait:
        """What a dead worker left, or one gave back, counts as not taken; so does what a wrong clock took."""
        if last is None or last.due > now + AHEAD:
            return work.turn(
                None if work.job == "increment" else self.ledger.began(work.connection) or now, now
            )
        return work.turn(last.due - _JUST_BEFORE if is_lost else last.due, now)
