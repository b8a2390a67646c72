"""A trip counter: the process dies just before its N-th effect, and has no effect any more.

Effects are what outlives a process: requests to the CRM, commits of the history, commits of tables, whole files.
A crash after an effect is a crash before the next one.
"""

from __future__ import annotations

import pkgutil
import re
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from deltalake import DeltaTable
from requests.adapters import HTTPAdapter
from sqlalchemy import event

import sync.runs
import sync.store
import sync.writing
from sync.ledger import tables
from tests.world import Crash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from tests.world import World

# Functions that make a commit or a file, by the name under which modules hold them.
_WRITERS = ("write_deltalake", "write_whole", "write_object")
# Their kind.
TABLE = "table or file"
# A process that never was: above the largest number that Linux gives.
_NOBODY = "4194305"


class Trip:
    """Counts effects; at the N-th (from 1) and at all later ones the process is dead. 0: it lives on.

    With `instead`, that happens once at the N-th effect, and the process lives on. With `only`, effects of that
    kind alone are counted.
    """

    def __init__(self, at: int = 0, instead: Callable[[], object] | None = None, only: str = "") -> None:
        self.at = at
        self.only = only
        self.kinds: list[str] = []
        self._instead = instead

    def __call__(self, kind: str) -> None:
        """One effect is about to happen."""
        if self.only in ("", kind):
            self.kinds.append(kind)
        if not self.at or len(self.kinds) < self.at:
            return
        if self._instead is None:
            raise Crash
        if len(self.kinds) == self.at:
            self._instead()

    @property
    def fatal(self) -> str:
        """Before which kind of effect the process died; empty if it lived."""
        return self.kinds[self.at - 1] if self.at and len(self.kinds) >= self.at else ""


@contextmanager
def tripping(monkeypatch: pytest.MonkeyPatch, trip: Trip) -> Iterator[None]:
    """Within the block every effect of this process goes through the counter."""

    def counted(kind: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            trip(kind)
            return effect(*arguments, **options)

        return guarded

    def before_commit(_connection: sa.Connection) -> None:
        trip("history")

    # One that is imported only in the block would keep the counter for good.
    for place in (sync.store, sync.writing, sync.runs):
        for module in pkgutil.iter_modules(place.__path__, f"{place.__name__}."):
            import_module(module.name)
    with monkeypatch.context() as patched:
        patched.setattr(HTTPAdapter, "send", counted("request", HTTPAdapter.send))
        patched.setattr(DeltaTable, "delete", counted(TABLE, DeltaTable.delete))
        for module in [module for name, module in sys.modules.items() if name.startswith("sync.")]:
            for name in _WRITERS:
                if hasattr(module, name):
                    patched.setattr(module, name, counted(TABLE, getattr(module, name)))
        event.listen(sa.Engine, "commit", before_commit)
        try:
            yield
        finally:
            event.remove(sa.Engine, "commit", before_commit)


def bury(world: World) -> None:
    """The process is really gone: this one, which played it, still lives and would seem to hold the lease."""
    with world.job() as job, job.ledger._engine.begin() as db:
        for row in db.execute(sa.select(tables.lease)).all():
            gone = re.sub(r":\d+@", f":{_NOBODY}@", row.holder)
            db.execute(tables.lease.update().values(holder=gone))
