"""Forget a record: erase it, and all that hangs on it, from everything that is kept beside the CRM, and keep it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from config.outputs import OBJECTS
from config.problems import ConfigProblem, Problem
from sync.store.erasing import deals_of, erase, rows_about
from sync.store.files import sweep_copies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.job import Job
    from sync.store.place import Place


@dataclass(frozen=True)
class Kept:
    """What is kept of a record: rows by table, those of what hangs on it among them. `deals` are an account's.

    `again`: it was forgotten before, perhaps not to the end.
    """

    object: str
    id: str
    name: str
    deals: tuple[str, ...]
    rows: Mapping[str, int]
    again: bool

    @property
    def records(self) -> dict[str, list[str]]:
        """All records that go, by object."""
        own = {self.object: [self.id]}
        return own | {"opportunity": list(self.deals)} if self.deals else own


def kept_of(job: Job, record_id: str, object_name: str | None = None) -> Kept:
    """What is kept of an account or opportunity. Raises `ConfigProblem` if that is nothing, or might be either."""
    found = [
        kept for name in OBJECTS if object_name in (None, name) and (kept := _kept(job, name, record_id))
    ]
    if not found:
        raise ConfigProblem(
            Problem(
                f"nothing is kept of a record {record_id}",
                where=job.name,
                fix="give the id of an account or opportunity (company or deal), as `foretag explain` shows it",
            )
        )
    if len(found) > 1:
        words = " and of ".join(job.crm.nouns[kept.object].one for kept in found)
        fix = " or ".join(f"--object {job.crm.nouns[kept.object].one}" for kept in found)
        raise ConfigProblem(Problem(f"{record_id} is the id of a {words}", where=job.name, fix=f"add {fix}"))
    return found[0]


def forget(job: Job, kept: Kept) -> None:
    """Erase it. What must not come back is durable first: whoever is killed here repeats it."""
    with job.ledger.leases.hold(job.name):
        sweep_copies(job.scratch)
        forgetting = job.ledger.forgetting
        for object_name, ids in kept.records.items():
            forgetting.remember(job.name, object_name, ids)
        erase(job.place, kept.records, hanging=True)
        for plan in _plans_with(job.place, kept.records):
            plan.remove()
        for object_name, ids in kept.records.items():
            forgetting.erase(job.name, object_name, ids)


def _kept(job: Job, object_name: str, record_id: str) -> Kept | None:
    deals = tuple(deals_of(job.place, [record_id])) if object_name == "account" else ()
    held = job.mirror.read(object_name, ("id", "name"), ids=pa.array([record_id], pa.string()))
    name = str(held["name"][0]) if held.num_rows else ""
    again = job.forgotten.has(object_name, record_id)
    kept = Kept(object_name, record_id, name, deals, {}, again)
    rows = rows_about(job.place, kept.records, hanging=True)
    if not rows and not again and not job.ledger.forgetting.knows(job.name, object_name, record_id):
        return None
    return Kept(object_name, record_id, name, deals, rows, again)


def _plans_with(place: Place, records: Mapping[str, list[str]]) -> list[Place]:
    """Plans kept for backfills that name one of these records: such a backfill is begun anew.

    With them whatever a crash left torn beside them: nobody reads it any more, and it may name anybody.
    """
    wanted = {one for ids in records.values() for one in ids}
    plans = place / "backfills"
    return [
        plans / name
        for name in plans.names()
        if not name.endswith(".plan") or _names_one_of(wanted, (plans / name).read())
    ]


def _names_one_of(ids: set[str], plan: bytes) -> bool:
    file = pq.ParquetFile(pa.BufferReader(plan))
    columns = [name for name in ("id", "parent_id") if name in file.schema_arrow.names]
    return any(not ids.isdisjoint(column.to_pylist()) for column in file.read(columns))
