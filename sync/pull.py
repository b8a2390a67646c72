"""Pull what changed in the CRM into the mirror, and only then move the cursor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from connectors.contract import Checkpoint, Page
from sync.ledger import Item
from sync.store.forgotten import Forgotten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from connectors.contract import Connector
    from sync.store.mirror import Mirror

    Follow = Callable[[str, Mapping[str, str]], None]

# Owners and stages first: what hangs on accounts is placed by them, and accounts decide the buckets.
ORDER = (
    "owner", "stage", "quota", "account", "opportunity", "line_item", "case", "call", "email", "meeting", "task",
)  # fmt: skip

# What people merge, of what we write into.
_MERGED = ("account", "opportunity")

# Small reference lists are read whole each time; nothing in them is worth a cursor.
_WHOLE = ("stage",)

# Changes are taken in by so many rows, however small the pages are: each time, the held rows are looked up.
APPENDED_ROWS = 250_000

# A connector asks again for records that were set aside, by id: a few calls for this many.
MOST_ASKED_AGAIN = 2_000


log = structlog.get_logger(__name__)

NOBODY = Forgotten()


class Cursors(Protocol):
    """Where an object's cursor is kept between pulls."""

    def cursor(self, connection: str, object_name: str) -> tuple[str, list[str]] | None:
        """The kept cursor and the columns pulled with it, or None."""
        ...

    def keep_cursor(self, connection: str, object_name: str, value: str, columns: Sequence[str]) -> None:
        """Keep one, once all before it is in the mirror."""
        ...


class NoCursors:
    """For a copy that is made once and thrown away: everything is read, no cursor is kept."""

    def cursor(self, _connection: str, _object_name: str) -> None:
        """None: read everything."""

    def keep_cursor(self, _connection: str, _object_name: str, _value: str, _columns: Sequence[str]) -> None:
        """Nothing is kept."""


@dataclass(frozen=True, slots=True)
class Anew:
    """For a pull that reads everything again: cursors tell what was merged since, but of no column that was read."""

    cursors: Cursors

    def cursor(self, connection: str, object_name: str) -> tuple[str, list[str]] | None:
        """The kept one, without columns."""
        kept = self.cursors.cursor(connection, object_name)
        return kept and (kept[0], [])

    def keep_cursor(self, connection: str, object_name: str, value: str, columns: Sequence[str]) -> None:
        """Keep one."""
        self.cursors.keep_cursor(connection, object_name, value, columns)


