"""The object store is away: nothing is wrong with what was asked for, and later it may go."""

from __future__ import annotations


class StoreAway(Exception):  # noqa: N818  # named after what happened
    """The object store is away, or does not answer in time: stop, exit 69; the next run takes up what is open."""
