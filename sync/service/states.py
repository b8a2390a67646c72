"""How the connections stand, in one word each, by the history: for `/readyz` and for metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from sync.ledger.refusals import NOT_NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from sync.ledger import Ledger
    from sync.ledger.fires import WorkName
    from sync.ledger.notices import Notice
    from sync.ledger.standing import Stand

# The worst first: a connection is in one state alone.
State = Literal["unusable", "failing", "stopped", "awaiting approval", "paused", "preview", "ok"]
STATES: tuple[State, ...] = get_args(State)

# Which kind of trouble that lasts makes which state; a kind may name its job after a colon.
TROUBLE: dict[str, State] = {
    "unusable": "unusable",
    "failed": "failing",
    "away": "failing",
    "stopped": "stopped",
    "approval": "awaiting approval",
}


class LastFire(NamedTuple):
    """How a job of a connection ended last; of several zones the latest. `ended` is UTC; None: it is at work again."""

    connection: str
    job: str
    ended: datetime | None
    exit_code: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One connection: its state, since when if it is trouble, and what the history tells of it, if it ever ran."""

    connection: str
    state: State
    since: datetime | None
    stand: Stand | None

    def lag(self, now: datetime) -> float | None:
        """Seconds since the last change of the CRM that is in the local copy for sure."""
        pulled = None if self.stand is None else self.stand.pulled_at
        return None if pulled is None else max((now - pulled).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Look:
    """All that one look at the history tells; `taken`: what each work was taken for last. Times are UTC."""

    at: datetime
    workers: int
    connections: tuple[Standing, ...]
    fires: tuple[LastFire, ...]
    taken: Mapping[WorkName, datetime]


def looked(
    ledger: Ledger, clock: Callable[[], datetime], chosen: frozenset[str] | None = None
) -> Look | None:
    """How these connections stand now, or all that the history knows; None if it cannot be asked."""
    try:
        stands = {stand.connection: stand for stand in ledger.standing.read()}
        lasting: dict[str, list[Notice]] = {}
        for notice in ledger.notices.lasting():
            lasting.setdefault(notice.connection, []).append(notice)
        names = chosen if chosen is not None else {*stands, *lasting} - {""}
        fires = [fire for fire in ledger.fires.last().values() if fire.work.connection in names]
        workers = len(ledger.workers.living())
    except NOT_NOW:
        return None
    latest = {
        (fire.work.connection, fire.work.job): LastFire(
            fire.work.connection, fire.work.job, fire.ended, fire.exit_code
        )
        for fire in sorted(fires, key=lambda fire: fire.ended or fire.taken)
        if fire.exit_code is not None
    }
    # What is of no connection is of all: settings that cannot be used.
    of_all = lasting.get("", [])
    standing = tuple(
        _standing(name, stands.get(name), [*of_all, *lasting.get(name, ())]) for name in sorted(names)
    )
    taken = {fire.work: fire.due for fire in fires}
    return Look(clock(), workers, standing, tuple(latest.values()), taken)


def _standing(connection: str, stand: Stand | None, notices: Iterable[Notice]) -> Standing:
    trouble: dict[State, datetime] = {}
    for notice in notices:
        state = TROUBLE.get(notice.kind.partition(":")[0])
        if state == "awaiting approval" and stand is not None and stand.approved == notice.digest:
            continue  # approved since
        if state is not None:
            trouble[state] = min(notice.since, trouble.get(state, notice.since))
    if trouble:
        worst = min(trouble, key=STATES.index)
        return Standing(connection, worst, trouble[worst], stand)
    if stand is not None and stand.paused_at is not None:
        return Standing(connection, "paused", stand.paused_at, stand)
    return Standing(connection, "ok" if stand is None or stand.live else "preview", None, stand)
