"""A worker's decisions, with a real history and real processes; the clock goes when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import structlog
from structlog.testing import capture_logs

from config.problems import ConfigProblem, Problem
from sync.ledger import Ledger
from sync.ledger.away import HistoryAway
from sync.ledger.fires import WorkName
from sync.ledger.holder import ourselves
from sync.ledger.workers import SILENCE
from sync.service.events import Ended, Missed, Unusable
from sync.service.plans import Plans
from sync.service.worker import Worker

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
CONNECTION = """\
  {name}:
    crm: salesforce
    url: https://localhost:1
    auth: {{client_id: {{env: NONE}}, client_secret: {{env: NONE}}}}
    schedule: {{{schedule}}}
"""
USUAL = "increment: every 15m, full: null, reconcile: null, jitter: 0s"
GOOD = """print('{"exit_code": 0}')"""
HANGS = "import signal; signal.pause()"
# Says that it is ready where somebody waits for it.
DEAF = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
signal.pause()
"""
# The same, and is done when it is told to stop, be it at once.
ENDS_WELL = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
open(sys.argv[1], "w").close()
signal.sigwait({signal.SIGTERM})
print('{"exit_code": 0}')
"""


class Works:
    """A worker that is stepped through, with others beside it in the same history; runs are small programs."""

    def __init__(self, folder, *, service="", **schedules):
        self.folder = folder
        self.path = folder / "foretag.yaml"
        self.settle_on(service=service, **schedules)
        self.clock = SimpleNamespace(now=NOON)
        self.moved = timedelta()
        self.programs = {}
        self.begun = []
        self.events = []
        self.ledger = Ledger.open(folder / "state", lambda: self.clock.now)
        self.planned = []
        self.scheduled = []
        self.worker = self.another()

    def settle_on(self, *, service="", **schedules):
        """Write the settings, with a connection for each schedule."""
        connections = [CONNECTION.format(name=name, schedule=text) for name, text in schedules.items()]
        self.path.write_text(f"state: state\nservice: {{{service}}}\nconnections:\n{''.join(connections)}")

    def another(self, holder="a:1"):
        """One more worker, by default of a machine that nobody sees into."""
        return Worker(
            Plans(self.path),
            self.ledger,
            self.ledger.workers.begin(holder, "1.0"),
            lambda: self.clock.now,
            self.planned.append,
            lambda: None,
            [self.events.append],
            command=self.command,
            monotonic=self.seconds,
        )

    def seconds(self):
        """Since noon, but for what the clock was moved by."""
        return (self.clock.now - NOON - self.moved).total_seconds()

    def move_clock(self, by):
        """It is put right, or wrong; no time passes."""
        self.clock.now += by
        self.moved += by
        self.step()

    def command(self, work, _path, _has_tasks):
        """What a run is here; the history knows of it."""
        self.ledger.start_run(work.connection, "run", self.clock.now.date(), "rules")
        self.begun.append((work.connection, work.job))
        return [sys.executable, "-ISc", self.programs.get(work.connection, GOOD), str(self.folder / "ready")]

    def step(self, message=None, worker=None):
        """One round; what it may do is done."""
        worker = worker or self.worker
        worker._turn(message, SimpleNamespace(set=self.schedule))

    def schedule(self, works, connection=None):
        """What a scheduler is to wake for."""
        others = [work for work in self.scheduled if connection not in (None, work.connection)]
        self.scheduled = [*others, *works]

    def pass_time(self, length, worker=None):
        """Time passes, and whoever is woken is stepped; who is not says nothing meanwhile."""
        before = self.clock.now
        self.clock.now += length
        for work in self.scheduled:
            fire = work.next_fire(before)
            if fire is not None and fire.at <= self.clock.now:
                self.step(work, worker)
        self.step(worker=worker)

    def wait(self, worker=None):
        """Until a run ends, and that is heeded."""
        worker = worker or self.worker
        self.step(worker._inbox.get(timeout=20), worker)

    def close(self):
        """Nothing is left behind."""
        for child in self.worker._children.values():
            child.kill()
            child.process.wait()
        self.ledger.close()


@pytest.fixture(autouse=True)
def _every_line_is_logged():
    """Whatever another test wanted to hear."""
    structlog.reset_defaults()


@pytest.fixture
def works(tmp_path):
    """Make a worker's world, once."""
    made = []

    def make(**options):
        made.append(Works(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_was_never_read_is_read_at_once(works):
    """A new connection does not wait for its first quarter of an hour; nightly work waits for its night."""
    world = works(main="jitter: 0s")
    world.step()
    assert world.begun == [("main", "increment")]
    world.wait()
    assert world.begun == [("main", "increment")]
    (ended,) = world.events
    assert isinstance(ended, Ended)
    assert (ended.connection, ended.job, ended.exit_code) == ("main", "increment", 0)


def test_work_is_done_once_at_each_of_its_times(works):
    """Rounds between two times begin nothing; however many times passed, the last one counts."""
    world = works(main=USUAL)
    world.step()
    world.wait()
    world.pass_time(14 * MINUTE)
    assert len(world.begun) == 1
    world.pass_time(47 * MINUTE)
    world.wait()
    assert len(world.begun) == 2
    assert world.ledger.fires.last()[WorkName("main", "increment")].due == NOON + timedelta(hours=1)


def test_a_full_run_covers_the_increment_that_is_due_with_it(works):
    """The night's run reads all that an increment would."""
    world = works(main="increment: 0 * * * *, full: 0 2 * * *, reconcile: null, jitter: 0s")
    world.step()
    world.wait()
    world.pass_time(timedelta(hours=14))
    world.wait()
    assert world.begun == [("main", "increment"), ("main", "full")]
    assert {fire.due.hour for fire in world.ledger.fires.last().values()} == {2}


def test_a_connection_that_hangs_does_not_hold_up_the_others(works):
    """It has one place, the others take their turns at the rest; and it is never begun beside itself."""
    world = works(service="runs_at_once: 2", bad=USUAL, good=USUAL, better=USUAL)
    world.programs["bad"] = HANGS
    world.step()
    for _ in range(3):
        world.wait()
        world.wait()
        world.pass_time(15 * MINUTE)
    assert [name for name, _ in world.begun].count("bad") == 1
    assert [name for name, _ in world.begun].count("good") == 4


def test_nightly_work_that_no_worker_was_there_for_is_not_forgotten(works):
    """A worker that is stopped each evening would never do it: it begins late, within what is not too late."""
    world = works(main="increment: 0 * * * *, full: 0 2 * * *, reconcile: null, jitter: 0s")
    world.step()
    world.wait()
    world.clock.now += timedelta(hours=20)
    morning = world.another()
    world.step(worker=morning)
    assert world.begun == [("main", "increment"), ("main", "full")]
    world.wait(morning)


def test_no_more_runs_at_once_than_were_asked_for(works):
    """The rest waits, and begins when a place is free."""
    world = works(service="runs_at_once: 1", one=USUAL, two=USUAL)
    world.step()
    assert len(world.begun) == 1
    world.wait()
    assert {name for name, _ in world.begun} == {"one", "two"}


def test_where_places_are_few_each_connection_has_its_turn(works):
    """Two that are due again whenever a run has ended leave a third its place."""
    every = "increment: every 1m, full: null, reconcile: null, jitter: 0s"
    world = works(service="runs_at_once: 1", first=every, second=every, third=every)
    world.step()
    for _ in range(5):
        world.pass_time(MINUTE)
        world.wait()
    assert [name for name, _ in world.begun] == ["first", "second", "third"] * 2


def test_two_workers_share_the_work(works):
    """What one has begun, the other leaves alone; what one has no place for, the other takes."""
    world = works(service="runs_at_once: 1", one=USUAL, two=USUAL)
    second = world.another()
    world.step()
    world.step(worker=second)
    assert sorted(name for name, _ in world.begun) == ["one", "two"]
    world.wait()
    world.wait(second)
    world.step()
    assert len(world.begun) == 2


def test_what_a_dead_worker_had_begun_is_taken_over(works):
    """After a silence, by one of those that live."""
    world = works(main=USUAL)
    dead = world.another()
    world.step(worker=dead)
    world.step()
    assert len(world.begun) == 1
    world.pass_time(SILENCE / 2)
    assert len(world.begun) == 1, "it may still live"
    world.pass_time(SILENCE / 2)
    assert len(world.begun) == 2
    for child in dead._children.values():
        child.process.wait()


def test_what_a_worker_left_that_is_seen_to_be_dead_is_taken_over_at_once(works):
    """On one machine nobody waits for a silence."""
    world = works(main=USUAL)
    process = subprocess.Popen([sys.executable, "-IS", "-c", "input()"], stdin=subprocess.PIPE)
    dead = world.another(ourselves().replace(str(os.getpid()), str(process.pid), 1))
    world.step(worker=dead)
    dead._children["main"].process.wait()
    process.communicate(b"\n")
    world.step()
    assert len(world.begun) == 2


def test_while_another_run_works_on_a_connection_none_is_begun(works):
    """A backfill by hand is let finish; then what was due is begun."""
    world = works(main=USUAL)
    with world.ledger.leases.hold("main"):
        world.step()
        assert world.begun == []
    world.pass_time(MINUTE)
    assert len(world.begun) == 1


def test_told_to_stop_a_worker_gives_back_what_did_not_end(works):
    """Its runs are told to park, and another worker takes them up at once."""
    world = works(main=USUAL)
    world.programs["main"] = HANGS
    world.step()
    world.step(signal.SIGTERM)
    world.wait()
    assert world.worker._stopping
    assert not world.worker._children
    assert [event.exit_code for event in world.events] == [75]
    world.programs.clear()
    second = world.another()
    world.step(worker=second)
    assert len(world.begun) == 2
    world.wait(second)


def test_a_run_that_does_not_stop_in_time_is_killed(works):
    """After the grace, not before."""
    world = works(service="grace: 25s", main=USUAL)
    os.mkfifo(world.folder / "ready")
    world.programs["main"] = DEAF
    world.step()
    (world.folder / "ready").read_text()
    world.step(signal.SIGTERM)
    world.pass_time(timedelta(seconds=20))
    assert world.worker._children["main"].process.poll() is None
    world.pass_time(timedelta(seconds=6))
    world.wait()
    assert not world.worker._children


def test_a_run_that_takes_too_long_is_stopped_and_goes_on_later(works):
    """Its place is wanted; what it had to do is not forgotten."""
    world = works(service="longest_run: 1h", main=USUAL)
    world.programs["main"] = HANGS
    world.step()
    world.pass_time(timedelta(minutes=61))
    world.programs.clear()
    world.wait()
    world.pass_time(MINUTE)
    assert len(world.begun) == 2


def test_in_a_blackout_nothing_begins_and_what_runs_is_stopped(works):
    """It goes on when the blackout ends."""
    world = works(main=f"{USUAL}, timezone: UTC, blackouts: [{{weekdays: mon, hours: '12:10-13:05'}}]")
    world.programs["main"] = HANGS
    world.step()
    world.programs.clear()
    world.pass_time(timedelta(minutes=12))
    world.wait()
    world.pass_time(timedelta(minutes=20))
    assert len(world.begun) == 1
    world.pass_time(timedelta(minutes=33))
    assert len(world.begun) == 2


def test_what_the_settings_no_longer_have_is_stopped(works):
    """Its run parks what it is sending; the log tells why."""
    world = works(main=USUAL, other=USUAL)
    world.programs["other"] = HANGS
    world.step()
    world.wait()
    world.settle_on(main=USUAL)
    with capture_logs() as lines:
        world.pass_time(MINUTE)
        world.pass_time(MINUTE)
        world.wait()
    assert not world.worker.under_way
    assert "the settings no longer have it" in {line.get("why") for line in lines}


def test_a_clock_that_was_wrong_stops_no_work(works):
    """Hours in which the machine lived in another year: when the clock is right again, work goes on at once."""
    world = works(main=USUAL)
    world.step()
    world.wait()
    world.move_clock(timedelta(days=1461))
    world.wait()
    world.move_clock(timedelta(days=-1461))
    world.wait()
    world.pass_time(15 * MINUTE)
    world.wait()
    assert len(world.begun) == 4
    assert world.ledger.fires.last()[WorkName("main", "increment")].due == NOON + 15 * MINUTE


def test_what_fell_due_while_the_machine_slept_is_begun_when_it_wakes(works):
    """The clock by which a process waits stands still meanwhile: it would wait on for as long as was left."""
    world = works(main="increment: null, full: 0 14 * * *, reconcile: null, jitter: 0s")
    world.ledger.start_run("main", "run", NOON.date(), "rules")
    world.step()
    assert world.begun == []
    world.move_clock(timedelta(hours=3))
    assert world.begun == [("main", "full")]


def test_what_could_not_begin_in_time_is_missed_and_told(works):
    """Morning tasks do not appear at night: somebody hears of it, once."""
    world = works(main="increment: null, full: null, reconcile: null, tasks: 0 13 * * *, jitter: 0s")
    world.step()
    world.ledger.fires.take(WorkName("main", "tasks"), NOON - timedelta(hours=23), "gone")
    world.ledger.fires.end(WorkName("main", "tasks"), "gone", 0)
    world.clock.now += timedelta(hours=11)
    second = world.another()
    world.step(worker=second)
    world.step(worker=second)
    assert world.begun == []
    (missed,) = world.events
    assert isinstance(missed, Missed)
    assert missed.due == NOON + timedelta(hours=1)


def test_settings_are_read_again_when_their_file_changes(works):
    """A new connection is worked on without a restart."""
    world = works(main=USUAL)
    world.step()
    world.wait()
    world.settle_on(main=USUAL, second=USUAL)
    world.pass_time(MINUTE)
    world.wait()
    assert [name for name, _ in world.begun] == ["main", "second"]
    assert list(world.planned[-1].connections) == ["main", "second"]


def test_nothing_is_begun_by_settings_that_cannot_be_used(works):
    """Runs would read them, too, and each connection would fail. What is wrong is told once; mended, work goes on."""
    world = works(main=USUAL)
    world.step()
    world.wait()
    world.settle_on(main="increment: every now and then")
    world.pass_time(15 * MINUTE)
    world.pass_time(MINUTE)
    assert len(world.begun) == 1
    world.settle_on(main=USUAL)
    world.step()
    world.wait()
    assert len(world.begun) == 2
    (problem,) = [event for event in world.events if isinstance(event, Unusable)]
    assert "foretag.yaml:8" in problem.problems[0]


def test_settings_whose_file_was_away_are_good_again(works):
    """As they were: nothing else would say that what was told is over."""
    world = works(main=USUAL)
    world.step()
    world.wait()
    held = world.path.read_bytes()
    world.path.unlink()
    world.pass_time(MINUTE)
    world.pass_time(MINUTE)
    world.path.write_bytes(held)
    world.pass_time(MINUTE)
    assert [type(event) for event in world.events] == [Ended, Unusable]
    assert len(world.planned) == 2


def test_only_a_connection_whose_zones_changed_is_planned_anew(works):
    """Of ten thousand connections the others' work stays as it was worked out; and tasks are made by the new zones."""
    tasks = "increment: every 15m, full: null, reconcile: null, tasks: 0 7 * * *, jitter: 0s"
    world = works(main=tasks, other=tasks)
    for name in ("main", "other"):
        world.ledger.bind(name, name, "Org", live=True)
    world.step()
    world.wait()
    world.wait()
    before = {id(work) for work in world.scheduled}
    world.ledger.zones.keep("main", ["Asia/Kolkata", "Europe/Oslo"])
    world.pass_time(15 * MINUTE)
    world.wait()
    world.wait()
    fresh = [work for work in world.scheduled if id(work) not in before]
    assert {(work.connection, work.zone) for work in fresh} == {
        ("main", ""),
        ("main", "Asia/Kolkata"),
        ("main", "Europe/Oslo"),
    }
    assert len(world.scheduled) == 5


def test_zones_that_another_workers_run_saw_hold_for_every_worker(works):
    """Else it would make the tasks of all owners at once, in the org's morning, beside those by zones."""
    world = works(main="increment: null, full: null, reconcile: null, tasks: 0 13 * * *, jitter: 0s")
    world.ledger.bind("main", "main", "Org", live=True)
    world.step()
    (work,) = world.scheduled
    assert work.zone == ""
    world.ledger.zones.keep("main", ["Asia/Kolkata"])
    world.pass_time(timedelta(hours=1))
    assert world.begun == []
    assert [work.zone for work in world.scheduled] == ["Asia/Kolkata"]


AWAY = HistoryAway("The history's database is away")
# The password is being replaced, and its file is not yet.
SHUT = ConfigProblem(Problem("the history cannot be opened: password authentication failed"))


@pytest.mark.parametrize("error", [AWAY, SHUT], ids=["away", "shut"])
def test_while_the_history_is_away_nothing_is_lost(works, monkeypatch, error):
    """How a run ended is written down once the history is there again, and only then work goes on."""
    world = works(main=USUAL)
    world.step()
    with monkeypatch.context() as patched:
        patched.setattr(world.ledger, "fires", Away(error))
        world.wait()
        assert world.events == []
    world.pass_time(MINUTE)
    (ended,) = world.events
    assert ended.exit_code == 0
    assert world.ledger.fires.last()[WorkName("main", "increment")].exit_code == 0


class Away:
    """A history of which nothing can be asked."""

    def __init__(self, error=AWAY):
        self._error = error

    def __getattr__(self, name):
        raise self._error


def test_while_the_history_is_away_a_worker_can_stop(works, monkeypatch):
    """It kills what does not park in time, and waits for nobody to write down how that ended."""
    world = works(service="grace: 25s", main=USUAL)
    os.mkfifo(world.folder / "ready")
    world.programs["main"] = DEAF
    world.step()
    (world.folder / "ready").read_text()
    monkeypatch.setattr(world.ledger, "fires", Away())
    monkeypatch.setattr(world.ledger, "workers", Away())
    world.step(signal.SIGTERM)
    world.pass_time(timedelta(seconds=26))
    world.wait()
    assert not world.worker._children


def test_what_was_taken_while_the_line_was_cut_is_begun(works, monkeypatch):
    """The history wrote down whose it is, and nobody heard: it is begun once the history answers, and only once."""
    world = works(main=USUAL)
    take = world.ledger.fires.take

    def cut(*what):
        take(*what)
        raise AWAY

    with monkeypatch.context() as patched:
        patched.setattr(world.ledger.fires, "take", cut)
        world.step()
        assert world.begun == []
    world.step()
    world.wait()
    world.step()
    assert world.begun == [("main", "increment")]


def test_what_could_not_be_started_is_begun_later(works, monkeypatch):
    """A machine without memory for one more process has some again in a while; what runs goes on."""
    world = works(main=USUAL)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(world.folder / "none"))
        world.step()
    world.begun.clear()
    world.pass_time(MINUTE)
    world.wait()
    assert world.begun == [("main", "increment")]
    assert [event.exit_code for event in world.events] == [0]


def test_a_run_that_was_done_when_it_was_told_to_stop_is_done(works):
    """It ended well in spite of it: nobody does it again."""
    world = works(main=USUAL)
    os.mkfifo(world.folder / "ready")
    world.programs["main"] = ENDS_WELL
    world.step()
    (world.folder / "ready").read_text()
    world.step(signal.SIGTERM)
    world.wait()
    assert [event.exit_code for event in world.events] == [0]
    assert world.ledger.fires.open() == []


def test_one_who_listens_badly_does_not_end_the_work(works):
    """An error of a listener is logged, and the next one is told."""
    world = works(main=USUAL)

    def breaks(_event):
        raise RuntimeError

    world.worker.listeners.insert(0, breaks)
    world.step()
    world.wait()
    assert len(world.events) == 1
