"""A HubSpot portal as its reps see it: companies by tier, and one company with its deals and tasks."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import OUTPUT_FIELDS
from connectors.sandbox.hubspot.errors import HubSpotError
from connectors.sandbox.hubspot.labels import labels_of, told
from connectors.sandbox.hubspot.stamps import parse_stamp
from connectors.sandbox.views import (
    LIST_ROWS,
    PAGE_ROWS,
    AccountView,
    Book,
    BookRow,
    Listing,
    Rows,
    Shown,
    Words,
    book_fields,
    existing,
    page_count,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.sandbox.hubspot.portal import Portal

_TIER, _SCORE, _OWNER = "foretag_tier", "foretag_score", "hubspot_owner_id"
_NAMELESS = "(no name)"
_DETAILS = (
    "industry",
    "country",
    "numberofemployees",
    "annualrevenue",
    "phone",
    "website",
    "domain",
    "createdate",
    "hs_lastmodifieddate",
)
_DEAL = (
    Shown(_TIER, "Tier", tier=True),
    Shown(_SCORE, "Score", "number"),
    Shown("dealname", "Deal", "title"),
    Shown("dealstage", "Stage"),
    Shown("amount", "Amount", "number"),
    Shown("closedate", "Close date"),
    Shown("foretag_reason", "Why", "why"),
    Shown("foretag_next_step", "Suggested next step", "step"),
)
_TASK = (
    Shown("hs_task_subject", "Task", "title"),
    Shown("hs_task_status", "Status"),
    Shown("hs_task_priority", "Priority"),
    Shown("hs_timestamp", "Due"),
    Shown("hs_task_body", "Notes", "why"),
)
_TICKET = (
    Shown("subject", "Ticket", "title"),
    Shown("hs_ticket_priority", "Priority"),
    Shown("hs_pipeline_stage", "Status"),
    Shown("createdate", "Opened"),
)
_ACTIVITY = (Shown("kind", "Activity", "title"), Shown("hs_timestamp", "Day"))
_KINDS = {"calls": "Call", "emails": "Email", "meetings": "Meeting"}
# Of each list: what tells that a row is over, and the property by which the rest is sorted.
_CLOSED = {"deals": "hs_is_closed", "tasks": "hs_task_is_completed", "tickets": "hs_is_closed"}
_OVER = frozenset({"true", "1"})
_DATES = {"deals": "closedate", "tasks": "hs_timestamp", "tickets": "createdate"}
# Moments that mean a day.
_DAYS = frozenset({"closedate", "hs_timestamp"})
_MARKUP = re.compile(r"<[^>]*>")


class HubSpotViews:
    """See the module."""

    words = Words("Company", "Companies")

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    @property
    def name(self) -> str:
        """The portal's name."""
        return self._portal.name

    def now(self) -> datetime:
        """The portal's clock."""
        return self._portal.clock()

    def book(self, tier: str, page: int) -> Book:
        """A page of the companies; `tier` is one of our letters or empty."""
        telling = Telling(self._portal, "companies")
        columns = [Shown.ours(field, field.name) for field in book_fields() if field.name in telling.known]
        names = [column.name for column in columns]
        table = self._portal.table("companies", ["name", _OWNER, *names], {})
        scored = _TIER in names
        if scored and tier:
            table = table.filter(pc.equal(table[_TIER], tier))
        page = min(page, page_count(table.num_rows))
        shown = table.take(_by_tier(table)[(page - 1) * PAGE_ROWS : page * PAGE_ROWS])
        return Book(columns, _rows(shown, telling), table.num_rows, page, scored)

    def account(self, record_id: str) -> AccountView | None:
        """One company, or None if there is none."""
        telling = Telling(self._portal, "companies")
        ours = [field.name for field in OUTPUT_FIELDS if field.name in telling.known]
        details = [name for name in (*_DETAILS, *_own(telling)) if name in telling.known]
        wanted = ["name", _OWNER, *details, *ours]
        try:
            found = self._portal.get("companies", record_id, properties=wanted)
        except HubSpotError:
            return None
        values = telling.told(found["properties"])
        verdict = dict.fromkeys(field.name for field in OUTPUT_FIELDS) | {name: values[name] for name in ours}
        verdict["foretag_status"] = self._status(verdict["foretag_valid_until"])
        return AccountView(
            values["name"] or _NAMELESS,
            values[_OWNER],
            verdict if ours else None,
            self._lists(found["id"]),
            [(telling.known[name]["label"], values[name]) for name in details],
        )

    def _lists(self, company_id: str) -> tuple[Listing, ...]:
        """What is to be done, what is open, what is over, and what took place."""
        return (
            Listing("Tasks", self._list(company_id, "tasks", _TASK), always=True),
            Listing("Open tickets", self._list(company_id, "tickets", _TICKET)),
            Listing("Deals", self._list(company_id, "deals", _DEAL), always=True),
            Listing("Closed deals", self._list(company_id, "deals", plain(_DEAL), over=True)),
            Listing("Activities", self._took_place(company_id)),
        )

    def _took_place(self, company_id: str) -> Rows:
        """Calls, e-mails and meetings, the latest first."""
        rows = []
        for object_name, kind in _KINDS.items():
            telling = Telling(self._portal, object_name)
            rows += [
                telling.told(row) | {"kind": kind}
                for row in self._related(company_id, object_name, ["hs_timestamp"])
            ]
        rows.sort(key=lambda row: row["hs_timestamp"] or "", reverse=True)
        return Rows(_ACTIVITY, rows[:LIST_ROWS], len(rows))

    def _status(self, valid_until: str | None) -> str | None:
        """What reps filter lists by: HubSpot has no formula of ours for it."""
        if valid_until is None:
            return None
        today = self.now().astimezone(ZoneInfo(self._portal.timezone)).date()
        return "Stale" if valid_until < today.isoformat() else "Current"

    def _list(
        self, company_id: str, object_name: str, columns: tuple[Shown, ...], *, over: bool = False
    ) -> Rows:
        """Rows that are open, or those that are over: by tier and score where these exist, then by date."""
        telling = Telling(self._portal, object_name)
        columns = existing(columns, telling.known)
        closed, date = _CLOSED[object_name], _DATES[object_name]
        names = [column.name for column in columns]
        rows = self._related(company_id, object_name, [*names, closed, date])
        rows = [row for row in rows if (row[closed] in _OVER) == over]
        rows.sort(key=lambda row: row[date] or "", reverse=over or object_name == "tickets")
        rows.sort(key=lambda row: (row.get(_TIER) or "~", -_score(row.get(_SCORE))))
        return Rows(columns, [telling.told(row) for row in rows[:LIST_ROWS]], len(rows))

    def _related(self, company_id: str, object_name: str, names: list[str]) -> list[dict[str, Any]]:
        """Properties of the records that are associated with a company."""
        ids = self._portal.associated("companies", [company_id], object_name)[0]
        found: list[dict[str, Any]] = self._portal.table(
            object_name, names, ids=[str(one) for one in ids]
        ).to_pylist()
        return found


