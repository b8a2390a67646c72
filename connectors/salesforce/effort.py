"""What a run costs an org at the least, in API calls and seconds: for quotes, and to judge what was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.contract import Effort
from connectors.salesforce.collections import MOST_RECORDS
from connectors.salesforce.tasks import KEYS_PER_QUERY

if TYPE_CHECKING:
    from collections.abc import Mapping

# One bulk job's worth.
PORTION = 100_000
# A job is created, filled, closed, looked at once, and its results are fetched; a query job is never filled or closed.
_CALLS_OF_WRITE_JOB = 5
_CALLS_OF_QUERY_JOB = 3
_ROWS_IN_A_PAGE = 2_000
_ROWS_IN_A_RESULT = 100_000
# Who the org is, and its limits: once in a run.
_CALLS_OF_ANY_RUN = 2
# In an org with little automation of its own; what a connection was measured at goes before this.
_SECONDS_OF_CALL = 1.0
_BULK_RECORDS_A_SECOND = 500.0


def effort(object_name: str, records: int, bulk_threshold: int) -> Effort:
    """The least that one write of so many records takes, if Salesforce refuses none and keeps nobody waiting."""
    if object_name == "task":
        # Each key is looked up before its task is made.
        calls = _parts(records, KEYS_PER_QUERY) + _parts(records, MOST_RECORDS)
        return Effort(calls, calls * _SECONDS_OF_CALL)
    if records < bulk_threshold:
        calls = _parts(records, MOST_RECORDS)
        return Effort(calls, calls * _SECONDS_OF_CALL)
    return Effort(_parts(records, PORTION) * _CALLS_OF_WRITE_JOB, records / _BULK_RECORDS_A_SECOND)


def least_calls(read: Mapping[str, int], written: Mapping[str, int], bulk_threshold: int) -> int:
    """The fewest calls in which a run can read, and write, so many records of each object.

    Who the org is and its limits: 2. For each object read: its description, and a query by pages of 2,000 rows, or
    by a job whose results come 100,000 rows at a time, whichever is fewer. For what is written: 200 records to a
    call; or, from `bulk_threshold` on, a job for each 100,000, which is created, filled, closed, looked at once and
    asked for its results. Beyond this go counts and questions for deleted records, more looks at slow jobs, repeats
    after errors, and what is refused: of those, fewer are better and none is always possible.
    """
    reading = sum(1 + _read(rows) for rows in read.values())
    writing = sum(effort(name, records, bulk_threshold).calls for name, records in written.items())
    return _CALLS_OF_ANY_RUN + reading + writing


def _read(rows: int) -> int:
    job = _CALLS_OF_QUERY_JOB - 1 + _parts(rows, _ROWS_IN_A_RESULT)
    return max(min(_parts(rows, _ROWS_IN_A_PAGE), job), 1)


def _parts(records: int, size: int) -> int:
    return -(-records // size)
