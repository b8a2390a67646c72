"""Deleting, restoring and merging records, with the records that hang on them."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.sandbox.salesforce.errors import SalesforceError, SaveError
from connectors.sandbox.salesforce.store import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.sandbox.salesforce.org_state import OrgState
    from connectors.sandbox.salesforce.parties import User
    from connectors.sandbox.salesforce.schema import ObjectType

_DELETED = SaveError("ENTITY_IS_DELETED", "entity is deleted")
_MISSING = SaveError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


class Remover:
    """Deletes, restores and merges in one org. The caller holds the store's lock."""

    def __init__(self, org: OrgState) -> None:
        self._org, self._store, self._schema = org, org.store, org.schema

    def states(self, found: ObjectType, ids: Sequence[str]) -> dict[str, bool]:
        """For each id that exists: whether the record is deleted."""
        gone = '"IsDeleted"' if "IsDeleted" in found.fields else "FALSE"
        self._store.ensure(found.name, ["IsDeleted"] if "IsDeleted" in found.fields else [])
        rows = self._store.read(
            f'SELECT "Id", coalesce({gone}, FALSE) AS gone FROM {quoted(found.name)} '
            'WHERE "Id" IN (SELECT unnest($ids))',
            {"ids": list(ids)},
        )
        return dict(zip(rows["Id"].to_pylist(), rows["gone"].to_pylist(), strict=True))

    def delete(
        self, user: User, found: ObjectType, ids: Sequence[str], *, hard: bool
    ) -> dict[str, SaveError]:
        """Delete what can be deleted; errors by id."""
        states, faults = self.states(found, ids), self._org.faults
        errors: dict[str, SaveError] = {}
        for one in ids:
            if one not in states:
                errors[one] = _MISSING
            elif states[one] and not hard:
                errors[one] = _DELETED
            elif faults is not None and faults.lock_row(one):
                errors[one] = SaveError(
                    "UNABLE_TO_LOCK_ROW",
                    f"unable to obtain exclusive access to this record or 1 records: {one}",
                )
        good = [one for one in dict.fromkeys(ids) if one not in errors]
        if good:
            self._org.saver.publish(found.name, good, lambda: self._remove(user, found, good, hard=hard))
            self._org.note(user, "hardDelete" if hard else "delete", found.name, good, (), len(good))
        return errors

    def _remove(self, user: User, found: ObjectType, ids: list[str], *, hard: bool) -> None:
        for child in self._schema.children(found.name):
            if child.field.cascade_delete or child.field.name == "WhatId":
                self._remove_children(
                    user, self._schema.objects[child.object_name], child.field.name, ids, hard=hard
                )
        if hard or "IsDeleted" not in found.fields:
            self._store.write(
                f'DELETE FROM {quoted(found.name)} WHERE "Id" IN (SELECT id FROM ids)', ids=_ids(ids)
            )
        else:
            self._mark(user, found, ids, {"IsDeleted": True})

    def _remove_children(
        self, user: User, child: ObjectType, way: str, parents: list[str], *, hard: bool
    ) -> None:
        living = self._living(child, way, parents)
        if living:
            self._remove(user, child, living, hard=hard)
            self._org.note(user, "cascade", child.name, living, (), len(living))

    def _living(self, child: ObjectType, way: str, parents: list[str]) -> list[str]:
        if way not in self._store.columns[child.name]:
            return []
        gone = (
            self._store.column(child, child.fields["IsDeleted"], "t")
            if "IsDeleted" in child.fields
            else "FALSE"
        )
        rows = self._store.read(
            f'SELECT "Id" FROM {quoted(child.name)} t WHERE {quoted(way)} IN (SELECT id FROM ids) AND NOT {gone}',
            ids=_ids(parents),
        )
        found: list[str] = rows["Id"].to_pylist()
        return found

    def _mark(self, user: User, found: ObjectType, ids: Sequence[str], values: dict[str, Any]) -> None:
        """Set the same values and the stamps on records."""
        now = self._org.now()
        stamps = {"LastModifiedDate": now, "LastModifiedById": user.id, "SystemModstamp": now}
        values = values | {name: value for name, value in stamps.items() if name in found.fields}
        self._store.ensure(found.name, values)
        sets = ", ".join(f"{quoted(name)} = {literal(value)}" for name, value in values.items())
        self._store.write(
            f'UPDATE {quoted(found.name)} SET {sets} WHERE "Id" IN (SELECT id FROM ids)', ids=_ids(ids)
        )

    def undelete(self, user: User, found: ObjectType, ids: Sequence[str]) -> dict[str, SaveError]:
        """Take records out of the recycle bin, with the children that went with them; errors by id."""
        states = self.states(found, ids)
        errors = {
            one: SaveError("UNDELETE_FAILED", "Entity is not in the recycle bin")
            if one in states
            else _MISSING
            for one in ids
            if not states.get(one, False)
        }
        good = [one for one in dict.fromkeys(ids) if one not in errors]
        if good:
            self._restore(user, found, good)
            self._org.note(user, "undelete", found.name, good, (), len(good))
        return errors

    def _restore(self, user: User, found: ObjectType, ids: list[str]) -> None:
        for child in self._schema.children(found.name):
            kind = self._schema.objects[child.object_name]
            if (child.field.cascade_delete or child.field.name == "WhatId") and "IsDeleted" in kind.fields:
                self._restore_children(user, found, kind, child.field.name, ids)
        self._mark(
            user,
            found,
            ids,
            {"IsDeleted": False} | ({"MasterRecordId": None} if "MasterRecordId" in found.fields else {}),
        )

    def _restore_children(
        self, user: User, found: ObjectType, child: ObjectType, way: str, ids: list[str]
    ) -> None:
        """Children that were deleted in the very transaction of their parent."""
        if way not in self._store.columns[child.name] or "IsDeleted" not in self._store.columns[child.name]:
            return
        rows = self._store.read(
            f'SELECT c."Id" FROM {quoted(child.name)} c JOIN {quoted(found.name)} p ON p."Id" = c.{quoted(way)} '
            'WHERE c."IsDeleted" AND c."SystemModstamp" = p."SystemModstamp" AND p."Id" IN (SELECT id FROM ids)',
            ids=_ids(ids),
        )
        if rows.num_rows:
            self._restore(user, child, rows["Id"].to_pylist())

    def merge(self, user: User, found: ObjectType, winner: str, losers: Sequence[str]) -> None:
        """Losers go, with MasterRecordId; everything that pointed at them points at the winner, stamped."""
        states = self.states(found, [winner, *losers])
        for one in (winner, *losers):
            if states.get(one, True):
                error = _DELETED if one in states else _MISSING
                raise SalesforceError(error.status_code, error.message)
        for child in self._schema.children(found.name):
            if child.field.name != "MasterRecordId":
                self._move(user, self._schema.objects[child.object_name], child.field.name, winner, losers)
        self._mark(user, found, losers, {"IsDeleted": True, "MasterRecordId": winner})
        self._mark(user, found, [winner], {})
        self._org.note(user, "merge", found.name, [winner, *losers], ("MasterRecordId",), len(losers))

    def _move(self, user: User, child: ObjectType, way: str, winner: str, losers: Sequence[str]) -> None:
        moved = [one for one in self._living(child, way, list(losers)) if one != winner]
        if moved:
            self._mark(user, child, moved, {way: winner})
            self._org.note(user, "merge", child.name, moved, (way,), len(moved))


def _ids(ids: Sequence[str]) -> pa.Table:
    return pa.table({"id": pa.array(list(ids), pa.string())})
