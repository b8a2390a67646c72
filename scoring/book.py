"""What the whole book says: horizon, quintiles, peers, base rates, ranks, and tier cut-offs per owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from config.rules import Rules
    from scoring.features import Features, Tables


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that one account's score needs to know of the others; a few kilobytes."""

    horizon: int

    def to_json(self) -> str:
        """As text, to keep between a full run and the increments after it."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, text: str) -> Book:
        """A kept book. Raises `ValueError` if another version of Foretag wrote it."""
        raise NotImplementedError


def read_book(buckets: Iterable[Tables], rules: Rules, today: date) -> tuple[Book, tuple[Features, ...]]:
    """Read all buckets (twice: `buckets` must be iterable again, a list or an object that re-opens them).

    Every statistic is a sum of integers over buckets, so neither their number nor any order matters.
    The features come back too, one for each bucket in order, so that `tag` need not extract them again.
    """
    raise NotImplementedError
