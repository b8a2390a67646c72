"""The rules file, `rules.yaml`: how this company prioritises. An empty file means the defaults."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from config.boosts import Boost
from config.documents import load_document, validate
from config.growth import Growth
from config.likelihood import Likelihood
from config.mapping import Fields, name_in
from config.outputs import OUTPUT_FIELDS
from config.playbook import PLAYBOOK, TASKS, Step, TaskRule
from config.priority import Needs, Priority
from config.records import RECORDS
from config.showing import Product, Show
from config.strict import Strict
from config.tiers import AccountValue, Alerts, Overrides, Segments, Tiers
from config.win import Win
from config.writing import TaskLimits, Writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Rules(Strict):
    """The whole of `rules.yaml`; every key may be left out."""

    fields: Fields = Field(
        default={},
        description="our name → the CRM's field (or one for each CRM), by object, where the usual one is not meant",
    )
    priority: Priority = Priority()
    needs: Needs = Needs()
    win: Win = Win()
    boosts: tuple[Boost, ...] = ()
    likelihood: Likelihood = Likelihood()
    growth: Growth = Growth()
    account_value: AccountValue = AccountValue()
    segments: Segments = Segments()
    tiers: Tiers = Tiers()
    alerts: Alerts = Alerts()
    overrides: Overrides = Overrides()
    products: dict[str, Product] = Field(default={})
    show: Show = Show()
    playbook: tuple[Step, ...] = PLAYBOOK
    tasks: tuple[TaskRule, ...] = TASKS
    task_limits: TaskLimits = TaskLimits()
    writing: Writing = Writing()

    @field_validator("boosts")
    @classmethod
    def _one_boost_of_a_name(cls, value: tuple[Boost, ...]) -> tuple[Boost, ...]:
        names = [boost.name for boost in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f'two boosts are called "{twice[0]}": each gives points under its own name')
        return value

    @field_validator("tasks")
    @classmethod
    def _one_name_each(cls, value: tuple[TaskRule, ...]) -> tuple[TaskRule, ...]:
        names = [task.name for task in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f'two tasks are called "{twice[0]}": names keep tasks from being made twice')
        return value

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits that change when, and only when, the effective rules change."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def boost_names(self, object_name: str) -> tuple[str, ...]:
        """The names of all boosts on an object."""
        return tuple(boost.name for boost in self.boosts if boost.on == object_name)

    def mapping(self, crm: str) -> Mapping[str, Mapping[str, str]]:
        """Canonical object → canonical column → the field of this CRM, as given under `fields:`."""
        return {
            object_name: {column: name for column, given in columns.items() if (name := name_in(crm, given))}
            for object_name, columns in self.fields.items()
        }

    def needed_columns(self, object_name: str) -> tuple[str, ...]:
        """The canonical columns that scoring reads under these rules, in the record's own order."""
        ours = {field.name for field in OUTPUT_FIELDS} - _HELD.get(object_name, frozenset())
        unread = _UNREAD.get(object_name, frozenset()) | ours
        return tuple(column.name for column in RECORDS[object_name] if column.name not in unread)


# Columns that no score, condition or template reads.
_UNREAD: dict[str, frozenset[str]] = {
    "account": frozenset({"currency", "modified_at"}),
    "opportunity": frozenset({"currency", "modified_at"}),
    "owner": frozenset({"name", "manager_id", "team", "timezone", "modified_at"}),
    "stage": frozenset({"position", "active", "modified_at"}),
}

# Outputs that tell which closed deals still hold a tag, so that it can be taken off.
_HELD: dict[str, frozenset[str]] = {"opportunity": frozenset({"foretag_tier", "foretag_reason"})}


def load_rules(path: Path) -> Rules:
    """Read and check the rules file. Raises `ConfigProblem` with every problem, each with its place."""
    return validate(load_document(path), Rules)
