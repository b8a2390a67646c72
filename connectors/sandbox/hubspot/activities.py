"""What tasks, notes, calls, emails and meetings say about the records they are logged on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.records import LIVING
from connectors.sandbox.hubspot.stamps import parse_stamp, wire_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors.sandbox.hubspot.state import State

ACTIVITY_TYPES = ("tasks", "notes", "calls", "emails", "meetings")
_CONTACT = ("calls", "emails", "meetings")


def _linked(state: State, type_name: str, row: int, kinds: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    record_id = state.tables[type_name].ids[row]
    for kind in kinds:
        there = state.tables[kind]
        for other in state.links.of(type_name, kind, record_id):
            place = there.row_of(other)
            if there.state[place] == LIVING:
                yield kind, place


def _moment(state: State, kind: str, row: int) -> int | None:
    """When an activity took, or takes, place: a task when it was done, or else when it is due."""
    records = state.tables[kind]
    done = records.value(row, "hs_task_completion_date") if kind == "tasks" else None
    text = done or records.value(row, "hs_timestamp")
    return None if text is None else parse_stamp(text)


def _is_open(state: State, kind: str, row: int) -> bool:
    return kind == "tasks" and state.tables[kind].value(row, "hs_task_status") != "COMPLETED"


def _last(kinds: tuple[str, ...]) -> Callable[[State, str, int], str | None]:
    """The latest activity that has taken place. A task that is still open is none."""

    def latest(state: State, type_name: str, row: int) -> str | None:
        now = state.now()
        found = [
            at
            for kind, place in _linked(state, type_name, row, kinds)
            if not _is_open(state, kind, place)
            and (at := _moment(state, kind, place)) is not None
            and at <= now
        ]
        return wire_stamp(max(found)) if found else None

    return latest


def _next(state: State, type_name: str, row: int) -> str | None:
    now = state.now()
    found = [
        at
        for kind, place in _linked(state, type_name, row, ("tasks", "meetings", "calls"))
        if (_is_open(state, kind, place) or kind != "tasks")
        and (at := _moment(state, kind, place)) is not None
        and at > now
    ]
    return wire_stamp(min(found)) if found else None


def _count(state: State, type_name: str, row: int) -> str | None:
    total = sum(
        1
        for kind, place in _linked(state, type_name, row, ACTIVITY_TYPES)
        if not _is_open(state, kind, place)
    )
    return str(total)


def _contacted(state: State, type_name: str, row: int) -> str | None:
    now = state.now()
    moments = (_moment(state, kind, place) for kind, place in _linked(state, type_name, row, _CONTACT))
    return str(sum(1 for at in moments if at is not None and at <= now))


def _overdue(state: State, type_name: str, row: int) -> str | None:
    now = state.now()
    return str(sum(1 for at in _open_tasks(state, type_name, row) if at < now))


def _last_open(state: State, type_name: str, row: int) -> str | None:
    due = list(_open_tasks(state, type_name, row))
    return wire_stamp(max(due)) if due else None


def _open_tasks(state: State, type_name: str, row: int) -> Iterator[int]:
    for kind, place in _linked(state, type_name, row, ("tasks",)):
        at = _moment(state, kind, place)
        if _is_open(state, kind, place) and at is not None:
            yield at


ACTIVITY_PROPERTIES: Mapping[str, Callable[[State, str, int], str | None]] = {
    "notes_last_updated": _last(ACTIVITY_TYPES),
    "notes_last_contacted": _last(_CONTACT),
    "hs_last_sales_activity_timestamp": _last(_CONTACT),
    "hs_last_booked_meeting_date": _last(("meetings",)),
    "notes_next_activity_date": _next,
    "num_notes": _count,
    "num_contacted_notes": _contacted,
    "hs_number_of_overdue_tasks": _overdue,
    "hs_last_open_task_date": _last_open,
}


def activity_value(state: State, type_name: str, name: str, row: int) -> str | None:
    """One of these properties of a record."""
    return ACTIVITY_PROPERTIES[name](state, type_name, row)
