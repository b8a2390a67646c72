"""The mirror: a local columnar copy of the CRM's records, so that a run reads only what changed.

One Delta table of base rows for each object, and one of changes appended since; readers see both. The row
that counts is the one with the newest stamp, whatever order rows arrive in, so a lagging read of the CRM
cannot undo what a newer one, or our own write, has shown.
"""

from __future__ import annotations

import itertools
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Full, Queue
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.records import STAMP, schema
from sync.store.delta import PARQUET
from sync.store.embedded import database
from sync.store.opened import opened
from sync.store.place import Place

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from deltalake import DeltaTable

# Which account a record lies with; a record without one lies in the bucket of its own id.
_ACCOUNT_COLUMN = {
    "account": "id",
    **dict.fromkeys(("opportunity", "task", "case", "call", "email", "meeting", "commitment"), "account_id"),
}

# A book up to this size is one bucket; a larger one is cut so that 1,000,000 accounts fit in memory bucket by bucket.
ONE_BUCKET_ROWS = 20_000
MANY_BUCKETS = 16

# Changes are folded into the base when reading both starts to cost more than rewriting.
FOLD_ROWS = 0.10
FOLD_COMMITS = 50

RETENTION_HOURS = 7 * 24

_BOOKKEEPING = [("bucket", pa.int32()), ("seq", pa.int64())]


