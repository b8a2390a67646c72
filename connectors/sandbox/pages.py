"""Two plain pages, so that people see what a rep sees: the book by tier, and one account."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from config.outputs import TIERS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from connectors.sandbox.views import Views

_STAMP = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})(?:T(?P<time>\d{2}:\d{2}):[\d.]*(?:\+0000|Z))?")
_POINTS = re.compile(r" ([+-]\d+(?= ·|$))")


class Pages:
    """The pages of one CRM: the same two for each, filled by its views."""

    def __init__(self, views: Views) -> None:
        self._views = views
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
        content = await run_in_threadpool(self.account_page, request.path_params["id"])
        if content is None:
            return PlainTextResponse(f"There is no such {self._views.words.account.lower()}.", 404)
        return HTMLResponse(content)

    def accounts_page(self, tier: str, page: int) -> str:
        """The book: by tier and score where these fields exist, by name before."""
        return self._render("accounts.html", book=self._views.book(tier, page), tier=tier, tiers=["", *TIERS])

    def account_page(self, record_id: str) -> str | None:
        """One account, or None if there is none."""
        account = self._views.account(record_id)
        return self._render("account.html", account=account) if account else None

    def _render(self, template: str, **values: Any) -> str:
        now = self._views.now()
        today = f"{now:%A} {now.day} {now:%B %Y}"
        return self._environment.get_template(template).render(
            org_name=self._views.name, words=self._views.words, today=today, **values
        )


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
