"""Pull what changed in the CRM into the mirror, and only then move the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.contract import Checkpoint, Page
from sync.ledger import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from connectors.contract import Connector
    from sync.ledger import Ledger
    from sync.mirror import Mirror

# Owners and stages first: what hangs on accounts is placed by them, and accounts decide the buckets.
ORDER = ("owner", "stage", "account", "opportunity", "task")

# Small reference lists are read whole each time; nothing in them is worth a cursor.
_WHOLE = ("stage",)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought: rows read and rows gone, by object, and what could not be read."""

    read: Mapping[str, int]
    gone: Mapping[str, int]
    set_aside: tuple[Item, ...]


def pull(
    connection: str,
    connector: Connector,
    ledger: Ledger,
    mirror: Mirror,
    columns: Mapping[str, Sequence[str]],
    tell: Callable[[str, int, int | None], None],
) -> Pulled:
    """Bring the mirror up to date with the CRM, object by object.

    The first pull of an object, and one that needs a column never pulled before, reads everything. A cursor is
    kept only after every change before it is in the mirror (invariant I5).
    """
    read: dict[str, int] = {}
    gone: dict[str, int] = {}
    set_aside: list[Item] = []
    for object_name in (name for name in ORDER if name in columns):
        puller = _ObjectPull(
            connection, object_name, connector, ledger, mirror, tuple(columns[object_name]), tell
        )
        read[object_name], gone[object_name] = puller.run(set_aside)
    return Pulled(read, gone, tuple(set_aside))


@dataclass(frozen=True, slots=True)
class _ObjectPull:
    connection: str
    object_name: str
    connector: Connector
    ledger: Ledger
    mirror: Mirror
    columns: tuple[str, ...]
    tell: Callable[[str, int, int | None], None]

    def run(self, set_aside: list[Item]) -> tuple[int, int]:
        since = self._since()
        checkpoints: list[Checkpoint] = []
        gone = 0
        if since is None:
            self.mirror.load(self.object_name, self.columns, self._pages(None, checkpoints, set_aside))
        else:
            # Deletions first: a record deleted and restored since then comes back with a newer stamp.
            gone = self._forget_deleted(since)
            for page in self._pages(since, checkpoints, set_aside):
                self.mirror.append(self.object_name, page)
            self.mirror.fold(self.object_name)
        (checkpoint,) = checkpoints
        self.ledger.keep_cursor(self.connection, self.object_name, checkpoint.cursor, self.columns)
        return checkpoint.read, gone

    def _forget_deleted(self, since: str) -> int:
        at = self.connector.server_time()
        deleted = self.connector.deleted(self.object_name, since)
        ids = set(deleted.ids)
        if not deleted.complete:
            held = self.mirror.read(self.object_name, ("id",))["id"].to_pylist()
            ids |= set(held) - set(self.connector.ids(self.object_name).to_pylist())
        if ids:
            self.mirror.remove(self.object_name, sorted(ids), at)
        return len(ids)

    def _since(self) -> str | None:
        kept = self.ledger.cursor(self.connection, self.object_name)
        if kept is None or self.object_name in _WHOLE or not self.mirror.has(self.object_name):
            return None
        value, pulled = kept
        return value if set(self.columns) <= set(pulled) else None

    def _pages(
        self, since: str | None, checkpoints: list[Checkpoint], set_aside: list[Item]
    ) -> Iterator[pa.Table]:
        read = 0
        for message in self.connector.pull(self.object_name, self.columns, since):
            match message:
                case Page():
                    read += message.table.num_rows
                    set_aside.extend(
                        Item(self.object_name, row.id, "set_aside", "UNREADABLE", row.reason)
                        for row in message.set_aside
                    )
                    self.tell(self.object_name, read, None)
                    yield message.table
                case Checkpoint():
                    checkpoints.append(message)
