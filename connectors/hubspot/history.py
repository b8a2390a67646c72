"""What records held at a past moment, from the history that HubSpot keeps of their properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from config.records import STAMP
from connectors.hubspot.by_id import read_by_id
from connectors.hubspot.records import ID, Cells
from connectors.hubspot.replies import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from connectors.hubspot.api import Api
    from connectors.hubspot.plans import Plan
    from connectors.hubspot.records import Record

# HubSpot remembers so many values of a property; what was before the oldest of a full list is not known.
MOST_VERSIONS = 20
# Records that are read, and made into a table, together.
TOGETHER = 1_000
# HubSpot works these out itself, and may show only the present value: then its stage tells what they were.
_CALCULATED = "CALCULATED"
_STAGES = ("dealstage", "hs_pipeline_stage")


def past(api: Api, plan: Plan, ids: Sequence[str], as_of: datetime) -> Iterator[pa.Table]:
    """Tables as the contract's `history` has them, of the columns that the plan reads.

    Associations have no history: columns made of them are not told.
    """
    for start in range(0, len(ids), TOGETHER):
        part = ids[start : start + TOGETHER]
        records = read_by_id(api, plan.hs_object, part, plan.properties, history=True)
        if records:
            yield _as_of(plan, [_Then(record, as_of) for record in records])


class _Then:
    """One record at a past moment: the value of each property then, and the properties whose value is known."""

    def __init__(self, record: Record, as_of: datetime) -> None:
        self.values: dict[str, str | None] = {ID: str(record["id"])}
        # The stamp is that of now: a row must have one.
        self.record = {**record, "properties": self.values}
        self.known = {ID}
        self.entered: datetime | None = None
        for name, told in (record.get("propertiesWithHistory") or {}).items():
            versions = _versions(told)
            before = [version for version in versions if version.at < as_of]
            if before or not _forgotten(told, versions):
                self.known.add(name)
                self.values[name] = before[-1].value if before else None
            if name in _STAGES:
                self.entered = _since(before)

    def knows(self, name: str, also: Sequence[str]) -> bool:
        """Whether a column made of this property, else of those, is known."""
        return name in self.known or (bool(also) and self.known.issuperset(also))


def _as_of(plan: Plan, then: Sequence[_Then]) -> pa.Table:
    """Canonical rows of then, with what is told of each."""
    cells = Cells.of_records([one.record for one in then], plan.properties)
    page = plan.page(cells, {})
    wanted = pa.array([one.values[ID] for one in then], pa.string())
    rows = page.table.take(pc.index_in(wanted, value_set=page.table["id"].combine_chunks()))
    table = pa.table({"id": wanted})
    for column in (name for name in page.table.column_names if name not in ("id", "modified_at")):
        values, told = rows[column], _told(plan, column, then)
        if column == "stage_changed_at":
            values = pa.chunked_array([pa.array([one.entered for one in then], STAMP)])
        if plan.supplemented(column):
            # What only its stage told, or its currency, may tell nothing.
            sure = pa.array([plan.main(column) in one.known for one in then])
            told = pc.and_(told, pc.or_(sure, pc.is_valid(values)))
        # A record that cannot be read tells nothing.
        told = pc.and_(told, pc.is_valid(rows["id"]))
        table = table.append_column(column, pc.if_else(told, values, None))
        table = table.append_column(f"told_{column}", told)
    return table


def _told(plan: Plan, column: str, then: Sequence[_Then]) -> pa.Array:
    name, also = plan.main(column), plan.supplemented(column)
    return pa.array([one.knows(name, also) for one in then], pa.bool_())


class _Version(NamedTuple):
    at: datetime
    value: str | None
    calculated: bool


def _versions(told: Sequence[Mapping[str, Any]]) -> list[_Version]:
    """The values that a property had, oldest first; an empty text is none. None at all if a time cannot be read."""
    found = [
        _Version(at, one.get("value") or None, one.get("sourceType") == _CALCULATED)
        for one in told
        if (at := moment(one.get("timestamp"))) is not None and at.tzinfo is not None
    ]
    return sorted(found, key=lambda version: version.at) if len(found) == len(told) else []


def _forgotten(told: Sequence[Mapping[str, Any]], versions: Sequence[_Version]) -> bool:
    """Whether a property that is only told to have had later values may have had an earlier one."""
    return len(told) >= MOST_VERSIONS or (bool(told) and (not versions or versions[0].calculated))


def _since(before: Sequence[_Version]) -> datetime | None:
    """Since when a property had the last of these values."""
    since = None
    for version in reversed(before):
        if version.value != before[-1].value:
            break
        since = version.at
    return since
