"""Saving: candidates are derived, checked, stamped and committed; what is wrong stays out and hurts nobody else."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.salesforce.checks import Checks
from connectors.sandbox.salesforce.derived import DERIVED, HISTORY_FIELDS, WATCHED, inputs
from connectors.sandbox.salesforce.errors import SaveError
from connectors.sandbox.salesforce.store import literal, quoted
from connectors.sandbox.salesforce.tracking import Tracking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from connectors.sandbox.salesforce.org_state import OrgState
    from connectors.sandbox.salesforce.parties import User
    from connectors.sandbox.salesforce.schema import ObjectType
    from connectors.sandbox.salesforce.staging import Staged

_STAMPS = ("LastModifiedDate", "LastModifiedById", "SystemModstamp")
_MADE = ("CreatedDate", "CreatedById")


@dataclass(slots=True)
class Outcome:
    """Ids by row, and errors by row."""

    ids: dict[int, str]
    errors: dict[int, list[SaveError]]


@dataclass(frozen=True, slots=True)
class Pending:
    """A save that has its stamp but is not visible yet."""

    visible_at: datetime
    object_name: str
    ids: frozenset[str]
    creates: bool
    commit: Callable[[], None]


class Saver:
    """Runs saves for one org. The caller holds the store's lock."""

    def __init__(self, org: OrgState) -> None:
        self._org, self._store, self._schema = org, org.store, org.schema
        self._pending: list[Pending] = []
        self.rules: dict[str, list[tuple[str, str]]] = {}
        self.tracking = Tracking(self._store)

    # Late commits.

    def settle(self, now: datetime) -> None:
        """Make visible what was due by now."""
        self._release(lambda one: one.visible_at <= now)

    def _release(self, due: Callable[[Pending], bool]) -> None:
        ready = [one for one in self._pending if due(one)]
        self._pending = [one for one in self._pending if not due(one)]
        for one in sorted(ready, key=lambda pending: pending.visible_at):
            one.commit()

    def mark(self) -> int:
        """How many saves wait to become visible."""
        return len(self._pending)

    def forget(self, mark: int) -> None:
        """Drop the waiting saves that came after a mark: their transaction was undone."""
        del self._pending[mark:]

    def wait_for(self, object_name: str, ids: Iterable[str], *, new_too: bool = False) -> None:
        """A save of a record waits for the transaction that holds it, as it would for the record's lock."""
        if self._pending:
            wanted = set(ids)
            self._release(
                lambda one: (
                    one.object_name == object_name and (bool(one.ids & wanted) or (new_too and one.creates))
                )
            )

    # The way of a save.

    def save(self, user: User, staged: Staged, *, creates: bool) -> Outcome:
        """Insert or update staged records."""
        found, errors = staged.found, {row: list(many) for row, many in staged.errors.items()}
        if creates:
            ids = self._store.new_ids(found.prefix or "000", staged.table.num_rows)
            staged.table = staged.table.set_column(staged.table.column_names.index("Id"), "Id", ids)
        unique = any(found.fields[name].unique for name in staged.names)
        if self._pending:
            self.wait_for(found.name, staged.table["Id"].to_pylist(), new_too=unique)
        self._store.ensure(found.name, {*staged.names, *inputs(found.name), *self._system(found)})
        if not creates:
            self._existing(staged, errors)
        self._merge(errors, self._locked(staged, creates=creates, errors=errors))
        candidates = self._candidates(user, staged, errors, creates=creates)
        self._merge(errors, self._check(staged, candidates, creates=creates))
        good = self._without(candidates, errors)
        if good.num_rows:
            self._commit(user, staged, good, creates=creates)
        outcome = dict(zip(good["row"].to_pylist(), good["Id"].to_pylist(), strict=True))
        return Outcome(outcome, errors)

    @staticmethod
    def _merge(errors: dict[int, list[SaveError]], found: Iterable[tuple[int, SaveError]]) -> None:
        for row, error in found:
            errors.setdefault(row, []).append(error)

    @staticmethod
    def _without(table: pa.Table, errors: dict[int, list[SaveError]]) -> pa.Table:
        if not errors:
            return table
        return table.filter(pc.invert(pc.is_in(table["row"], pa.array(list(errors), pa.int64()))))

    @staticmethod
    def _system(found: ObjectType) -> list[str]:
        return [name for name in (*_STAMPS, *_MADE, "IsDeleted") if name in found.fields]

    def _existing(self, staged: Staged, errors: dict[int, list[SaveError]]) -> None:
        """Records to update must exist and be alive; a record may come only once."""
        table, found = quoted(staged.found.name), staged.found
        deleted = 't."IsDeleted"' if "IsDeleted" in found.fields else "FALSE"
        rows = self._store.read(
            f'SELECT s."row", s."Id", t."Id" IS NULL AS missing, coalesce({deleted}, FALSE) AS gone FROM '
            f'(SELECT *, row_number() OVER (PARTITION BY "Id" ORDER BY "row") AS place FROM staged) s '
            f"LEFT JOIN {table} t "
            f'ON t."Id" = s."Id" WHERE t."Id" IS NULL OR {deleted} OR place > 1',
            staged=staged.table.select(["row", "Id"]),
        )
        for row in rows.to_pylist():
            if row["missing"]:
                error = SaveError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            elif row["gone"]:
                error = SaveError("ENTITY_IS_DELETED", "entity is deleted")
            else:
                error = SaveError("DUPLICATE_VALUE", f"Duplicate id specified: {row['Id']}")
            errors.setdefault(row["row"], [error])

    def _locked(
        self, staged: Staged, *, creates: bool, errors: dict[int, list[SaveError]]
    ) -> Iterable[tuple[int, SaveError]]:
        faults = self._org.faults
        if faults is None:
            return
        parents = [name for name in staged.names if staged.found.fields[name].cascade_delete]
        held = staged.table[parents[0] if creates and parents else "Id"].to_pylist()
        for row, record_id in zip(staged.table["row"].to_pylist(), held, strict=True):
            if record_id and row not in errors and faults.lock_row(record_id):
                yield (
                    row,
                    SaveError(
                        "UNABLE_TO_LOCK_ROW",
                        f"unable to obtain exclusive access to this record or 1 records: {record_id}",
                    ),
                )

    # New states.

    def _candidates(
        self, user: User, staged: Staged, errors: dict[int, list[SaveError]], *, creates: bool
    ) -> pa.Table:
        """The records as they would be: old values, the save's, then what the org derives from them."""
        found = staged.found
        table = self._without(staged.table, errors)
        stored = [one for one in found.stored() if one.name in self._store.columns[found.name]]
        watched = [*staged.names, *(name for name in WATCHED.get(found.name, ()) if name not in staged.names)]
        parts = ['s."row"', 's."Id"']
        for one in stored:
            if one.name != "Id":
                default = self._default(user, one.name, one.default)
                before = default if creates else f"t.{quoted(one.name)}"
                value = (
                    f"CASE WHEN s.{quoted(one.name + '$set')} THEN s.{quoted(one.name)} ELSE {before} END"
                    if one.name in staged.names
                    else before
                )
                if creates and one.default is not None and one.name in staged.names:
                    value = f"coalesce({value}, {default})"
                parts.append(f"CAST({value} AS {one.sql_type}) AS {quoted(one.name)}")
        for name in watched:
            kind = found.fields[name].sql_type
            old = "NULL" if creates else f"t.{quoted(name)}"
            parts.append(f"CAST({old} AS {kind}) AS {quoted(name + '$old')}")
            told = f"s.{quoted(name + '$set')}" if name in staged.names else "FALSE"
            parts.append(f"{told} AS {quoted(name + '$set')}")
        source = "staged s" if creates else f'staged s JOIN {quoted(found.name)} t ON t."Id" = s."Id"'
        sql = f"SELECT {', '.join(parts)} FROM {source}"
        for step in DERIVED.get(found.name, ()):
            replaced = ", ".join(
                f"CAST({text} AS {found.fields[name].sql_type}) AS {quoted(name)}"
                for name, text in step.items()
            )
            sql = f"SELECT c.* REPLACE ({replaced}) FROM ({sql}) c"
        return self._store.read(sql, staged=table)

    def _default(self, user: User, name: str, default: Any) -> str:
        return literal(user.id) if name == "OwnerId" else literal(default)

    def _check(
        self, staged: Staged, candidates: pa.Table, *, creates: bool
    ) -> Iterable[tuple[int, SaveError]]:
        found, faults = staged.found, self._org.faults
        checks = Checks(self._schema, self._store, found, candidates)
        required = [
            one.name
            for one in found.stored()
            if not one.nillable
            and one.createable
            and one.type != "boolean"
            and (creates or one.name in staged.names)
        ]
        yield from checks.required(required)
        yield from checks.references(staged.names)
        yield from checks.unique(staged.names)
        if creates:
            yield from checks.together()
        yield from checks.permissions()
        yield from checks.rules(
            [*self.rules.get(found.name, []), *(faults.validation_rules(found.name) if faults else ())]
        )

    # Commit.

    def _commit(self, user: User, staged: Staged, good: pa.Table, *, creates: bool) -> None:
        found, now = staged.found, self._org.now()
        derived = {name for step in DERIVED.get(found.name, ()) for name in step}
        changed = self._changed(staged, good)
        stamps: dict[str, Any] = {"SystemModstamp": now, "LastModifiedDate": now, "LastModifiedById": user.id}
        if creates:
            stamps |= {"CreatedDate": now, "CreatedById": user.id}
        stamps = {name: value for name, value in stamps.items() if name in found.fields}
        written = [name for name in found.fields if name in derived | set(staged.names)]
        apply = (
            self._insertion(found, good, stamps) if creates else self._updating(found, good, written, stamps)
        )
        history = self._history(user, good, now) if found.name == "Opportunity" else None
        tracked = None if creates else self.tracking.rows(user, staged, good, now)

        def commit() -> None:
            apply()
            for rows in filter(None, (history, tracked)):
                rows()

        self.publish(found.name, good["Id"].to_pylist(), commit, creates=creates)
        self._org.note(
            user, "insert" if creates else "update", found.name, good["Id"].to_pylist(), staged.names, changed
        )

    def publish(
        self, object_name: str, ids: list[str], commit: Callable[[], None], *, creates: bool = False
    ) -> None:
        """Make a save visible, now or as late as the fault wants."""
        delay = self._org.faults.commit_delay(object_name) if self._org.faults else None
        if delay:
            self._pending.append(
                Pending(self._org.now() + delay, object_name, frozenset(ids), creates, commit)
            )
        else:
            commit()

    def _changed(self, staged: Staged, good: pa.Table) -> int:
        """How many field values differ from before."""
        tests = [
            f"count(*) FILTER ({quoted(name)} IS DISTINCT FROM {quoted(name + '$old')})"
            for name in staged.names
        ]
        if not tests:
            return 0
        total: int = self._store.read(f"SELECT {' + '.join(tests)} AS n FROM good", good=good)["n"][0].as_py()
        return total

    def _insertion(self, found: ObjectType, good: pa.Table, stamps: dict[str, Any]) -> Callable[[], None]:
        names = [name for name in good.column_names if name in found.fields and name not in stamps]
        columns = ", ".join(
            [
                *(quoted(name) for name in names),
                *(f"{literal(value)} AS {quoted(name)}" for name, value in stamps.items()),
            ]
        )
        return lambda: self._store.write(
            f"INSERT INTO {quoted(found.name)} BY NAME SELECT {columns} FROM good", good=good
        )

    def _updating(
        self, found: ObjectType, good: pa.Table, written: list[str], stamps: dict[str, Any]
    ) -> Callable[[], None]:
        sets = [f"{quoted(name)} = g.{quoted(name)}" for name in written] + [
            f"{quoted(name)} = {literal(value)}" for name, value in stamps.items()
        ]
        sql = f'UPDATE {quoted(found.name)} SET {", ".join(sets)} FROM good g WHERE {quoted(found.name)}."Id" = g."Id"'
        return lambda: self._store.write(sql, good=good)

    def _history(self, user: User, good: pa.Table, now: datetime) -> Callable[[], None]:
        """A snapshot for every opportunity whose stage, amount, close date or probability changed."""
        moved = " OR ".join(
            f"{quoted(name)} IS DISTINCT FROM {quoted(name + '$old')}" for name in HISTORY_FIELDS
        )
        rows = self._store.read(
            'SELECT "Id" AS "OpportunityId", "StageName", "Amount", "CloseDate", "Probability", '
            '"ForecastCategory", "ExpectedRevenue", '
            f'"Amount$old" AS "PrevAmount", "CloseDate$old" AS "PrevCloseDate" FROM good WHERE {moved}',
            good=good,
        )
        rows = rows.append_column("Id", self._store.new_ids("008", rows.num_rows))
        stamps = (
            f'{literal(now)} AS "CreatedDate", {literal(now)} AS "SystemModstamp", '
            f'{literal(user.id)} AS "CreatedById", FALSE AS "IsDeleted"'
        )

        def commit() -> None:
            self._store.ensure(
                "OpportunityHistory",
                [*rows.column_names, "CreatedDate", "SystemModstamp", "CreatedById", "IsDeleted"],
            )
            self._store.write(
                f'INSERT INTO "OpportunityHistory" BY NAME SELECT *, {stamps} FROM history', history=rows
            )

        return commit
