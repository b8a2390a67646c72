"""The local copy as the book was at a past moment: nothing made later, and what changed since as it was then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.records import STAMP, schema
from sync.store.mirror import Mirror, bucket_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

# Records that know when they were made; others either bear a day of their own, or are taken as they are.
DATED = ("account", "opportunity", "case")
# What decides a record's bucket.
_PLACE = {"opportunity": "account_id", "case": "account_id"}


class PastMirror(Mirror):
    """A mirror that shows another one as it was; it keeps nothing, and nothing is written into it.

    Args:
        mirror: the copy as it is now.
        day: the past day, and `moment`, its end.
        then: by object, `id`, columns with the values of then, and for each `told_COLUMN`: whether that is known.
            Where it is not, and for records without a row, the present value counts.
    """

    def __init__(self, mirror: Mirror, day: date, moment: datetime, then: Mapping[str, pa.Table]) -> None:
        super().__init__(mirror.place)
        self._day, self._moment, self._then = day, pa.scalar(moment, STAMP), then
        # Buckets are read several times over: of each, what was told of its records, and who came from elsewhere.
        self._told: dict[tuple[str, int], pa.Table] = {}
        self._came: dict[tuple[str, frozenset[str]], pa.Table] = {}
        self._elsewhere = {name: self._moves(name) for name in _PLACE if name in then}

    def read(
        self,
        object_name: str,
        columns: Sequence[str] | None = None,
        bucket: int | Sequence[int] | None = None,
        *,
        ids: pa.Array | pa.ChunkedArray | None = None,
        bucketed: bool = False,
    ) -> pa.Table:
        """As `Mirror.read`."""
        wanted = schema(object_name, None if columns is None else tuple(columns)).names
        wanted = [*wanted, "bucket"] if bucketed else wanted
        if object_name == "commitment":
            rows = super().read(object_name, None, bucket, ids=ids, bucketed=bucketed)
            return rows.filter(_or_unknown(pc.less_equal(rows["made_on"], self._day))).select(wanted)
        if object_name not in DATED:
            return super().read(object_name, columns, bucket, ids=ids, bucketed=bucketed)
        asked = tuple(
            {*wanted, "id", "created_at", *([_PLACE[object_name]] if object_name in _PLACE else [])}
        )
        rows = super().read(object_name, asked, bucket, ids=ids, bucketed=True)
        rows = rows.filter(_or_unknown(pc.less(rows["created_at"], self._moment)))
        rows = self._as_then(object_name, rows, bucket if ids is None else None)
        if object_name in self._elsewhere and ids is None:
            rows = self._moved_over(object_name, asked, rows, bucket)
        return rows.select(wanted)

    def _as_then(self, object_name: str, rows: pa.Table, bucket: int | Sequence[int] | None) -> pa.Table:
        """The rows with the values of then, where they are known."""
        then = self._then.get(object_name)
        if then is None:
            return rows
        if isinstance(bucket, int):
            key = (object_name, bucket)
            if key not in self._told:
                self._told[key] = _of(then, rows["id"])
            then = self._told[key]
        places = pc.index_in(rows["id"], value_set=then["id"].combine_chunks())
        for number, name in enumerate(rows.column_names):
            if f"told_{name}" in then.column_names:
                told = pc.fill_null(then[f"told_{name}"].take(places), fill_value=False)
                values = pc.if_else(told, then[name].take(places), rows[name])
                rows = rows.set_column(number, rows.schema.field(number), values)
        return rows

    def _moves(self, object_name: str) -> pa.Table:
        """The records that lay in another bucket then: `id`, `bucket` then."""
        buckets, then = self.buckets(), self._then[object_name]
        place = _PLACE[object_name]
        if buckets == 1 or f"told_{place}" not in then.column_names:
            return pa.table({"id": pa.array([], pa.string()), "bucket": pa.array([], pa.int32())})
        told = then.filter(then[f"told_{place}"])
        now = super().read(object_name, ("id", place), ids=told["id"], bucketed=True)
        was = told.take(pc.index_in(now["id"], value_set=told["id"].combine_chunks()))
        there = bucket_of(pc.coalesce(was[place], was["id"]), buckets)
        moved = pc.not_equal(now["bucket"], there)
        return pa.table({"id": now["id"], "bucket": there}).filter(moved)

    def _moved_over(
        self, object_name: str, asked: Sequence[str], rows: pa.Table, bucket: int | Sequence[int] | None
    ) -> pa.Table:
        """The rows that lay in these buckets then, with their bucket of then."""
        moved = self._elsewhere[object_name]
        if not moved.num_rows:
            return rows
        stayed = rows.filter(pc.invert(pc.is_in(rows["id"], value_set=moved["id"].combine_chunks())))
        came = self._placed_then(object_name, asked)
        if bucket is not None:
            here = [bucket] if isinstance(bucket, int) else bucket
            came = came.filter(pc.is_in(came["bucket"], pa.array(here, pa.int32())))
        return pa.concat_tables([stayed, came.select(stayed.column_names)])

    def _placed_then(self, object_name: str, asked: Sequence[str]) -> pa.Table:
        """The rows that lay in another bucket, each with that bucket's number."""
        key = (object_name, frozenset(asked))
        if key not in self._came:
            moved = self._elsewhere[object_name]
            rows = self.read(object_name, asked, ids=moved["id"], bucketed=True)
            places = pc.index_in(rows["id"], value_set=moved["id"].combine_chunks())
            number = rows.schema.get_field_index("bucket")
            there = moved["bucket"].take(places)
            self._came[key] = rows.set_column(number, rows.schema.field(number), there)
        return self._came[key]


def _of(then: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    return then.filter(pc.is_in(then["id"], value_set=ids.combine_chunks()))


def _or_unknown(holds: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(holds, fill_value=True)