def read_as(connector: Connector, object_name: str, columns: Sequence[str]) -> list[str]:
    """Each column with the CRM's field behind it: a column that is mapped anew is read anew."""
    fields = connector.schema(object_name)
    return [f"{name}={fields[name].name}" if name in fields else name for name in columns]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought: rows read and rows gone, by object, and what could not be read."""

    read: Mapping[str, int]
    gone: Mapping[str, int]
    set_aside: tuple[Item, ...]


def pull(
    connection: str,
    connector: Connector,
    cursors: Cursors,
    mirror: Mirror,
    columns: Mapping[str, Sequence[str]],
    tell: Callable[[str, int, int | None], None],
    follow: Follow = lambda _object_name, _merged: None,
    forgotten: Forgotten = NOBODY,
) -> Pulled:
    """Bring the mirror up to date with the CRM, object by object.

    The first pull of an object, and one that needs a column never pulled before (or now from another field), reads
    everything. A cursor is kept only after every change before it is in the mirror (invariant I5). A record that
    cannot be read keeps the row that the mirror holds of it, and is asked for again by the next pull. `follow` is told
    of merged records, loser to winner, before the losers leave the mirror and before the cursor passes them;
    `forgotten` of records that are gone. Nothing comes of those that it names.
    """
    read: dict[str, int] = {}
    gone: dict[str, int] = {}
    set_aside: list[Item] = []
    for object_name in (name for name in ORDER if name in columns):
        puller = _ObjectPull(
            connection, object_name, connector, cursors, mirror, tuple(columns[object_name]), tell, follow,
            forgotten,
        )  # fmt: skip
        read[object_name], gone[object_name] = puller.run()
        log.info("pull.object", object=object_name, read=read[object_name], gone=gone[object_name])
        set_aside += puller.set_aside
    return Pulled(read, gone, tuple(dict.fromkeys(set_aside)))


@dataclass(frozen=True, slots=True)
class _ObjectPull:
    connection: str
    object_name: str
    connector: Connector
    cursors: Cursors
    mirror: Mirror
    columns: tuple[str, ...]
    tell: Callable[[str, int, int | None], None]
    follow: Follow
    forgotten: Forgotten
    set_aside: list[Item] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)

    def run(self) -> tuple[int, int]:
        self.tell(self.object_name, 0, None)
        since = self._since()
        checkpoints: list[Checkpoint] = []
        gone = 0
        if since is None:
            self._follow_merges()
            loaded = self.mirror.load(self.object_name, self.columns, self._all_pages(checkpoints))
            if loaded + len(self.set_aside) > checkpoints[0].read:
                self._unite_twins()
            gone = len(self.vanished)
        else:
            # Deletions first: a record deleted and restored since then comes back with a newer stamp.
            gone = self._forget_deleted(since)
            for page in gathered(self._pages(since, checkpoints), APPENDED_ROWS):
                self.mirror.append(self.object_name, page)
            self._follow_links()
            self.mirror.fold(self.object_name)
        (checkpoint,) = checkpoints
        if self._may_pass():
            self.cursors.keep_cursor(self.connection, self.object_name, checkpoint.cursor, self.read_as)
        return checkpoint.read, gone

    def _follow_merges(self) -> None:
        """Hear of merges since the last pull although all is read anew, which shows the winners alone."""
        kept = self.cursors.cursor(self.connection, self.object_name)
        if kept is not None and self.object_name in _MERGED and self.mirror.has(self.object_name):
            merged = self.connector.deleted(self.object_name, kept[0]).merged
            if merged:
                self.follow(self.object_name, merged)

    def _unite_twins(self) -> None:
        """A query asked again in mid-result hands rows over twice, and a load keeps what it is given."""
        ids = self.mirror.read(self.object_name, ("id",))["id"]
        counts = ids.value_counts()
        twins = pc.struct_field(counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1)), "values")
        if len(twins):
            self.mirror.append(self.object_name, self.mirror.read(self.object_name, ids=twins))

    def _may_pass(self) -> bool:
        """Whether the cursor may move on: not past records that nobody could ask for again by id."""
        nameless = any(not item.record_id for item in self.set_aside)
        return not nameless and len(self.set_aside) <= MOST_ASKED_AGAIN

    def _forget_deleted(self, since: str) -> int:
        deleted = self.connector.deleted(self.object_name, since)
        ids = set(deleted.ids)
        if deleted.merged and self.object_name in _MERGED:
            self.follow(self.object_name, deleted.merged)
        if not deleted.complete:
            living = set(self.connector.ids(self.object_name).to_pylist())
            if "" in living:
                # Any record held might be the one without an id: nothing is taken for gone, all is asked again.
                self._put_aside("", "id is missing")
            else:
                ids |= set(self.mirror.read(self.object_name, ("id",))["id"].to_pylist()) - living
        if ids:
            held = self.mirror.read(self.object_name, ("id",), ids=pa.array(sorted(ids), pa.string()))
            self.forgotten.left(self.object_name, held["id"].to_pylist())
            self.mirror.remove(self.object_name, sorted(ids), deleted.at)
        return len(ids)

    def _follow_links(self) -> None:
        """Records that moved to another account without a stamp: their rows change, their stamps stay."""
        if self.object_name not in self.connector.unstamped_links or "account_id" not in self.columns:
            return
        held = self.mirror.read(self.object_name, ("id", "account_id"))
        moved = self.connector.relinked(self.object_name, held)
        if not moved.num_rows:
            return
        rows = self.mirror.read(self.object_name, ("id", *self.columns), ids=moved["id"])
        places = pc.index_in(rows["id"], value_set=moved["id"].combine_chunks())
        column = rows.schema.get_field_index("account_id")
        rows = rows.set_column(column, "account_id", moved["account_id"].take(places))
        self.mirror.append(self.object_name, self.forgotten.without(self.object_name, rows))

    def _since(self) -> str | None:
        kept = self.cursors.cursor(self.connection, self.object_name)
        if kept is None or self.object_name in _WHOLE or not self.mirror.has(self.object_name):
            return None
        value, pulled = kept
        return value if set(self.read_as) <= set(pulled) else None

    @property
    def read_as(self) -> list[str]:
        return read_as(self.connector, self.object_name, self.columns)

    def _all_pages(self, checkpoints: list[Checkpoint]) -> Iterator[pa.Table]:
        """Everything, and at the end the rows already held of records that could not be read now."""
        reloading = self.mirror.has(self.object_name)
        # Before the first page: Delta reads nothing while it waits for pages to write.
        before = self.mirror.read(self.object_name, ("id",))["id"] if reloading else None
        arrived: list[pa.ChunkedArray] = []
        for page in self._pages(None, checkpoints):
            if reloading:
                arrived.append(page["id"])
            yield page
        if reloading and self.set_aside:
            yield self._held(arrived)
        if before is not None and self.object_name in _MERGED:
            self._note_vanished(before, arrived)

    def _note_vanished(self, before: pa.ChunkedArray, arrived: list[pa.ChunkedArray]) -> None:
        """Records that were held and did not come: they are gone from the CRM, whatever its bin remembers."""
        unread = {item.record_id for item in self.set_aside}
        if "" not in unread:
            came = pa.chunked_array(
                [*(one for ids in arrived for one in ids.chunks), sorted(unread)], pa.string()
            )
            self.vanished.extend(before.filter(pc.invert(pc.is_in(before, came))).to_pylist())
            self.forgotten.left(self.object_name, self.vanished)

    def _held(self, arrived: list[pa.ChunkedArray]) -> pa.Table:
        """The mirror's rows of the records set aside; where one has no id, of all that did not arrive."""
        columns = ("id", *self.columns)
        unread = {item.record_id for item in self.set_aside}
        if "" not in unread:
            ids = pa.array(sorted(unread), pa.string())
            return self.mirror.read(self.object_name, columns, ids=ids)
        held = self.mirror.read(self.object_name, columns)
        came = pa.array([name for ids in arrived for name in ids.to_pylist()], pa.string())
        return held.filter(pc.invert(pc.is_in(held["id"], came)))

    def _pages(self, since: str | None, checkpoints: list[Checkpoint]) -> Iterator[pa.Table]:
        read = 0
        for message in self.connector.pull(self.object_name, self.columns, since):
            match message:
                case Page():
                    read += message.table.num_rows
                    for row in message.set_aside:
                        self._put_aside(row.id, row.reason)
                    self.tell(self.object_name, read, None)
                    yield self.forgotten.without(self.object_name, message.table)
                case Checkpoint():
                    checkpoints.append(message)

    def _put_aside(self, record_id: str, reason: str) -> None:
        if not self.forgotten.has(self.object_name, record_id):
            self.set_aside.append(unreadable(self.object_name, record_id, reason))


def unreadable(object_name: str, record_id: str, reason: str) -> Item:
    """A record that could not be read, as it is listed."""
    return Item(object_name, record_id, "set_aside", "UNREADABLE", reason)


def gathered(pages: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of at least so many rows; the last may have fewer."""
    waiting: list[pa.Table] = []
    for page in pages:
        waiting.append(page)
        if sum(table.num_rows for table in waiting) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
