"""Several calls in flight at once, so that the portal's rate is used up although each reply takes its time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Task = TypeVar("Task")
Result = TypeVar("Result")

# 19 calls a second, and batches that take up to half a second each.
IN_FLIGHT = 10


def fly(run: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """The results in the order of the tasks. Whatever ends it early, nothing more is begun."""
    if len(tasks) < 2:
        yield from map(run, tasks)
        return
    stop = Event()

    def unless_stopped(task: Task) -> Result:
        if stop.is_set():
            raise RuntimeError("stopped before it began")
        try:
            return run(task)
        except BaseException:
            stop.set()
            raise

    pool = ThreadPoolExecutor(min(IN_FLIGHT, len(tasks)), thread_name_prefix="hubspot")
    try:
        for future in [pool.submit(unless_stopped, task) for task in tasks]:
            yield future.result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
