"""A world to try the invariants in: a CRM over HTTP, a fresh installation beside it, and people who edit."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from config.outputs import HUMAN_FIELDS
from sync.demo import set_up, write_settings
from sync.pipeline import preview, run
from sync.workplace import opened_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from connectors.sandbox.server import Sandbox
    from sync.pipeline import Job, Report
    from sync.plan import Plan

OURS = {
    "Account": (
        "Foretag_Tier__c",
        "Foretag_Score__c",
        "Foretag_Segment__c",
        "Foretag_Growth_Potential__c",
        "Foretag_Reason__c",
        "Foretag_Next_Step__c",
        "Foretag_Alert__c",
        "Foretag_Valid_Until__c",
        "Foretag_Likelihood__c",
        "Foretag_Growth_Score__c",
        "Foretag_Stamp__c",
    ),
    "Opportunity": (
        "Foretag_Tier__c",
        "Foretag_Score__c",
        "Foretag_Reason__c",
        "Foretag_Next_Step__c",
        "Foretag_Valid_Until__c",
        "Foretag_Stamp__c",
    ),
    "Task": (
        "Subject",
        "Description",
        "OwnerId",
        "WhatId",
        "ActivityDate",
        "Priority",
        "Status",
        "Foretag_Key__c",
    ),
}


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


class World:
    """One sandbox, one installation. Waits of the worker are not slept through."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.settings = write_settings(folder, sandbox)
        self.waits: list[float] = []

    @contextmanager
    def job(self, **options: Any) -> Iterator[Job]:
        """Everything that one run works with."""
        with opened_job(self.settings, None, lambda *_: None, sleep=self._wait, **options) as job:
            yield job

    def _wait(self, seconds: float) -> None:
        """Nobody waits, but the CRM's clock goes on."""
        from datetime import timedelta

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

        shutil.rmtree(self.folder / "state")

    def rows(self, soql: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """What the CRM holds, as its admin sees it."""
        result = self.sandbox.org.query(soql, self.sandbox.org.admin, include_deleted=deleted)
        return result.records(0, result.total_size, "62.0")

    def edit(self, object_name: str, *rows: dict[str, Any]) -> None:
        """A person edits records."""
        results = self.sandbox.org.update(self.sandbox.org.admin, object_name, list(rows))
        assert all(result.success for result in results), results

    def let_people_in(self) -> None:
        """The admin plays the people: sees our fields as a reader, and may overrule."""
        org = self.sandbox.org
        (reader,) = self.rows("SELECT Id FROM PermissionSet WHERE Name = 'Foretag_Reader'")
        org.assign(reader["Id"], org.admin.id)
        managers = org.create_permission_set("Managers", "Managers")
        org.grant_fields(
            managers,
            {
                f"{name.capitalize()}.{field.salesforce_name}": True
                for field in HUMAN_FIELDS
                for name in field.objects
            },
        )
        org.assign(managers, org.admin.id)

    def writes(self, since: int) -> int:
        """How many records were effectively written since a position of the journal."""
        return sum(len(entry.ids) for entry in self.sandbox.journal.writes(since))

    @contextmanager
    def counting(self) -> Iterator[Callable[[], int]]:
        """Counts the CRM's effective writes from here on."""
        position = self.sandbox.journal.position
        yield lambda: self.writes(position)


@pytest.fixture
def make_world(make_sandbox, tmp_path) -> Callable[..., World]:
    """Make a world with our fields in it; options go to the sandbox."""

    def make(**options: Any) -> World:
        world = World(make_sandbox(**options), tmp_path)
        set_up(world.settings)
        world.let_people_in()
        return world

    return make


@pytest.fixture
def world(make_world) -> World:
    """A world with a small book and our fields, before the first run."""
    return make_world()
