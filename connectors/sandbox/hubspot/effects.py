"""What else changes when a property does: stamps of stages and owners, and sums on the records around."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.activities import ACTIVITY_TYPES
from connectors.sandbox.hubspot.history import CALCULATED, Origin, Version
from connectors.sandbox.hubspot.records import LIVING
from connectors.sandbox.hubspot.schema import STAGE_PROPERTIES
from connectors.sandbox.hubspot.stamps import wire_stamp

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from connectors.sandbox.hubspot.state import State

# Properties of a deal that its companies sum up.
_SUMMED = frozenset({"amount", "dealstage", "closedate", "deal_currency_code"})


def set_value(
    state: State, type_name: str, row: int, name: str, value: str, origin: Origin, now: int
) -> bool:
    """Set one property, with its history; tells whether it differs now."""
    records = state.tables[type_name]
    before = records.value(row, name)
    if (before or "") == value:
        return False
    records.history.note(row, name, Version(value, now, origin), before, records.created[row])
    records.set(row, name, value or None)
    return True


def follow(state: State, type_name: str, row: int, before: Mapping[str, str | None], now: int) -> None:
    """After changes (`before` has the old values of what changed): what HubSpot sets along with them."""
    records = state.tables[type_name]
    stage_name = STAGE_PROPERTIES.get(type_name, ("", ""))[0]
    if stage_name in before:
        _enter_stage(state, type_name, row, before[stage_name], now, chosen_close="closedate" in before)
    if before.keys() & {"hubspot_owner_id"}:
        records.set(row, "hubspot_owner_assigneddate", wire_stamp(now))
    if "hs_next_step" in before:
        records.set(row, "hs_next_step_updated_at", wire_stamp(now))
    if "hs_task_status" in before:
        done = records.value(row, "hs_task_status") == "COMPLETED"
        records.set(row, "hs_task_completion_date", wire_stamp(now) if done else None)


def _enter_stage(
    state: State, type_name: str, row: int, left: str | None, now: int, *, chosen_close: bool
) -> None:
    records = state.tables[type_name]
    stage = state.stage_of(type_name, row)
    if left is not None:
        records.set(row, f"hs_v2_date_exited_{left}", wire_stamp(now))
    if stage is None:
        return
    records.set(row, f"hs_v2_date_entered_{stage.id}", wire_stamp(now))
    records.set(row, f"hs_v2_date_exited_{stage.id}", None)
    was = state.stage(type_name, left)
    closes = stage.is_closed and (was is None or not was.is_closed)
    if type_name == "tickets":
        records.set(row, "closed_date", wire_stamp(now) if stage.is_closed else None)
    elif closes and not chosen_close:
        set_value(state, type_name, row, "closedate", wire_stamp(now), CALCULATED, now)


def recalculated(state: State, type_name: str, row: int, changed: Collection[str]) -> set[tuple[str, int]]:
    """Records (type, row) whose computed values a change touches: HubSpot stamps them anew."""
    if type_name == "deals" and not _SUMMED & set(changed):
        return set()
    if type_name == "deals":
        ends: tuple[str, ...] = ("companies",)
    elif type_name in ACTIVITY_TYPES:
        ends = ("companies", "deals", "contacts", "tickets")
    else:
        ends = ("deals",) if type_name == "line_items" else ()
    record_id = state.tables[type_name].ids[row]
    return {
        (end, state.tables[end].row_of(other))
        for end in ends
        for other in state.links.of(type_name, end, record_id)
        if state.tables[end].state[state.tables[end].row_of(other)] == LIVING
    }


def stamp(state: State, rows: Collection[tuple[str, int]], now: int) -> None:
    """Give records a new modification stamp."""
    for type_name, row in rows:
        state.remember(type_name, row)
        state.tables[type_name].modified[row] = now
