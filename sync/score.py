"""Score the whole book from the mirror, bucket by bucket, and plan what differs from what the CRM holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import OBJECTS, written
from scoring import HERE, kept_families, read_book, tag
from sync.buckets import Buckets
from sync.writing.plan import change_schema, changes, valid_until
from sync.writing.states import moved_states

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from config.rules import Rules
    from scoring import Book, Engine, Features, Tagged
    from sync.store.mirror import Mirror
    from sync.store.tags import TagStore
    from sync.writing.choosing import Chooser
    from sync.writing.edits import Edits
    from sync.writing.scope import Scope


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


@dataclass(frozen=True, slots=True)
class Said:
    """What scoring says of one bucket: of `Tagged` what is kept or compared, the families, and the chosen ids."""

    accounts: pa.Table
    opportunities: pa.Table
    tasks: pa.Table
    state: pa.Table
    points: Mapping[str, pa.Table]
    families: pa.Table
    chosen: Mapping[str, pa.ChunkedArray] | None


def tagged_book(
    mirror: Mirror, tags: TagStore, rules: Rules, today: date, *, settled: bool = False
) -> tuple[Book, Iterator[Tagged]]:
    """The book of the mirror, and its tags, bucket by bucket; nothing is kept.

    `settled`: no tier is held because it was another before.
    """
    buckets = Buckets(mirror, rules, tags)
    book, parts = read_book(buckets, rules, today, buckets.times())
    given = {"book": book, "rules": rules, "today": today, "labels": tags.labels(), "settled": settled}
    return book, HERE.each(_tagged, parts, range(len(buckets)), buckets=buckets, **given)


def _tagged(  # what the tags of a bucket depend on, no more
    part: Features,
    bucket: int,
    buckets: Buckets,
    book: Book,
    rules: Rules,
    today: date,
    labels: Mapping[str, str],
    *,
    settled: bool = False,
) -> Tagged:
    kept = buckets.state(bucket)
    if settled and kept is not None:
        kept = _without_tiers(kept)
    return tag(part, book, kept, rules, today, labels)


def _said(part: Features, bucket: int, buckets: Buckets, chooser: Chooser | None, **given: Any) -> Said:
    """What is said of a bucket, where its features are."""
    tagged = _tagged(part, bucket, buckets, **given)
    chosen = None if chooser is None else {
        name: chooser.ids(name, tagged, buckets.held(name, ("id", "modified_at"), bucket)) for name in OBJECTS
    }  # fmt: skip
    points = {"account": tagged.account_points, "opportunity": tagged.opportunity_points}
    families = kept_families(tagged.scored.features)
    return Said(tagged.accounts, tagged.opportunities, tagged.tasks, tagged.state, points, families, chosen)


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
    engine: Engine = HERE,
) -> Scored:
    """Score every account and open opportunity of the mirror for `today`; plan changes within the scope.

    `edits`: what others changed of our values; None to plan without regard to it.
    """
    buckets, chooser = Buckets(mirror, rules, tags), scope.chooser(mirror)
    book, parts = read_book(buckets, rules, today, buckets.times(), engine)
    tags.keep_book(book, rules, today)
    given = {"book": book, "rules": rules, "today": today, "labels": tags.labels(), "chooser": chooser}
    found: dict[str, list[pa.Table]] = {name: [] for name in OBJECTS}
    due: dict[str, list[pa.Table]] = {name: [] for name in OBJECTS}
    chosen: dict[str, list[pa.ChunkedArray]] = {name: [] for name in OBJECTS}
    said: dict[str, list[pa.Table]] = {name: [] for name in OBJECTS}
    points: dict[str, list[pa.Table]] = {name: [] for name in OBJECTS}
    tasks, states, families = [], [], []
    for bucket, one in enumerate(engine.each(_said, parts, range(len(buckets)), buckets=buckets, **given)):
        for name, wanted in _wanted(one):
            dated = _dated(wanted, rules, today, stamp)
            held = buckets.held(name, _held_columns(name), bucket)
            if edits is not None:
                dated = edits.honoured(name, bucket, dated, held)
            wished = changes(name, dated, held, scope.fields.get(name, ()), rules.writing)
            due[name].append(
                changes(name, dated, held, scope.written[name], rules.writing)
                if scope.written and scope.narrows(name)
                else wished
            )
            if one.chosen is not None:
                wished = wished.filter(pc.is_in(wished["id"], value_set=one.chosen[name]))
                chosen[name].append(one.chosen[name])
            found[name].append(wished)
            said[name].append(wanted)
            points[name].append(one.points[name])
        tasks.append(one.tasks)
        states.append(one.state)
        families.append(one.families)
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


def _wanted(said: Said) -> tuple[tuple[str, pa.Table], ...]:
    return ("account", said.accounts), ("opportunity", said.opportunities)


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
