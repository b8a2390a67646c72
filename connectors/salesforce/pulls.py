"""Pulling records: which fields, which window, by REST or by Bulk, verified by Salesforce's own counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.records import OPTIONAL, RECORDS
from connectors.contract import (
    Checkpoint,
    ConfigProblem,
    Deleted,
    Page,
    Problem,
    RecordRefused,
    RetryLater,
    Truncated,
)
from connectors.cursors import Cursor
from connectors.reading import Tally, listing, survivors
from connectors.salesforce.activities import ACTIVITIES
from connectors.salesforce.bulk_read import read_bulk
from connectors.salesforce.casting import cast_records
from connectors.salesforce.fields import OBJECTS
from connectors.salesforce.history import past, text_page
from connectors.salesforce.rest_read import TooMany, read_rest
from connectors.salesforce.soql import Query, one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from connectors.reading import Convert
    from connectors.salesforce.api import Api
    from connectors.salesforce.schema import Schema

# A change is stamped when its transaction begins and seen when that commits: look back this far.
OVERLAP = timedelta(seconds=600)
# The recycle bin forgets after 15 days; a day is kept in hand.
BIN_DAYS = timedelta(days=14)
# Small by nature: not worth a count.
SMALL = frozenset({"stage"})
# These are switched off instead.
NEVER_DELETED = frozenset({"owner", "stage"})
# Before Salesforce, nothing was changed in it.
_BEGINNING = datetime(1999, 1, 1, tzinfo=UTC)
_SHORTEST_WINDOW = timedelta(seconds=2)
_UNLIMITED = 10**9
# A query must stay below Salesforce's 100,000 characters, and find its rows quickly.
_IDS_IN_A_QUERY = 200


class Pulls:
    """Reads the records of one org. `timezone` tells in which zone a moment is a day."""

    def __init__(self, api: Api, schema: Schema, bulk_threshold: int, timezone: Callable[[], str]) -> None:
        self._api = api
        self._schema = schema
        self._threshold = bulk_threshold
        self._timezone = timezone

    def pull(self, object_name: str, fields: Sequence[str], since: str | None) -> Iterator[Page | Checkpoint]:
        """As in the contract."""
        asked = self._columns(object_name, fields)
        cursor = None if since is None else Cursor.parse(since)
        if cursor is not None and not cursor.fields.issuperset(asked):
            # A field that was not read before must be read for old records too.
            cursor = None
        if self._lacks(object_name):
            # Without its fields, so that everything is read once the object is there.
            yield Checkpoint(str(Cursor.after(self._server_date(), ())), 0, 0)
            return
        try:
            yield from self._pull(object_name, asked, cursor)
        except RecordRefused as error:
            if error.code != "INVALID_FIELD":
                raise
            # The org changed since we described it: look again, once.
            self._schema.forget()
            yield from self._pull(object_name, asked, cursor)

    def _pull(
        self, object_name: str, asked: Sequence[str], cursor: Cursor | None
    ) -> Iterator[Page | Checkpoint]:
        paths = self._paths(object_name, asked)
        fields = dict.fromkeys([*paths.values(), *self._day_fields(object_name, paths)])
        query = self._query(object_name, tuple(fields))
        if cursor is None:
            query = replace(query, conditions=(*query.conditions, *self._at_first(object_name)))
        else:
            query = query.window(cursor.back(OVERLAP), None)
        tally = Tally()
        convert = self._converting(object_name, asked, paths)
        # An increment is mostly small: its first page tells how many there are.
        size = self._size(query) if cursor is None and object_name not in SMALL else 0
        started = self._server_date()
        yield from self._windows(query, size, convert, tally)
        if cursor is not None:
            yield from self._again(query, sorted(cursor.unread - tally.unread), convert, tally)
        yield Checkpoint(str(Cursor.after(started, asked, tally.unread)), tally.read, tally.expected)

    def recent(self, object_name: str, fields: Sequence[str], since: datetime) -> Iterator[pa.Table]:
        """As in the contract."""
        if self._lacks(object_name):
            return
        asked = self._columns(object_name, fields)
        paths = self._paths(object_name, asked)
        shown = dict.fromkeys([*paths.values(), *self._day_fields(object_name, paths)])
        query = self._query(object_name, tuple(shown)).window(since, None)
        convert = self._converting(object_name, asked, paths)
        yield from (page.table for page in self._windows(query, 0, convert, Tally()))

    def _lacks(self, object_name: str) -> bool:
        """Whether this is an object that an org need not have, and this one has not, or does not show."""
        if object_name not in OPTIONAL:
            return False
        there = self._schema.described(OBJECTS[object_name])
        activity = ACTIVITIES.get(object_name)
        return not there or (activity is not None and not there.keys() >= set(map(str.lower, activity.needs)))

    def _again(self, query: Query, ids: Sequence[str], convert: Convert, tally: Tally) -> Iterator[Page]:
        """Records that earlier pulls could not read, whenever they were changed."""
        for start in range(0, len(ids), _IDS_IN_A_QUERY):
            chosen = (*query.conditions, one_of("Id", ids[start : start + _IDS_IN_A_QUERY]))
            yield from self._windows(replace(query, conditions=chosen, first=None), 0, convert, tally)

    def _columns(self, object_name: str, fields: Sequence[str]) -> list[str]:
        keys = [column.name for column in RECORDS[object_name] if column.need == "key"]
        known = {column.name for column in RECORDS[object_name]}
        if unknown := sorted(set(fields) - known):
            raise ConfigProblem(Problem(f"no such columns: {', '.join(unknown)}", where=object_name))
        return list(dict.fromkeys([*keys, *fields]))

    def _paths(self, object_name: str, asked: Sequence[str]) -> dict[str, str]:
        """Field path by canonical column, for the columns that the org has and the user may read."""
        found = {column: self._schema.path(object_name, column) for column in asked}
        paths = {column: path for column, path in found.items() if path is not None}
        if "id" not in paths or "modified_at" not in paths:
            raise ConfigProblem(
                Problem(
                    "the object is missing, or the worker's user may not read it",
                    where=OBJECTS[object_name],
                    fix="assign the permission set Foretag Worker to the worker's user",
                )
            )
        return paths

    def _query(self, object_name: str, paths: tuple[str, ...]) -> Query:
        """The query for all records of a canonical object, whatever state they are in."""
        sf_object = OBJECTS[object_name]
        activity = ACTIVITIES.get(object_name)
        if activity is not None:
            # Old activities are archived, and found only among the deleted ones.
            conditions = (*activity.of, *self._not_ours(sf_object), "IsDeleted = false")
            return Query(sf_object, paths, conditions, include_deleted=True)
        if object_name == "quota" and "isamount" in self._schema.described(sf_object):
            return Query(sf_object, paths, ("IsAmount = true",))
        return Query(sf_object, paths)

    def _not_ours(self, sf_object: str) -> tuple[str, ...]:
        """The condition that people made it; none if our key is not there, so that we made nothing."""
        keys = (self._schema.resolve(sf_object, path) for path in self._schema.candidates("task", "key"))
        return tuple(f"{found[0]} = null" for found in filter(None, keys))

    def _at_first(self, object_name: str) -> tuple[str, ...]:
        """What a first load leaves out: closed tasks of people, activities that did not take place.

        An increment must show them, too: they may have been otherwise before.
        """
        if object_name in ACTIVITIES:
            return ACTIVITIES[object_name].done
        if object_name != "task":
            return ()
        key = self._schema.path("task", "key")
        return (f"(IsClosed = false OR {key} != null)",) if key else ("IsClosed = false",)

    def _day_fields(self, object_name: str, paths: Mapping[str, str]) -> list[str]:
        """The fields of which an activity's day is made, unless the connection maps it to one."""
        if object_name not in ACTIVITIES or "day" not in paths or self._schema.mapped(object_name, "day"):
            return []
        there = self._schema.described(OBJECTS[object_name])
        return [name for name in ACTIVITIES[object_name].day_fields if name.lower() in there]

    def _converting(self, object_name: str, asked: Sequence[str], paths: Mapping[str, str]) -> Convert:
        """What makes canonical rows of cells."""
        convert = partial(_convert, object_name, asked, paths)
        if object_name not in ACTIVITIES:
            return convert
        made = self._day_fields(object_name, paths)
        return partial(convert, timezone=self._timezone(), made=made)

    def _size(self, query: Query) -> int:
        """How many records to expect; a count that takes too long means many."""
        try:
            return self._api.count(query.count(), include_deleted=query.include_deleted)
        except RecordRefused as error:
            if error.code != "QUERY_TIMEOUT":
                raise
            return _UNLIMITED

    def _server_date(self) -> datetime:
        if self._api.transport.server_date is None:
            self._api.limits()
        date = self._api.transport.server_date
        if date is None:
            raise RetryLater("Salesforce's replies carry no date; a proxy may strip it")
        return date

    # Reading a query whole.

    def _windows(self, query: Query, size: int, convert: Convert, tally: Tally) -> Iterator[Page]:
        """The pages of a query; one that takes too long is asked in two halves of its window, older first."""
        part = Tally()
        try:
            yield from self._read(query, size, convert, part)
        except RecordRefused as error:
            if error.code != "QUERY_TIMEOUT":
                raise
        else:
            tally.include(part)
            return
        first = query.first or _BEGINNING
        before = query.before or self._server_date()
        if before - first < _SHORTEST_WINDOW:
            raise RetryLater(f"Salesforce takes too long to read {query.sf_object}, however small the part")
        middle = first + (before - first) / 2
        yield from self._windows(query.window(query.first, middle), size, convert, tally)
        yield from self._windows(query.window(middle, query.before), size, convert, tally)

    def _read(self, query: Query, size: int, convert: Convert, tally: Tally) -> Iterator[Page]:
        """The pages of a query of about so many rows; if they prove to be more by far, by a job after all."""
        if size < self._threshold:
            try:
                yield from self._read_pages(query, convert, tally, self._threshold)
            except TooMany:
                size = self._threshold
            else:
                return
        if size >= self._threshold:
            try:
                yield from read_bulk(self._api, query, convert, tally)
            except RecordRefused as error:
                if error.code != "INVALIDENTITY":
                    raise
            else:
                return
        yield from self._read_pages(query, convert, tally)

    def _read_pages(
        self, query: Query, convert: Convert, tally: Tally, most: int | None = None
    ) -> Iterator[Page]:
        yield from read_rest(self._api, query, convert, tally, most)
        if tally.read < tally.expected:
            raise Truncated(f"{query.sf_object}: {tally.read} of {tally.expected} rows arrived")

    # What was.

    def history(
        self, object_name: str, fields: Sequence[str], held: pa.Table, as_of: datetime
    ) -> Iterator[pa.Table]:
        """As in the contract."""
        return past(self._schema, self._texts, object_name, fields, held, as_of, self._server_date())

    def _texts(self, query: Query) -> pa.Table:
        """All that a query finds, as text by field."""
        pages = list(self._windows(query, self._size(query), text_page, Tally()))
        empty = text_page(dict.fromkeys(query.paths, pa.array([], pa.binary())))
        return pa.concat_tables([empty.table, *(page.table.select(query.paths) for page in pages)])

    # Ids alone.

    def ids(self, object_name: str) -> pa.Array:
        """As in the contract."""
        if self._lacks(object_name):
            return pa.array([], pa.string())
        query = self._query(object_name, ("Id", "SystemModstamp"))
        table, unread = self._ids(object_name, query, {"id": "Id", "modified_at": "SystemModstamp"})
        return pa.concat_arrays([*table["id"].chunks, pa.array(unread, pa.string())])

    def stamps(self, object_name: str) -> pa.Table:
        """As in the contract."""
        if self._lacks(object_name):
            return listing()
        query = self._query(object_name, ("Id", "SystemModstamp"))
        query = replace(query, conditions=(*query.conditions, *self._at_first(object_name)))
        return listing(*self._ids(object_name, query, {"id": "Id", "modified_at": "SystemModstamp"}))

    def named(self, object_name: str, fields: Sequence[str], ids: Sequence[str]) -> Iterator[Page]:
        """As in the contract."""
        if self._lacks(object_name):
            return
        asked = self._columns(object_name, fields)
        paths = self._paths(object_name, asked)
        shown = dict.fromkeys([*paths.values(), *self._day_fields(object_name, paths)])
        convert = self._converting(object_name, asked, paths)
        yield from self._again(self._query(object_name, tuple(shown)), ids, convert, Tally())

    def deleted(self, object_name: str, since: str) -> Deleted:
        """As in the contract: what the recycle bin holds from the cursor on, and who won a merge."""
        cursor, at = Cursor.parse(since), self._server_date()
        fields = self._schema.described(OBJECTS[object_name])
        if self._lacks(object_name):
            return Deleted(at)
        if "isdeleted" not in fields:
            # It knows no recycle bin.
            return Deleted(at, complete=object_name in NEVER_DELETED)
        # MasterRecordId is read into parent_id, which has the type of an id.
        paths = {"id": "Id", "modified_at": "SystemModstamp"}
        if "masterrecordid" in fields:
            paths["parent_id"] = "MasterRecordId"
        query = Query(
            OBJECTS[object_name],
            tuple(paths.values()),
            (*(ACTIVITIES[object_name].of if object_name in ACTIVITIES else ()), "IsDeleted = true"),
            cursor.back(OVERLAP),
            include_deleted=True,
        )
        table, unread = self._ids(object_name, query, paths, few=True)
        complete = self._server_date() - cursor.back(OVERLAP) < BIN_DAYS and "" not in unread
        ids = dict.fromkeys([*table["id"].to_pylist(), *filter(None, unread)])
        return Deleted(at, tuple(ids), _merged(table), complete)

    def _ids(
        self, object_name: str, query: Query, paths: Mapping[str, str], *, few: bool = False
    ) -> tuple[pa.Table, list[str]]:
        """Ids with what else was asked for, and the ids (or an empty text) of records that are otherwise unreadable.

        `few` are likely: then nobody counts them first.
        """
        convert = partial(_convert, object_name, list(paths), paths)
        pages = list(self._windows(query, 0 if few else self._size(query), convert, Tally()))
        empty = _convert(
            object_name, list(paths), paths, dict.fromkeys(query.paths, pa.array([], pa.binary()))
        )
        unread = [row.id for page in pages for row in page.set_aside]
        return pa.concat_tables([empty.table, *(page.table for page in pages)]), unread


def _convert(
    object_name: str,
    asked: Sequence[str],
    paths: Mapping[str, str],
    cells: Mapping[str, pa.Array],
    *,
    timezone: str = "",
    made: Sequence[str] = (),
) -> Page:
    """Canonical rows. `made` are the fields of which an activity's day is made."""
    by_name = {name.lower(): column for name, column in cells.items()}
    columns = {column: by_name[path.lower()] for column, path in paths.items()}
    if made:
        columns["day"] = ACTIVITIES[object_name].day({name: by_name[name.lower()] for name in made})
    return cast_records(object_name, asked, columns, timezone)


def _merged(table: pa.Table) -> dict[str, str]:
    """Loser to winner; a winner that lost in turn is followed to the one that is left."""
    if "parent_id" not in table.schema.names:
        return {}
    merged = table.filter(pc.is_valid(table["parent_id"]))
    return survivors(dict(zip(merged["id"].to_pylist(), merged["parent_id"].to_pylist(), strict=True)))
