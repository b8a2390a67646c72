"""Several calls at once: in order, never more than allowed, and left at once by whoever is told to stop."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from connectors.in_flight import in_flight

if TYPE_CHECKING:
    from collections.abc import Iterator

# Longer than any test.
FOR_EVER = 600


class Told(Exception):  # noqa: N818  # as a signal's exception is
    """A signal came."""


@contextmanager
def told_soon(seconds: float = 0.05) -> Iterator[None]:
    """A signal comes in a moment, while the main thread is within the block."""

    def tell(*_: object) -> None:
        raise Told

    before = signal.signal(signal.SIGALRM, tell)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_results_come_in_the_order_of_the_items() -> None:
    """Whoever is quicker waits."""
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            second_is_done.wait(FOR_EVER)
        if item == 2:
            second_is_done.set()
        return item * 10

    assert list(in_flight(work, [1, 2, 3], 2)) == [10, 20, 30]


def test_no_more_than_the_width_are_begun_before_somebody_looks() -> None:
    """What nobody takes bounds what is begun, and so the memory."""
    begun: list[int] = []
    results = in_flight(begun.append, range(100), 3)
    next(results)
    assert sorted(begun) == [0, 1, 2]


def test_the_first_error_ends_it_when_what_is_under_way_is_done() -> None:
    """Nothing goes on behind the back of who deals with the error."""
    done: list[int] = []
    failed = threading.Event()

    def work(item: int) -> None:
        if item == 0:
            failed.set()
            raise ValueError("odd")
        failed.wait(FOR_EVER)
        done.append(item)

    with pytest.raises(ValueError, match="odd"):
        list(in_flight(work, range(100), 3))
    assert sorted(done) == [1, 2]


def test_who_is_told_to_stop_waits_for_no_reply() -> None:
    """A reply may take minutes, and its repetitions longer; threads that wait for one end with the process."""
    never = threading.Event()
    with told_soon(), pytest.raises(Told):
        list(in_flight(lambda _: never.wait(FOR_EVER), range(100), 3))
    waiting = [thread for thread in threading.enumerate() if not thread.daemon]
    never.set()
    assert waiting == [threading.main_thread()]


def test_what_the_items_come_from_is_closed_with_it() -> None:
    """Readers that fill it do not go on for nobody."""
    closed: list[bool] = []

    def items() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    def work(item: int) -> int:
        if item == 2:
            raise ValueError("odd")
        return item

    source = items()
    with pytest.raises(ValueError, match="odd"):
        list(in_flight(work, source, 1))
    assert closed
