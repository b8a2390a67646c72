"""Two plain pages, so that people see what a rep sees: the book by tier, and one account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from config.outputs import OUTPUT_FIELDS, TIERS, OutputField
from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request
    from starlette.responses import Response

    from connectors.sandbox.salesforce.org import Org, User

PAGE_ROWS = 100
OPPORTUNITY_ROWS = 50
_VERSION = "62.0"
_STAMP = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})(?:T(?P<time>\d{2}:\d{2}):.*\+0000)?")
_POINTS = re.compile(r" ([+-]\d+(?= ·|$))")
# Columns of the book, in the order a rep reads them.
_BOOK = (
    "foretag_tier",
    "foretag_score",
    "foretag_segment",
    "foretag_growth_potential",
    "foretag_reason",
    "foretag_next_step",
)
# What the lists are sorted by first, as far as it exists.
_ORDER = {"Foretag_Tier__c": "NULLS LAST", "Foretag_Score__c": "DESC NULLS LAST"}
_STYLES = {"foretag_reason": "why", "foretag_next_step": "step", "foretag_score": "number"}
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


@dataclass(frozen=True, slots=True)
class Shown:
    """One column of a list on an account's page."""

    name: str
    label: str
    style: str = ""

    @property
    def number(self) -> bool:
        """Whether it is aligned as a number."""
        return self.style == "number"

    @property
    def tier(self) -> bool:
        """Whether it is shown as a tier."""
        return self.name == "Foretag_Tier__c"


_OPPORTUNITY = (
    Shown("Foretag_Tier__c", "Tier"),
    Shown("Foretag_Score__c", "Score", "number"),
    Shown("Name", "Opportunity", "title"),
    Shown("StageName", "Stage", "short"),
    Shown("Amount", "Amount", "number"),
    Shown("CloseDate", "Close date", "short"),
    Shown("Foretag_Reason__c", "Why", "why"),
    Shown("Foretag_Next_Step__c", "Suggested next step", "step"),
)
_TASK = (
    Shown("Subject", "Task", "title"),
    Shown("Status", "Status", "short"),
    Shown("Priority", "Priority", "short"),
    Shown("ActivityDate", "Due", "short"),
    Shown("Description", "Comments", "why"),
)


