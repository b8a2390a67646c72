"""Records on their way in: typed columns with one row per record, from wire JSON or from Bulk's text columns."""

# ruff: noqa: S608 (the SQL holds schema names and quoted literals only; what users send goes in as parameters)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.salesforce.coerce import Unfit, coerce
from connectors.sandbox.salesforce.errors import SaveError
from connectors.sandbox.salesforce.schema import NUMBER_TYPES, Field, ObjectType
from connectors.sandbox.salesforce.store import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.sandbox.salesforce.store import Store

ARROW = {
    "boolean": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "time": pa.time64("us"),
}


def arrow_type(one: Field) -> pa.DataType:
    """The Arrow type of a field's values."""
    if one.type in {"double", "currency", "percent"}:
        return pa.float64() if one.scale > 8 else pa.decimal128(38, max(one.scale, 0))
    return ARROW.get(one.type, pa.string())


@dataclass(slots=True)
class Staged:
    """Records of one object to insert or update.

    `table` has "row" (place in the request), "Id", each of `names`, and "F$set" for those: whether the record
    names the field. `errors` holds what is already known to be wrong, by row.
    """

    found: ObjectType
    names: list[str]
    table: pa.Table
    errors: dict[int, list[SaveError]] = field(default_factory=dict)


def stage_rows(
    found: ObjectType,
    rows: Sequence[tuple[int, str | None, Mapping[str, Any]]],
    refuse: Callable[[str], SaveError | None],
) -> Staged:
    """Stage records of wire values, given as (row, id, values by exact field name).

    `refuse` tells why a field may not be written at all.
    """
    sent = [name for name in found.fields if any(name in values for _, _, values in rows)]
    refused = frozenset(name for name in sent if refuse(name) is not None)
    names = [name for name in sent if name not in refused]
    errors: dict[int, list[SaveError]] = {}
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for row, _, values in rows:
        forbidden = tuple(name for name in values if name in refused)
        if forbidden:
            errors.setdefault(row, []).append(unwritable(forbidden))
        for name in names:
            columns[name].append(None)
            if name in values:
                try:
                    columns[name][-1] = coerce(found.fields[name], values[name])
                except Unfit as unfit:
                    errors.setdefault(row, []).append(unfit.error)
    arrays: dict[str, Any] = {
        "row": pa.array([row for row, _, _ in rows], pa.int64()),
        "Id": pa.array([one for _, one, _ in rows], pa.string()),
    }
    for name in names:
        arrays[name] = pa.array(columns[name], arrow_type(found.fields[name]))
        arrays[f"{name}$set"] = pa.array([name in values for _, _, values in rows], pa.bool_())
    return Staged(found, names, pa.table(arrays), errors)


def unwritable(names: tuple[str, ...]) -> SaveError:
    """Why read-only fields, or fields without edit rights, are refused."""
    return SaveError(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set.",
        names,
    )


def stage_text(store: Store, found: ObjectType, table: pa.Table) -> tuple[Staged, list[int]]:
    """Stage Bulk's text columns ("row", "Id" and exact field names) without a loop over rows.

    Returns also the rows with anything unusual: those need `stage_rows`, which knows every form and complaint.
    """
    names = [name for name in table.column_names if name in found.fields and name != "Id"]
    parts, oddities = ['"row"', '"Id"'], []
    for name in names:
        value, odd = _reading(found.fields[name], quoted(name))
        parts += [
            f"{value} AS {quoted(name)}",
            f"coalesce({quoted(name)} <> '', FALSE) AS {quoted(name + '$set')}",
        ]
        oddities.append(f"coalesce({quoted(name)} NOT IN ('', '#N/A') AND ({odd}), FALSE)")
    odd_row = " OR ".join(oddities) or "FALSE"
    rows = store.read(f"SELECT {', '.join(parts)}, {odd_row} AS odd FROM incoming", incoming=table)
    odd = rows.filter(rows["odd"])["row"].to_pylist()
    usual = rows.filter(pc.invert(rows["odd"])).drop_columns(["odd"])
    return Staged(found, names, usual), odd


def _reading(one: Field, column: str) -> tuple[str, str]:  # noqa: PLR0911 (one line per type)
    """SQL for a text's value, and SQL that is true where that reading cannot be trusted."""
    plain = f"CASE WHEN {column} NOT IN ('', '#N/A') THEN {column} END"
    if one.type == "reference":
        return plain, f"NOT regexp_full_match({column}, '[0-9A-Za-z]{{15}}[A-Z0-5]{{3}}')"
    if one.type in NUMBER_TYPES:
        limit = 10 ** (one.precision - one.scale)
        kind = "BIGINT" if one.type in {"int", "long"} else one.sql_type
        odd = f"TRY_CAST({column} AS {kind}) IS NULL OR abs(TRY_CAST({column} AS DOUBLE)) >= {limit}"
        if kind == "BIGINT":
            odd += f" OR NOT regexp_full_match({column}, '-?[0-9]+')"
        return f"TRY_CAST({plain} AS {kind})", odd
    if one.type == "boolean":
        return (
            f"coalesce(lower({plain}) = 'true', {literal(bool(one.default))})",
            f"lower({column}) NOT IN ('true', 'false')",
        )
    if one.type == "date":
        inside = f"TRY_CAST({column} AS DATE) BETWEEN DATE '1700-01-01' AND DATE '4000-12-31'"
        return (
            f"TRY_CAST({plain} AS DATE)",
            f"NOT regexp_full_match({column}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') OR NOT coalesce({inside}, FALSE)",
        )
    if one.type in {"datetime", "email", "multipicklist"} or one.length == 0:
        # Rare in bulk and rich in forms: read one by one.
        return f"CAST(NULL AS {one.sql_type})", "TRUE"
    if one.type == "picklist" and one.restricted:
        known = ", ".join(literal(choice.value) for choice in one.picklist if choice.active) or "NULL"
        return plain, f"{column} NOT IN ({known})"
    return plain, f"length({column}) > {one.length} OR {column} <> trim({column})"
