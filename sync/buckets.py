"""The local copy as scoring reads it: bucket by bucket, here or wherever an engine has a bucket read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.problems import ConfigProblem, Problem
from scoring import TIMES
from sync.store.line_items import LineItems
from sync.store.mirror import Mirror, bucket_of
from sync.store.side_tables import side_tables
from sync.store.tags import TagStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.rules import Rules
    from scoring import Tables
    from sync.store.place import Place

_WHOLE = ("owner", "stage", "quota")  # these do not hang on accounts


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens one bucket where it is called."""

    buckets: Buckets
    number: int

    def __call__(self) -> Tables:
        """What scoring gets of it."""
        return self.buckets.tables(self.number)


@dataclass(frozen=True, slots=True)
class _Times:
    """Opens the few columns of a bucket that the first reading needs."""

    buckets: Buckets
    number: int

    def __call__(self) -> Tables:
        return self.buckets.times_of(self.number)


class Buckets:
    """The mirror's tables, bucket by bucket, as often as they are asked for, and what is remembered of their tags.

    One that is pickled makes sure, wherever it arrives, that it sees the same tables there.
    """

    def __init__(self, mirror: Mirror, rules: Rules, tags: TagStore | None = None) -> None:
        self._mirror = mirror
        self._tags = tags
        self._number = mirror.buckets()
        self._kept: Tables | None = None
        self._columns = {name: rules.needed_columns(name) for name in rules.needed_objects}
        self._line_items = LineItems(mirror, self._columns.get("line_item", ()))
        self._side = side_tables(rules, mirror).tables

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Opener]:
        if self._number > 1 and "line_item" in self._columns:
            self._line_items.cut()
        return (Opener(self, bucket) for bucket in range(self._number))

    def times(self) -> Sequence[_Times] | None:
        """The few columns that the first reading needs; None if that would cost a small book a reading more."""
        return None if self._number == 1 else [_Times(self, bucket) for bucket in range(self._number)]

    def times_of(self, bucket: int) -> Tables:
        """Those of one bucket."""
        deals = self._mirror.read("opportunity", TIMES["opportunity"], bucket)
        return {"opportunity": deals, "stage": self._stages}

    def tables(self, bucket: int) -> Tables:
        """What scoring gets of one bucket; what does not hang on accounts is whole each time."""
        if self._kept is not None:
            return self._kept
        cut = [name for name in self._columns if name not in (*_WHOLE, "line_item")]
        tables = self._whole | {name: self._mirror.read(name, self._columns[name], bucket) for name in cut}
        if "line_item" in self._columns:
            tables["line_item"] = self._line_items.bucket(bucket)
        tables["commitment"] = self._mirror.read("commitment", None, bucket)
        if "commitment" in self._side:
            commitments = self._side["commitment"]
            here = pc.equal(bucket_of(commitments["account_id"], self._number), bucket)
            tables["commitment"] = pa.concat_tables([tables["commitment"], commitments.filter(here)])
        if self._number == 1:
            # A small book is held; of a large one only the bucket in hand, so that memory stays bounded.
            self._kept = tables
        return tables

    def held(self, object_name: str, columns: Sequence[str], bucket: int) -> pa.Table:
        """What the CRM holds of a bucket's records."""
        return self._mirror.read(object_name, columns, bucket)

    def state(self, bucket: int) -> pa.Table | None:
        """The tag state that the tags of a bucket were made with, if any were."""
        return None if self._tags is None else self._tags.state(bucket)

    @cached_property
    def _stages(self) -> pa.Table:
        return self._mirror.read("stage", TIMES["stage"])

    @cached_property
    def _whole(self) -> dict[str, pa.Table]:
        pulled = {
            name: self._mirror.read(name, self._columns[name]) for name in _WHOLE if name in self._columns
        }
        # A file of quotas takes the place of the CRM's.
        return pulled | {name: table for name, table in self._side.items() if name != "commitment"}

    # For others who read.

    @cached_property
    def _versions(self) -> dict[str, str]:
        """Of every table that is read, what it says of itself."""
        found = {name: self._mirror.version(name) for name in (*self._columns, "commitment")}
        return found if self._tags is None else found | {"state": self._tags.version("state")}

    def __getstate__(self) -> dict[str, Any]:
        mirror = Mirror(_whole_path(self._mirror.place))
        return {
            "_mirror": mirror,
            "_tags": None if self._tags is None else TagStore(_whole_path(self._tags.place)),
            "_number": self._number,
            "_kept": None,
            "_columns": self._columns,
            "_line_items": LineItems(mirror, self._columns.get("line_item", ())),
            "_side": self._side,
            "_seen": self._versions,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        seen = state.pop("_seen")
        self.__dict__.update(state)
        if apart := [name for name, version in self._versions.items() if version != seen[name]]:
            raise NotSeen(str(self._mirror.place), ", ".join(apart))


class NotSeen(ConfigProblem):
    """A process that is to read the local copy sees another one, or none, by the same name."""

    def __init__(self, place: str, tables: str) -> None:
        self._told = place, tables
        super().__init__(
            Problem(
                f"a worker of the cluster does not see the same local copy ({tables})",
                where=place,
                fix="give every worker the same folder under the same path, or keep local copies where all see them:"
                " `storage:`",
            )
        )

    def __reduce__(self) -> tuple[type[NotSeen], tuple[str, str]]:
        return type(self), self._told


def _whole_path(place: Place) -> Place:
    """A place as other processes find it, whatever folder they were started in."""
    return place if place.folder is None else replace(place, address=str(place.folder.absolute()))
