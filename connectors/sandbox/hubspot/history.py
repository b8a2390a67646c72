"""What properties were before: a log of changes that costs a few bytes for each."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from, as HubSpot's history tells it."""

    source_type: str
    source_id: str | None = None
    source_label: str | None = None
    user_id: int | None = None


LOADED = Origin("CRM_UI")
CALCULATED = Origin("CALCULATED")


@dataclass(frozen=True, slots=True)
class Version:
    """One value that a property had from a moment on; an empty text after it was cleared."""

    value: str
    at: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Beginnings:
    """How loaded records began: each row's first value and when the present one replaced it (None: never)."""

    values: Sequence[str | None]
    replaced_at: Sequence[int | None]


@dataclass(slots=True)
class _Log:
    """Changes of one property; `previous` leads from a change to the one before it in the same row."""

    last: dict[int, int] = field(default_factory=dict)
    previous: array[int] = field(default_factory=lambda: array("i"))
    values: list[str] = field(default_factory=list)
    stamps: array[int] = field(default_factory=lambda: array("q"))
    origins: list[Origin] = field(default_factory=list)

    def add(self, row: int, version: Version) -> None:
        self.previous.append(self.last.get(row, -1))
        self.last[row] = len(self.values)
        self.values.append(version.value)
        self.stamps.append(version.at)
        self.origins.append(version.origin)

    def of(self, row: int) -> Iterator[Version]:
        place = self.last.get(row, -1)
        while place >= 0:
            yield Version(self.values[place], self.stamps[place], self.origins[place])
            place = self.previous[place]


class History:
    """The versions of all properties of one object type."""

    def __init__(self) -> None:
        self.beginnings: dict[str, Beginnings] = {}
        self._logs: dict[str, _Log] = {}

    def note(self, row: int, name: str, version: Version, before: str | None, created: int) -> None:
        """A property changed. What it was `before` is kept too, if this is the row's first change."""
        log = self._logs.setdefault(name, _Log())
        if row not in log.last and before is not None:
            for one in reversed(self._loaded(row, name, before, created)):
                log.add(row, one)
        log.add(row, version)

    def inherit(self, name: str, row: int, heir: int, present: str, created: int) -> None:
        """Give another row the past that a row has."""
        log = self._logs.setdefault(name, _Log())
        for one in reversed(self.versions(row, name, present, created)):
            log.add(heir, one)

    def versions(self, row: int, name: str, present: str | None, created: int) -> list[Version]:
        """Newest first."""
        log = self._logs.get(name)
        if log is not None and row in log.last:
            return list(log.of(row))
        return [] if present is None else self._loaded(row, name, present, created)

    def forget(self, name: str) -> None:
        """Drop a property's past."""
        self._logs.pop(name, None)
        self.beginnings.pop(name, None)

    def _loaded(self, row: int, name: str, present: str, created: int) -> list[Version]:
        """The versions that a record came with, newest first."""
        began = self.beginnings.get(name)
        if began is None or row >= len(began.values) or began.replaced_at[row] is None:
            return [Version(present, created, LOADED)]
        first = began.values[row]
        versions = [Version(present, began.replaced_at[row] or created, LOADED)]
        return versions if first is None else [*versions, Version(first, created, LOADED)]
