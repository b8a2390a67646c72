"""Our tasks: found by their key, made once, looked at, changed, completed, deleted."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.contract import TASK_STATE_SCHEMA, ConfigProblem, Problem, RecordRefused
from connectors.keyed import make_once
from connectors.outcomes import Outcome, outcome_table
from connectors.salesforce.collections import Collections
from connectors.salesforce.ids import long_id
from connectors.salesforce.soql import one_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connectors.salesforce.api import Api
    from connectors.salesforce.schema import Schema

# 500 keys of 64 characters are well below the 100,000 that a query may have.
KEYS_PER_QUERY = 500
_LONGEST_DESCRIPTION = 32_000
_GONE = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"})


class Tasks:
    """Tasks of one org that carry our key."""

    def __init__(self, api: Api, schema: Schema) -> None:
        self._api = api
        self._schema = schema
        self._collections = Collections(api)

    # By key.

    def find(self, keys: Sequence[str]) -> dict[str, str]:
        """Id by key, deleted and archived tasks included; a living one goes before a deleted one."""
        key_field = self._key_field()
        found: dict[str, str] = {}
        for part in _parts(list(dict.fromkeys(keys)), KEYS_PER_QUERY):
            condition = one_of(key_field, part)
            soql = f"SELECT Id, {key_field}, IsDeleted FROM Task WHERE {condition} ORDER BY IsDeleted DESC"  # noqa: S608  # names of ours, quoted keys
            rows = self._api.rows(soql, include_deleted=True)
            found.update({row[key_field]: long_id(row["Id"]) for row in rows})
        return found

    def upsert(self, tasks: pa.Table) -> pa.Table:
        """As in the contract: one task for each key, however often this is repeated or interrupted."""
        keys: list[str] = tasks["key"].to_pylist()
        key_field = self._key_field()
        # A task that was made is left as it is: a rep may have reworded it, or deleted it, which an upsert cannot see.
        outcomes = self._found(keys)
        missing = {
            row["key"]: _record(row, key_field) for row in tasks.to_pylist() if row["key"] not in outcomes
        }
        if self._is_external_id(key_field):
            made = self._collections.upsert("Task", key_field, list(missing.values()))
            outcomes |= dict(zip(missing, made, strict=True))
        else:
            # Without a unique key in the org: look again after a lost reply.
            outcomes |= make_once(missing, self._insert, self._found, self._pause)
        return outcome_table(keys, [outcomes[key] for key in keys])

    def _insert(self, records: Mapping[str, Mapping[str, Any]]) -> dict[str, Outcome]:
        made = self._collections.insert("Task", list(records.values()))
        outcomes = dict(zip(records, made, strict=True))
        duplicates = [key for key, outcome in outcomes.items() if outcome.code == "DUPLICATE_VALUE"]
        return outcomes | self._found(duplicates)

    def _pause(self) -> None:
        self._api.transport.sleep(self._api.transport.rng.uniform(1, 3))

    def _found(self, keys: Sequence[str] | Mapping[str, Any]) -> dict[str, Outcome]:
        moment = self._api.transport.server_date
        ids = self.find(list(keys)) if keys else {}
        return {key: Outcome("done", modified_at=moment, crm_id=task_id) for key, task_id in ids.items()}

    def _key_field(self) -> str:
        path = self._schema.path("task", "key")
        if path is None:
            raise ConfigProblem(
                Problem(
                    "the field that marks our tasks is missing, or the worker's user may not see it",
                    where="Task.Foretag_Key__c",
                    fix="run `foretag setup`, or set `tasks: false`",
                )
            )
        return path

    def _is_external_id(self, key_field: str) -> bool:
        field = self._schema.described("Task")[key_field.lower()]
        return bool(field.get("externalId") or field.get("idLookup"))

    # By id.

    def held(self, ids: Sequence[str]) -> pa.Table:
        """Tasks of ours as they are now, in `TASK_STATE_SCHEMA`; those that are gone are left out."""
        key_field = self._key_field()
        fields = f"Id, {key_field}, {', '.join(_HELD.values())}, IsClosed, Status"
        rows: list[dict[str, Any]] = []
        for part in _parts(list(dict.fromkeys(ids)), KEYS_PER_QUERY):
            ours = f"{one_of('Id', part)} AND {key_field} != null AND IsDeleted = false"
            # Old closed ones are archived, and found only among the deleted ones.
            rows += self._api.rows(f"SELECT {fields} FROM Task WHERE {ours}", include_deleted=True)  # noqa: S608  # names of ours
        new = self._new_statuses() if rows else frozenset()
        return pa.Table.from_pylist([_state(row, key_field, new) for row in rows], schema=TASK_STATE_SCHEMA)

    def update(self, changes: pa.Table) -> pa.Table:
        """Set what is not null."""
        rows = changes.to_pylist()
        records = [{"id": row["id"], **_changed(row)} for row in rows]
        outcomes = self._collections.update("Task", records) if records else []
        return outcome_table([row["id"] for row in rows], outcomes)

    def close(self, ids: Sequence[str], comment: str) -> pa.Table:
        """Complete tasks; the comment is added to the description, once."""
        status = self._closed_status()
        described = self._descriptions(ids)
        records = [
            {"id": task_id, "Status": status, "Description": _with_comment(described.get(task_id), comment)}
            for task_id in ids
        ]
        return outcome_table(ids, self._collections.update("Task", records) if records else [])

    def delete(self, ids: Sequence[str]) -> pa.Table:
        """Delete tasks; one that is gone already is done."""
        outcomes = self._collections.delete(ids) if ids else []
        return outcome_table(ids, [Outcome("done") if one.code in _GONE else one for one in outcomes])

    def _descriptions(self, ids: Sequence[str]) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for part in _parts(list(ids), KEYS_PER_QUERY):
            soql = f"SELECT Id, Description FROM Task WHERE {one_of('Id', part)}"  # noqa: S608  # quoted
            found.update({row["Id"]: row["Description"] for row in self._api.rows(soql)})
        return found

    def _closed_status(self) -> str:
        """The org's first status that closes a task."""
        names = [_status(row) for row in self._statuses if row["IsClosed"]]
        return names[0] if names else "Completed"

    def _new_statuses(self) -> frozenset[str]:
        """The status that a new task gets."""
        return frozenset(_status(row) for row in self._statuses if row["IsDefault"]) or frozenset(
            {"Not Started"}
        )

    @cached_property
    def _statuses(self) -> list[dict[str, Any]]:
        """The statuses that a task may have, in the org's order; none if it does not tell."""
        soql = "SELECT ApiName, MasterLabel, IsClosed, IsDefault FROM TaskStatus ORDER BY SortOrder"
        try:
            return self._api.rows(soql)
        except (RecordRefused, ConfigProblem):
            return []


