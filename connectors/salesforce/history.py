"""What records held at a past moment, from what Salesforce keeps of its own accord and what admins let it track.

Every deal's stage, amount, close date and probability are kept in OpportunityHistory; other fields only in the
history of the object (AccountHistory, ...), if an admin tracks them, for 18 months. A field of which no tracked change
is found may be tracked and unchanged, or not be tracked: it is not told.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from config.records import STAMP, schema
from connectors.casting import convert_each, stamps, texts
from connectors.contract import Page
from connectors.reading import with_untold
from connectors.salesforce.casting import cast_records
from connectors.salesforce.fields import OBJECTS
from connectors.salesforce.ids import SHAPE
from connectors.salesforce.soql import Query, literal, one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from connectors.salesforce.schema import Schema

    # All that a query finds, as text by field.
    Read = Callable[[Query], pa.Table]

KEPT = timedelta(days=548)
# A few records are asked for by id; of many, the whole history costs less.
FEW, IDS_IN_A_QUERY = 2_000, 200
# By canonical object: the object that holds its tracked changes, and the field there that names the record.
_TRACKED = {
    "account": ("AccountHistory", "AccountId"),
    "opportunity": ("OpportunityFieldHistory", "OpportunityId"),
    "case": ("CaseHistory", "CaseId"),
}
# Columns that snapshots of a deal tell, if they are read from these fields, and what follows from its stage.
_SNAPSHOT = {
    "stage": "StageName", "amount": "Amount", "close_date": "CloseDate", "probability": "Probability",
    "is_closed": "IsClosed", "is_won": "IsWon",
    "stage_changed_at": "LastStageChangeDate", "push_count": "PushCount",
}  # fmt: skip
_SNAPSHOTS = ("Id", "OpportunityId", "StageName", "Amount", "CloseDate", "Probability", "CreatedDate")


def past(
    schema_: Schema,
    read: Read,
    object_name: str,
    fields: Sequence[str],
    held: pa.Table,
    as_of: datetime,
    now: datetime,
) -> Iterator[pa.Table]:
    """As the contract's `history`, in one table."""
    rows = pa.table({"id": held["id"]})
    if object_name == "opportunity":
        chosen = [name for name, field in _SNAPSHOT.items() if name in fields and _is(schema_, name, field)]
        if chosen:
            rows = _add(rows, _snapshots(schema_, read, held["id"], as_of, chosen))
    if object_name == "case" and "is_closed" in fields:
        rows = _add(rows, _cases(read, held, as_of))
    rest = [name for name in fields if name not in rows.column_names]
    if rest and now - as_of < KEPT:
        rows = _add(rows, _tracked(schema_, read, object_name, rest, held, as_of))
    yield with_untold(object_name, rows, fields)


def text_page(cells: Mapping[str, pa.Array]) -> Page:
    """Columns as text, whatever they are; a cell that is none is null."""
    return Page(
        pa.table({name: convert_each(texts, pa.string(), column)[0] for name, column in cells.items()})
    )


def _is(schema_: Schema, column: str, field: str) -> bool:
    return schema_.path("opportunity", column) == field


def _add(rows: pa.Table, found: pa.Table) -> pa.Table:
    """The columns of `found`, lined up by id; a record that is not there is told nothing."""
    lined = found.take(pc.index_in(rows["id"], value_set=found["id"].combine_chunks()))
    for name in found.column_names:
        if name != "id":
            column = pc.fill_null(lined[name], fill_value=False) if name.startswith("told_") else lined[name]
            rows = rows.append_column(name, column)
    return rows


# Deals.


def _snapshots(
    schema_: Schema, read: Read, ids: pa.ChunkedArray, as_of: datetime, columns: Sequence[str]
) -> pa.Table:
    """The last snapshot of each deal before that moment, with what its stage means."""
    parts = [
        read(query) for query in _by_parent(Query("OpportunityHistory", _SNAPSHOTS, stamp="CreatedDate"), ids)
    ]
    sql = """
        WITH seen AS (
            SELECT OpportunityId AS id, StageName AS stage, Amount AS amount, CloseDate AS close_date,
                Probability AS probability, made, Id AS number
            FROM snapshots WHERE made < $as_of),
        steps AS (
            SELECT *, lag(stage) OVER way AS stage_before, lag(close_date) OVER way AS close_before,
                row_number() OVER way AS place, count(*) OVER (PARTITION BY id) AS places
            FROM seen WINDOW way AS (PARTITION BY id ORDER BY made, number))
        SELECT id, max(stage) FILTER (place = places) AS stage, max(amount) FILTER (place = places) AS amount,
            max(close_date) FILTER (place = places) AS close_date,
            max(probability) FILTER (place = places) AS probability,
            max(made) FILTER (stage IS DISTINCT FROM stage_before) AS stage_changed_at,
            -- Days are ISO texts: the first seven characters are the month.
            count(*) FILTER (left(close_date, 7) > left(close_before, 7)) AS push_count
        FROM steps GROUP BY id ORDER BY id
    """
    snapshots = pa.concat_tables(parts)
    # Milliseconds: the embedded database lacks time zones.
    snapshots = snapshots.append_column("made", stamps(snapshots["CreatedDate"]).cast(pa.int64()))
    found = _asked(sql, {"as_of": int(as_of.timestamp() * 1000)}, snapshots=snapshots)
    entered, pushed = found["stage_changed_at"].cast(STAMP), found["push_count"].cast(pa.int64())
    cells = {
        name: found[name].combine_chunks() for name in ("id", "stage", "amount", "close_date", "probability")
    }
    cells |= {"stage_changed_at": entered.combine_chunks(), "push_count": pushed.combine_chunks()}
    table = cast_records("opportunity", list(cells), cells).table
    for name, flags in _meaning(schema_, read, table["stage"]).items():
        table = table.append_column(name, flags)
    told = pa.table({"id": table["id"], **{name: table[name] for name in columns}})
    for name in columns:
        # A stage that the org has no more tells nothing of itself.
        sure = pc.is_valid(table[name]) if name in ("is_closed", "is_won") else pc.is_valid(table["id"])
        told = told.append_column(f"told_{name}", sure)
    return told


