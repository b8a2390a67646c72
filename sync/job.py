"""Everything one run works with: the connection, its rules, the CRM, and what is kept beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.crms import CRMS, Crm
from config.outputs import HUMAN_FIELDS, OBJECTS, written
from config.records import RECORDS
from scoring.engine import HERE
from sync.errand import USUAL, Errand
from sync.store.forgotten import Forgotten
from sync.store.journal import Journal
from sync.store.written import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from config.rules import Rules
    from config.settings import Connection
    from connectors.contract import Connector
    from scoring.engine import Engine
    from sync.heartbeat import Heartbeat
    from sync.ledger import Ledger
    from sync.store.mirror import Mirror
    from sync.store.place import Place
    from sync.store.tags import TagStore


@dataclass(frozen=True)
class Job:
    """Everything one run works with. `tell(what, done, total)` reports progress.

    All that is kept of the CRM lies in `place`; `scratch` is a folder of this machine, for copies that serve one run.
    """

    name: str
    connection: Connection
    rules: Rules
    connector: Connector
    ledger: Ledger
    heartbeat: Heartbeat
    mirror: Mirror
    tags: TagStore
    place: Place
    scratch: Path
    tell: Callable[[str, int, int | None], None]
    max_changes: int | None = None
    errand: Errand = USUAL
    engine: Engine = HERE
    # Waits some seconds of the clock that the other reads.
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def columns(self) -> dict[str, tuple[str, ...]]:
        """The canonical columns that a run pulls, by object: what the rules name, and what we hold there."""
        rules = self.rules
        wanted = {name: {*rules.needed_columns(name), "modified_at"} for name in rules.needed_objects}
        for name in OBJECTS:
            wanted[name] |= {"name"} | {field.name for field in self.written(name)}
            wanted[name] |= {field.name for field in HUMAN_FIELDS if name in field.objects}
        if "case" in wanted:
            # Which requests there were on a past day.
            wanted["case"].add("created_at")
        # Their time zones tell when it is morning for their tasks.
        wanted["owner"] |= {"name", "active", "timezone"}
        if self.tasks_on:
            wanted["task"] = {column.name for column in RECORDS["task"]}
        return {
            name: tuple(column.name for column in RECORDS[name] if column.name in names)
            for name, names in wanted.items()
        }

    def written(self, object_name: str) -> tuple[Any, ...]:
        """Our fields that a run may write on an object."""
        writes, fields = self.connection.writes, written(object_name, self.connection.outputs)
        return tuple(field for field in fields if writes is None or writes.allows(object_name, field.name))

    @property
    def left_there(self) -> Written:
        """What we last wrote into each record, so that another's hand is told from ours."""
        read_from = self.tags.fields()
        fields = {
            name: {
                field.name: read_from[name][field.name]
                for field in self.written(name)
                if field.name in read_from.get(name, {})
            }
            for name in OBJECTS
        }
        return Written(self.place / "written", self.mirror, fields)

    @property
    def journal(self) -> Journal:
        """Old and new values of all that was sent."""
        return Journal(self.place / "journal")

    @property
    def forgotten(self) -> Forgotten:
        """The records that must not come back; of those that leave, it is remembered when, if we write into them."""

        def left(object_name: str, ids: Sequence[str]) -> None:
            if object_name in OBJECTS:
                self.ledger.forgetting.left(self.name, object_name, ids)

        return Forgotten(self.ledger.forgetting.digests(self.name), left)

    @property
    def crm(self) -> Crm:
        """Which CRM this is, for what is said to its people."""
        return CRMS[self.connection.crm]

    @property
    def tasks_on(self) -> bool:
        """Whether tasks are made: off until turned on, except on the bundled sandbox; not in a run without them."""
        if self.errand.without_tasks:
            return False
        on = self.connection.tasks
        return self.connector.org().bundled_sandbox if on is None else on
