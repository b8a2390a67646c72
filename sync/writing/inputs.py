"""What a record's score is read from, as one digest for each account: it changes when, and only when, that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from config.outputs import OUTPUT_FIELDS
from sync.store.embedded import database
from sync.store.line_items import LineItems
from sync.store.mirror import bucket_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.rules import Rules
    from sync.store.mirror import Mirror

# Whose rows hang on an account. Line items do so through their deal; a growth plan stands in the account's own row.
HANGING = ("opportunity", "case", "call", "email", "meeting")
INPUTS = pa.schema([("account_id", pa.string()), ("inputs", pa.string())])

_OURS = frozenset(field.name for field in OUTPUT_FIELDS)
_UNREAD = _OURS | {"modified_at"}


def columns_read(rules: Rules) -> dict[str, tuple[str, ...]]:
    """The columns that the scores of an account and its deals are read from, by object, without what we write."""
    return {
        name: tuple(column for column in rules.needed_columns(name) if column not in _UNREAD)
        for name in ("account", *HANGING, "line_item", "owner")
        if name in rules.needed_objects
    }


def account_of(object_name: str) -> str:
    """The SQL of the account that a record's inputs lie with; of a record without one, itself."""
    return "id" if object_name == "account" else "coalesce(account_id, id)"


def inputs_of(mirror: Mirror, rules: Rules, accounts: pa.Array | pa.ChunkedArray | None = None) -> pa.Table:
    """The digest of each account's inputs, in the schema `INPUTS`; of these accounts, or of all.

    It is over the account's row, its owner's, and all that hangs on it. What the whole book says (ranks, fitted
    numbers, quotas) is left out: it moves a little with every record.
    """
    wanted = columns_read(rules)
    parts = [
        _digests(tables, wanted, accounts) for tables in _buckets(mirror, wanted, _places(mirror, accounts))
    ]
    return pa.concat_tables([INPUTS.empty_table(), *parts])


def _places(mirror: Mirror, accounts: pa.Array | pa.ChunkedArray | None) -> Iterable[int]:
    buckets = mirror.buckets()
    if accounts is None:
        return range(buckets)
    return sorted(set(bucket_of(accounts, buckets).to_pylist()))


def _buckets(
    mirror: Mirror, wanted: Mapping[str, tuple[str, ...]], places: Iterable[int]
) -> Iterator[dict[str, pa.Table]]:
    """What is read of each bucket: a large book does not fit in memory."""
    owners = mirror.read("owner", wanted["owner"])
    line_items = LineItems(mirror, wanted["line_item"]) if "line_item" in wanted else None
    places = list(places)
    if line_items is not None and len(places) > 1:
        line_items.cut()
    for bucket in places:
        tables = {name: mirror.read(name, wanted[name], bucket) for name in HANGING if name in wanted}
        if line_items is not None:
            tables["line_item"] = line_items.bucket(bucket)
        yield tables | {"account": mirror.read("account", wanted["account"], bucket), "owner": owners}


def _digests(
    tables: Mapping[str, pa.Table],
    wanted: Mapping[str, tuple[str, ...]],
    accounts: pa.Array | pa.ChunkedArray | None,
) -> pa.Table:
    hanging = [name for name in tables if name not in ("account", "owner")]
    # A deal without an account is scored by itself.
    rows = [
        f'SELECT {account_of(name)} AS account_id, {_hash("t", wanted[name])} AS inputs FROM "{name}" t'  # noqa: S608  # names from the schema, no values
        for name in hanging
    ]
    rows.append(
        f"SELECT a.id AS account_id, hash({_hash('a', wanted['account'])}, {_hash('o', wanted['owner'])}) AS inputs"  # noqa: S608  # names from the schema, no values
        " FROM account a LEFT JOIN owner o ON o.id = a.owner_id"
    )
    asked = "" if accounts is None else "WHERE account_id IN (FROM asked)"
    known = {"asked": pa.table({"id": accounts})} if accounts is not None else {}
    with database(**tables, **known) as db:
        return (
            db.sql(
                f"SELECT account_id, to_hex(bit_xor(inputs)) AS inputs FROM ({' UNION ALL '.join(rows)}) {asked}"  # noqa: S608  # names from the schema, no values
                " GROUP BY account_id"
            )
            .to_arrow_table()
            .cast(INPUTS)
        )


def _hash(table: str, columns: tuple[str, ...]) -> str:
    # In quotes: some columns are called like words of SQL.
    values = ", ".join(f'{table}."{name}"' for name in columns)
    return f"hash({values})"