class Mirror:
    """The local copy of one connection's records, in a folder or an object store."""

    def __init__(self, place: str | os.PathLike[str] | Place, *, like: Mirror | None = None) -> None:
        """`like`: another one, as whose records these are to be cut."""
        self._place = Place.of(place)
        self._like = like

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self._place

    def load(self, object_name: str, columns: Sequence[str], pages: Iterable[pa.Table]) -> int:
        """Replace all records of an object in one commit; returns how many. An error of `pages` passes through."""
        arriving = iter(pages)
        first = _first_rows(arriving, ONE_BUCKET_ROWS)
        buckets = self._buckets_for(object_name, sum(page.num_rows for page in first))
        total = 0
        with self._writer(object_name, columns, buckets) as write:
            for page in itertools.chain(first, arriving):
                write(page)
                total += page.num_rows
        self._clear_changes(object_name)
        return total

    def append(self, object_name: str, page: pa.Table) -> None:
        """Take in changed records; each replaces an older row of its id and is ignored where a newer one is held.

        A row that is held already, stamp and all, is not kept twice: windows of increments overlap.
        """
        placed = self._placed(object_name, page, self.buckets(object_name))
        held = self.read(object_name, page.column_names, ids=page["id"], bucketed=True)
        placed = _without(placed, held)
        if placed.num_rows == 0:
            return
        placed = self._change("upsert", object_name, placed)
        moved = self._moved(object_name, placed, held)
        self._append_changes(object_name, pa.concat_tables([placed, moved], promote_options="default"))

    def remove(self, object_name: str, ids: Sequence[str], at: datetime) -> None:
        """Forget records deleted in the CRM by `at`; one restored later comes back with a newer stamp."""
        gone = self.read(object_name, ("id",), ids=pa.array(ids, pa.string()), bucketed=True)
        if gone.num_rows:
            self._append_changes(object_name, self._deletes(object_name, gone, pa.scalar(at, STAMP)))

    def patch(self, object_name: str, written: pa.Table) -> None:
        """Put what we wrote into the copy at once.

        `written` has `id`, `modified_at` (a lower bound of the CRM's new stamp), written columns (null: left as
        it was) and `clear` (list of columns that were emptied), as `Connector.update` takes them.
        """
        if written.num_rows == 0:
            return
        held = self.read(object_name, ids=written["id"], bucketed=True)
        if not held.num_rows:
            return
        fields = [
            name
            for name in written.column_names
            if name in held.column_names and name not in ("id", "modified_at")
        ]
        values = [
            f"CASE WHEN list_contains(w.clear, '{name}') THEN NULL ELSE coalesce(w.{name}, h.{name}) END AS {name}"
            for name in fields
        ]
        columns = ", ".join([*values, "greatest(h.modified_at, w.modified_at) AS modified_at"])
        with database(held=held, written=written) as db:
            patched = db.sql(
                # Names of our own schema.
                f"SELECT h.* REPLACE ({columns}) FROM held h JOIN written w ON h.id = w.id"  # noqa: S608  # names from the schema, no values
            ).to_arrow_table()
        # No field of ours moves a record to another account, so every row stays in its bucket.
        self._append_changes(object_name, self._change("upsert", object_name, patched.cast(held.schema)))

    def read(
        self,
        object_name: str,
        columns: Sequence[str] | None = None,
        bucket: int | Sequence[int] | None = None,
        *,
        ids: pa.Array | pa.ChunkedArray | None = None,
        bucketed: bool = False,
    ) -> pa.Table:
        """The records as last known, in the canonical schema; columns never pulled are null.

        All of them, or those of a bucket (or some), or those with these ids.
        `bucketed` adds the bucket's number as a column.
        """
        wanted = schema(object_name, None if columns is None else tuple(columns))
        if bucketed:
            wanted = wanted.append(pa.field("bucket", pa.int32()))
        base, changes = opened(self._at(object_name)), opened(self._at(f"{object_name}_changes"))
        if base is None:
            return wanted.empty_table()
        if ids is not None and bucket is None:
            bucket = self._places_of(object_name, wanted.names, ids)
        where = base.of(bucket)
        if ids is not None:
            # Of another type than the column, or Arrow would compare the ids with what a table's checkpoint says of its
            # files, where texts have a type that it cannot compare with any other.
            asked = pc.field("id").cast(pa.large_string()).isin(ids.unique().cast(pa.large_string()))
            where = asked if where is None else where & asked
        names = [name for name in wanted.names if name in base.columns]
        if changes is None or not changes.has(where):
            return _filled(base.read(names, where), wanted)
        judged = list(dict.fromkeys([*names, "id", "modified_at", "seq"]))
        changed = changes.read([*(name for name in judged if name in changes.columns), "op"], where)
        if not changed.num_rows:
            return _filled(base.read(names, where), wanted)
        return _filled(_latest(base.read(judged, where), changed, judged), wanted)

    def count(self, object_name: str) -> int:
        """How many records are held."""
        rows: int = self.read(object_name, ("id",)).num_rows
        return rows

    def has(self, object_name: str) -> bool:
        """Whether the object was ever loaded."""
        return self._table(object_name) is not None

    def buckets(self, object_name: str = "account") -> int:
        """Into how many buckets the object is cut, as stored in its table; 1 before the first load."""
        table = opened(self._at(object_name))
        return 1 if table is None else int(table.description.removeprefix("buckets="))

    def version(self, object_name: str) -> str:
        """The versions of the object's two tables, base and changes; empty before the first load."""
        tables = (self._table(object_name), self._table(f"{object_name}_changes"))
        return ".".join(str(table.version()) for table in tables if table is not None)

    def fold(self, object_name: str, *, force: bool = False) -> bool:
        """Fold the changes into the base where that pays (or always); returns whether it did.

        A crash between the two commits leaves changes that are already in the base, which is harmless: the
        newest stamp wins.
        """
        changes = self._table(f"{object_name}_changes")
        if changes is None or not (force or self._fold_pays(object_name, changes)):
            return False
        base = self._existing(object_name)
        columns = [field.name for field in base.schema().fields if field.name not in ("bucket", "seq")]
        buckets, seq = self.buckets(object_name), self._next_seq(object_name) - 1
        # Bucket by bucket, so that memory stays bounded; half a fold is as harmless as none.
        for bucket in range(buckets):
            rows = _numbered(self.read(object_name, columns, bucket, bucketed=True), seq)
            self._at(object_name).write_table(
                rows,
                mode="overwrite",
                predicate=f"bucket = {bucket}",
                writer_properties=PARQUET,
            )
        self._clear_changes(object_name)
        for name in (object_name, f"{object_name}_changes"):
            self._existing(name).vacuum(retention_hours=RETENTION_HOURS, dry_run=False)
        return True

    # How it is stored.

    def _at(self, name: str) -> Place:
        return self._place / name

    def _table(self, name: str) -> DeltaTable | None:
        return self._at(name).table()

    def _existing(self, name: str) -> DeltaTable:
        return self._at(name).existing_table()

    @contextmanager
    def _writer(
        self, object_name: str, columns: Sequence[str], buckets: int
    ) -> Iterator[Callable[[pa.Table], None]]:
        """Hand pages to Delta's writer in a thread of its own; nothing is committed if the body raises.

        The pages are made in the caller's thread, where signals arrive: Delta's writer would hold them up.
        """
        fields = pa.schema([*schema(object_name, tuple(columns)), *_BOOKKEEPING])
        handoff: Queue[pa.Table | None] = Queue(maxsize=1)
        aborted = False

        def batches() -> Iterator[pa.RecordBatch]:
            while (table := handoff.get()) is not None:
                yield from table.to_batches()
            if aborted:
                raise InterruptedError("the pull behind this load ended early")

        with ThreadPoolExecutor(1, "mirror-writer") as pool:
            writing = pool.submit(
                self._at(object_name).write_table,
                pa.RecordBatchReader.from_batches(fields, batches()),
                mode="overwrite",
                schema_mode="overwrite",
                partition_by=["bucket"],
                description=f"buckets={buckets}",
                writer_properties=PARQUET,
            )

            def write(page: pa.Table) -> None:
                placed = _numbered(self._placed(object_name, page, buckets), 0)
                _put(handoff, placed.select(fields.names).cast(fields), writing)

            try:
                yield write
                # The table was opened before the first page; what follows the last one is the commit.
                self._place.fence()
            except BaseException:
                aborted = True
                raise
            finally:
                _put(handoff, None, writing)
            writing.result()

    def _append_changes(self, object_name: str, rows: pa.Table) -> None:
        self._at(f"{object_name}_changes").write_table(
            rows,
            mode="append",
            schema_mode="merge",
            partition_by=["bucket"],
            writer_properties=PARQUET,
        )

    def _clear_changes(self, object_name: str) -> None:
        changes = self._table(f"{object_name}_changes")
        if changes is not None:
            # Opened before: what another run appends from now on stays.
            self._place.fence()
            changes.delete()

    def _next_seq(self, object_name: str) -> int:
        changes = self._table(f"{object_name}_changes")
        return 1 if changes is None else changes.version() + 2

    def _fold_pays(self, object_name: str, changes: DeltaTable) -> bool:
        rows: int = changes.to_pyarrow_dataset().count_rows()
        base: int = self._existing(object_name).to_pyarrow_dataset().count_rows()
        return (
            rows > FOLD_ROWS * max(base, ONE_BUCKET_ROWS)
            or self._commits(object_name, changes) > FOLD_COMMITS
        )

    def _commits(self, object_name: str, changes: DeltaTable) -> int:
        """At least so many commits made these files: each makes one for every bucket that it touches."""
        return len(changes.file_uris()) // self.buckets(object_name)

    def _buckets_for(self, object_name: str, first_rows: int) -> int:
        """The first load of accounts decides; everything that hangs on accounts is cut the same way ever after."""
        if object_name not in _ACCOUNT_COLUMN:
            return 1
        if self._like is not None:
            return self._like.buckets(object_name)
        if object_name == "account" and not self.has("account"):
            return 1 if first_rows <= ONE_BUCKET_ROWS else MANY_BUCKETS
        return self.buckets("account")

    def _places_of(
        self, object_name: str, names: Sequence[str], ids: pa.Array | pa.ChunkedArray
    ) -> list[int] | None:
        """The buckets in which records lie, so that only these are read; None: it does not pay to find out.

        Usually they are few: plans, and what was just written, are sorted by bucket.
        """
        buckets = self.buckets(object_name)
        if buckets == 1 or set(names) <= {"id", "bucket"}:
            return None
        if object_name == "account":
            found = bucket_of(pc.drop_null(ids), buckets)
        else:
            # As it lies now: a past day overlays what `read` gives, not where rows are kept.
            found = Mirror.read(self, object_name, ("id",), ids=ids, bucketed=True)["bucket"]
        return sorted(found.unique().to_pylist())

    def _placed(self, object_name: str, page: pa.Table, buckets: int) -> pa.Table:
        ids = page["id"]
        if object_name in _ACCOUNT_COLUMN:
            ids = pc.coalesce(page[_ACCOUNT_COLUMN[object_name]], ids)
        numbers = (
            bucket_of(ids, buckets)
            if object_name in _ACCOUNT_COLUMN
            else pa.repeat(pa.scalar(0, pa.int32()), len(ids))
        )
        return page.append_column("bucket", numbers)

    def _change(self, op: str, object_name: str, placed: pa.Table) -> pa.Table:
        """Rows as the table of changes has them."""
        return _numbered(placed, self._next_seq(object_name)).append_column(
            "op", pa.repeat(pa.scalar(op), placed.num_rows)
        )

    def _moved(self, object_name: str, placed: pa.Table, held: pa.Table) -> pa.Table:
        """Deletes for the old place of records that now lie in another bucket."""
        if self.buckets(object_name) == 1:
            return self._deletes(object_name, placed.slice(0, 0), placed["modified_at"].slice(0, 0))
        with database(held=held, placed=placed) as db:
            left = db.sql(
                "SELECT held.id, held.bucket, max(placed.modified_at) AS modified_at FROM held"
                " JOIN placed USING (id) GROUP BY ALL HAVING NOT list_contains(list(placed.bucket), held.bucket)"
            ).to_arrow_table()
        return self._deletes(object_name, left, left["modified_at"])

    def _deletes(self, object_name: str, rows: pa.Table, at: pa.Scalar | pa.ChunkedArray) -> pa.Table:
        stamps = pa.repeat(at, rows.num_rows) if isinstance(at, pa.Scalar) else at.cast(STAMP)
        gone = pa.table({"id": rows["id"], "modified_at": stamps, "bucket": rows["bucket"].cast(pa.int32())})
        return self._change("delete", object_name, gone)


