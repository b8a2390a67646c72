"""Delta tables kept open between readings: to open one takes longer than to read a bucket of it."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow.dataset as pads

    from sync.store.place import Place

# The tables of one connection, and some: each holds but the names of its files.
MOST = 64

_LOG = "_delta_log"


@dataclass(frozen=True, slots=True)
class Opened:
    """One version of a table, to read from: its rows, the columns that it stores, and what it says of itself."""

    rows: pads.Dataset
    columns: frozenset[str]
    description: str

    def of(self, buckets: int | Sequence[int] | None) -> pc.Expression | None:
        """What holds for the rows of a bucket, or of some; None: of all."""
        if buckets is None:
            return None
        wanted = [buckets] if isinstance(buckets, int) else list(buckets)
        return pc.field("bucket").isin(pa.array(wanted, pa.int32()))

    def has(self, where: pc.Expression | None) -> bool:
        """Whether any of its files may have such rows."""
        return any(True for _ in self.rows.get_fragments(where))

    def read(self, columns: Sequence[str], where: pc.Expression | None) -> pa.Table:
        """These columns of such rows; of no bucket but theirs is a file opened."""
        return self.rows.to_table(columns=list(columns), filter=where)


_kept: dict[str, tuple[str, Opened]] = {}
# Buckets are read in several threads.
_keeping = Lock()


def opened(place: Place) -> Opened | None:
    """The table that lies at a place, as of its last commit; None if there is none.

    In a folder the name of the last commit tells whether it is the one kept; an object store is asked each time.
    """
    commit = _last_commit(place)
    known = _kept.get(place.address)
    if commit and known is not None and known[0] == commit:
        return known[1]
    table = place.table()
    if table is None:
        return None
    found = Opened(
        table.to_pyarrow_dataset(),
        frozenset(field.name for field in table.schema().fields),
        str(table.metadata().description),
    )
    if commit:
        with _keeping:
            while len(_kept) >= MOST:
                del _kept[next(iter(_kept))]
            _kept[place.address] = (commit, found)
    return found


def _last_commit(place: Place) -> str:
    """The name of a local table's last commit, and when it was made: a table may be taken away and made anew."""
    if place.folder is None:
        return ""
    log = place.folder / _LOG
    try:
        last = max(log.glob("*.json"), default=None)
        return "" if last is None else f"{last.name} {last.stat().st_mtime_ns}"
    except OSError:
        return ""
