"""What is odd about settings that each fit their model: limits, permissions and times that never say anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.files.documents import Document, problem_at
from config.outputs import OBJECTS, written
from config.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.files.documents import Steps
    from config.problems import Problem
    from config.settings import Connection, Settings

# Limits in business terms, and the objects whose tiers they are about.
_OF_TIERS = {
    "max_tier_changes": OBJECTS,
    "max_gained": ("account",),
    "max_amount_moved": ("opportunity",),
}
_TIER, _UNTIL = "foretag_tier", "foretag_valid_until"


def settings_warnings(document: Document, settings: Settings) -> list[Problem]:
    """Warnings about settings that fit their model."""
    return [
        problem_at(document, ("connections", name, *steps), fault, "warning")
        for name, connection in settings.connections.items()
        for steps, fault in _found(connection)
    ]


def _found(connection: Connection) -> Iterator[tuple[Steps, Fault]]:
    yield from _idle(connection)
    if connection.writes is None:
        return
    names = {
        name: [
            field.name
            for field in written(name, connection.outputs)
            if connection.writes.allows(name, field.name)
        ]
        for name in OBJECTS
    }
    if not any(names.values()):
        yield ("writes",), Fault("allows no field at all", "write `account: all`, or name some fields")
    for object_name in OBJECTS:
        yield from _odd(connection, object_name, names[object_name])
    for limit, objects in _OF_TIERS.items():
        if getattr(connection.limits, limit) and not any(_TIER in names[name] for name in objects):
            words = f"never stops a run: `writes` leaves {_TIER} of {' and '.join(objects)} alone"
            yield ("limits", limit), Fault(words, "take it out, or allow the field")


def _idle(connection: Connection) -> Iterator[tuple[Steps, Fault]]:
    """Times that are said in vain."""
    schedule = connection.schedule
    if schedule.tasks is not None and connection.tasks is False:
        yield (
            ("schedule", "tasks"),
            Fault("makes no tasks: `tasks: false`", "write `tasks: true`, or take it out"),
        )
    if schedule.increment is None and schedule.full is None:
        yield (
            ("schedule",),
            Fault("reads nothing new and writes no scores", "give `increment` or `full` a time"),
        )


def _odd(connection: Connection, object_name: str, names: list[str]) -> Iterator[tuple[Steps, Fault]]:
    """Fields that are allowed in vain, and a score without the day until which it is one."""
    allowed = getattr(connection.writes, object_name)
    for place, name in enumerate(() if isinstance(allowed, str) else allowed):
        if name not in names:
            words = f"{name} is not written with `outputs: {connection.outputs}`"
            yield ("writes", object_name, place), Fault(words, "write `outputs: full`, or take it out")
    if names and _UNTIL not in names:
        words = f"leaves out {_UNTIL}: nobody will see that a value has become stale"
        yield ("writes", object_name), Fault(words, "add it")
