"""Which of an org's tasks and events count as contacts, and on which day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.contract.conftest import World, pull
from tests.contract.small_book import small_book

if TYPE_CHECKING:
    from collections.abc import Callable

# By Bulk and by REST.
WAYS = (1, 100_000)


def log(world: World, sf_object: str, *rows: dict[str, Any]) -> list[str]:
    """Somebody logs activities; their ids."""
    org = world.sandbox.org
    results = org.insert(org.admin, sf_object, list(rows))
    assert all(result.success for result in results), results
    return [result.id for result in results]


def read(world: World, object_name: str, **options: Any) -> dict[str, date | None]:
    """The day of each contact that a first load reads."""
    return {row["id"]: row["day"] for row in pull(world.connect(**options), object_name, ["day"]).rows}


def test_only_calls_of_people_that_took_place_are_read(world) -> None:
    """Not those still to be made, tasks of other kinds, deleted ones, or our own."""
    done = {"Status": "Completed", "ActivityDate": "2025-12-01"}
    call = {"TaskSubtype": "Call", **done}
    mine, _, _, gone, ours, _ = log(
        world,
        "Task",
        call,
        {"TaskSubtype": "Call", "ActivityDate": "2026-03-01"},
        {**done, "TaskSubtype": "Task"},
        call,
        call,
        {**done, "TaskSubtype": "Email"},
    )
    world.sandbox.org.delete(world.sandbox.org.admin, "Task", [gone])
    key = world.people.field_name("task", "key")
    world.sandbox.org.store.ensure("Task", [key])
    world.sandbox.org.store.write(f'UPDATE "Task" SET "{key}" = \'x\' WHERE "Id" = \'{ours}\'')
    for way in WAYS:
        assert read(world, "call", bulk_threshold=way) == {mine: date(2025, 12, 1)}


def test_archived_contacts_are_read_and_not_taken_for_deleted(world) -> None:
    """After a year Salesforce shows them only among the deleted; the id stays among the living."""
    old = {"TaskSubtype": "Email", "Status": "Completed", "ActivityDate": "2023-05-04"}
    (mail,) = log(world, "Task", old)
    (meeting,) = log(
        world, "Event", {"StartDateTime": "2023-05-04T10:00:00.000+0000", "DurationInMinutes": 30}
    )
    for name, one in (("email", mail), ("meeting", meeting)):
        for way in WAYS:
            assert read(world, name, bulk_threshold=way) == {one: date(2023, 5, 4)}
        assert world.connect().ids(name).to_pylist() == [one]


def test_a_call_without_a_date_has_the_day_on_which_it_was_ticked_off(world) -> None:
    """As a task that was closed in a list."""
    (call,) = log(world, "Task", {"TaskSubtype": "Call", "Status": "Completed"})
    assert read(world, "call") == {call: world.sandbox.clock().date()}


def test_the_day_of_a_meeting_is_the_orgs_and_an_all_day_event_keeps_its_date(
    make_world: Callable[..., World],
) -> None:
    """Eleven in the evening in New York is the next day in UTC; a date is a date everywhere."""
    world = make_world(timezone="America/New_York")
    evening, whole = log(
        world,
        "Event",
        {"StartDateTime": "2025-12-02T04:00:00.000+0000", "DurationInMinutes": 30},
        {"ActivityDate": "2025-12-05", "IsAllDayEvent": True, "DurationInMinutes": 1440},
    )
    assert read(world, "meeting") == {evening: date(2025, 12, 1), whole: date(2025, 12, 5)}


def test_an_invitation_is_no_second_meeting(world) -> None:
    """Salesforce keeps a copy of an event for each attendee."""
    row = {"StartDateTime": "2025-12-02T09:00:00.000+0000", "DurationInMinutes": 30}
    event, copy = log(world, "Event", row, row)
    world.sandbox.org.store.ensure("Event", ["IsChild"])
    world.sandbox.org.store.write(f'UPDATE "Event" SET "IsChild" = TRUE WHERE "Id" = \'{copy}\'')
    assert set(read(world, "meeting")) == {event}


def test_quotas_that_are_gone_are_found_by_comparing_ids(make_world) -> None:
    """Forecasts know no recycle bin."""
    world = make_world(data=small_book())
    world.set_up("quota")
    connector = world.connect()
    pulled = pull(connector, "quota", ["amount"])
    first, second = sorted(pulled.ids())
    world.people.delete("quota", first)
    deleted = connector.deleted("quota", pulled.checkpoint.cursor)
    assert not deleted.complete
    assert connector.ids("quota").to_pylist() == [second]
