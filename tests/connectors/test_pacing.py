"""The pace: what leaves when, as the CRM's own count sees it, whatever the latency and however many threads."""

from __future__ import annotations

import contextlib
import math
import threading
from collections import deque

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.pacing import SLACK, Pace


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.now += seconds


class Server:
    """Counts requests in a rolling window, at any moment while they are under way, and refuses one too many."""

    def __init__(self, limit: int, interval: float) -> None:
        self.limit, self.interval = limit, interval
        self.counted: deque[float] = deque()

    def count(self, now: float) -> None:
        """A request, counted now."""
        while self.counted and self.counted[0] <= now - self.interval:
            self.counted.popleft()
        self.counted.append(now)
        assert len(self.counted) <= self.limit


def pace(clock: Clock, limit: int = 5, interval: float = 10.0) -> Pace:
    """A pace on a clock."""
    return Pace(limit, interval, monotonic=clock, sleep=clock.sleep)


def test_as_many_leave_at_once_as_are_allowed() -> None:
    """The first requests of a window wait for nothing."""
    clock = Clock()
    lane = pace(clock)
    for _ in range(5):
        lane.take()
        lane.give_back()
    assert clock.now == 1000.0


def test_one_more_waits_for_the_interval_after_the_first_reply() -> None:
    """A slot is free again an interval after its reply, not after its request."""
    clock = Clock()
    lane = pace(clock, limit=1)
    lane.take()
    clock.sleep(3.0)
    lane.give_back()
    lane.take()
    assert clock.now == pytest.approx(1013.0 + SLACK)


@given(
    limit=st.integers(1, 7),
    steps=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1)), min_size=1, max_size=60),
)
@example(limit=2, steps=[(0.009, 1.0), (0.011, 0.0), (0.0, 0.0)])
def test_no_server_ever_sees_one_too_many(limit: int, steps: list[tuple[float, float]]) -> None:
    """Whenever the server counts a request, between its leaving and its reply, it never has to refuse it.

    Our clock ticks a hundred times a second.
    """
    clock, server = Clock(), Server(limit, 10.0)
    lane = Pace(
        limit,
        10.0,
        monotonic=lambda: math.floor(clock.now * 100) / 100,
        sleep=lambda seconds: clock.sleep(max(seconds, 0.001)),
    )
    for latency, share in steps:
        lane.take()
        clock.sleep(latency * share)
        server.count(clock.now)
        clock.sleep(latency * (1 - share))
        lane.give_back()


def test_the_allowed_rate_is_kept_busy() -> None:
    """A thousand requests take the windows that a limit of 100 per 10 s makes of them, and little more."""
    clock = Clock()
    lane = pace(clock, limit=100)
    for _ in range(1000):
        lane.take()
        lane.give_back()
    floor = (1000 - 100) / 100 * 10.0
    assert floor <= clock.now - 1000.0 <= floor * 1.01


def test_threads_get_their_slots_in_turn_without_sleeping_twice() -> None:
    """Many threads that wait for one lane let no more time pass than one would."""
    clock = Clock()
    lane = pace(clock, limit=10)

    def send() -> None:
        lane.take()
        lane.give_back()

    threads = [threading.Thread(target=send) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert clock.now - 1000.0 == pytest.approx(20.0, abs=1.0)


def test_nobody_sleeps_for_a_slot_that_another_thread_gets() -> None:
    """One waits for the next slot, the others behind it."""
    clock, both, met = Clock(), threading.Barrier(2), []

    def sleep(seconds: float) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)
            met.append(1)
        clock.sleep(seconds)

    lane = Pace(2, 10.0, monotonic=clock, sleep=sleep)
    for _ in range(2):
        lane.take()
        lane.give_back()
    threads = [threading.Thread(target=lane.take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert met == []


def test_when_all_slots_are_under_way_a_reply_is_waited_for() -> None:
    """No time passes by itself while every slot is out: only a reply frees one."""
    clock = Clock()
    lane = pace(clock, limit=1)
    lane.take()
    got = threading.Event()

    def second() -> None:
        lane.take()
        got.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not got.wait(0.05)
    lane.give_back()
    thread.join(10)
    assert got.is_set()
    assert clock.now == pytest.approx(1010.0 + SLACK)


def test_a_refusal_holds_everything_for_an_interval() -> None:
    """After one too many nothing leaves for a whole interval, although slots are free."""
    clock = Clock()
    lane = pace(clock)
    lane.hold()
    lane.take()
    assert clock.now == pytest.approx(1010.0 + SLACK)


def test_what_others_use_is_not_used_again() -> None:
    """Where the CRM says that less is left than we know of, the rest of the window is others'."""
    clock = Clock()
    lane = pace(clock, limit=100)
    lane.learn(lane.take(), 10, 2, 10.0)
    lane.give_back()
    for _ in range(2):
        lane.take()
        lane.give_back()
    assert clock.now == 1000.0
    lane.take()
    assert clock.now == pytest.approx(1010.0 + SLACK)


def test_a_larger_limit_is_used_at_once() -> None:
    """What is learned from the first reply holds for the next request."""
    clock = Clock()
    lane = pace(clock, limit=1)
    lane.learn(lane.take(), 190, 189, 10.0)
    lane.give_back()
    for _ in range(189):
        lane.take()
        lane.give_back()
    assert clock.now == 1000.0


def test_an_old_reply_does_not_make_our_own_requests_others() -> None:
    """What a slow reply counted has left the window by now: nothing is held back for it."""
    clock = Clock()
    lane = pace(clock, limit=10)
    slow = lane.take()
    for _ in range(9):
        lane.take()
        lane.give_back()
    clock.sleep(10.5)
    lane.take()
    lane.learn(slow, 10, 0, 10.0)
    lane.give_back()
    lane.give_back()
    for _ in range(8):
        lane.take()
    assert clock.now == 1010.5
