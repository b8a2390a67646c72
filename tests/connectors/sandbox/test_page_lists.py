"""An account's page tells apart what is to be done, what is open, what is over and what took place, in both CRMs."""

from __future__ import annotations

import re

import pytest

from connectors.sandbox.hubspot.views import HubSpotViews
from connectors.sandbox.pages import Pages
from connectors.sandbox.salesforce.views import SalesforceViews
from connectors.sandbox.server import Sandbox


@pytest.fixture(scope="module", params=["salesforce", "hubspot"])
def pages(request):
    """The pages of a showcase that is not served."""
    sandbox = Sandbox(crm=request.param, data="showcase")
    if request.param == "salesforce":
        return Pages(SalesforceViews(sandbox.org))
    return Pages(HubSpotViews(sandbox.portal))


def page_of(pages, name):
    """The page of the account of this name."""
    book = (pages.accounts_page("", page) for page in (1, 2, 3))
    found = next(match for html in book if (match := re.search(rf'href="/account/([^"]+)">{name}<', html)))
    return pages.account_page(found[1])


def listed(page, *titles):
    """The HTML of the list with one of these titles; None if there is none."""
    parts = re.split(r"<h2>(.*?)</h2>", page)
    by_title = dict(zip(parts[1::2], parts[2::2], strict=True))
    return next((by_title[title] for title in titles if title in by_title), None)


def test_closed_deals_stand_apart(pages):
    """Open deals are one list, closed ones another."""
    page = page_of(pages, "Mirabel Hospitals")
    is_open, closed = (
        listed(page, "Opportunities", "Deals"),
        listed(page, "Closed opportunities", "Closed deals"),
    )
    assert "Analytics Suite" in is_open
    assert "Closed Won" not in is_open
    assert closed.count("Closed Won") == 8
    assert "Analytics Suite" not in closed


def test_an_urgent_request_is_there_to_be_seen(pages):
    """A reason that says "help first" is no riddle: the open request is listed, and an answered one is not."""
    requests = listed(page_of(pages, "Mirabel Hospitals"), "Open cases", "Open tickets")
    assert "Problem" in requests
    assert "Question" not in requests
    assert listed(page_of(pages, "Aurora Cold Storage"), "Open cases", "Open tickets") is None


def test_what_took_place_is_no_task(pages):
    """Calls, e-mails and meetings of the past are listed by day, the latest first, and not among the tasks."""
    page = page_of(pages, "Aurora Cold Storage")
    assert "No tasks." in listed(page, "Tasks")
    history = listed(page, "Activity history", "Activities")
    days = re.findall(r"\d+ [A-Z][a-z]{2} 20\d\d", history)
    assert days == ["28 Feb 2026", "24 Feb 2026", "18 Feb 2026", "31 Jan 2026"]
    assert all(kind in history for kind in ("Call", "Email", "Meeting"))


def test_promises_and_own_fields_are_among_the_details(pages):
    """What the company's own fields say of an account stands on its page."""
    details = listed(page_of(pages, "Lindqvist Precision"), "Details")
    assert all(text in details for text in ("Growth plan", "140,000", "Territory", "Nordics"))
