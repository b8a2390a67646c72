"""Reading all records of an object: lists in the order of ids, several parts of the range at a time.

A list is one cursor, and each page waits for the one before; so one list is as slow as HubSpot's replies are.
But HubSpot's cursor is the id of the next record: a reader may begin anywhere. The range of ids is cut among
several readers, and a reader that is done takes over half of the widest part that is left.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.contract import RecordRefused, Truncated
from connectors.hubspot.by_id import read_by_id
from connectors.hubspot.failures import TOO_LONG
from connectors.hubspot.records import ID, Record, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.hubspot.api import Api

PAGE = 100
READERS = 12
# Pages that wait to be looked at, at most: readers do not run ahead of what is done with them.
WAITING = 4 * READERS
# A reader whose page nobody takes sees after so many seconds whether anybody will.
LOOK_UP = 0.2
# Fewer records left per reader are not worth another cut, which costs a page of overlap.
WORTH_A_CUT = 3 * PAGE
# HubSpot's front refuses longer addresses somewhere between 8,000 and 16,000 characters.
LONGEST_ADDRESS = 6000


class NotSplittable(Exception):  # noqa: N818  # says what the portal is
    """The portal does not begin a list where it is asked to."""


class Lists:
    """Pages of one object's records, with these properties."""

    def __init__(
        self, api: Api, hs_object: str, properties: Sequence[str], *, archived: bool = False
    ) -> None:
        self._api = api
        self._object = hs_object
        self._properties = properties
        self._archived = archived
        names = ",".join(quote(name) for name in properties)
        # Too many names for an address travel in the body of a second call.
        self._narrow = len(names) > LONGEST_ADDRESS
        self._query = f"limit={PAGE}&archived={str(archived).lower()}&properties="
        self._names = names

    def one_by_one(self) -> Iterator[list[Record]]:
        """Every page, each after the one before. Raises `Truncated` if the pages do not advance."""
        after: str | None = None
        seen: set[str | None] = set()
        while after not in seen:
            seen.add(after)
            records, after = self.page(after)
            yield records
            if after is None:
                return
        raise Truncated(f"{self._object}: the pages of the list do not advance")

    def split(self, total: int, last: int) -> Iterator[list[Record]]:
        """The same records in parts, in no order. `total`, and the last id, are of a moment ago.

        Raises:
            NotSplittable: before the first page, or when a page holds what is not asked for.
        """
        records, _ = self.page(None)
        first = next(filter(None, map(number, records)), None)
        if first is None or first > last or not self._begins_at(last):
            raise NotSplittable("the portal does not begin a list where it is asked to")
        return _Split(self, total, first, last).pages()

    def page(self, after: str | None) -> tuple[list[Record], str | None]:
        """A page of records, and where the next one begins."""
        # Written out: quoting a long address costs as much as reading its reply.
        query = self._query + (ID if self._narrow else self._names)
        if after is not None:
            query += f"&after={quote(after)}"
        try:
            body = self._api.get("objects", f"{self._object}?{query}", counted="list")
        except RecordRefused as error:
            if error.code != TOO_LONG or self._narrow:
                raise
            self._narrow = True
            return self.page(after)
        records: list[Record] = body["results"]
        if self._narrow and records:
            records = read_by_id(
                self._api,
                self._object,
                [str(record.get("id")) for record in records],
                self._properties,
                archived=self._archived,
            )
        return records, ((body.get("paging") or {}).get("next") or {}).get("after")

    def _begins_at(self, last: int) -> bool:
        """Whether a list that is asked to begin at an id does: at the last one, there is nothing before it."""
        try:
            records, _ = self.page(str(last))
        except RecordRefused:
            return False
        return all((number(record) or last) >= last for record in records)


@dataclass(slots=True, eq=False)
class _Part:
    """Ids from `position` to before `end`; the last part has no end, so that new records are in it."""

    position: int
    end: int | None

    def width(self, last: int) -> int:
        return (last + 1 if self.end is None else self.end) - self.position


class _Split:
    """Readers of the parts of one list, and the pages they bring."""

    def __init__(self, lists: Lists, total: int, first: int, last: int) -> None:
        self._lists = lists
        self._left = total
        self._last = last
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._pages: queue.Queue[list[Record] | BaseException | None] = queue.Queue(WAITING)
        readers = max(min(READERS, total // WORTH_A_CUT), 1)
        step = max((last + 1 - first) // readers, 1)
        starts = [first + number * step for number in range(readers)]
        ends: list[int | None] = [*starts[1:], None]
        self._waiting = [_Part(start, end) for start, end in zip(starts, ends, strict=True)]
        self._reading: list[_Part] = []
        # Each with the names that log lines carry.
        self._threads = [
            threading.Thread(target=copy_context().run, args=(self._work,), daemon=True)
            for _ in range(readers)
        ]

    def pages(self) -> Iterator[list[Record]]:
        """Whatever page comes first; an error of a reader is raised here."""
        try:
            for thread in self._threads:
                thread.start()
            done = 0
            while done < len(self._threads):
                page = self._pages.get()
                if isinstance(page, BaseException):
                    raise page
                if page is None:
                    done += 1
                else:
                    yield page
        finally:
            # A reader's reply may be minutes away: it is not waited for.
            self._stopped.set()

    def _work(self) -> None:
        try:
            while (part := self._take()) is not None:
                self._read(part)
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that reads the pages
            self._hand_over(error)
        else:
            self._hand_over(None)

    def _hand_over(self, page: list[Record] | BaseException | None) -> None:
        """As soon as there is room, unless nobody wants it any more."""
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._pages.put(page, timeout=LOOK_UP)
                return

    def _take(self) -> _Part | None:
        """A part that nobody reads yet, or half of what somebody else has left to read."""
        with self._lock:
            if self._stopped.is_set():
                return None
            part = self._waiting.pop() if self._waiting else self._half()
            if part is not None:
                self._reading.append(part)
            return part

    def _half(self) -> _Part | None:
        widest = max(self._reading, key=lambda part: part.width(self._last), default=None)
        if widest is None or self._left < WORTH_A_CUT * len(self._reading):
            return None
        width = widest.width(self._last)
        if width <= PAGE:
            return None
        middle = widest.position + width // 2
        half = _Part(middle, widest.end)
        widest.end = middle
        return half

    def _read(self, part: _Part) -> None:
        more = True
        while more and not self._stopped.is_set():
            records, after = self._lists.page(str(part.position))
            kept, more = self._keep(part, records, after)
            if kept:
                self._hand_over(kept)
        with self._lock:
            self._reading.remove(part)

    def _keep(self, part: _Part, records: list[Record], after: str | None) -> tuple[list[Record], bool]:
        """The records of a page that belong to the part, and whether there may be more."""
        ids = [number(record) for record in records]
        known = [found for found in ids if found is not None]
        if known and min(known) < part.position:
            raise NotSplittable("a page began before the place where it was asked to")
        with self._lock:
            end = part.end
            # A record whose id cannot be read belongs where it is found.
            kept = [
                record
                for found, record in zip(ids, records, strict=True)
                if end is None or found is None or found < end
            ]
            self._left -= len(kept)
            if after is None or len(kept) < len(records):
                return kept, False
            following = int(after) if after.isdecimal() else 0
            if following <= max([part.position, *known]):
                raise NotSplittable("the list is not in the order of ids, or its cursor is none")
            part.position = following
            return kept, end is None or following < end
