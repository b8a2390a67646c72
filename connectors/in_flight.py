"""Several calls at once, their results in order: what a CRM's latency costs is paid once, not per call."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_flight(function: Callable[[Item], Result], items: Iterable[Item], width: int) -> Iterator[Result]:
    """`function` of each item, in the order of the items, by at most `width` threads.

    No more than `width` results are under way or waiting to be looked at, so that memory stays bounded, and items
    are taken no earlier. The first error ends it: what is under way is waited for, the rest is not begun.
    """
    rest = iter(items)
    with ThreadPoolExecutor(width) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            while True:
                for item in islice(rest, width - len(waiting)):
                    waiting.append(pool.submit(function, item))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
