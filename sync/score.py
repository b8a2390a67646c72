"""Score the whole book from the mirror, bucket by bucket, and plan what differs from what the CRM holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import OBJECTS, written
from scoring import TIMES, kept_families, read_book, tag
from sync.store.line_items import LineItems
from sync.store.mirror import bucket_of
from sync.store.side_tables import side_tables
from sync.writing.plan import change_schema, changes, valid_until
from sync.writing.states import moved_states

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from config.rules import Rules
    from scoring import Book, Tables, Tagged
    from sync.store.mirror import Mirror
    from sync.store.tags import TagStore
    from sync.writing.edits import Edits
    from sync.writing.scope import Scope


_WHOLE = ("owner", "stage", "quota")  # these do not hang on accounts


@dataclass(frozen=True)
class Scored:
    """A scored book: what to change for each object, the wanted tasks, and the tag state to keep once it is written.

    `due` are the changes that would be wanted if no scope narrowed them. `chosen` are the ids of chosen records, by
    object; None: all.
    """

    changes: Mapping[str, pa.Table]
    tasks: pa.Table
    states: tuple[pa.Table, ...]
    book: Mapping[str, int]
    due: Mapping[str, pa.Table]
    chosen: Mapping[str, pa.ChunkedArray] | None = None

    def keep_states(self, tags: TagStore, changes: Mapping[str, pa.Table]) -> None:
        """Remember the tag state: call it when these changes are about to be written."""
        tags.keep_state(moved_states(self.states, self.due, changes, tags))


def tagged_book(
    mirror: Mirror, tags: TagStore, rules: Rules, today: date, *, settled: bool = False
) -> tuple[Book, Iterator[Tagged]]:
    """The book of the mirror, and its tags, bucket by bucket; nothing is kept.

    `settled`: no tier is held because it was another before.
    """
    buckets = Buckets(mirror, rules)
    book, features = read_book(buckets, rules, today, buckets.times())
    labels = tags.labels()

    def kept(bucket: int) -> pa.Table | None:
        state = tags.state(bucket)
        return _without_tiers(state) if settled and state is not None else state

    return book, (tag(part, book, kept(bucket), rules, today, labels) for bucket, part in enumerate(features))


def _without_tiers(kept: pa.Table) -> pa.Table:
    """What is remembered of tags, but for the tiers."""
    place = kept.schema.get_field_index("tier")
    return kept.set_column(place, kept.field(place), pa.nulls(kept.num_rows, pa.string()))


def score(  # what a plan depends on, no more
    mirror: Mirror,
    tags: TagStore,
    rules: Rules,
    scope: Scope,
    today: date,
    stamp: str,
    edits: Edits | None = None,
) -> Scored:
    """Score every account and open opportunity of the mirror for `today`; plan changes within the scope.

    `edits`: what others changed of our values; None to plan without regard to it.
    """
    book, parts = tagged_book(mirror, tags, rules, today)
    tags.keep_book(book, rules, today)
    chooser = scope.chooser(mirror)
    found: dict[str, list[pa.Table]] = {name: [] for name in OBJECTS}
    due: dict[str, list[pa.Table]] = {name: [] for name in OBJECTS}
    chosen: dict[str, list[pa.ChunkedArray]] = {name: [] for name in OBJECTS}
    said: dict[str, list[pa.Table]] = {name: [] for name in OBJECTS}
    points: dict[str, list[pa.Table]] = {name: [] for name in OBJECTS}
    tasks, states, families = [], [], []
    for bucket, tagged in enumerate(parts):
        for name, wanted in _wanted(tagged):
            dated = _dated(wanted, rules, today, stamp)
            held = mirror.read(name, _held_columns(name), bucket)
            if edits is not None:
                dated = edits.honoured(name, bucket, dated, held)
            wished = changes(name, dated, held, scope.fields.get(name, ()), rules.writing)
            due[name].append(
                changes(name, dated, held, scope.written[name], rules.writing)
                if scope.written and scope.narrows(name)
                else wished
            )
            if chooser is not None:
                ids = chooser.ids(name, tagged, held)
                wished = wished.filter(pc.is_in(wished["id"], value_set=ids))
                chosen[name].append(ids)
            found[name].append(wished)
            said[name].append(wanted)
        points["account"].append(tagged.account_points)
        points["opportunity"].append(tagged.opportunity_points)
        tasks.append(tagged.tasks)
        states.append(tagged.state)
        families.append(kept_families(tagged.scored.features))
    tags.keep("families", {"account": families})
    tags.keep("tags", said)
    tags.keep("points", points)
    return Scored(
        {
            name: _joined(tables, change_schema(name, scope.fields.get(name, ())))
            for name, tables in found.items()
        },
        pa.concat_tables(tasks),
        tuple(states),
        {name: sum(table.num_rows for table in tables) for name, tables in said.items()},
        {name: pa.concat_tables([_tier_of(table) for table in tables]) for name, tables in due.items()},
        None if chooser is None else {name: _one(ids) for name, ids in chosen.items()},
    )


class Buckets:
    """The mirror's tables, bucket by bucket, as often as they are asked for."""

    def __init__(self, mirror: Mirror, rules: Rules) -> None:
        self._mirror = mirror
        self._number = mirror.buckets()
        self._kept: Tables | None = None
        self._columns = {name: rules.needed_columns(name) for name in rules.needed_objects}
        self._line_items = LineItems(mirror, self._columns.get("line_item", ()))
        self._side = side_tables(rules, mirror).tables

    def __iter__(self) -> Iterator[Tables]:
        if self._number > 1 and "line_item" in self._columns:
            self._line_items.cut()
        return (self.tables(bucket) for bucket in range(self._number))

    def times(self) -> Iterator[Tables] | None:
        """The few columns that the first reading needs; None if that would cost a small book a reading more."""
        if self._number == 1:
            return None
        stages = self._mirror.read("stage", TIMES["stage"])
        return (
            {"opportunity": self._mirror.read("opportunity", TIMES["opportunity"], bucket), "stage": stages}
            for bucket in range(self._number)
        )

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

    @cached_property
    def _whole(self) -> dict[str, pa.Table]:
        pulled = {
            name: self._mirror.read(name, self._columns[name]) for name in _WHOLE if name in self._columns
        }
        # A file of quotas takes the place of the CRM's.
        return pulled | {name: table for name, table in self._side.items() if name != "commitment"}


