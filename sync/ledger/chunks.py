"""Many ids in statements of bounded length."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# SQLite takes some tens of thousands of values in a statement, other databases fewer.
MOST_VALUES = 500


def chunked(values: Collection[str]) -> Iterator[list[str]]:
    """The values, in lists that one statement takes."""
    listed = list(values)
    for start in range(0, len(listed), MOST_VALUES):
        yield listed[start : start + MOST_VALUES]
