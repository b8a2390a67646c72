"""What changes an org's records: saves, deletes, merges, each with one outcome per record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.errors import SalesforceError, SaveError, SaveResult, failed
from connectors.sandbox.salesforce.ids import long_id
from connectors.sandbox.salesforce.intake import Intake
from connectors.sandbox.salesforce.org_reads import OrgReads
from connectors.sandbox.salesforce.parties import SaveTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from connectors.sandbox.salesforce.parties import Operation, Row, User
    from connectors.sandbox.salesforce.schema import ObjectType


class OrgWrites(OrgReads):
    """Writes, each with one user's rights; a refusal of the whole request raises `SalesforceError`."""

    def insert(
        self, user: User, object_name: str, rows: Sequence[Row], *, all_or_none: bool = False
    ) -> list[SaveResult]:
        """Create records from wire JSON; one outcome each, in order."""
        with self.atomic(only_whole=all_or_none) as transaction, self._writing(user):
            intake = Intake(self, user, self._found(user, object_name))
            return transaction.judge(intake.insert(rows))

    def update(
        self, user: User, object_name: str, rows: Sequence[Row], *, all_or_none: bool = False
    ) -> list[SaveResult]:
        """Set fields of records; each row carries "Id" (any case)."""
        with self.atomic(only_whole=all_or_none) as transaction, self._writing(user):
            intake = Intake(self, user, self._found(user, object_name))
            return transaction.judge(intake.update(rows))

    def upsert(
        self,
        user: User,
        object_name: str,
        external_id: str,
        rows: Sequence[Row],
        *,
        all_or_none: bool = False,
    ) -> list[SaveResult]:
        """Create or set by an external id field (or "Id") that each row carries."""
        with self.atomic(only_whole=all_or_none) as transaction, self._writing(user):
            intake = Intake(self, user, self._found(user, object_name))
            return transaction.judge(intake.upsert(external_id, rows))

    def delete(
        self,
        user: User,
        object_name: str | None,
        ids: Sequence[str],
        *,
        all_or_none: bool = False,
        hard: bool = False,
    ) -> list[SaveResult]:
        """Move records to the recycle bin (hard: out of the org). Without an object name it is taken from the ids."""
        with self.atomic(only_whole=all_or_none) as transaction, self._writing(user):
            return transaction.judge(self._delete_all(user, object_name, ids, hard=hard))

    def _delete_all(
        self, user: User, object_name: str | None, ids: Sequence[str], *, hard: bool
    ) -> list[SaveResult]:
        groups, results = self._by_object(ids, object_name)
        for found, places in groups:
            errors = self._delete(user, found, [record_id for _, record_id in places], hard=hard)
            for place, record_id in places:
                results[place] = _removed(record_id, errors.get(record_id))
        return [results[place] for place in range(len(ids))]

    def _delete(self, user: User, found: ObjectType, ids: list[str], *, hard: bool) -> dict[str, SaveError]:
        if not found.deletable or not self.access.may(user, found, "Delete"):
            return dict.fromkeys(
                ids, SaveError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
            )
        self.saver.wait_for(found.name, ids)
        return self.remover.delete(user, found, ids, hard=hard)

    def _by_object(
        self, ids: Sequence[str], object_name: str | None
    ) -> tuple[list[tuple[ObjectType, list[tuple[int, str]]]], dict[int, SaveResult]]:
        """Well-formed ids by object, and a refusal for each of the others."""
        groups: dict[str, list[tuple[int, str]]] = {}
        refused: dict[int, SaveResult] = {}
        for place, given in enumerate(ids):
            full = long_id(given)
            name = self.object_of(full) if full else None
            if full is None or name is None or (object_name and name.lower() != object_name.lower()):
                refused[place] = failed("MALFORMED_ID", f"malformed id {given}", record_id=given)
            else:
                groups.setdefault(name, []).append((place, full))
        return [(self.schema.objects[name], places) for name, places in groups.items()], refused

    def undelete(self, user: User, ids: Sequence[str]) -> list[SaveResult]:
        """Take records out of the recycle bin."""
        with self._writing(user):
            groups, results = self._by_object(ids, None)
            for found, places in groups:
                errors = self.remover.undelete(user, found, [record_id for _, record_id in places])
                for place, record_id in places:
                    results[place] = _removed(record_id, errors.get(record_id))
            return [results[place] for place in range(len(ids))]

    def merge(self, user: User, object_name: str, winner_id: str, loser_ids: Sequence[str]) -> SaveResult:
        """Losers are deleted with MasterRecordId; their children now belong to the winner."""
        with self._writing(user):
            found = self._found(user, object_name)
            if not found.mergeable or not self.access.may(user, found, "Delete"):
                raise SalesforceError(
                    "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"
                )
            ids = [long_id(one) or one for one in (winner_id, *loser_ids)]
            self.remover.merge(user, found, ids[0], ids[1:])
            return SaveResult(ids[0], success=True)

    def save_table(
        self,
        user: User,
        object_name: str,
        operation: Operation,
        table: pa.Table,
        *,
        external_id: str | None = None,
    ) -> SaveTable:
        """Bulk ingest of string columns: "" leaves a field as it is, "#N/A" empties it.

        A column `Account.Ext__c` is a reference by external id.
        """
        with self._writing(user):
            found = self._found(user, object_name)
            if operation in {"delete", "hardDelete"}:
                ids = [
                    str(one or "")
                    for one in table[
                        "Id" if "Id" in table.column_names else table.column_names[0]
                    ].to_pylist()
                ]
                results = self.delete(user, found.name, ids, hard=operation == "hardDelete")
                return SaveTable(
                    [one.id for one in results], [False] * len(ids), [_lines(one.errors) for one in results]
                )
            saved, errors, created = Intake(self, user, found).table(operation, table, external_id)
            count = range(table.num_rows)
            given = table["Id"].to_pylist() if "Id" in table.column_names else None
            return SaveTable(
                [saved.get(row) or (given[row] if given else None) for row in count],
                [row in created for row in count],
                [_lines(errors[row]) if row in errors else None for row in count],
            )


def _removed(record_id: str, error: SaveError | None) -> SaveResult:
    return SaveResult(record_id, success=error is None, errors=(error,) if error else ())


def _lines(errors: Sequence[SaveError]) -> str | None:
    """Bulk's one line for all that is wrong with a row."""
    return errors[0].line() if errors else None
