"""A world to try the worker in: a CRM over HTTP, a fresh installation beside it, and people who edit."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.rules import load_rules
from sync.demo import write_settings
from sync.opening import opened_ledger
from sync.pipeline import preview, run
from sync.workplace import chosen, connect_admin, opened_job
from tests.crms import people_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.sections.storage import Storage
    from connectors.contract import Connector
    from connectors.sandbox.server import Sandbox
    from sync.job import Job
    from sync.report import Report
    from sync.store.place import Place
    from sync.writing.plan import Plan
    from tests.crms.people import Row

# Rules that want a task for every record, and no limit that would hide a second one.
EVERY_RECORD = """\
tasks:
  - name: every-account
    on: account
    when: tier in ["A", "B", "C", "D"]
    subject: "Look at {account}"
    description: "{reason}"
    due_days: 2
    period: month
  - name: every-deal
    on: opportunity
    when: tier in ["A", "B", "C", "D"]
    subject: "Look at {opportunity}"
    description: "{reason}"
    due_days: 2
    period: month
task_limits: {new_per_owner_and_day: 100, open_per_owner: 100, cool_down_days: 0}
"""


class Crash(BaseException):
    """The process dies: no `except Exception` hides it."""


def _contents(place: Place) -> Iterator[tuple[str, bytes]]:
    """The objects below a place in a store: what has nothing below it is one."""
    for below in (place / name for name in place.names()):
        if below.names():
            yield from _contents(below)
        else:
            yield below.address, below.read()


class World:
    """One sandbox, one installation. Waits of the worker are not slept through."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.people = people_of(sandbox, folder)
        self.folder = folder
        self.settings = write_settings(folder, sandbox)
        self.waits: list[float] = []

    def keep_in(self, storage: Storage) -> None:
        """From now on local copies lie in an object store, whose keys the environment holds."""
        told = storage.model_dump(mode="json", exclude_none=True)
        with self.settings.open("a", encoding="utf-8") as settings:
            settings.write(f"\nstorage: {json.dumps(told)}\n")

    @contextmanager
    def job(self, **options: Any) -> Iterator[Job]:
        """Everything that one run works with."""
        with opened_job(
            self.settings,
            None,
            lambda *_: None,
            sleep=self._wait,
            monotonic=lambda: self.sandbox.clock().timestamp(),
            **options,
        ) as job:
            yield job

    @contextmanager
    def admin(self) -> Iterator[Connector]:
        """The CRM, with an admin's rights."""
        with opened_ledger(self.settings) as (loaded, ledger):
            name, connection = chosen(loaded, None, self.settings)
            auth = self.people.connection("admin").auth
            yield connect_admin(name, connection, load_rules(connection.rules), ledger, auth)

    def _wait(self, seconds: float) -> None:
        """Nobody waits, but the CRM's clock goes on."""
        self.waits.append(seconds)
        self.sandbox.clock.advance(timedelta(seconds=seconds))

    def use_rules(self, text: str) -> None:
        """Sales ops change the rules."""
        (self.folder / "rules.yaml").write_text(text, encoding="utf-8")

    def run(self, **options: Any) -> Report:
        """One run."""
        with self.job(**options) as job:
            return run(job)

    def plan(self) -> Plan:
        """What a run would change."""
        with self.job() as job:
            return preview(job)[1]

    def forget(self) -> None:
        """Lose all local state: history, local copy, tags."""
        import shutil

        with self.job() as job:
            place = job.place
        place.remove()
        shutil.rmtree(self.folder / "state")

    def kept(self) -> dict[str, bytes]:
        """Everything that is kept beside the CRM, by where it lies."""
        with self.job() as job:
            place = job.place
        state = self.folder / "state"
        files = {
            str(path.relative_to(state)): path.read_bytes() for path in state.rglob("*") if path.is_file()
        }
        return files if place.folder is not None else files | dict(_contents(place))

    def open_deals(self, *columns: str) -> list[Row]:
        """The deals that are not over, by id."""
        rows = self.people.rows("opportunity", "is_closed", *columns)
        return [row for row in rows if not row["is_closed"]]

    def close(self, *deals: Row, won: bool) -> None:
        """A person closes deals."""
        stages = self.people.rows("stage", "name", "is_closed", "is_won")
        stage = next(row["name"] for row in stages if row["is_closed"] and row["is_won"] is won)
        self.people.edit("opportunity", *({"id": deal["id"], "stage": stage} for deal in deals))

    def row(self, object_name: str, record_id: str, *columns: str) -> Row:
        """What the CRM holds of one record."""
        (found,) = (row for row in self.people.rows(object_name, *columns) if row["id"] == record_id)
        return found

    def writes(self, since: int) -> int:
        """How many records were effectively written since a position of the journal."""
        return sum(len(entry.ids) for entry in self.sandbox.journal.writes(since))

    @contextmanager
    def counting(self) -> Iterator[Callable[[], int]]:
        """Counts the CRM's effective writes from here on."""
        position = self.sandbox.journal.position
        yield lambda: self.writes(position)
