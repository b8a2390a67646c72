"""Merging two records of a type into one: a new record with an id of its own, to which both old ids lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.errors import invalid, not_found
from connectors.sandbox.hubspot.history import Origin, Version
from connectors.sandbox.hubspot.records import MERGED

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.linking import Linker
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.parties import Caller
    from connectors.sandbox.hubspot.state import State

MERGED_IDS = "hs_merged_object_ids"
_MERGEABLE = frozenset({"contacts", "companies", "deals", "tickets"})


def merge(state: State, linker: Linker, caller: Caller, one: ObjectType, ids: tuple[str, str]) -> int:
    """Merge two records, the primary one first, and tell the row of what became of them.

    It has the primary record's values and, where that has none, the other's; the associations of both, of which
    the primary record's come first; and the older one's creation date.
    """
    if one.name not in _MERGEABLE:
        raise invalid(f"{one.plural_label} cannot be merged")
    records, now = state.records(one), state.now()
    primary, other = (_row(state, one, record_id) for record_id in ids)
    if primary == other:
        raise invalid("Cannot merge a record with itself")
    old = [records.ids[primary], records.ids[other]]
    state.check_lock(old)
    for row in (primary, other):
        state.remember(one.name, row)
    heir = records.add({}, now)
    state.remember(one.name, heir, new=True)
    records.created[heir] = min(records.created[primary], records.created[other])
    origin = Origin("MERGE_OBJECTS", caller.app_id, caller.username)
    fields = _inherit(state, one, heir, primary, None, now) + _inherit(state, one, heir, other, origin, now)
    for record_id in old:
        linker.move(one.name, record_id, records.ids[heir])
    for row in (primary, other):
        records.mark(row, MERGED, now)
        records.merged_into[records.ids[row]] = records.ids[heir]
    _remember_ids(state, one, heir, (primary, other))
    state.note(caller, "merge", one, [records.ids[heir], *old], fields, len(fields))
    return heir


def _row(state: State, one: ObjectType, record_id: str) -> int:
    row = state.records(one).find(record_id)
    if row is None:
        raise not_found(record_id)
    return row


def _inherit(
    state: State, one: ObjectType, heir: int, row: int, origin: Origin | None, now: int
) -> list[str]:
    """Give the heir what it lacks and this row has; the names of what that was.

    Without an origin all of it is kept as it was, with its past; with one it is noted as come from there, and what
    nobody can write stays behind.
    """
    records, filled = state.records(one), []
    for name, column in list(records.columns.items()):
        value, found = column[row], state.schema.find(one.name, name)
        if value is None or column[heir] is not None or name == MERGED_IDS:
            continue
        if origin is None:
            records.history.inherit(name, row, heir, value, records.created[row])
        elif found is None or found.read_only:
            continue
        else:
            records.history.note(heir, name, Version(value, now, origin), None, now)
        records.set(row, name, None)
        records.set(heir, name, value)
        filled.append(name)
    return filled


def _remember_ids(state: State, one: ObjectType, heir: int, rows: tuple[int, int]) -> None:
    records = state.records(one)
    earlier = [part for row in rows for part in (records.value(row, MERGED_IDS) or "").split(";") if part]
    ids = [*earlier, *(str(records.ids[row]) for row in rows)]
    records.set(heir, MERGED_IDS, ";".join(dict.fromkeys(ids)))
