"""What a run costs a portal at the least, in API calls and seconds: for quotes, and to judge what was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.contract import Effort
from connectors.hubspot.batches import MOST_INPUTS
from connectors.hubspot.imports import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

_RECORDS_IN_A_PAGE = 100
# What one call to associations takes; deals and tickets have such links, and tell no stamp of a change of them.
_LINKED = 1_000
_LINKED_OBJECTS = frozenset({"opportunity", "case", "line_item", "call", "email", "meeting", "task"})
# What the portal is: once in a run.
_CALLS_OF_ANY_RUN = 1
# An import is begun, looked at once, and asked for its errors.
_CALLS_OF_IMPORT = 3
# 190 calls in any ten seconds.
_CALLS_A_SECOND = 19.0
# Nobody promises any; what a connection was measured at goes before this.
_IMPORTED_A_SECOND = 300.0


def effort(object_name: str, records: int, bulk_threshold: int) -> Effort:
    """The least that one write of so many records takes, if HubSpot refuses none and keeps nobody waiting."""
    calls = _parts(records, MOST_INPUTS)
    if object_name == "task":
        # Each key is looked up before its task is made.
        calls *= 2
    elif records >= bulk_threshold:
        return Effort(_parts(records, MOST_ROWS) * _CALLS_OF_IMPORT, records / _IMPORTED_A_SECOND)
    return Effort(calls, calls / _CALLS_A_SECOND)


def least_calls(read: Mapping[str, int], written: Mapping[str, int], bulk_threshold: int) -> int:
    """The fewest calls in which a run can read, and write, so many records of each object.

    What the portal is: 1. For each object read: its properties, pages of 100 records, and of those that hang on
    companies and deals the links of 1,000 records to a call. For what is written: 100 records to a call; from
    `bulk_threshold` on an import for each 10,000, which is begun, looked at once and asked for its errors. Beyond
    this go counts and lists of archived records, pages of the recycle bin, links that moved without a stamp, repeats
    after errors, and what is refused: of those, fewer are better and none is always possible.
    """
    reading = sum(1 + _read(name, rows) for name, rows in read.items())
    writing = sum(effort(name, records, bulk_threshold).calls for name, records in written.items())
    return _CALLS_OF_ANY_RUN + reading + writing


def _read(object_name: str, rows: int) -> int:
    links = _parts(rows, _LINKED) if object_name in _LINKED_OBJECTS else 0
    return max(_parts(rows, _RECORDS_IN_A_PAGE), 1) + links


def _parts(records: int, size: int) -> int:
    return -(-records // size)