def _record(row: Mapping[str, Any], key_field: str) -> dict[str, Any]:
    due = row.get("due")
    record = {
        key_field: row["key"],
        "Subject": row["subject"],
        "Description": row["description"],
        "OwnerId": row["owner_id"],
        "WhatId": row.get("opportunity_id") or row.get("account_id"),
        "ActivityDate": None if due is None else due.isoformat(),
        "Priority": "High" if row.get("priority") == "high" else "Normal",
    }
    return {name: value for name, value in record.items() if value is not None}


def _status(row: Mapping[str, Any]) -> str:
    return str(row.get("ApiName") or row["MasterLabel"])


# Columns of a task that may be looked at and changed, and their fields.
_HELD = {"subject": "Subject", "description": "Description", "owner_id": "OwnerId", "due": "ActivityDate"}


def _state(row: Mapping[str, Any], key_field: str, new: frozenset[str]) -> dict[str, Any]:
    due = row["ActivityDate"]
    return {
        **{name: row[field] for name, field in _HELD.items()},
        "id": long_id(row["Id"]),
        "key": row[key_field],
        "owner_id": long_id(row["OwnerId"]),
        "due": None if due is None else date.fromisoformat(due),
        "begun": row["Status"] not in new,
        "is_closed": row["IsClosed"],
    }


def _changed(row: Mapping[str, Any]) -> dict[str, Any]:
    set_to = {field: row[name] for name, field in _HELD.items() if row[name] is not None}
    return set_to | ({"ActivityDate": row["due"].isoformat()} if row["due"] else {})


def _with_comment(description: str | None, comment: str) -> str:
    if not description or description == comment:
        return comment
    if description.endswith(comment):
        return description
    return f"{description[: _LONGEST_DESCRIPTION - len(comment) - 1]}\n{comment}"


def _parts(values: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
