"""Field history: each change of the fields that an admin tracks, for good, in the object's own history."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.store import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    import pyarrow as pa

    from connectors.sandbox.salesforce.parties import User
    from connectors.sandbox.salesforce.schema import Field
    from connectors.sandbox.salesforce.staging import Staged
    from connectors.sandbox.salesforce.store import Store

_HISTORIES = {"Account": "AccountHistory", "Opportunity": "OpportunityFieldHistory"}
MOST_FIELDS = 20
_COLUMNS = ("Id", "IsDeleted", "CreatedById", "CreatedDate", "Field", "DataType", "OldValue", "NewValue")


class Tracking:
    """Which fields of an org are tracked, and the rows that a save adds. The caller holds the store's lock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fields: dict[str, frozenset[str]] = {}

    def track(self, object_name: str, *fields: str) -> None:
        """Track these fields from now on, and no others; what was not tracked before is not known."""
        if object_name not in _HISTORIES or len(fields) > MOST_FIELDS:
            raise ValueError(
                f"{object_name}: the sandbox tracks {MOST_FIELDS} fields of {', '.join(_HISTORIES)}"
            )
        self._fields[object_name] = frozenset(fields)

    def rows(self, user: User, staged: Staged, good: pa.Table, now: datetime) -> Callable[[], None] | None:
        """What adds the rows of a save, once it becomes visible."""
        found = staged.found
        names = [name for name in staged.names if name in self._fields.get(found.name, ())]
        selects = [one for name in names for one in self._changes(found.fields[name])]
        if not selects:
            return None
        rows = self._store.read(" UNION ALL ".join(selects), good=good)
        rows = rows.append_column("Id", self._store.new_ids("017", rows.num_rows))
        history, parent = _HISTORIES[found.name], f"{found.name}Id"
        stamps = f'{literal(now)} AS "CreatedDate", {literal(user.id)} AS "CreatedById", FALSE AS "IsDeleted"'

        def commit() -> None:
            self._store.ensure(history, [*_COLUMNS, parent])
            sql = f'INSERT INTO {quoted(history)} BY NAME SELECT * RENAME ("parent" AS {quoted(parent)}), {stamps}'
            self._store.write(f"{sql} FROM history", history=rows)

        return commit

    @staticmethod
    def _changes(one: Field) -> Iterator[str]:
        """A change in one row; that of a reference in two: one for people, by name, and one by id."""
        name, old = quoted(one.name), quoted(f"{one.name}$old")
        changed = f"FROM good g WHERE {name} IS DISTINCT FROM {old}"
        if one.type != "reference":
            yield (
                _select(
                    one.name, one.type.capitalize(), f"CAST({old} AS VARCHAR)", f"CAST({name} AS VARCHAR)"
                )
                + changed
            )
            return
        target = quoted(one.reference_to[-1])
        before, after = (f'(SELECT t."Name" FROM {target} t WHERE t."Id" = g.{side})' for side in (old, name))
        yield _select(one.name.removesuffix("Id"), "Text", before, after) + changed
        yield _select(one.name.removesuffix("Id"), "EntityId", old, name) + changed


def _select(field: str, kind: str, old: str, new: str) -> str:
    return (
        f'SELECT g."Id" AS "parent", {literal(field)} AS "Field", {literal(kind)} AS "DataType", '
        f'{old} AS "OldValue", {new} AS "NewValue" '
    )
