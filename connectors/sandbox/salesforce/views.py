"""A Salesforce org as its reps see it: what the worker may read once it was set up, before that what the admin may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.outputs import OUTPUT_FIELDS
from connectors.sandbox.salesforce.errors import SalesforceError
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
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from connectors.sandbox.salesforce.org import Org, User

_VERSION = "62.0"
_TIER = "Foretag_Tier__c"
# What the lists are sorted by first, as far as it exists.
_ORDER = {_TIER: "NULLS LAST", "Foretag_Score__c": "DESC NULLS LAST"}
_DETAILS = (
    "Type",
    "Industry",
    "BillingCountry",
    "NumberOfEmployees",
    "AnnualRevenue",
    "Phone",
    "Website",
    "CreatedDate",
    "LastModifiedDate",
)
_OPPORTUNITY = (
    Shown(_TIER, "Tier", tier=True),
    Shown("Foretag_Score__c", "Score", "number"),
    Shown("Name", "Opportunity", "title"),
    Shown("StageName", "Stage"),
    Shown("Amount", "Amount", "number"),
    Shown("CloseDate", "Close date"),
    Shown("Foretag_Reason__c", "Why", "why"),
    Shown("Foretag_Next_Step__c", "Suggested next step", "step"),
)
_TASK = (
    Shown("Subject", "Task", "title"),
    Shown("Status", "Status"),
    Shown("Priority", "Priority"),
    Shown("ActivityDate", "Due"),
    Shown("Description", "Comments", "why"),
)
_CASE = (
    Shown("Type", "Case", "title"),
    Shown("Priority", "Priority"),
    Shown("Status", "Status"),
    Shown("CreatedDate", "Opened"),
)
_ACTIVITY = (Shown("Subject", "Activity", "title"), Shown("ActivityDate", "Day"))
_OPEN, _CLOSED = "AND IsClosed = false", "AND IsClosed = true"


class SalesforceViews:
    """See the module."""

    words = Words("Account", "Accounts")

    def __init__(self, org: Org) -> None:
        self._org = org

    @property
    def name(self) -> str:
        """The org's name."""
        return self._org.name

    def now(self) -> datetime:
        """The org's clock."""
        return self._org.clock()

    def book(self, tier: str, page: int) -> Book:
        """A page of the accounts; `tier` is one of our letters or empty."""
        visible = self._visible("Account")
        columns = [
            Shown.ours(field, field.salesforce_name)
            for field in book_fields()
            if field.salesforce_name in visible
        ]
        scored = _TIER in visible
        where = f" WHERE {_TIER} = '{tier}'" if scored and tier else ""
        count = f"SELECT COUNT() FROM Account{where}"  # noqa: S608  # `where` holds one of four letters
        total = self._org.query(count, self._viewer()).total_size
        page = min(page, page_count(total))
        return Book(columns, self._rows(columns, where, page), total, page, scored)

    def account(self, record_id: str) -> AccountView | None:
        """One account, or None if there is none."""
        try:
            account = self._org.retrieve(self._viewer(), "Account", record_id, None, _VERSION)
        except SalesforceError:
            return None
        visible = self._visible("Account")
        ours = any(field.salesforce_name in visible for field in OUTPUT_FIELDS)
        where = f"AccountId = '{account['Id']}'"
        return AccountView(
            account["Name"],
            self._owner(account.get("OwnerId")),
            {field.name: account.get(field.salesforce_name) for field in OUTPUT_FIELDS} if ours else None,
            self._lists(where),
            [(visible[name], account.get(name)) for name in (*_DETAILS, *_own(visible)) if name in visible],
        )

    def _lists(self, where: str) -> tuple[Listing, ...]:
        """What is to be done, what is open, what is over, and what took place."""
        return (
            Listing(
                "Tasks", self._list("Task", _TASK, f"{where} {_OPEN}", "ActivityDate NULLS LAST"), always=True
            ),
            Listing("Open cases", self._list("Case", _CASE, f"{where} {_OPEN}", "CreatedDate DESC")),
            Listing(
                "Opportunities",
                self._list("Opportunity", _OPPORTUNITY, f"{where} {_OPEN}", "CloseDate"),
                always=True,
            ),
            Listing(
                "Closed opportunities",
                self._list("Opportunity", plain(_OPPORTUNITY), f"{where} {_CLOSED}", "CloseDate DESC"),
            ),
            Listing("Activity history", self._took_place(where)),
        )

    def _took_place(self, where: str) -> Rows:
        """Tasks that are done and events that are past, the latest first."""
        today = self.now().date().isoformat()
        done = self._list("Task", _ACTIVITY, f"{where} {_CLOSED}", "ActivityDate DESC NULLS LAST")
        past = self._list("Event", _ACTIVITY, f"{where} AND ActivityDate <= {today}", "ActivityDate DESC")
        rows = sorted([*done.rows, *past.rows], key=lambda row: row["ActivityDate"] or "", reverse=True)
        return Rows(done.columns or past.columns, rows[:LIST_ROWS], done.total + past.total)

    def _rows(self, columns: Sequence[Shown], where: str, page: int) -> list[BookRow]:
        names = [column.name for column in columns]
        fields = ", ".join(["Id", "Name", "Owner.Name", *names])
        soql = f"SELECT {fields} FROM Account{where} ORDER BY {_by_tier(names)}Name, Id"  # noqa: S608  # field names of ours
        start = (page - 1) * PAGE_ROWS
        found = self._org.query(soql, self._viewer()).records(start, start + PAGE_ROWS, _VERSION)
        return [BookRow(one["Id"], one["Name"], (one["Owner"] or {}).get("Name"), one) for one in found]

    def _list(self, object_name: str, columns: tuple[Shown, ...], where: str, order: str) -> Rows:
        """Rows of a related object, those with a tier first."""
        viewer = self._viewer(object_name)
        visible = self._visible(object_name)
        columns = existing(columns, visible)
        names = ", ".join(column.name for column in columns)
        soql = f"SELECT {names} FROM {object_name} WHERE {where} ORDER BY {_by_tier(visible)}{order}"  # noqa: S608  # an id that the org itself made
        found = self._org.query(soql, viewer)
        return Rows(columns, found.records(0, LIST_ROWS, _VERSION), found.total_size)

    def _viewer(self, object_name: str = "Account") -> User:
        """The worker once it sees our fields (setup grants them to nobody else), the admin before.

        The admin also for objects that the worker may not read.
        """
        try:
            described = self._org.describe(self._org.worker, "Account")
            self._org.describe(self._org.worker, object_name)
        except SalesforceError:
            return self._org.admin
        ours = any(field["name"] == _TIER for field in described["fields"])
        return self._org.worker if ours else self._org.admin

    def _visible(self, object_name: str) -> dict[str, str]:
        """Label of each field that exists, by name."""
        described = self._org.describe(self._viewer(object_name), object_name)
        return {field["name"]: field["label"] for field in described["fields"]}

    def _owner(self, owner_id: str | None) -> str | None:
        if not owner_id:
            return None
        found: dict[str, Any] = self._org.retrieve(self._viewer(), "User", owner_id, ["Name"], _VERSION)
        return str(found["Name"])


def _by_tier(names: Collection[str]) -> str:
    """The beginning of an ORDER BY, of those fields that exist."""
    return "".join(f"{name} {order}, " for name, order in _ORDER.items() if name in names)


# Ours that the page's head tells already, or that nobody reads.
_NOT_DETAILS = frozenset(field.salesforce_name for field in OUTPUT_FIELDS)


def _own(visible: Collection[str]) -> list[str]:
    """The org's own fields, and what people fill in for us."""
    return sorted(name for name in visible if name.endswith("__c") and name not in _NOT_DETAILS)
