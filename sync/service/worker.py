"""The worker: begins what is due on each connection, and looks after what it began until it is told to stop.

All is decided in one thread, message by message: a moment of the schedule has come, a run has ended, a signal arrived,
nothing has happened for a while. Which of several workers does what, the history decides.
"""

from __future__ import annotations

import logging
import math
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import structlog

from sync.exit_codes import DONE, INCOMPLETE, PARKED
from sync.ledger.refusals import NOT_NOW
from sync.ledger.workers import BEAT
from sync.service.children import Child, command_of
from sync.service.clockwork import Clockwork
from sync.service.events import Ended, Missed, Unusable
from sync.service.schedule import COVERS, Start, TooLate, Work
from sync.service.turns import Turns, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from config.settings import Settings
    from sync.ledger import Ledger
    from sync.ledger.fires import WorkName
    from sync.logs import Form
    from sync.service.events import Event, Listener
    from sync.service.plans import Plans

    Command = Callable[[Work, Path, bool], list[str]]

_LOG = structlog.get_logger()

# How often a worker looks around, in seconds; and one that is to stop, whether its runs have.
_LOOK = BEAT.total_seconds()
_STOPPING = 0.5


@dataclass
class Worker:
    """One worker of a history, `id` among its workers; `clock` gives UTC.

    `planned` is called with settings that are read anew, `beat` at each round. `command` makes the command line of a
    run, from its work, the settings file, and whether the connection's tasks have times of their own.
    """

    plans: Plans
    ledger: Ledger
    id: str
    clock: Callable[[], datetime]
    planned: Callable[[Settings], None]
    beat: Callable[[], None]
    listeners: Sequence[Listener] = ()
    form: Form = "json"
    command: Command = command_of
    monotonic: Callable[[], float] = time.monotonic
    _inbox: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    _wanted: dict[WorkName, Work] = field(default_factory=dict)
    _children: dict[str, Child] = field(default_factory=dict)
    _unsettled: list[Child] = field(default_factory=list)
    _served: dict[str, float] = field(default_factory=dict)
    _looked: float | None = None
    _ahead: float | None = None
    _is_planned: bool = False
    _moved: set[str] = field(default_factory=set)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._turns = Turns(self.ledger, self.id)

    @property
    def under_way(self) -> int:
        """How many runs are under way."""
        return len(self._children)

    def run(self) -> int:
        """Work until told to stop (SIGTERM, Ctrl-C); returns the exit code."""
        clockwork = Clockwork(self._inbox.put)
        with self._heeding_signals():
            clockwork.start()
            try:
                message: object = None
                while not self._stopping or self._children:
                    self._turn(message, clockwork)
                    message = self._next()
            finally:
                clockwork.stop()
                for child in self._children.values():
                    child.kill()
        return DONE

    # Messages.

    def _turn(self, message: object, clockwork: Clockwork) -> None:
        """Heed one message, if there is one; while the history is away, what is to be done stays so."""
        self.beat()
        self._heed(message)
        self._hold_to_limits()
        try:
            self._settle()
            # Runs read the file themselves: none may begin with what we have not seen.
            self._reread()
            self._heed_the_clock()
            if self._looked is None or self.monotonic() - self._looked >= _LOOK:
                self._look_around()
                self._looked = self.monotonic()
            if isinstance(message, Work):
                # Another worker's run may have seen others.
                self._see_zones(message.connection)
            self._plan_anew(clockwork)
            if self.plans.are_good:
                self._begin_what_can()
        except NOT_NOW as error:
            _LOG.warning("history.away", error=type(error))
            if self._stopping:
                self._leave_unsettled()
        except OSError as error:
            _LOG.warning("work.not_begun", error=type(error), why=error.strerror)

    def _next(self) -> object:
        try:
            return self._inbox.get(timeout=_STOPPING if self._stopping else _LOOK)
        except Empty:
            return None

    def _heed(self, message: object) -> None:
        match message:
            case Work():
                # What else is due on it comes at the same moment, and may be covered by the same run.
                self._wanted.update((name_of(work), work) for work in self.plans.works(message.connection))
            case Child():
                self._unsettled.append(message)
            case signal.SIGTERM | signal.SIGINT:
                self._stop()

    @contextmanager
    def _heeding_signals(self) -> Iterator[None]:
        heeded = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {one: signal.signal(one, lambda number, _: self._put(number)) for one in heeded}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _put(self, number: int) -> None:
        self._inbox.put(signal.Signals(number))

    # What is due.

    def _see_zones(self, connection: str) -> None:
        if self.plans.see_zones(self.ledger.zones, connection):
            self._moved.add(connection)

    def _plan_anew(self, clockwork: Clockwork) -> None:
        """Plan what is not planned yet: everything, or those connections whose time zones changed."""
        if not self._is_planned:
            self._plan(clockwork)
            self._is_planned = True
            self._moved.clear()
        for connection in sorted(self._moved):
            self._plan(clockwork, connection)
            self._moved.remove(connection)

    def _plan(self, clockwork: Clockwork, connection: str | None = None) -> None:
        """From now on do what the settings say, in the zones that the history knows: on a connection, or on all."""
        self.plans.see_zones(self.ledger.zones, connection)
        works = self.plans.works(connection)
        clockwork.set(works, connection)
        others = [work for work in self._wanted.values() if connection not in (None, work.connection)]
        self._wanted = {name_of(work): work for work in others}
        self._wanted |= self._turns.due(works, self.clock(), connection)
        self.planned(self.plans.settings)
        _LOG.info("worker.scheduled", connections=len({work.connection for work in works}), jobs=len(works))

    def _look_around(self) -> None:
        """Say that we live; take up what others left."""
        self.ledger.workers.beat(self.id)
        self.ledger.workers.bury()
        for fire in self.ledger.fires.open():
            for work in self.plans.works(fire.work.connection):
                if name_of(work) == fire.work:
                    self._wanted[fire.work] = work

    def _reread(self) -> None:
        """See whether the settings changed; what is wrong with them is told once."""
        match self.plans.reload():
            case Unusable() as problem:
                _LOG.warning("settings.unusable", problems=len(problem.problems))
                self._tell(problem)
            case True:
                self._is_planned = False

    def _heed_the_clock(self) -> None:
        """After a sleep of the machine, or a clock that was put right, what is due when is worked out anew."""
        ahead = self.clock().timestamp() - self.monotonic()
        if self._ahead is not None and abs(ahead - self._ahead) > _LOOK:
            _LOG.info("worker.clock_moved", seconds=round(ahead - self._ahead))
            self._is_planned = False
        self._ahead = ahead

    def _begin_what_can(self) -> None:
        """Begin what is wanted and due, where a place is free and nobody works on the connection."""
        for name, work in sorted(self._wanted.items(), key=self._order):
            if self._stopping or len(self._children) >= self.plans.service.runs_at_once:
                return
            if name in self._wanted and work.connection not in self._children:
                self._begin(work, self.clock())

    def _order(self, wanted: tuple[WorkName, Work]) -> tuple[float, bool]:
        """Who had its turn longest ago comes first, or one would wait for ever where places are few.

        Of one connection's work what covers other work comes before what it covers.
        """
        _, work = wanted
        return self._served.get(work.connection, -math.inf), work.job not in COVERS

    def _begin(self, work: Work, now: datetime) -> None:
        """Do what it is time for; until that is done, whatever comes in between, it is wanted still."""
        turn = self._turns.of(work, now)
        if isinstance(turn, Start) and self.ledger.leases.at_work(work.connection):
            return
        if isinstance(turn, Start) and self._turns.take(work, turn.due):
            self._start(work, turn.due, now)
            self._cover(work, now)
        elif isinstance(turn, TooLate) and self._turns.take(work, turn.due):
            self.ledger.fires.end(name_of(work), self.id, None)
            _LOG.warning("work.missed", **_names(work), why=turn.why)
            self._tell(Missed(work.connection, work.job, work.zone, turn.due, turn.why))
        del self._wanted[name_of(work)]

    def _cover(self, work: Work, now: datetime) -> None:
        """What is due too is done by the same run."""
        for other in [one for one in self._wanted.values() if one.connection == work.connection]:
            turn = self._turns.of(other, now) if other.job in COVERS.get(work.job, ()) else None
            if isinstance(turn, Start) and self._turns.take(other, turn.due):
                self._children[work.connection].works.append((other, turn.due))
                del self._wanted[name_of(other)]

    # What is under way.

    def _start(self, work: Work, due: datetime, now: datetime) -> None:
        _LOG.info("work.begun", **_names(work), due=due.isoformat())
        command = self.command(work, self.plans.path, self.plans.has_tasks(work.connection))
        self._children[work.connection] = Child.start(work, due, command, self.form, now, self._inbox.put)
        self._served[work.connection] = self.monotonic()

    def _settle(self) -> None:
        """Write down how runs ended: now, or as soon as the history is there again."""
        while self._unsettled:
            child = self._unsettled[0]
            report = self._report(child)
            for work, _ in child.works:
                if child.is_to_be_repeated:
                    self.ledger.fires.give_back(name_of(work), self.id)
                else:
                    self.ledger.fires.end(name_of(work), self.id, child.exit_code, report.get("run"))
            self._see_zones(child.connection)
            del self._unsettled[0], self._children[child.connection]
            self._ended(child, report)

    def _leave_unsettled(self) -> None:
        """Nobody can be told how these ended: whoever sees that we are gone does their work again."""
        for child in self._unsettled:
            del self._children[child.connection]
        self._unsettled.clear()

    def _ended(self, child: Child, report: dict[str, Any]) -> None:
        (work, due), code = child.works[0], PARKED if child.is_to_be_repeated else child.exit_code
        level = logging.INFO if code in (DONE, INCOMPLETE, PARKED) else logging.WARNING
        _LOG.log(level, "work.ended", **_names(work), exit_code=code, run=report.get("run"))
        names = (work.connection, work.job, work.zone)
        self._tell(Ended(*names, due, child.began, self.clock(), code, report, child.took_too_long))

    def _report(self, child: Child) -> dict[str, Any]:
        """The run's report as it said it, with what ended it; else as the history has it; empty if there is none."""
        if child.answer:
            return child.answer
        for run in self.ledger.runs(child.connection, limit=1):
            if run["started_at"] >= child.began.replace(tzinfo=None) and run["report"]:
                return {**run["report"], "run": run["id"]}
        return {}

    def _hold_to_limits(self) -> None:
        """Stop what comes into a blackout or takes too long; kill what does not stop in time."""
        now, service = self.clock(), self.plans.service
        for child in self._children.values():
            if child.told_to_stop is not None and now - child.told_to_stop > service.grace:
                _LOG.warning("work.killed", connection=child.connection)
                child.kill()
            elif child.told_to_stop is None and (why := self.plans.why_not(child.connection, now)):
                _LOG.info("work.stopped", connection=child.connection, why=why)
                child.stop(now)
            elif child.told_to_stop is None and now - child.began > service.longest_run:
                _LOG.warning("work.stopped", connection=child.connection, why="it takes too long")
                child.took_too_long = True
                child.stop(now)

    def _stop(self) -> None:
        """Told to stop: runs finish or park what they are sending. Told again: at once."""
        for child in self._children.values():
            child.kill() if self._stopping else child.stop(self.clock())
        _LOG.info("worker.stopping", runs=len(self._children))
        self._stopping = True

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001  # whoever listens must not end the work
                _LOG.warning("listener.failed", listener=type(listener), error=type(error))


def _names(work: Work) -> dict[str, str]:
    return {"connection": work.connection, "job": work.job} | ({"zone": work.zone} if work.zone else {})