class Pages:
    """The pages of one org: what the worker may read once it was set up, and before that what the admin may."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._environment = Environment(
            loader=PackageLoader("connectors.sandbox"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["shown"] = shown

    def routes(self) -> list[Route]:
        """The routes."""
        return [Route("/", self.accounts), Route("/account/{id}", self.account)]

    async def accounts(self, request: Request) -> Response:
        """GET /?tier=A&page=2."""
        tier = request.query_params.get("tier", "")
        page = request.query_params.get("page", "1")
        content = await run_in_threadpool(
            self.accounts_page, tier if tier in TIERS else "", max(int(page), 1) if page.isdecimal() else 1
        )
        return HTMLResponse(content)

    async def account(self, request: Request) -> Response:
        """GET /account/{id}."""
        try:
            return HTMLResponse(await run_in_threadpool(self.account_page, request.path_params["id"]))
        except SalesforceError:
            return PlainTextResponse("There is no such account.", 404)

    def accounts_page(self, tier: str, page: int) -> str:
        """The book: by tier and score where these fields exist, by name before."""
        visible = self._visible("Account")
        columns = [
            field
            for name in _BOOK
            for field in OUTPUT_FIELDS
            if field.name == name and field.salesforce_name in visible
        ]
        scored = "Foretag_Tier__c" in visible
        where = f" WHERE Foretag_Tier__c = '{tier}'" if scored and tier else ""
        count = f"SELECT COUNT() FROM Account{where}"  # noqa: S608  # `where` holds one of four letters
        total = self._org.query(count, self._viewer()).total_size
        pages = max(-(-total // PAGE_ROWS), 1)
        page = min(page, pages)
        return self._render(
            "accounts.html",
            accounts=self._accounts(columns, where, page),
            total=total,
            scored=scored,
            tier=tier,
            tiers=list(TIERS),
            page=page,
            pages=pages,
            columns=[_column(field) for field in columns],
        )

    def account_page(self, record_id: str) -> str:
        """One account. Raises `SalesforceError` if there is none."""
        org = self._org
        account = org.retrieve(self._viewer(), "Account", record_id, None, _VERSION)
        account["Owner"] = self._owner(account.get("OwnerId"))
        visible = self._visible("Account")
        ours = [field for field in OUTPUT_FIELDS if field.salesforce_name in visible]
        record_id = account["Id"]
        opportunities = self._list(
            "Opportunity", _OPPORTUNITY, f"AccountId = '{record_id}'", "CloseDate DESC"
        )
        tasks = self._list("Task", _TASK, f"AccountId = '{record_id}'", "ActivityDate NULLS LAST")
        return self._render(
            "account.html",
            account=account,
            **opportunities,
            **tasks,
            verdict={field.name: account.get(field.salesforce_name) for field in OUTPUT_FIELDS}
            if ours
            else None,
            details=[(visible[name], account.get(name)) for name in _DETAILS if name in visible],
        )

    def _accounts(self, columns: list[OutputField], where: str, page: int) -> list[dict[str, Any]]:
        names = [field.salesforce_name for field in columns]
        fields = ", ".join(["Id", "Name", "Owner.Name", *names])
        soql = f"SELECT {fields} FROM Account{where} ORDER BY {_by_tier(names)}Name, Id"  # noqa: S608  # field names of ours
        start = (page - 1) * PAGE_ROWS
        return self._org.query(soql, self._viewer()).records(start, start + PAGE_ROWS, _VERSION)

    def _list(self, object_name: str, columns: tuple[Shown, ...], where: str, order: str) -> dict[str, Any]:
        """Open rows first, of a related object; the columns that exist there, and how many rows if not all."""
        visible = self._visible(object_name)
        columns = tuple(column for column in columns if column.name in visible)
        names = ", ".join(column.name for column in columns)
        soql = (
            f"SELECT {names} FROM {object_name} WHERE {where} ORDER BY IsClosed, {_by_tier(visible)}{order}"  # noqa: S608
        )
        found = self._org.query(soql, self._viewer())
        name = object_name.lower()
        plural = "opportunities" if name == "opportunity" else f"{name}s"
        return {
            f"{name}_columns": columns,
            plural: found.records(0, OPPORTUNITY_ROWS, _VERSION),
            f"more_{plural}": found.total_size if found.total_size > OPPORTUNITY_ROWS else 0,
        }

    def _viewer(self) -> User:
        """The worker once it sees our fields (setup grants them to nobody else), the admin before."""
        try:
            described = self._org.describe(self._org.worker, "Account")
        except SalesforceError:
            return self._org.admin
        ours = any(field["name"] == "Foretag_Tier__c" for field in described["fields"])
        return self._org.worker if ours else self._org.admin

    def _visible(self, object_name: str) -> dict[str, str]:
        """Label of each field that exists, by name."""
        described = self._org.describe(self._viewer(), object_name)
        return {field["name"]: field["label"] for field in described["fields"]}

    def _owner(self, owner_id: str | None) -> dict[str, Any] | None:
        return self._org.retrieve(self._viewer(), "User", owner_id, ["Name"], _VERSION) if owner_id else None

    def _render(self, template: str, **values: Any) -> str:
        now = self._org.clock()
        today = f"{now:%A} {now.day} {now:%B %Y}"
        return self._environment.get_template(template).render(org_name=self._org.name, today=today, **values)


def _by_tier(names: Collection[str]) -> str:
    """The beginning of an ORDER BY, of those fields that exist."""
    return "".join(f"{name} {order}, " for name, order in _ORDER.items() if name in names)


def _column(field: OutputField) -> dict[str, str]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "salesforce_name": field.salesforce_name,
        "style": _STYLES.get(field.name, "short"),
    }


def shown(value: Any) -> str:
    """A value as a person writes it: whole numbers without a point, thousands apart, days by their month's name."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (int, float)):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    text = str(value)
    stamp = _STAMP.fullmatch(text)
    if stamp:
        day = date.fromisoformat(stamp["day"])
        return f"{day.day} {day:%b %Y}" + (f", {stamp['time']}" if stamp["time"] else "")
    # What a point of a reason adds stays on its line: "closes 14 Mar +41".
    return _POINTS.sub("\u00a0\\1", text)
