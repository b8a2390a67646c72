"""Save requests as they arrive: field names, ids, references by external id, upsert keys, and the user's rights."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.salesforce.errors import SalesforceError, SaveError, SaveResult
from connectors.sandbox.salesforce.ids import long_id
from connectors.sandbox.salesforce.reference_columns import ReferenceColumn
from connectors.sandbox.salesforce.schema import COMPOUND_TYPES, Field, ObjectType
from connectors.sandbox.salesforce.staging import stage_rows, stage_text, unwritable
from connectors.sandbox.salesforce.store import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.sandbox.salesforce.org_state import OrgState
    from connectors.sandbox.salesforce.parties import Row, User

Errors = dict[int, list[SaveError]]


class Intake:
    """Brings requests of one user for one object into the saver. The caller holds the store's lock."""

    def __init__(self, org: OrgState, user: User, found: ObjectType) -> None:
        self._org, self._user, self._object = org, user, found
        self._visible = org.access.visible(user, found)
        self._by_lower = {name.lower(): name for name in self._visible}

    # Requests of wire rows.

    def insert(self, rows: Sequence[Row]) -> list[SaveResult]:
        """One outcome per record, in order."""
        values, errors = self._read(rows)
        for row, one in enumerate(values):
            if one.pop("Id", None) is not None:
                errors.setdefault(row, []).append(
                    SaveError(
                        "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",)
                    )
                )
        saved = self._save([(row, None, one) for row, one in enumerate(values)], errors, creates=True)
        return self._results(len(rows), saved, set(range(len(rows))), {})

    def update(self, rows: Sequence[Row]) -> list[SaveResult]:
        """One outcome per record, in order."""
        values, errors = self._read(rows)
        ids = self._take_ids(values, errors)
        known = [(row, ids.get(row), one) for row, one in enumerate(values)]
        saved = self._save(known, errors, creates=False)
        return self._results(len(rows), saved, set(), ids)

    def upsert(self, key: str, rows: Sequence[Row]) -> list[SaveResult]:
        """Update the record that carries the key, or insert a new one."""
        one = self.key_field(key)
        values, errors = self._read(rows)
        matches = self._matches(one, values, errors)
        kept = [{name: value for name, value in row.items() if name != "Id"} for row in values]
        old = [(row, matches[row], each) for row, each in enumerate(kept) if matches.get(row)]
        new = [(row, None, each) for row, each in enumerate(kept) if not matches.get(row)]
        creates = {row for row, _, _ in new}
        first = self._save(
            old, {row: many for row, many in errors.items() if row not in creates}, creates=False
        )
        second = self._save(new, {row: many for row, many in errors.items() if row in creates}, creates=True)
        saved = (first[0] | second[0], first[1] | second[1])
        return self._results(len(rows), saved, creates, matches)

    def key_field(self, key: str) -> Field:
        """The field that an upsert goes by; it must be an external id."""
        name = self._by_lower.get(key.lower())
        one = self._visible[name] if name else None
        if one is None or not (one.external_id or one.id_lookup):
            raise SalesforceError(
                "INVALID_FIELD",
                (
                    f"Field name provided, {key} does not match an External ID, Salesforce Id, or indexed "
                    f"field for {self._object.name}"
                ),
            )
        return one

    # Reading rows.

    def _read(self, rows: Sequence[Row]) -> tuple[list[dict[str, Any]], Errors]:
        values: list[dict[str, Any]] = []
        errors: Errors = {}
        for row, given in enumerate(rows):
            known: dict[str, Any] = {}
            for name, value in given.items():
                self._read_one(row, name, value, known, errors)
            values.append(known)
        return values, errors

    def _read_one(self, row: int, name: str, value: Any, known: dict[str, Any], errors: Errors) -> None:
        if name == "attributes":
            return
        exact = self._by_lower.get(name.lower())
        if exact is not None and self._visible[exact].type not in COMPOUND_TYPES:
            known[exact] = value
            return
        way = self._object.relation(name)
        if way is not None and isinstance(value, dict):
            self._read_reference(row, way, value, known, errors)
            return
        errors.setdefault(row, []).append(
            SaveError(
                "INVALID_FIELD", f"No such column '{name}' on sobject of type {self._object.name}", (name,)
            )
        )

    def _read_reference(
        self, row: int, way: Field, value: Mapping[str, Any], known: dict[str, Any], errors: Errors
    ) -> None:
        """{"Account": {"Ext__c": "x"}} stands for the account's id."""
        keys = [(name, text) for name, text in value.items() if name != "attributes"]
        target = str(value.get("attributes", {}).get("type") or way.reference_to[0])
        found = self._org.schema.find(target)
        one = found.find(keys[0][0]) if found and len(keys) == 1 else None
        if (
            found is None
            or found.name not in way.reference_to
            or one is None
            or not (one.external_id or one.id_lookup)
        ):
            errors.setdefault(row, []).append(
                SaveError(
                    "INVALID_FIELD", f"{way.relationship}: not a foreign key by external id", (way.name,)
                )
            )
            return
        ids = self._lookup(found, one, [str(keys[0][1])]).get(str(keys[0][1]).lower(), [])
        if len(ids) == 1:
            known[way.name] = ids[0]
            return
        errors.setdefault(row, []).append(_no_reference(found, one, str(keys[0][1])))

    def _lookup(self, found: ObjectType, one: Field, values: Iterable[str]) -> dict[str, list[str]]:
        """Ids of the living records that carry each value, by the value in lower case."""
        if one.name not in self._org.store.columns[found.name]:
            return {}
        gone = (
            self._org.store.column(found, found.fields["IsDeleted"], "t")
            if "IsDeleted" in found.fields
            else "FALSE"
        )
        key = quoted(one.name)
        rows = self._org.store.read(
            f'SELECT lower(t.{key}) AS k, list(t."Id" ORDER BY t."Id") AS ids FROM {quoted(found.name)} t '
            f"WHERE lower(t.{key}) IN (SELECT unnest($wanted)) AND NOT {gone} GROUP BY 1",
            {"wanted": sorted({value.lower() for value in values})},
        )
        return dict(zip(rows["k"].to_pylist(), rows["ids"].to_pylist(), strict=True))

    def _take_ids(self, values: list[dict[str, Any]], errors: Errors) -> dict[int, str]:
        ids: dict[int, str] = {}
        for row, one in enumerate(values):
            given = one.pop("Id", None)
            full = long_id(str(given)) if given else None
            if given is None or given == "":
                errors.setdefault(row, []).append(
                    SaveError("MISSING_ARGUMENT", "Id not specified in an update call", ())
                )
            elif full is None or (self._object.prefix and not full.startswith(self._object.prefix)):
                errors.setdefault(row, []).append(
                    SaveError(
                        "MALFORMED_ID",
                        f"{self._object.label} ID: id value of incorrect type: {given}",
                        ("Id",),
                    )
                )
            else:
                ids[row] = full
        return ids

    def _matches(self, one: Field, values: list[dict[str, Any]], errors: Errors) -> dict[int, str]:
        """The record that each row's key leads to; rows without one are new."""
        if one.name == "Id":
            given = [row for row, each in enumerate(values) if each.get("Id")]
            taken: Errors = {}
            known = self._take_ids([values[row] for row in given], taken)
            errors |= {given[place]: many for place, many in taken.items()}
            return {given[place]: record_id for place, record_id in known.items()}
        keys = [str(each.get(one.name) or "").strip() for each in values]
        self._org.saver.wait_for(self._object.name, (), new_too=True)
        found = self._lookup(self._object, one, keys)
        matches: dict[int, str] = {}
        seen: set[str] = set()
        for row, key in enumerate(keys):
            ids = found.get(key.lower(), [])
            if not key:
                errors.setdefault(row, []).append(
                    SaveError("MISSING_ARGUMENT", f"{one.name} not specified", (one.name,))
                )
            elif key.lower() in seen:
                errors.setdefault(row, []).append(
                    SaveError("DUPLICATE_VALUE", f"Duplicate external id specified: {key}", (one.name,))
                )
            elif len(ids) > 1:
                errors.setdefault(row, []).append(
                    SaveError(
                        "DUPLICATE_EXTERNAL_ID",
                        f"{one.name}: more than one record found for external id field: [{', '.join(ids)}]",
                        (one.name,),
                    )
                )
            elif ids:
                matches[row] = ids[0]
            seen.add(key.lower())
        return matches

    # Saving.

    def _refuse(self, name: str, *, creates: bool) -> SaveError | None:
        one, faults = self._visible.get(name), self._org.faults
        may = one is not None and not one.calculated and (one.createable if creates else one.updateable)
        if one is None or not may or not self._org.access.edits(self._user, self._object, one):
            return unwritable((name,))
        return (
            unwritable((name,))
            if faults is not None and name in faults.read_only_fields(self._object.name)
            else None
        )

    def _denied(self, *, creates: bool) -> SaveError | None:
        may, found = self._org.access.may, self._object
        if creates and not (found.createable and may(self._user, found, "Create")):
            return SaveError(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {found.label}"
            )
        if not creates and not (found.updateable and may(self._user, found, "Edit")):
            return SaveError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
        return None

    def _save(
        self, rows: Sequence[tuple[int, str | None, dict[str, Any]]], errors: Errors, *, creates: bool
    ) -> tuple[dict[int, str], Errors]:
        denied = self._denied(creates=creates)
        if denied is not None:
            return {}, {row: [denied] for row, _, _ in rows}
        if not rows:
            return {}, errors
        staged = stage_rows(self._object, rows, lambda name: self._refuse(name, creates=creates))
        # What could not even be read is told alone.
        staged.errors |= errors
        outcome = self._org.saver.save(self._user, staged, creates=creates)
        return outcome.ids, outcome.errors

    @staticmethod
    def _results(
        count: int, saved: tuple[dict[int, str], Errors], creates: set[int], ids: dict[int, str]
    ) -> list[SaveResult]:
        good, errors = saved
        return [
            SaveResult(ids.get(row), success=False, errors=tuple(errors[row]))
            if row in errors
            else SaveResult(good[row], success=True, created=row in creates)
            for row in range(count)
        ]

    # Bulk.

    def table(
        self, operation: str, table: pa.Table, key: str | None
    ) -> tuple[dict[int, str], Errors, set[int]]:
        """A whole table of texts: ids by row, errors by row, and the rows that were created."""
        names = {name: self._column_name(name) for name in table.column_names}
        columns = pa.table({names[name]: table[name] for name in table.column_names}) if names else table
        if columns.num_rows == 0:
            return {}, {}, set()
        simple = all("." not in name for name in columns.column_names)
        if operation == "update" and simple and "Id" in columns.column_names:
            return self._fast(columns)
        if operation == "insert" and simple and "Id" not in columns.column_names:
            return self._fast(columns, creates=True)
        by_key = key is not None and key.lower() != "id" and "Id" not in columns.column_names
        if operation == "upsert" and simple and key is not None and by_key:
            return self._fast_upsert(columns, self.key_field(key))
        return self._slow(operation, columns, pa.array(range(columns.num_rows), pa.int64()), key)

    def _column_name(self, name: str) -> str:
        """The exact field name of a column, or `Account.Ext__c` for a reference."""
        exact = self._by_lower.get(name.strip().lower())
        if exact is not None and self._visible[exact].type not in COMPOUND_TYPES:
            return exact
        reference = ReferenceColumn.of(name)
        if reference is not None and self._object.relation(reference.relationship) is not None:
            return name.strip()
        raise SalesforceError("InvalidBatch", f"Field name not found : {name}")

    def _fast(
        self, columns: pa.Table, rows: pa.Array | None = None, *, creates: bool = False
    ) -> tuple[dict[int, str], Errors, set[int]]:
        """Update or insert by columns; only rows with something unusual go one by one."""
        denied = self._denied(creates=creates)
        rows = rows if rows is not None else pa.array(range(columns.num_rows), pa.int64())
        if denied is not None:
            return {}, {row: [denied] for row in rows.to_pylist()}, set()
        bad = tuple(
            name for name in columns.column_names if name != "Id" and self._refuse(name, creates=creates)
        )
        if bad:
            # A row is refused only if it names the field.
            return self._slow("insert" if creates else "update", columns, rows, None)
        given = (
            columns
            if "Id" in columns.column_names
            else columns.append_column("Id", pa.nulls(columns.num_rows, pa.string()))
        )
        texts = given.append_column("row", rows)
        odd_ids: list[int] = []
        if not creates:
            whole = pc.fill_null(
                pc.match_substring_regex(
                    texts["Id"], f"^{self._object.prefix}[0-9A-Za-z]{{12}}[A-Z0-5]{{3}}$"
                ),
                fill_value=False,
            )
            odd_ids = texts.filter(pc.invert(whole))["row"].to_pylist()
            texts = texts.filter(whole)
        staged, odd = stage_text(self._org.store, self._object, texts)
        outcome = self._org.saver.save(self._user, staged, creates=creates)
        ids, errors, created = outcome.ids, outcome.errors, set(outcome.ids) if creates else set()
        if odd or odd_ids:
            wanted = pa.array(odd + odd_ids, pa.int64())
            chosen = columns.append_column("row", rows).filter(pc.is_in(rows, wanted))
            more = self._slow(
                "insert" if creates else "update",
                chosen.drop_columns(["row"]),
                chosen["row"].combine_chunks(),
                None,
            )
            ids, errors, created = ids | more[0], errors | more[1], created | more[2]
        return ids, errors, created

    def _fast_upsert(self, columns: pa.Table, key: Field) -> tuple[dict[int, str], Errors, set[int]]:
        keys = [{key.name: value} for value in columns[key.name].to_pylist()]
        errors: Errors = {}
        matches = self._matches(key, keys, errors)
        rows = pa.array(range(columns.num_rows), pa.int64())
        known = pa.array([matches.get(row) for row in range(columns.num_rows)], pa.string())
        alive = pc.invert(pc.is_in(rows, pa.array(list(errors), pa.int64())))
        old, new = pc.and_(alive, pc.is_valid(known)), pc.and_(alive, pc.is_null(known))
        updates = columns.append_column("Id", known).filter(old)
        first = self._fast(updates, rows.filter(old)) if updates.num_rows else ({}, {}, set())
        inserts = columns.filter(new)
        second = self._fast(inserts, rows.filter(new), creates=True) if inserts.num_rows else ({}, {}, set())
        return first[0] | second[0], errors | first[1] | second[1], second[2]

    def _slow(
        self, operation: str, columns: pa.Table, rows: pa.Array, key: str | None
    ) -> tuple[dict[int, str], Errors, set[int]]:
        """Row by row, through the same door as REST."""
        records = [_as_wire(row) for row in columns.to_pylist()]
        if operation == "insert":
            results = self.insert(records)
        elif operation == "update":
            results = self.update(records)
        else:
            results = self.upsert(key or "Id", records)
        numbered = list(zip(rows.to_pylist(), results, strict=True))
        return (
            {row: one.id for row, one in numbered if one.success and one.id},
            {row: list(one.errors) for row, one in numbered if not one.success},
            {row for row, one in numbered if one.created},
        )


def _as_wire(row: Mapping[str, Any]) -> dict[str, Any]:
    """A CSV row as a wire record: empty cells are left out, #N/A is null, dotted columns are nested."""
    record: dict[str, Any] = {}
    for name, text in row.items():
        if text in {None, ""}:
            continue
        value = None if text == "#N/A" else text
        reference = ReferenceColumn.of(name)
        record |= {name: value} if reference is None else reference.record(value)
    return record


def _no_reference(found: ObjectType, one: Field, value: str) -> SaveError:
    return SaveError(
        "INVALID_FIELD",
        f"Foreign key external ID: {value} not found for field {one.name} in entity {found.name}",
    )