def _meaning(schema_: Schema, read: Read, stage: pa.ChunkedArray) -> dict[str, pa.Array]:
    """Whether a deal in each stage is over, and won."""
    name = schema_.path("stage", "name") or "MasterLabel"
    stages = read(Query("OpportunityStage", ("Id", name, "IsClosed", "IsWon", "SystemModstamp")))
    places = pc.index_in(stage, value_set=stages[name].combine_chunks())
    return {
        column: pc.equal(stages[field].take(places), "true")
        for column, field in (("is_closed", "IsClosed"), ("is_won", "IsWon"))
    }


def _cases(read: Read, held: pa.Table, as_of: datetime) -> pa.Table:
    """A request that was closed later was open."""
    later = read(Query("Case", ("Id", "ClosedDate", "SystemModstamp"), (f"ClosedDate >= {literal(as_of)}",)))
    then = pc.and_not(held["is_closed"], pc.is_in(held["id"], value_set=later["Id"].combine_chunks()))
    return pa.table({"id": held["id"], "is_closed": then, "told_is_closed": pc.is_valid(then)})


# Tracked fields.


def _tracked(
    schema_: Schema, read: Read, object_name: str, columns: Sequence[str], held: pa.Table, as_of: datetime
) -> pa.Table:
    """What tracked fields held: what the first change since replaced, or what they hold still."""
    history, parent = _TRACKED.get(object_name, ("", ""))
    names = {
        column: path for column in columns if (path := schema_.path(object_name, column)) and "." not in path
    }
    if not names or not history or not schema_.described(history):
        return held.select(["id"])
    # A reference goes by its name without "Id".
    column_of = {path.removesuffix("Id") or path: column for column, path in names.items()}
    paths = ("Id", parent, "Field", "OldValue", "NewValue", "CreatedDate")
    conditions = (one_of("Field", sorted(column_of)), f"CreatedDate >= {literal(as_of)}")
    changes = read(Query(history, paths, conditions, stamp="CreatedDate"))
    found = held.select(["id"])
    described = schema_.described(OBJECTS[object_name])
    for name, column in column_of.items():
        reference = described[names[column].lower()]["type"] == "reference"
        mine = _of_field(changes, name, reference=reference)
        if mine.num_rows:
            found = _with_first(found, mine, parent, object_name, column, held)
    return found


def _of_field(changes: pa.Table, name: str, *, reference: bool) -> pa.Table:
    """The changes of one field. Of a reference there are two for each, one by name and one by id: that is it."""
    mine = changes.filter(pc.equal(changes["Field"], name))
    if reference:
        for value in ("OldValue", "NewValue"):
            is_id = pc.match_substring_regex(mine[value], SHAPE.pattern)
            mine = mine.filter(pc.fill_null(is_id, fill_value=True))
    return mine


def _with_first(
    found: pa.Table, changes: pa.Table, parent: str, object_name: str, column: str, held: pa.Table
) -> pa.Table:
    """`found` with a column: what the first of these changes replaced, else what is held."""
    sql = f"SELECT {parent} AS id, arg_min(struct_pack(v := OldValue), (CreatedDate, Id)).v AS {column} FROM changes GROUP BY ALL"  # noqa: S608, E501  # names of ours
    first = _asked(sql, {}, changes=changes)
    cells = {name: first[name].combine_chunks() for name in ("id", column)}
    table = cast_records(object_name, ["id", column], cells).table
    places = pc.index_in(found["id"], value_set=table["id"].combine_chunks())
    kind = schema(object_name).field(column).type
    then = pc.if_else(pc.is_valid(places), table[column].take(places), held[column].cast(kind))
    told = pa.array([True] * found.num_rows)
    return found.append_column(column, then).append_column(f"told_{column}", told)


# Asking.


def _by_parent(query: Query, ids: pa.ChunkedArray) -> Iterator[Query]:
    """A query of a few records' snapshots in parts, or that of all."""
    wanted = ids.to_pylist() if len(ids) <= FEW else []
    if not wanted:
        yield query
    for start in range(0, len(wanted), IDS_IN_A_QUERY):
        condition = one_of("OpportunityId", wanted[start : start + IDS_IN_A_QUERY])
        yield Query(query.sf_object, query.paths, (condition,), stamp=query.stamp)


def _asked(sql: str, parameters: Mapping[str, Any], **tables: pa.Table) -> pa.Table:
    with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as database:
        for name, table in tables.items():
            database.register(name, table)
        return database.sql(sql, params=dict(parameters)).to_arrow_table()
