"""Several calls at once, their results in order: what a CRM's latency costs is paid once, not per call."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, wait
from contextvars import copy_context
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_flight(function: Callable[[Item], Result], items: Iterable[Item], width: int) -> Iterator[Result]:
    """`function` of each item, in the order of the items, by at most `width` threads.

    No more than `width` results are under way or waiting to be looked at, so that memory stays bounded, and items
    are taken no earlier. The first error ends it: what is under way is waited for, the rest is not begun. Whoever
    is told to stop meanwhile, by a signal, or stops asking waits for nothing: the threads end with the process.
    """
    rest = iter(items)
    waiting: deque[Future[Result]] = deque()
    try:
        while True:
            waiting.extend(_begun(function, item) for item in islice(rest, width - len(waiting)))
            if not waiting:
                return
            first = waiting.popleft()
            if first.exception() is not None:
                wait(waiting)
            yield first.result()
    finally:
        if isinstance(rest, Generator):
            rest.close()


def _begun(function: Callable[[Item], Result], item: Item) -> Future[Result]:
    """The result to come of a call. A pool's threads would hold up the end of the process; these do not."""
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(function(item))
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that wants the result
            future.set_exception(error)

    # With the names that log lines carry.
    threading.Thread(target=copy_context().run, args=(work,), daemon=True).start()
    return future
