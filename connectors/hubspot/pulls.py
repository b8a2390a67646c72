"""Pulling records: all of them by list or export, changes by search, verified by HubSpot's own counts."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from config.records import OPTIONAL, RECORDS
from connectors.casting import cast_records
from connectors.collecting import fewer_collections
from connectors.contract import Checkpoint, ConfigProblem, Deleted, Page, Problem, Truncated
from connectors.cursors import Cursor
from connectors.hubspot.by_id import read_by_id
from connectors.hubspot.casting import text_array
from connectors.hubspot.exports import NotExportable, export
from connectors.hubspot.fields import LINKS, OBJECTS
from connectors.hubspot.history import past
from connectors.hubspot.links import Links
from connectors.hubspot.lists import Lists, NotSplittable
from connectors.hubspot.owners import owner_cells
from connectors.hubspot.plans import Facts, Plan
from connectors.hubspot.records import ID, Cells
from connectors.hubspot.searches import PAUSE, Search
from connectors.hubspot.stages import stage_cells
from connectors.in_flight import in_flight
from connectors.reading import Tally, listing, survivors, with_untold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from connectors.hubspot.api import Api
    from connectors.hubspot.records import Record
    from connectors.hubspot.schema import Schema
    from connectors.hubspot.searches import Filter

    # Reads so many records of a plan, of which this is the last id.
    Way = Callable[[Plan, int, int], Iterator[Cells]]

log = structlog.get_logger(__name__)

# A search sees a change some moments late, sometimes many: look back this far.
OVERLAP = timedelta(minutes=60)
# The recycle bin forgets after 90 days; a day is kept in hand.
BIN_DAYS = timedelta(days=89)
# Records that are linked and cast together: what one call to associations takes.
TOGETHER = 1000
# So many of these at once, while the readers of the list go on.
LINKING = 3
RELINKING = 6
# Fewer records are listed sooner than the range of their ids is looked at.
WORTH_A_SPLIT = 500

MODIFIED = "hs_lastmodifieddate"
MERGED = "hs_merged_object_ids"
_TASK_STATUS, _DONE = "hs_task_status", "COMPLETED"


class Pulls:
    """Reads the records of one portal. `threshold`: from how many on a first load is exported."""

    def __init__(self, api: Api, schema: Schema, threshold: int) -> None:
        self._api = api
        self._schema = schema
        self._threshold = threshold
        self._facts = Facts(api)
        self._links = Links(api)

    # Pulling.

    def pull(self, object_name: str, fields: Sequence[str], since: str | None) -> Iterator[Page | Checkpoint]:
        """As in the contract."""
        asked = _columns(object_name, fields)
        cursor = None if since is None else Cursor.parse(since)
        if cursor is not None and not cursor.fields.issuperset(asked):
            # A field that was not read before must be read for old records too.
            cursor = None
        started = self._api.now()
        tally = Tally()
        try:
            with fewer_collections():
                if object_name in ("owner", "stage"):
                    yield self._small(object_name, asked, tally)
                else:
                    yield from self._records(object_name, asked, cursor, tally)
        except ConfigProblem as error:
            if object_name not in OPTIONAL or "MISSING_SCOPES" not in str(error):
                raise
            log.info("hubspot.not_readable", object=object_name, why=str(error))
            # Without its fields, so that everything is read once the scope is granted.
            asked, tally = [], Tally()
        yield Checkpoint(str(Cursor.after(started, asked, tally.unread)), tally.read, tally.expected)

    def _small(self, object_name: str, asked: Sequence[str], tally: Tally) -> Page:
        """Owners and stages: read whole, each time."""
        if object_name == "owner":
            texts = owner_cells(self._facts.fresh_owners())
        else:
            texts = stage_cells(self._facts.fresh_stages("deals"))
        cells = {name: text_array(column) for name, column in texts.items() if name in asked}
        page = cast_records(object_name, asked, cells, self._facts.texts)
        tally.add(page)
        tally.expected = tally.read
        return page

    def _records(
        self, object_name: str, asked: Sequence[str], cursor: Cursor | None, tally: Tally
    ) -> Iterator[Page]:
        plan = Plan(self._schema, self._facts, object_name, asked)
        if cursor is None and object_name != "task":
            yield from self._all(plan, tally)
            return
        groups = self._open_or_ours(plan) if cursor is None else _changed(cursor.back(OVERLAP))
        yield from self._found(plan, Search(self._api, plan.hs_object, plan.properties, groups), tally)
        if cursor is not None:
            yield from self._again(plan, sorted(cursor.unread - tally.unread), tally)

    def recent(self, object_name: str, fields: Sequence[str], since: datetime) -> Iterator[pa.Table]:
        """As in the contract. A deal that gets another company is not among them: it keeps its stamp."""
        plan = Plan(self._schema, self._facts, object_name, _columns(object_name, fields))
        search = Search(self._api, plan.hs_object, plan.properties, _changed(since))
        try:
            yield from (page.table for page in self._found(plan, search, Tally()))
        except ConfigProblem as error:
            if object_name not in OPTIONAL or "MISSING_SCOPES" not in str(error):
                raise

    def _open_or_ours(self, plan: Plan) -> list[list[Filter]]:
        """Of tasks only the open ones and our own."""
        groups = [[{"propertyName": _TASK_STATUS, "operator": "NEQ", "value": _DONE}]]
        if key := self._schema.property(plan.object_name, "key"):
            groups.append([{"propertyName": key, "operator": "HAS_PROPERTY"}])
        return groups

    # Everything.

    def _all(self, plan: Plan, tally: Tally) -> Iterator[Page]:
        """Every record; once more, one list after another, if fewer came than HubSpot counts."""
        total, last = Search(self._api, plan.hs_object, ()).last()
        for way in self._ways(total):
            part = Tally(expected=total)
            try:
                yield from self._paged(plan, way(plan, total, last), part)
            except (NotExportable, NotSplittable) as error:
                log.warning("hubspot.other_way", object=plan.hs_object, why=str(error))
                continue
            if part.read < part.expected:
                # Records may have been archived meanwhile, and the index may be behind.
                part.expected = min(total, Search(self._api, plan.hs_object, ()).total())
            if part.read >= part.expected:
                tally.include(part)
                return
            log.warning("hubspot.list_short", object=plan.hs_object, read=part.read, expected=part.expected)
            self._api.transport.sleep(PAUSE)
        raise Truncated(f"{plan.hs_object}: {part.read} of {part.expected} records arrived")

    def _ways(self, total: int) -> list[Way]:
        """How to read that many records, the fastest first; the last is tried again."""
        ways: list[Way] = [self._listed, self._listed]
        if total >= WORTH_A_SPLIT:
            ways.insert(0, self._split)
        if total >= self._threshold:
            ways.insert(0, self._exported)
        return ways

    def _exported(self, plan: Plan, *_: int) -> Iterator[Cells]:
        return export(self._api, plan.hs_object, plan.properties, self._schema)

    def _split(self, plan: Plan, total: int, last: int) -> Iterator[Cells]:
        return _together(plan, Lists(self._api, plan.hs_object, plan.properties).split(total, last))

    def _listed(self, plan: Plan, *_: int) -> Iterator[Cells]:
        return _together(plan, Lists(self._api, plan.hs_object, plan.properties).one_by_one())

    # Some.

    def _found(self, plan: Plan, search: Search, tally: Tally) -> Iterator[Page]:
        """What a search finds."""
        part = Tally()
        yield from self._paged(plan, _together(plan, search.pages()), part)
        # It may have had to begin again: its last time counts.
        part.read, part.expected = search.read, search.expected
        tally.include(part)

    def _again(self, plan: Plan, ids: Sequence[str], tally: Tally) -> Iterator[Page]:
        """Records that earlier pulls could not read, whenever they were changed."""
        records = read_by_id(self._api, plan.hs_object, ids, plan.properties)
        part = Tally(expected=len(records))
        yield from self._paged(plan, _together(plan, [records]), part)
        tally.include(part)

    def _paged(self, plan: Plan, parts: Iterator[Cells], tally: Tally) -> Iterator[Page]:
        """Cells with their links, as canonical pages."""
        for page in in_flight(lambda cells: self._page(plan, cells), parts, LINKING):
            tally.add(page)
            yield page

    def _page(self, plan: Plan, cells: Cells) -> Page:
        ids = [name for name in cells.of(ID).to_pylist() if isinstance(name, str) and name.isdecimal()]
        linked = {
            column: self._links.chosen(plan.hs_object, link, ids) for column, link in plan.links.items()
        }
        return plan.page(cells, linked)

    # What was.

    def history(
        self, object_name: str, fields: Sequence[str], held: pa.Table, as_of: datetime
    ) -> Iterator[pa.Table]:
        """As in the contract."""
        told = [name for name in fields if not self._schema.linked(object_name, name)]
        plan = Plan(self._schema, self._facts, object_name, ("id", "modified_at", *told))
        for rows in past(self._api, plan, held["id"].to_pylist(), as_of):
            yield with_untold(object_name, rows, fields)

    # Ids alone, and what no stamp shows.

    def ids(self, object_name: str) -> pa.Array:
        """As in the contract."""
        if object_name in ("owner", "stage"):
            page = self._small(object_name, ("id", "modified_at"), Tally())
            return page.table["id"].combine_chunks()
        pages = list(self._pull_all_ids(object_name))
        ids = [cells for page in pages for cells in page.table["id"].chunks]
        unread = [row.id for page in pages for row in page.set_aside]
        return pa.concat_arrays([*ids, pa.array(unread, pa.string())])

    def _pull_all_ids(self, object_name: str) -> Iterator[Page]:
        return self._all(Plan(self._schema, self._facts, object_name, ("id", "modified_at")), Tally())

    def stamps(self, object_name: str) -> pa.Table:
        """As in the contract."""
        columns = ("id", "modified_at")
        if object_name in ("owner", "stage"):
            pages = [self._small(object_name, columns, Tally())]
        elif object_name == "task":
            plan = Plan(self._schema, self._facts, object_name, columns)
            search = Search(self._api, plan.hs_object, plan.properties, self._open_or_ours(plan))
            pages = list(self._found(plan, search, Tally()))
        else:
            pages = list(self._pull_all_ids(object_name))
        unread = [row.id for page in pages for row in page.set_aside]
        tables = [page.table.select(columns) for page in pages]
        return listing(pa.concat_tables(tables) if tables else None, unread)

    def named(self, object_name: str, fields: Sequence[str], ids: Sequence[str]) -> Iterator[Page]:
        """As in the contract."""
        asked = _columns(object_name, fields)
        if object_name in ("owner", "stage"):
            page = self._small(object_name, asked, Tally())
            wanted = pc.is_in(page.table["id"], pa.array(ids, pa.string()))
            yield Page(page.table.filter(wanted), page.set_aside)
            return
        yield from self._again(Plan(self._schema, self._facts, object_name, asked), ids, Tally())

    def deleted(self, object_name: str, since: str) -> Deleted:
        """As in the contract: what the recycle bin got since the cursor, and who lost a merge."""
        cursor, at = Cursor.parse(since), self._api.now()
        if object_name in ("owner", "stage"):
            # Read whole each time; owners that left stay, as inactive ones.
            return Deleted(at)
        hs_object = OBJECTS[object_name]
        try:
            merged = self._merged(hs_object, cursor)
            gone = self._archived(hs_object, cursor)
        except ConfigProblem as error:
            if object_name not in OPTIONAL or "MISSING_SCOPES" not in str(error):
                raise
            return Deleted(at)
        # A cursor without fields was made when the object could not be seen: what went before is not known.
        complete = bool(cursor.fields) and self._api.now() - cursor.stamp < BIN_DAYS
        return Deleted(at, tuple(dict.fromkeys([*gone, *merged])), merged, complete)

    def _archived(self, hs_object: str, cursor: Cursor) -> Iterator[str]:
        """Archiving moves no stamp of the record: the whole bin is read, each time."""
        first = cursor.back(OVERLAP)
        for records in Lists(self._api, hs_object, (ID,), archived=True).one_by_one():
            for record in records:
                if record.get("id") and _is_since(record.get("archivedAt"), first):
                    yield str(record["id"])

    def _merged(self, hs_object: str, cursor: Cursor) -> dict[str, str]:
        """Loser to winner. A winner is changed by the merge, and lists all that it ever won over."""
        if MERGED not in self._schema.described(hs_object):
            return {}
        filters = [*_changed(cursor.back(OVERLAP))[0], {"propertyName": MERGED, "operator": "HAS_PROPERTY"}]
        search = Search(self._api, hs_object, (ID, MERGED), [filters])
        direct: dict[str, str] = {}
        for record in chain.from_iterable(search.pages()):
            losers = (record.get("properties") or {}).get(MERGED) or ""
            direct.update({loser.strip(): str(record["id"]) for loser in losers.split(";") if loser.strip()})
        return survivors({loser: winner for loser, winner in direct.items() if loser != winner})

    def relinked(self, object_name: str, held: pa.Table) -> pa.Table:
        """As in the contract."""
        link = LINKS.get(object_name, {}).get("account_id")
        if link is None or not self._schema.linked(object_name, "account_id"):
            return held.slice(0, 0).select(["id", "account_id"])
        ids, accounts = held["id"].to_pylist(), held["account_id"].to_pylist()
        parts = [
            (ids[start : start + TOGETHER], accounts[start : start + TOGETHER])
            for start in range(0, len(ids), TOGETHER)
        ]
        changed = in_flight(
            lambda part: self._changed_links(OBJECTS[object_name], link, *part), parts, RELINKING
        )
        with fewer_collections():
            moved = list(chain.from_iterable(changed))
        return pa.table(
            {"id": [name for name, _ in moved], "account_id": [account for _, account in moved]},
            schema=held.select(["id", "account_id"]).schema,
        )

    def _changed_links(
        self, hs_object: str, link: Any, ids: list[str], accounts: list[str | None]
    ) -> list[tuple[str, str | None]]:
        found = self._links.chosen(hs_object, link, ids)
        return [
            (name, found.get(name))
            for name, account in zip(ids, accounts, strict=True)
            if found.get(name) != account
        ]


def _columns(object_name: str, fields: Sequence[str]) -> list[str]:
    keys = [column.name for column in RECORDS[object_name] if column.need == "key"]
    known = {column.name for column in RECORDS[object_name]}
    if unknown := sorted(set(fields) - known):
        raise ConfigProblem(Problem(f"no such columns: {', '.join(unknown)}", where=object_name))
    return list(dict.fromkeys([*keys, *fields]))


def _changed(first: datetime) -> list[list[Filter]]:
    """Changed since then, by HubSpot's own clock."""
    moment = str(int(first.timestamp() * 1000))
    return [[{"propertyName": MODIFIED, "operator": "GTE", "value": moment}]]


def _is_since(stamp: Any, first: datetime) -> bool:
    """Whether something was archived since; if that cannot be read, it may have been."""
    try:
        return type(first).fromisoformat(str(stamp)) >= first
    except (ValueError, TypeError):
        return True


def _together(plan: Plan, pages: Iterable[list[Record]]) -> Iterator[Cells]:
    """Cells of so many records as one call to associations takes, whatever the size of the pages."""
    waiting: list[Record] = []
    for records in pages:
        waiting += records
        while len(waiting) >= TOGETHER:
            yield Cells.of_records(waiting[:TOGETHER], plan.properties)
            waiting = waiting[TOGETHER:]
    if waiting:
        yield Cells.of_records(waiting, plan.properties)
