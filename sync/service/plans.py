"""What a worker is to do by the settings as they are now: read again when the file changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.problems import ConfigProblem, Problem
from config.settings import load_settings
from sync.service.events import Unusable
from sync.service.schedule import in_blackout, plan_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    from config.sections.service import Service
    from config.settings import Settings
    from sync.ledger.zones import Zones
    from sync.service.schedule import Work

    # The org's own time zone and those of its owners.
    _Zones = tuple[str | None, list[str]]

_UNKNOWN: _Zones = (None, [])


class Plans:
    """The settings of a file; `only` these connections, if any are named. Raises `ConfigProblem`."""

    def __init__(self, path: Path, only: Collection[str] = ()) -> None:
        self.path = path.absolute()
        self._only = tuple(only)
        self._zones: dict[str, _Zones] = {}
        self._planned: dict[str, list[Work]] = {}
        self._read = self.path.read_bytes() if self.path.is_file() else None
        self._use(self._load())
        # Whether the file can be used as it is now: runs read it themselves.
        self.are_good = True

    @property
    def service(self) -> Service:
        """How the worker is to run."""
        return self.settings.service

    def works(self, connection: str | None = None) -> list[Work]:
        """What is scheduled on a connection, or on all; the same objects until something about them changes."""
        names = self.connections if connection is None else (connection,)
        return [work for name in names for work in self._works(name)]

    def has_tasks(self, connection: str) -> bool:
        """Whether a connection's tasks have times of their own."""
        return self.connections[connection].schedule.tasks is not None

    def why_not(self, connection: str, now: datetime) -> str | None:
        """Why nothing may run on a connection now; None: it may."""
        if connection not in self.connections:
            return "the settings no longer have it"
        timezone, _ = self._zones.get(connection, _UNKNOWN)
        blackout = in_blackout(self.connections[connection].schedule, timezone, now)
        return None if blackout is None else f"a blackout until {blackout:%Y-%m-%d %H:%M} UTC"

    def see_zones(self, zones: Zones, connection: str | None = None) -> bool:
        """Read the time zones of a connection, or of all, as the history last saw them; returns whether any changed."""
        seen = zones.all() if connection is None else {connection: zones.of(connection)}
        changed = [name for name in seen if seen[name] != self._zones.get(name, _UNKNOWN)]
        for name in changed:
            self._zones[name] = seen[name]
            self._planned.pop(name, None)
        return bool(changed)

    def reload(self) -> Unusable | bool:
        """Read the file if it is another one; returns whether it was. The last good settings stay (see `are_good`)."""
        try:
            read = self.path.read_bytes()
            if read == self._read:
                return False
            self._read = read
            self.are_good = False
            self._use(self._load())
            self.are_good = True
        except ConfigProblem as problem:
            return Unusable("", tuple(str(one) for one in problem.problems))
        except OSError as error:
            # Perhaps it is just being replaced: once it is there again it is read, be it the same or not.
            was_there, self._read, self.are_good = self._read is not None, None, False
            return was_there and Unusable("", (f"{self.path.name}: {error.strerror}",))
        return True

    def _works(self, name: str) -> list[Work]:
        if name not in self.connections:
            return []
        if name not in self._planned:
            timezone, zones = self._zones.get(name, _UNKNOWN)
            self._planned[name] = plan_of(name, self.connections[name].schedule, timezone, zones)
        return self._planned[name]

    def _use(self, settings: Settings) -> None:
        """From now on these; `connections` are those to work on."""
        every = settings.connections
        self.settings = settings
        self.connections = {name: every[name] for name in every if not self._only or name in self._only}
        self._planned.clear()

    def _load(self) -> Settings:
        settings = load_settings(self.path)
        unknown = sorted(set(self._only) - set(settings.connections))
        if unknown:
            known = ", ".join(settings.connections)
            raise ConfigProblem(
                Problem(
                    f"there is no connection {', '.join(unknown)}",
                    where=str(self.path),
                    fix=f"there are: {known}",
                )
            )
        return settings
