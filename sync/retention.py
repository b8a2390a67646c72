"""Retention: what is kept for a while is erased when that is over; if nothing is due, at the cost of one query."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from sync.store.erasing import erase, forget_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.job import Job
    from sync.store.place import Place

_RUN = "run="


def erase_expired(job: Job, today: date) -> None:
    """Erase old values, kept plans and deleted records whose time (`retention:` in the settings) is over."""
    kept = job.connection.retention
    _erase_values(job.place, today - timedelta(days=kept.values_days))
    _erase_deleted(job, today - timedelta(days=kept.deleted_days))


def _erase_values(place: Place, first: date) -> None:
    """Old and new values, and plans of backfills, of runs before a day. A run's name begins with its day, in UTC."""
    for table in (place / "journal").tables():
        partitions = [name for name in table.names() if name.startswith(_RUN)]
        old = [name for name in partitions if _is_before(name.removeprefix(_RUN), first)]
        if old:
            runs = ", ".join(f"'{name.removeprefix(_RUN)}'" for name in old)
            delta = table.existing_table()
            table.fence()
            delta.delete(f"run IN ({runs})")
            forget_versions(table)
            for name in old:
                (table / name).remove()
    plans = place / "backfills"
    for name in plans.names():
        if _is_before(name, first):
            (plans / name).remove()


def _is_before(run: str, first: date) -> bool:
    try:
        day = datetime.strptime(run.partition("-")[0], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return False
    return day < first


def _erase_deleted(job: Job, first: date) -> None:
    """Records that were deleted in the CRM before a day, and have not come back since."""
    moment = datetime.combine(first, time())
    due = job.ledger.forgetting.gone_before(job.name, moment)
    for object_name, ids in due.items():
        living = set(_living(job, object_name, ids))
        job.ledger.forgetting.is_back(job.name, object_name, living)
        gone = sorted(set(ids) - living)
        if gone:
            erase(job.place, {object_name: gone}, hanging=False)
            job.ledger.forgetting.erase(job.name, object_name, gone, task_keys=False)


def _living(job: Job, object_name: str, ids: list[str]) -> Iterator[str]:
    yield from job.mirror.read(object_name, ("id",), ids=pa.array(ids, pa.string()))["id"].to_pylist()