def bucket_of(ids: pa.ChunkedArray | pa.Array, buckets: int) -> pa.Array:
    """Bucket number of each id: CRC-32 (as in zlib) of its UTF-8 bytes, modulo the bucket count."""
    if buckets == 1:
        return pa.repeat(pa.scalar(0, pa.int32()), len(ids))
    encoded = (ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids).dictionary_encode()
    numbers = pa.array(
        [zlib.crc32(value.encode()) % buckets for value in encoded.dictionary.to_pylist()], pa.int32()
    )
    return numbers.take(encoded.indices)


def _without(placed: pa.Table, held: pa.Table) -> pa.Table:
    """The rows that are not held exactly so. A record that is held twice is not well held: its rows stay."""
    if not held.num_rows:
        return placed
    same = " AND ".join(f'placed."{name}" IS NOT DISTINCT FROM held."{name}"' for name in placed.column_names)
    with database(placed=placed, held_rows=held) as db:
        fresh = db.sql(
            f"""
            WITH held AS (FROM held_rows QUALIFY count(*) OVER (PARTITION BY id) = 1)
            SELECT placed.* FROM placed ANTI JOIN held ON {same}
            """  # noqa: S608  # names of our own schema
        ).to_arrow_table()
    return fresh.cast(placed.schema)


