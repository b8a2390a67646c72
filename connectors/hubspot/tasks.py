"""Our tasks: found by their key, made once, looked at, changed, completed, deleted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from config.clocks import zone_of
from connectors.contract import TASK_STATE_SCHEMA, ConfigProblem, ConnectorError, Problem, RecordRefused
from connectors.hubspot.batches import MOST_INPUTS, NOT_THERE, Batches
from connectors.hubspot.by_id import read_by_id
from connectors.hubspot.fields import LINKS
from connectors.hubspot.refusals import NOT_FOUND, PASSING
from connectors.hubspot.replies import NOT_RETURNED, moment
from connectors.hubspot.task_search import TaskSearch
from connectors.hubspot.task_texts import as_html, readable, with_comment
from connectors.keyed import make_once
from connectors.outcomes import NOT_SENT, Outcome, outcome_table, refused, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from connectors.contract import FieldInfo
    from connectors.hubspot.api import Api
    from connectors.hubspot.schema import Schema

TASKS = "tasks"
NEW, COMPLETED = "NOT_STARTED", "COMPLETED"
_LOOKED_AT = ("hs_task_subject", "hs_task_body", "hubspot_owner_id", "hs_timestamp", "hs_task_status")
# Noon: the same day for every rep, and not overdue before that day has begun.
_DUE_TIME = time(12)


class Tasks:
    """Tasks of one portal that carry our key."""

    def __init__(self, api: Api, schema: Schema) -> None:
        self._api = api
        self._schema = schema
        self._batches = Batches(api)

    # By key.

    def find(self, keys: Sequence[str]) -> dict[str, str]:
        """Id by key, deleted tasks included; a living one goes before a deleted one."""
        return {key: row["id"] for key, row in self._rows(keys).items()}

    def upsert(self, tasks: pa.Table) -> pa.Table:
        """As in the contract: one task for each key, however often this is repeated or interrupted.

        A task that was made is left as it is: a rep may have reworded it, or deleted it.
        """
        key_field = self._key_field.name
        rows: dict[str, Mapping[str, Any]] = {row["key"]: row for row in tasks.to_pylist()}
        outcomes = self._found(list(rows))

        def find(keys: Sequence[str]) -> dict[str, Outcome]:
            """Again, and where an index may lag behind: among the tasks of the companies and deals, too."""
            return self._linked([rows[key] for key in keys]) | self._found(keys)

        if not self._key_field.unique:
            outcomes |= self._linked([row for key, row in rows.items() if key not in outcomes])
        missing = {key: self._input(row, key_field) for key, row in rows.items() if key not in outcomes}
        outcomes |= make_once(missing, self._create, find, self._pause)
        keys: list[str] = tasks["key"].to_pylist()
        return outcome_table(keys, [outcomes[key] for key in keys])

    def _create(self, records: Mapping[str, Mapping[str, Any]]) -> dict[str, Outcome]:
        """Made by the hundred. One that HubSpot refuses, or does not mention, may be there: a unique key says so."""
        key = self._key_field
        outcomes = self._batches.create(TASKS, records, key.name)
        for name, outcome in outcomes.items():
            if outcome.code in PASSING:
                outcomes[name] = unknown(outcome.message)
        unclear = [
            name
            for name, outcome in outcomes.items()
            if outcome.code == NOT_RETURNED or (outcome.status == "refused" and key.unique)
        ]
        return outcomes | self._found(unclear)

    def _found(self, keys: Sequence[str]) -> dict[str, Outcome]:
        return {key: _done(row) for key, row in self._rows(keys).items()}

    def _linked(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Outcome]:
        """Tasks with these keys among those of their companies and deals, if the key is not unique."""
        if self._key_field.unique or not rows:
            return {}
        found = self._search.linked(rows)
        return {key: _done(row) for key, row in found.items()}

    def _rows(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Records by key, wherever they are."""
        key = self._key_field
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return {}
        if not key.unique:
            return self._search.by_key(wanted)
        try:
            living = read_by_id(self._api, TASKS, wanted, [key.name], by=key.name)
            binned = read_by_id(self._api, TASKS, wanted, [key.name], by=key.name, archived=True)
        except RecordRefused:
            # No look-up by a property of tasks, or none in the recycle bin: the long way.
            return self._search.by_key(wanted)
        return {row["properties"][key.name]: row for row in (*binned, *living)}

    @cached_property
    def _search(self) -> TaskSearch:
        return TaskSearch(self._api, self._key_field.name)

    @property
    def _key_field(self) -> FieldInfo:
        info = self._schema.info("task", "key")
        if info is None:
            # HubSpot would make the tasks and silently leave the key out.
            raise ConfigProblem(
                Problem(
                    "the property that marks our tasks is missing",
                    where="tasks.foretag_key",
                    fix="run `foretag setup`, or set `tasks: false`",
                )
            )
        return info

    def _pause(self) -> None:
        self._api.transport.sleep(self._api.transport.rng.uniform(1, 3))

    # As HubSpot wants them.

    def _input(self, row: Mapping[str, Any], key_field: str) -> dict[str, Any]:
        properties = {
            key_field: row["key"],
            "hs_task_subject": row["subject"],
            "hs_task_body": None if row["description"] is None else as_html(row["description"]),
            "hubspot_owner_id": row["owner_id"],
            "hs_timestamp": self._due(row.get("due")),
            "hs_task_status": NEW,
            "hs_task_priority": "HIGH" if row.get("priority") == "high" else "MEDIUM",
            "hs_task_type": "TODO",
        }
        return {
            "properties": {name: value for name, value in properties.items() if value is not None},
            "associations": [
                {
                    "to": {"id": row[about]},
                    "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": link.made}],
                }
                for about, link in LINKS["task"].items()
                if row.get(about)
            ],
        }

    def _due(self, due: date | None) -> str:
        """When a task is due; HubSpot wants a moment in each task, and has no dates there."""
        when = self._api.now() if due is None else datetime.combine(due, _DUE_TIME, self._zone)
        return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @cached_property
    def _zone(self) -> ZoneInfo:
        return zone_of(self._api.account.get("timeZone"))

    # By id.

    def held(self, ids: Sequence[str]) -> pa.Table:
        """Tasks of ours as they are now, in `TASK_STATE_SCHEMA`; those that are gone are left out."""
        key_field = self._key_field.name
        rows = read_by_id(self._api, TASKS, ids, [key_field, *_LOOKED_AT])
        states = [self._state(row, key_field) for row in rows if row["properties"].get(key_field)]
        return pa.Table.from_pylist(states, schema=TASK_STATE_SCHEMA)

    def _state(self, row: Mapping[str, Any], key_field: str) -> dict[str, Any]:
        held = row["properties"]
        due = moment(held.get("hs_timestamp"))
        return {
            "id": str(row["id"]),
            "key": held[key_field],
            "subject": held.get("hs_task_subject"),
            "description": readable(held.get("hs_task_body") or ""),
            "owner_id": held.get("hubspot_owner_id"),
            "due": None if due is None else due.astimezone(self._zone).date(),
            "begun": held.get("hs_task_status") != NEW,
            "is_closed": held.get("hs_task_status") == COMPLETED,
        }

    def update(self, changes: pa.Table) -> pa.Table:
        """Set what is not null."""
        rows = changes.to_pylist()
        records = [{"id": row["id"], "properties": self._changed(row)} for row in rows]
        outcomes = self._batches.update(TASKS, records) if records else {}
        return outcome_table([row["id"] for row in rows], [outcomes[row["id"]] for row in rows])

    def _changed(self, row: Mapping[str, Any]) -> dict[str, str]:
        properties = {
            "hs_task_subject": row["subject"],
            "hs_task_body": None if row["description"] is None else as_html(row["description"]),
            "hubspot_owner_id": row["owner_id"],
            "hs_timestamp": None if row["due"] is None else self._due(row["due"]),
        }
        return {name: value for name, value in properties.items() if value is not None}

    def close(self, ids: Sequence[str], comment: str) -> pa.Table:
        """Complete tasks; the comment is added to the body, once, after whatever a rep wrote.

        A body is read just before it is written: a rep may be writing, too.
        """
        outcomes: dict[str, Outcome] = {}
        for start in range(0, len(ids), MOST_INPUTS):
            part = ids[start : start + MOST_INPUTS]
            try:
                outcomes |= self._close(part, comment)
            except (ConnectorError, ConfigProblem) as error:
                if not outcomes:
                    raise
                outcomes |= dict.fromkeys(part, unknown(f"not sent: {error}", NOT_SENT))
        return outcome_table(ids, [outcomes[task_id] for task_id in ids])

    def _close(self, ids: Sequence[str], comment: str) -> dict[str, Outcome]:
        rows = read_by_id(self._api, TASKS, ids, ["hs_task_body"])
        records = [
            {"id": row["id"], "properties": _closed(row["properties"].get("hs_task_body"), comment)}
            for row in rows
        ]
        return dict.fromkeys(ids, refused(NOT_FOUND, NOT_THERE)) | self._batches.update(TASKS, records)

    def delete(self, ids: Sequence[str]) -> pa.Table:
        """Delete tasks; one that is gone already is done."""
        outcomes = self._batches.archive(TASKS, ids) if ids else {}
        return outcome_table(ids, [outcomes[task_id] for task_id in ids])


def _closed(body: str | None, comment: str) -> dict[str, str]:
    """The properties of a completed task; a body that says it all already is left alone."""
    told = with_comment(body, comment) if comment else body
    changed = {"hs_task_body": told} if told and told != body else {}
    return {"hs_task_status": COMPLETED, **changed}


def _done(row: Mapping[str, Any]) -> Outcome:
    return Outcome("done", modified_at=moment(row.get("updatedAt")), crm_id=str(row["id"]))
