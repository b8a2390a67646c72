"""Records that carry what no client expects: put into query results by the `poison` fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.sandbox.fault_kinds import Poison
    from connectors.sandbox.faults import Faults

# Stands for bytes that are not UTF-8 until the text is encoded (`surrogateescape`).
_BAD_BYTES = "\udcff\udcfe"
_LONE_SURROGATE = "\ud800"
_PAGE = "<html><body><h1>We are down for maintenance.</h1></body></html>"


def _value(poison: Poison) -> Any:
    return {
        "nan": float("nan"),
        "not_a_number": "a;b",
        "huge_text": "x" * poison.size,
        "ancient_date": "0001-01-01",
        "lone_surrogate": _LONE_SURROGATE,
        "bad_utf8": _BAD_BYTES,
        "html": _PAGE,
        "missing_id": None,
    }[poison.what]


def poison_records(
    faults: Faults,
    object_name: str,
    records: list[dict[str, Any]],
    first: int,
    *,
    id_key: str = "Id",
    inside: str | None = None,
) -> bool:
    """Poison wire records in place; `first` is the first one's place in the whole result. True if any.

    `inside` is where a record keeps its fields, if not at its top.
    """
    touched = False
    for poison in faults.poisons(object_name):
        for place, record in enumerate(records, first):
            if not (record.get(id_key) == poison.id if poison.id else place in poison.rows):
                continue
            touched = True
            if poison.what == "missing_id":
                record.pop(id_key, None)
            else:
                (record if inside is None else record[inside])[poison.field] = _value(poison)
    return touched


def poisoned_json(content: Any) -> bytes:
    """JSON that may hold NaN, lone surrogates (escaped) and bytes that are not UTF-8."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace(_LONE_SURROGATE, "\\ud800").encode("utf-8", "surrogateescape")


def poison_table(
    faults: Faults, object_name: str, table: pa.Table, first: int, *, id_columns: Sequence[str] = ("Id",)
) -> pa.Table:
    """Poison a table of strings on its way into CSV; the strings may then hold bytes that are not UTF-8.

    `id_columns` are those that tell a record's id.
    """
    for poison in faults.poisons(object_name):
        names = id_columns if poison.what == "missing_id" else (poison.field,)
        places = _places(poison, table, first, id_columns)
        for name in names if places else ():
            column = table.schema.get_field_index(name)
            if column >= 0:
                table = table.set_column(column, name, _poisoned(table[column], poison, places))
    return table


def _places(poison: Poison, table: pa.Table, first: int, id_columns: Sequence[str]) -> list[int]:
    if not poison.id:
        return [row - first for row in poison.rows if first <= row < first + table.num_rows]
    told = next((name for name in id_columns if name in table.schema.names), None)
    if told is None:
        return []
    return [place for place, record_id in enumerate(table[told].to_pylist()) if record_id == poison.id]


def _poisoned(column: pa.ChunkedArray, poison: Poison, places: Sequence[int]) -> pa.Array:
    value = _value(poison)
    # As CSV has no escapes, a lone surrogate is its three bytes, which are not UTF-8 either.
    text = "" if value is None else "NaN" if poison.what == "nan" else str(value)
    errors = "surrogatepass" if poison.what == "lone_surrogate" else "surrogateescape"
    cells = column.cast(pa.binary()).to_pylist()
    for place in places:
        cells[place] = text.encode("utf-8", errors)
    return pa.array(cells, pa.binary()).view(pa.string())
