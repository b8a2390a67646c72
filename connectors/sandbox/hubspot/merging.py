"""Merging two records of a type into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.effects import set_value
from connectors.sandbox.hubspot.errors import invalid, not_found
from connectors.sandbox.hubspot.history import Origin
from connectors.sandbox.hubspot.records import MERGED

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.linking import Linker
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.parties import Caller
    from connectors.sandbox.hubspot.state import State

MERGED_IDS = "hs_merged_object_ids"
_MERGEABLE = frozenset({"contacts", "companies", "deals", "tickets"})


def merge(state: State, linker: Linker, caller: Caller, one: ObjectType, ids: tuple[str, str]) -> int:
    """Merge the second record into the first, and tell the winner's row.

    What the winner lacks comes from the loser; associations move to the winner; the loser's id leads to it.
    """
    if one.name not in _MERGEABLE:
        raise invalid(f"{one.plural_label} cannot be merged")
    records, now = state.records(one), state.now()
    winner, loser = (_row(state, one, record_id) for record_id in ids)
    if winner == loser:
        raise invalid("Cannot merge a record with itself")
    state.check_lock((records.ids[winner], records.ids[loser]))
    for row in (winner, loser):
        state.remember(one.name, row)
    origin = Origin("MERGE_OBJECTS", caller.app_id, caller.username)
    filled = _fill(state, one, winner, loser, origin, now)
    linker.move(one.name, records.ids[loser], records.ids[winner])
    records.mark(loser, MERGED, now)
    records.merged_into[records.ids[loser]] = records.ids[winner]
    _remember_ids(state, one, winner, loser)
    records.modified[winner] = now
    state.note(caller, "merge", one, [records.ids[winner], records.ids[loser]], filled, len(filled))
    return winner


def _row(state: State, one: ObjectType, record_id: str) -> int:
    row = state.records(one).find(record_id)
    if row is None:
        raise not_found(record_id)
    return row


def _fill(state: State, one: ObjectType, winner: int, loser: int, origin: Origin, now: int) -> list[str]:
    """Give the winner what only the loser has."""
    records = state.records(one)
    filled: list[str] = []
    for name, found in state.schema.properties[one.name].items():
        value: Any = records.value(loser, name)
        if value is None or found.read_only or records.value(winner, name) is not None:
            continue
        records.set(loser, name, None)
        set_value(state, one.name, winner, name, value, origin, now)
        filled.append(name)
    return filled


def _remember_ids(state: State, one: ObjectType, winner: int, loser: int) -> None:
    records = state.records(one)
    held = [records.value(row, MERGED_IDS) for row in (winner, loser)]
    ids = [*(held[0] or "").split(";"), *(held[1] or "").split(";"), str(records.ids[loser])]
    records.set(winner, MERGED_IDS, ";".join(dict.fromkeys(each for each in ids if each)))