def _wanted(tagged: Tagged) -> tuple[tuple[str, pa.Table], ...]:
    return ("account", tagged.accounts), ("opportunity", tagged.opportunities)


def _dated(wanted: pa.Table, rules: Rules, today: date, stamp: str) -> pa.Table:
    """Add validity and stamp; a record that is to hold nothing of ours gets neither."""
    ids = wanted["id"]
    empty = pc.is_null(wanted["foretag_reason"])
    until = pc.if_else(empty, pa.scalar(None, pa.date32()), valid_until(ids, today, rules.writing.valid_days))
    stamps = pc.if_else(empty, pa.scalar(None, pa.string()), pa.scalar(stamp))
    return wanted.append_column("foretag_valid_until", until).append_column("foretag_stamp", stamps)


def _held_columns(object_name: str) -> tuple[str, ...]:
    parent = () if object_name == "account" else ("account_id",)
    return (
        "id",
        "name",
        "owner_id",
        "modified_at",
        *parent,
        *(field.name for field in written(object_name, "full")),
    )


def _tier_of(changes: pa.Table) -> pa.Table:
    """What tells whether a change is that of a tier."""
    return changes.select([name for name in ("id", "foretag_tier", "clear") if name in changes.column_names])


def _one(ids: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for found in ids for chunk in found.chunks], pa.string())


def _joined(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    """All buckets' changes as one table: sorted by parent within each bucket, so that one parent's stay together."""
    return pa.concat_tables([table.select(schema.names).cast(schema) for table in tables])
