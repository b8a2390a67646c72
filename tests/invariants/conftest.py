"""The world of `tests/world.py`, for the invariants."""

from tests.world import EVERY_RECORD, World

__all__ = ["EVERY_RECORD", "World"]
