"""Which tasks and events are calls, e-mails and meetings with a customer, and on which day each took place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # Columns of bytes by field, as Salesforce calls them, of the same records.
    Cells = Mapping[str, pa.Array]


@dataclass(frozen=True, slots=True)
class Activity:
    """One kind of activity.

    Args:
        of: conditions that make a record one of this kind, for as long as it lives.
        done: conditions that may come to hold later: a first load reads those for which they do.
        needs: the fields that these conditions name.
        day_fields: the fields of which the day is made, as far as the org has them.
        day: makes it: a date, or a moment as text; null for what has not taken place.
    """

    of: tuple[str, ...]
    done: tuple[str, ...]
    needs: tuple[str, ...]
    day_fields: tuple[str, ...]
    day: Callable[[Cells], pa.Array]


def _of_task(cells: Cells) -> pa.Array:
    """The day that the rep gave it, else the one on which it was ticked off; none while it is open."""
    days = pc.coalesce(*(cells[name] for name in ("ActivityDate", "CompletedDateTime") if name in cells))
    return pc.if_else(pc.equal(cells["IsClosed"], b"true"), days, pa.scalar(None, days.type))


def _of_event(cells: Cells) -> pa.Array:
    """The day of its beginning; that of an all-day event is a date, which no time zone moves."""
    date, start = cells["ActivityDate"], cells["StartDateTime"]
    whole_day = pc.fill_null(pc.equal(cells["IsAllDayEvent"], b"true"), fill_value=False)
    return pc.coalesce(pc.if_else(whole_day, date, start), date, start)


def _task(subtype: str) -> Activity:
    return Activity(
        of=(f"TaskSubtype = '{subtype}'",),
        done=("IsClosed = true",),
        needs=("TaskSubtype", "IsClosed", "ActivityDate"),
        day_fields=("IsClosed", "ActivityDate", "CompletedDateTime"),
        day=_of_task,
    )


ACTIVITIES: dict[str, Activity] = {
    "call": _task("Call"),
    "email": _task("Email"),
    # An invitation is a copy of the event for each attendee. An event begins without a change of its record:
    # those to come are read as well, with their day.
    "meeting": Activity(
        of=("IsChild = false",),
        done=(),
        needs=("IsChild", "IsAllDayEvent", "ActivityDate", "StartDateTime"),
        day_fields=("IsAllDayEvent", "ActivityDate", "StartDateTime"),
        day=_of_event,
    ),
}
