"""Our tasks: found by their key, made once, completed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.contract import ConfigProblem, Problem, RecordRefused
from connectors.keyed import make_once
from connectors.outcomes import Outcome, outcome_table
from connectors.salesforce.collections import Collections
from connectors.salesforce.ids import long_id
from connectors.salesforce.soql import one_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

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
            soql = f"SELECT Id, {key_field}, IsDeleted FROM Task WHERE {condition} ORDER BY IsDeleted DESC"  # noqa: S608
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
        soql = "SELECT ApiName, MasterLabel FROM TaskStatus WHERE IsClosed = true ORDER BY SortOrder"
        try:
            rows = self._api.rows(soql)
        except (RecordRefused, ConfigProblem):
            rows = []
        return str(rows[0].get("ApiName") or rows[0]["MasterLabel"]) if rows else "Completed"


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


def _with_comment(description: str | None, comment: str) -> str:
    if not description or description == comment:
        return comment
    if description.endswith(comment):
        return description
    return f"{description[: _LONGEST_DESCRIPTION - len(comment) - 1]}\n{comment}"


def _parts(values: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