class Telling:
    """Values of one object type as a rep reads them: labels, names of owners, numbers, days."""

    def __init__(self, portal: Portal, object_name: str) -> None:
        self._portal = portal
        self.known = {one["name"]: one for one in portal.properties(object_name)}
        self._labels: dict[str, dict[str, str]] = {}

    def told(self, values: Mapping[str, str | None]) -> dict[str, Any]:
        """All values of a record."""
        return {name: self._one(name, value) for name, value in values.items()}

    def _one(self, name: str, value: str | None) -> Any:
        definition = self.known.get(name)
        if value is None or definition is None:
            return value
        if name in _DAYS:
            return self._day(value)
        if definition["type"] == "number":
            return _number(value)
        if name not in self._labels:
            self._labels[name] = labels_of(self._portal, definition)
        text = told(value, self._labels[name])
        return _plain_text(text or "") if definition["fieldType"] == "html" else text

    def _day(self, value: str) -> str:
        """The day of a moment in the portal's time zone."""
        moment = datetime.fromtimestamp((parse_stamp(value) or 0) / 1000, ZoneInfo(self._portal.timezone))
        return moment.date().isoformat()


# Ours that the page's head tells already, or that nobody reads.
_NOT_DETAILS = frozenset(field.name for field in OUTPUT_FIELDS)


def _own(telling: Telling) -> list[str]:
    """The portal's own properties, and what people fill in for us."""
    own = (name for name, one in telling.known.items() if not one.get("hubspotDefined"))
    return sorted(name for name in own if name not in _NOT_DETAILS)


def _rows(table: pa.Table, telling: Telling) -> list[BookRow]:
    rows = []
    for row in table.to_pylist():
        values = telling.told(row)
        rows.append(BookRow(row["hs_object_id"], row["name"] or _NAMELESS, values[_OWNER], values))
    return rows


def _by_tier(table: pa.Table) -> Sequence[int]:
    """The order of the book: by tier and score, what has none last, then by name."""
    keys = {"name": pc.utf8_lower(table["name"].fill_null("~")), "id": table["hs_object_id"].cast(pa.int64())}
    order = [("name", "ascending"), ("id", "ascending")]
    if _TIER in table.column_names:
        keys[_TIER] = table[_TIER].fill_null("~")
        order.insert(0, (_TIER, "ascending"))
    if _SCORE in table.column_names:
        keys[_SCORE] = pa.array([_score(score) for score in table[_SCORE].to_pylist()])
        order.insert(-2, (_SCORE, "descending"))
    places: list[int] = pc.sort_indices(pa.table(keys), sort_keys=order).to_pylist()
    return places


def _score(value: str | None) -> float:
    """A score to sort by; what has none comes last."""
    number = _number(value) if value else -1.0
    return number if isinstance(number, float) else -1.0


def _plain_text(html: str) -> str:
    """The text of a note, without its markup."""
    return unescape(_MARKUP.sub(" ", html)).strip()


def _number(value: str) -> float | str:
    """A number; number properties may hold texts that are none."""
    try:
        return float(value)
    except ValueError:
        return value
