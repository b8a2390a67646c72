"""Where the work on each bucket of a book is done: in this process, unless somebody hands in workers."""

from __future__ import annotations

from functools import partial
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


class Here:
    """This process, one bucket after the other."""

    def check(self) -> None:
        """It can be done here."""

    def keep(self, function: Callable[..., Any], *parts: Iterable[Any], **same: Any) -> Sequence[Any]:
        """All results."""
        return tuple(self.each(function, *parts, **same))

    def each(self, function: Callable[..., Any], *parts: Iterable[Any], **same: Any) -> Iterator[Any]:
        """Each result as it is asked for: of large ones, one is held at a time."""
        return map(partial(function, **same), *parts)


HERE = Here()