def _numbered(rows: pa.Table, seq: int) -> pa.Table:
    return rows.append_column("seq", pa.repeat(pa.scalar(seq, pa.int64()), rows.num_rows))


def _first_rows(pages: Iterator[pa.Table], more_than: int) -> list[pa.Table]:
    """As many pages as make more than so many rows, or all."""
    taken: list[pa.Table] = []
    rows = 0
    while rows <= more_than and (page := next(pages, None)) is not None:
        taken.append(page)
        rows += page.num_rows
    return taken


def _latest(base: pa.Table, changed: pa.Table, columns: Sequence[str]) -> pa.Table:
    """The rows of both as last known: of several of one id the newest stamp counts, then what came last.

    Most rows of the base were never changed, and are handed on as they are.
    """
    old = pc.is_in(base["id"], value_set=changed["id"].combine_chunks())
    names = ", ".join(f'"{name}"' for name in columns)
    with database(base=base.filter(old), changes=changed) as db:
        latest = db.sql(
            f"""
            SELECT {names} FROM (
                FROM changes UNION ALL BY NAME SELECT *, 'upsert' AS op FROM base
            )
            -- A move leaves its old place and enters its new one in one commit: read together, the new one counts.
            QUALIFY row_number() OVER (PARTITION BY id ORDER BY modified_at DESC, seq DESC, op DESC) = 1
                AND op = 'upsert'
            """  # noqa: S608  # names of our own schema
        ).to_arrow_table()
    return pa.concat_tables([base.filter(pc.invert(old)), latest.cast(base.schema)])


def _filled(found: pa.Table, wanted: pa.Schema) -> pa.Table:
    columns = [
        found[field.name].cast(field.type)
        if field.name in found.column_names
        else pa.nulls(found.num_rows, field.type)
        for field in wanted
    ]
    return pa.table(columns, schema=wanted)


def _put(handoff: Queue[pa.Table | None], item: pa.Table | None, writing: Future[None]) -> None:
    """Wait for room, but not for a writer that has died: its error is raised by `writing.result()`."""
    while not writing.done():
        with suppress(Full):
            return handoff.put(item, timeout=1.0)
    return None
