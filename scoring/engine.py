"""Where the work on each bucket of a book is done: in this process, unless somebody hands in workers."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class Engine(Protocol):
    """Calls a function once for each bucket, in their order, with one value of each of `parts` and with `same`.

    The function, and all that is handed to it, can be pickled. Neither order nor place of the calls may matter.
    """

    def check(self) -> None:
        """Raise where the work cannot be done."""

    def keep(self, function: Callable[..., Any], *parts: Iterable[Any], **same: Any) -> Sequence[Any]:
        """Its results, which stay where they were made: they are `parts` of later calls, and nobody else's."""

    def each(self, function: Callable[..., Any], *parts: Iterable[Any], **same: Any) -> Iterator[Any]:
        """Its results, one after the other: so many fit in memory, or so few bytes, as the caller makes of them."""


# Two buckets at once: a large book takes twice the memory of one of its buckets, wherever it is scored.
TOGETHER = 2


class Here:
    """This process: of several buckets, as many at once as `TOGETHER`, in threads. What computes waits for no other."""

    def check(self) -> None:
        """It can be done here."""

    def keep(self, function: Callable[..., Any], *parts: Iterable[Any], **same: Any) -> Sequence[Any]:
        """All results."""
        return tuple(self.each(function, *parts, **same))

    def each(self, function: Callable[..., Any], *parts: Iterable[Any], **same: Any) -> Iterator[Any]:
        """Each result as it is asked for: of large ones, few are held at a time."""
        return _in_order(partial(function, **same), zip(*parts, strict=False))


def _in_order(function: Callable[..., Any], calls: Iterator[tuple[Any, ...]]) -> Iterator[Any]:
    """The results of calls, in their order; one call alone is made in the thread that asks.

    No more than `TOGETHER` are under way or waiting to be looked at, so that memory stays bounded.
    """
    begun = list(islice(calls, TOGETHER))
    if len(begun) < TOGETHER:
        yield from (function(*call) for call in begun)
        return
    pool = ThreadPoolExecutor(TOGETHER, "bucket")
    # With the names that log lines carry.
    waiting = deque(pool.submit(copy_context().run, function, *call) for call in begun)
    try:
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(copy_context().run, function, *call) for call in islice(calls, 1))
            yield result
            del result
    finally:
        # Whoever is told to stop, by a signal, waits for nothing but what is under way.
        pool.shutdown(wait=False, cancel_futures=True)


HERE = Here()
