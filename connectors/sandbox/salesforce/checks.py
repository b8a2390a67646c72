"""What may not be saved: rules over the new state of many records at once, each yielding the offending rows."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.errors import SaveError
from connectors.sandbox.salesforce.formulas import rule_sql
from connectors.sandbox.salesforce.store import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from connectors.sandbox.salesforce.schema import Field, ObjectType, Schema
    from connectors.sandbox.salesforce.store import Store

# Fields that together name a record, and how their double is called.
TOGETHER = {
    "FieldPermissions": (
        ("ParentId", "Field"),
        "DUPLICATE_VALUE",
        "duplicate value found: <unknown> duplicates value on record with id: <unknown>",
    ),
    "ObjectPermissions": (
        ("ParentId", "SobjectType"),
        "DUPLICATE_VALUE",
        "duplicate value found: <unknown> duplicates value on record with id: <unknown>",
    ),
    "PermissionSetAssignment": (
        ("PermissionSetId", "AssigneeId"),
        "DUPLICATE_VALUE",
        "Duplicate PermissionSetAssignment.",
    ),
    "PermissionSet": (
        ("Name",),
        "DUPLICATE_DEVELOPER_NAME",
        "This name is already used or is too long. Please use another.",
    ),
}


class Checks:
    """The rules for one batch; `candidates` has a row number, the Id, and the new state of each record."""

    def __init__(self, schema: Schema, store: Store, found: ObjectType, candidates: pa.Table) -> None:
        self._schema, self._store, self._object, self._candidates = schema, store, found, candidates

    def required(self, names: Sequence[str]) -> Iterator[tuple[int, SaveError]]:
        """Fields that must have a value."""
        needed = [name for name in names if name in self._candidates.column_names]
        if not needed:
            return
        flags = ", ".join(f"{quoted(name)} IS NULL" for name in needed)
        rows = self._ask(
            f'SELECT "row", [{flags}] AS missing FROM candidates WHERE list_contains([{flags}], TRUE)'
        )
        for row, missing in rows:
            blank = tuple(name for name, empty in zip(needed, missing, strict=True) if empty)
            yield (
                row,
                SaveError(
                    "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(blank)}]", blank
                ),
            )

    def references(self, names: Sequence[str]) -> Iterator[tuple[int, SaveError]]:
        """References must lead to living records of the right object."""
        for name in names:
            one = self._object.fields[name]
            if one.type == "reference":
                yield from self._reference(one)

    def _reference(self, one: Field) -> Iterator[tuple[int, SaveError]]:
        prefixes = {self._schema.objects[target].prefix: target for target in one.reference_to}
        key = quoted(one.name)
        known = ", ".join(literal(prefix) for prefix in prefixes)
        for row, value in self._ask(
            f'SELECT "row", {key} FROM candidates WHERE {key} IS NOT NULL AND left({key}, 3) NOT IN ({known})'
        ):
            yield (
                row,
                SaveError("MALFORMED_ID", f"{one.label}: id value of incorrect type: {value}", (one.name,)),
            )
        for prefix, target in prefixes.items():
            parent = self._schema.objects[target]
            deleted = (
                self._store.column(parent, parent.fields["IsDeleted"], "p")
                if "IsDeleted" in parent.fields
                else "FALSE"
            )
            active = (
                self._store.column(parent, parent.fields["IsActive"], "p")
                if one.name == "OwnerId" and target == "User"
                else "TRUE"
            )
            rows = self._ask(
                f'SELECT c."row", p."Id" IS NULL, coalesce({deleted}, FALSE), coalesce({active}, TRUE), c.{key} '
                "FROM candidates c "
                f'LEFT JOIN {quoted(target)} p ON p."Id" = c.{key} WHERE left(c.{key}, 3) = {literal(prefix)} '
                f'AND (p."Id" IS NULL OR {deleted} OR NOT {active})'
            )
            for row, missing, gone, alive, value in rows:
                yield row, self._bad_reference(one, missing=missing, gone=gone, alive=alive, value=value)

    def _bad_reference(self, one: Field, *, missing: bool, gone: bool, alive: bool, value: str) -> SaveError:
        if missing:
            return SaveError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (one.name,))
        if gone:
            return SaveError("ENTITY_IS_DELETED", "entity is deleted", (one.name,))
        if not alive:
            owned = self._object.label.lower()
            return SaveError(
                "INACTIVE_OWNER_OR_USER",
                f"operation performed with inactive user [{value}] as owner of {owned}",
                (one.name,),
            )
        return SaveError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (one.name,))

    def unique(self, names: Sequence[str]) -> Iterator[tuple[int, SaveError]]:
        """Unique values may stand on one record only, in the org and within the request."""
        for name in names:
            one = self._object.fields[name]
            if one.unique:
                key = quoted(name) if one.case_sensitive else f"lower({quoted(name)})"
                yield from self._doubles(
                    key, f"t.{quoted(name)}" if one.case_sensitive else f"lower(t.{quoted(name)})", name
                )

    def _doubles(self, key: str, stored: str, name: str) -> Iterator[tuple[int, SaveError]]:
        table = quoted(self._object.name)
        rows = self._ask(
            f'SELECT c."row", min(t."Id") FROM (SELECT "row", "Id", {key} AS k FROM candidates) c JOIN {table} t '
            f'ON {stored} = c.k AND t."Id" <> c."Id" AND NOT coalesce({self._gone()}, FALSE) GROUP BY c."row"'
        )
        for row, other in rows:
            yield (
                row,
                SaveError(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {other}",
                ),
            )
        repeated = self._ask(
            f'SELECT "row", "first" FROM (SELECT "row", {key} AS k, '
            f'first_value("Id") OVER (PARTITION BY {key} ORDER BY "row") AS "first", '
            f'row_number() OVER (PARTITION BY {key} ORDER BY "row") AS n FROM candidates) WHERE k IS NOT NULL AND n > 1'
        )
        for row, other in repeated:
            yield (
                row,
                SaveError(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {other}",
                ),
            )

    def together(self) -> Iterator[tuple[int, SaveError]]:
        """Combinations that name a record must not repeat."""
        if self._object.name not in TOGETHER:
            return
        names, code, message = TOGETHER[self._object.name]
        same = " AND ".join(f"lower(t.{quoted(name)}) = lower(c.{quoted(name)})" for name in names)
        rows = self._ask(
            f'SELECT DISTINCT c."row" FROM candidates c JOIN {quoted(self._object.name)} t '
            f'ON {same} AND t."Id" <> c."Id"'
        )
        for (row,) in rows:
            yield row, SaveError(code, message)

    def rules(self, rules: Sequence[tuple[str, str]]) -> Iterator[tuple[int, SaveError]]:
        """Validation rules: formulas that are true for a bad record."""
        for formula, message in rules:
            sql = rule_sql(self._schema, self._object, formula, self._candidate_column)
            for (row,) in self._ask(f'SELECT t."row" FROM candidates t WHERE {sql}'):
                yield row, SaveError("FIELD_CUSTOM_VALIDATION_EXCEPTION", message)

    def _candidate_column(self, found: ObjectType, one: Field, alias: str) -> str:
        if alias == "t" and one.name in self._candidates.column_names:
            return f"t.{quoted(one.name)}"
        return self._store.column(found, one, alias)

    def permissions(self) -> Iterator[tuple[int, SaveError]]:
        """A field permission names a field that exists, and editing needs reading."""
        if self._object.name != "FieldPermissions":
            return
        for row, object_name, name, read, edit in self._ask(
            'SELECT "row", "SobjectType", "Field", "PermissionsRead", "PermissionsEdit" FROM candidates'
        ):
            target = self._schema.find(object_name or "")
            if target is None or target.find((name or "").partition(".")[2]) is None:
                yield (
                    row,
                    SaveError(
                        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                        f"Field Name: bad value for restricted picklist field: {name}",
                        ("Field",),
                    ),
                )
            elif edit and not read:
                yield (
                    row,
                    SaveError(
                        "FIELD_INTEGRITY_EXCEPTION",
                        f"Permission Edit {name} depends on permission(s): Read {name}",
                    ),
                )

    def _gone(self) -> str:
        one = self._object.fields.get("IsDeleted")
        return self._store.column(self._object, one, "t") if one else "FALSE"

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        rows = self._store.read(sql, candidates=self._candidates)
        return (
            list(zip(*(column.to_pylist() for column in rows.columns), strict=True)) if rows.num_rows else []
        )
