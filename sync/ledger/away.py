"""The history's database is away: nothing is wrong with what was asked for, and later it may go."""

from __future__ import annotations


class HistoryAway(Exception):  # noqa: N818  # named after what happened
    """The history's database is away, or does not answer in time: stop, exit 69; the next run takes up what is open."""
