"""Put old values back: compare what a run wrote with what the CRM holds now, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sync.store.embedded import database
from sync.writing.plan import change_schema

if TYPE_CHECKING:
    from config.outputs import OutputField

# These go with the others: whoever writes a record renews them, so they say nothing of who wrote it last.
RIDING = ("foretag_valid_until", "foretag_stamp")

LEFT_SCHEMA = pa.schema([("id", pa.string()), ("fields", pa.list_(pa.string())), ("gone", pa.bool_())])


@dataclass(frozen=True, slots=True)
class PutBack:
    """`changes`: as a plan's, new values being the old ones. `left`, in `LEFT_SCHEMA`: what another has since written.

    A record that is `gone` from the CRM has no fields in `left`.
    """

    changes: pa.Table
    left: pa.Table


def put_back(object_name: str, wrote: pa.Table, held: pa.Table, fields: tuple[OutputField, ...]) -> PutBack:
    """What of a run's changes can be taken back, of these fields.

    `wrote` are the rows that the journal keeps of the run, one for each record; `held` is what the CRM holds now: id,
    name, owner_id, account_id of deals, and the fields. A value goes back only where the CRM still holds what the run
    wrote; where it holds what was there before the run (refused, or put back by somebody), nothing is to be done.
    """
    names = [field.name for field in fields if {field.name, f"old_{field.name}"} <= set(wrote.column_names)]
    schema = change_schema(object_name, tuple(field for field in fields if field.name in names))
    if not names:
        return PutBack(schema.empty_table(), LEFT_SCHEMA.empty_table())
    with database(wrote=wrote, held=held) as db:
        told = _told(names, object_name)
        changes = db.sql(told + _changes(names)).to_arrow_table().select(schema.names).cast(schema)
        left = db.sql(told + _left(names)).to_arrow_table().select(LEFT_SCHEMA.names).cast(LEFT_SCHEMA)
    return PutBack(changes, left)


# Names come from config.outputs, never from the CRM.


def _told(names: list[str], object_name: str) -> str:
    """Each record that the run wrote, and of each field: what was, what is, and whether it can go back."""
    telling = [name for name in names if name not in RIDING]
    flags = [
        f"wrote_{name} AND now_{name} IS NOT DISTINCT FROM put_{name}"
        f" AND was_{name} IS DISTINCT FROM put_{name} AS back_{name},"
        f" wrote_{name} AND now_{name} IS DISTINCT FROM put_{name}"
        f" AND now_{name} IS DISTINCT FROM was_{name} AS other_{name}"
        for name in telling
    ]
    any_back = " OR ".join(f"back_{name}" for name in telling) or "FALSE"
    any_wrote = " OR ".join(f"wrote_{name}" for name in telling) or "FALSE"
    riding = [
        f"wrote_{name} AND now_{name} IS DISTINCT FROM was_{name} AND (({any_back}) OR NOT ({any_wrote})"
        f" AND now_{name} IS NOT DISTINCT FROM put_{name}) AS back_{name}, FALSE AS other_{name}"
        for name in names
        if name in RIDING
    ]
    parent = "h.account_id" if object_name == "opportunity" else "NULL::VARCHAR"
    values = [
        f"(w.{name} IS NOT NULL OR coalesce(list_contains(w.clear, '{name}'), FALSE)) AS wrote_{name},"
        f" w.{name} AS put_{name}, w.old_{name} AS was_{name}, h.{name} AS now_{name}"
        for name in names
    ]
    return f"""
        WITH lined_up AS (
            SELECT w.id, h.id IS NULL AS gone, {parent} AS parent_id, h.name, h.owner_id, {", ".join(values)}
            FROM wrote w LEFT JOIN held h ON h.id = w.id
        ),
        telling AS (SELECT {", ".join(["*", *flags])} FROM lined_up),
        told AS (SELECT {", ".join(["*", *riding])} FROM telling)
    """  # noqa: S608  # names from the schema, no values


def _changes(names: list[str]) -> str:
    new = [f"CASE WHEN back_{name} THEN was_{name} END AS {name}" for name in names]
    clear = [f"CASE WHEN back_{name} AND was_{name} IS NULL THEN '{name}' END" for name in names]
    old = [f"now_{name} AS old_{name}" for name in names]
    return f"""
        SELECT id, parent_id, name, owner_id, {", ".join(new)},
            list_filter([{", ".join(clear)}], lambda f: f IS NOT NULL) AS clear, {", ".join(old)}
        FROM told WHERE NOT gone AND ({" OR ".join(f"back_{name}" for name in names)}) ORDER BY parent_id, id
    """  # noqa: S608  # names from the schema, no values


def _left(names: list[str]) -> str:
    others = [f"CASE WHEN other_{name} THEN '{name}' END" for name in names]
    return f"""
        SELECT id, gone,
            CASE WHEN gone THEN [] ELSE list_filter([{", ".join(others)}], lambda f: f IS NOT NULL) END AS fields
        FROM told WHERE gone OR {" OR ".join(f"other_{name}" for name in names)} ORDER BY id
    """  # noqa: S608  # names from the schema, no values
