"""What the last scoring said: tags, and the state that keeps tags calm, beside the mirror."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from scoring import Book
from sync.store.delta import PARQUET, sweep
from sync.store.mirror import bucket_of
from sync.store.place import Place

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from config.rules import Rules


class TagStore:
    """Delta tables `tags_OBJECT`, `points_OBJECT`, `state`: one partition a bucket, each replaced in one commit."""

    def __init__(self, place: str | os.PathLike[str] | Place) -> None:
        self._place = Place.of(place)

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self._place

    def version(self, name: str) -> str:
        """The version of one of the tables; empty if it was never written."""
        table = (self._place / name).table()
        return "" if table is None else str(table.version())

    def keep(
        self, what: Literal["tags", "points", "families"], said: Mapping[str, Sequence[pa.Table]]
    ) -> None:
        """Replace what was said of the book: for each object, one table for each bucket in order.

        `points` are the contributions, one column for each, that add up to the scores: for a warehouse to read.
        `families` are the sums over accounts of one family, which no bucket alone can tell.
        """
        for name, buckets in said.items():
            self._replace(f"{what}_{name}", buckets)

    def keep_book(self, book: Book, rules: Rules, today: date) -> None:
        """Remember what the whole book said, so that one record can be explained without reading all of them."""
        text = json.dumps({"today": str(today), "rules": rules.digest, "book": book.to_json()})
        (self._place / "book.json").write(text.encode())

    def book(self, rules: Rules) -> tuple[Book, date] | None:
        """The book as last scored under these rules, and the day it was scored for; None if there is none.

        One that another version of Foretag kept is none: the next run makes a new one.
        """
        kept = self._kept("book")
        if kept.get("rules") != rules.digest:
            return None
        with suppress(ValueError, KeyError, TypeError):
            return Book.from_json(kept["book"]), date.fromisoformat(kept["today"])
        return None

    def day(self) -> date | None:
        """The day for which the book was last scored, under whatever rules; None if it never was."""
        kept = self._kept("book")
        return date.fromisoformat(kept["today"]) if "today" in kept else None

    def keep_fields(self, fields: Mapping[str, Mapping[str, str]]) -> None:
        """Remember which field of the CRM each canonical column was read from, by object."""
        (self._place / "fields.json").write(json.dumps(fields).encode())

    def keep_labels(self, labels: Mapping[str, str]) -> None:
        """Remember what people call the field behind each `object.column`."""
        (self._place / "labels.json").write(json.dumps(labels).encode())

    def labels(self) -> Mapping[str, str]:
        """What people call the field behind each `object.column`, as last read."""
        return self._kept("labels")

    def fields(self) -> Mapping[str, Mapping[str, str]]:
        """The CRM's name of each canonical column, by object, as last read."""
        return self._kept("fields")

    def keep_state(self, states: Sequence[pa.Table]) -> None:
        """Remember the tag state of all buckets; only when their tags are about to be written to the CRM."""
        self._replace("state", states)

    def move_states(self, rows: pa.Table, accounts: pa.ChunkedArray, buckets: int) -> None:
        """Remember the tag state of some records; `accounts` tells with which account each row lies."""
        place = self._place / "state"
        places = bucket_of(accounts, buckets)
        for bucket in sorted(set(places.unique().to_pylist())):
            new = rows.filter(pc.equal(places, bucket))
            old = self.state(bucket)
            if old is not None:
                names = pc.binary_join_element_wise(old["object"], old["id"], "/")
                moved = pc.binary_join_element_wise(new["object"], new["id"], "/")
                new = pa.concat_tables(
                    [old.filter(pc.invert(pc.is_in(names, value_set=moved))).select(new.column_names), new]
                )
            if place.table() is not None:
                place.write_table(
                    _placed(bucket, new),
                    mode="overwrite",
                    predicate=f"bucket = {bucket}",
                    writer_properties=PARQUET,
                )
            else:
                self._write(place, _placed(bucket, new))
        if rows.num_rows:
            sweep(place)

    def state(self, bucket: int) -> pa.Table | None:
        """The tag state that the CRM's tags were made with, or None before the first write."""
        return self.read("state", bucket)

    def hand_on(self, object_name: str, winners: Mapping[str, str], buckets: int) -> None:
        """Let records that others were merged into go on from the state of those, where they have none of their own.

        Of several losers the first counts; the word of a person that it lacks comes from another. A parent company that
        was merged is the one that it became, and no new one.
        """
        place = self._place / "state"
        kept = place.table()
        if kept is None:
            return
        before = kept.to_pyarrow_dataset().to_table()
        table = _with_parents(before, winners) if object_name == "account" else before
        heirs = _heirs(table, object_name, winners, buckets)
        if heirs or table is not before:
            self._write(place, pa.concat_tables([table, pa.Table.from_pylist(heirs, schema=table.schema)]))

    def overrides_seen(self, object_name: str, ids: pa.Array) -> dict[str, date]:
        """The day on which the override of each of these records was first seen."""
        state = self.read("state")
        if state is None:
            return {}
        mine = state.filter(pc.and_(pc.equal(state["object"], object_name), pc.is_in(state["id"], ids)))
        found = zip(mine["id"].to_pylist(), mine["override_seen"].to_pylist(), strict=True)
        return {record_id: seen for record_id, seen in found if seen is not None}

    def read(self, name: str, bucket: int | None = None) -> pa.Table | None:
        """One of the tables, or a bucket of it; None if it was never written."""
        table = (self._place / name).table()
        if table is None:
            return None
        where = None if bucket is None else pc.field("bucket") == bucket
        return table.to_pyarrow_dataset().to_table(filter=where).drop_columns(["bucket"])

    def _replace(self, name: str, buckets: Sequence[pa.Table]) -> None:
        self._write(
            self._place / name,
            pa.concat_tables([_placed(bucket, rows) for bucket, rows in enumerate(buckets)]),
        )

    @staticmethod
    def _write(place: Place, rows: pa.Table) -> None:
        place.write_table(
            rows,
            mode="overwrite",
            schema_mode="overwrite",
            partition_by=["bucket"],
            writer_properties=PARQUET,
        )
        sweep(place)

    def _kept(self, name: str) -> dict[str, Any]:
        """A small file of the last run; one that is missing or damaged says nothing, the next run writes it anew."""
        try:
            kept = json.loads((self._place / f"{name}.json").read())
        except (FileNotFoundError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def _heirs(
    state: pa.Table, object_name: str, winners: Mapping[str, str], buckets: int
) -> list[dict[str, Any]]:
    """Rows of state for winners that have none, in the bucket where they are looked for."""
    mine = state.filter(pc.equal(state["object"], object_name))
    ids = pa.array([*winners, *winners.values()], pa.string())
    rows = {row["id"]: row for row in mine.filter(pc.is_in(mine["id"], value_set=ids)).to_pylist()}
    heirs: dict[str, dict[str, Any]] = {}
    for loser, winner in winners.items():
        if loser not in rows or winner in rows:
            continue
        heir = heirs.setdefault(winner, rows[loser] | {"id": winner})
        if heir["override"] is None:
            heir |= {name: rows[loser][name] for name in ("override", "override_seen")}
        if object_name == "account":
            # A deal lies with its account, and has the place of the one that it was.
            heir["bucket"] = bucket_of(pa.array([winner]), buckets)[0].as_py()
            # Whose parent company it has is seen when it is read.
            heir["parent_id"] = winner
    return list(heirs.values())


def _with_parents(state: pa.Table, winners: Mapping[str, str]) -> pa.Table:
    """The state with those of its parent companies that were merged by their new ids; itself, if there are none."""
    places = pc.index_in(state["parent_id"], value_set=pa.array(list(winners), pa.string()))
    if places.null_count == state.num_rows:
        return state
    parents = pc.coalesce(pa.array(list(winners.values()), pa.string()).take(places), state["parent_id"])
    return state.set_column(state.schema.get_field_index("parent_id"), "parent_id", parents)


def _placed(bucket: int, rows: pa.Table) -> pa.Table:
    return rows.append_column("bucket", pa.repeat(pa.scalar(bucket, pa.int32()), rows.num_rows))
