"""The pages show people what a rep sees, before and after our fields exist."""

from __future__ import annotations

import pytest

from config.outputs import OUTPUT_FIELDS
from connectors.sandbox.pages import shown
from connectors.sandbox.salesforce.schema import Field
from tests.chromium import draw
from tests.connectors.sandbox.conftest import add_field

TYPES = {"number": ("double", 0), "date": ("date", 0), "formula": ("string", 20)}


@pytest.fixture
def our_fields(sandbox):
    """Our fields, as setup makes them."""
    for field in OUTPUT_FIELDS:
        kind, length = TYPES.get(field.type, ("string", field.length or 20))
        made = Field(field.salesforce_name, field.label, kind, length=length, precision=3, custom=True)
        add_field(sandbox, "Account", made)


def accounts(api, limit):
    """Names and ids of accounts."""
    return api.get("query", params={"q": f"SELECT Id, Name FROM Account ORDER BY Name LIMIT {limit}"}).json()[
        "records"
    ]


def test_before_setup_the_book_is_listed_by_name(api):
    """All accounts, and what will make tiers appear."""
    page = api.get("/").text

    places = [page.index(f">{account['Name']}<") for account in accounts(api, 40)]
    assert places == sorted(places)
    assert "foretag setup" in page


def test_the_book_is_sorted_by_tier_then_score(sandbox, api, our_fields):
    """A before B, the higher score first, unscored last; the filter leaves one tier."""
    low, high, best, *_ = accounts(api, 3)
    for account, tier, score in ((low, "B", 50), (high, "B", 70), (best, "A", 61)):
        values = {"Foretag_Tier__c": tier, "Foretag_Score__c": score, "Foretag_Reason__c": f"why {score}"}
        assert api.patch(f"sobjects/Account/{account['Id']}", json=values).status_code == 204

    page, only_b = api.get("/").text, api.get("/?tier=B").text

    order = [page.index(f">{account['Name']}<") for account in (best, high, low)]
    assert order == sorted(order)
    assert "why 61" not in only_b
    assert "why 70" in only_b


def test_an_account_shows_its_verdict_deals_and_tasks(sandbox, api, our_fields):
    """Reason, next step, alert and validity, then opportunities and tasks."""
    account = accounts(api, 1)[0]["Id"]
    api.patch(
        f"sobjects/Account/{account}",
        json={
            "Foretag_Tier__c": "A",
            "Foretag_Reason__c": "closes 14 Mar +41",
            "Foretag_Alert__c": "gone quiet",
            "Foretag_Status__c": "Stale",
            "Foretag_Valid_Until__c": "2031-01-01",
        },
    )
    deal = {
        "Name": "Big deal",
        "AccountId": account,
        "StageName": "Prospecting",
        "CloseDate": "2031-01-31",
        "Amount": 1234567,
    }
    api.post("sobjects/Opportunity", json=deal)
    api.post(
        "sobjects/Task",
        json={"Subject": "Call them", "WhatId": account, "Status": "Not Started", "Priority": "Normal"},
    )

    page = api.get(f"/account/{account}").text

    for text in (
        "closes 14 Mar\u00a0+41",
        "gone quiet",
        "Stale, valid until 1 Jan 2031",
        "Big deal",
        "1,234,567",
        "31 Jan 2031",
        "Call them",
    ):
        assert text in page


def test_what_only_the_worker_may_read_is_shown(sandbox, api):
    """Setup grants our fields to the worker alone; people look at the pages, not at permissions."""
    org = sandbox.org
    made = Field("Foretag_Tier__c", "Tier", "string", length=1, custom=True)
    org.add_field("Account", made)
    permission_set = org.create_permission_set("Worker", "Worker")
    org.grant_fields(permission_set, {"Account.Foretag_Tier__c": True})
    org.grant_objects(permission_set, dict.fromkeys(("Account", "Opportunity", "Task"), ("Read", "Edit")))
    org.assign(permission_set, org.worker.id)
    account = accounts(api, 1)[0]["Id"]
    assert org.update(org.worker, "Account", [{"Id": account, "Foretag_Tier__c": "A"}])[0].success

    assert 'class="tier A"' in api.get("/").text
    assert 'class="tier A"' in api.get(f"/account/{account}").text


def test_what_people_wrote_is_never_markup(api):
    """Names with tags stay text."""
    made = api.post("sobjects/Account", json={"Name": "<script>alert(1)</script>"}).json()["id"]

    for page in (api.get("/").text, api.get(f"/account/{made}").text):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("path", ["/account/001000000000000AAA", "/account/nonsense", "/account/x'--"])
def test_an_unknown_account_is_not_found(api, path):
    """404 in plain words."""
    reply = api.get(path)

    assert (reply.status_code, reply.text) == (404, "There is no such account.")


@pytest.mark.parametrize("query", ["?page=0", "?page=999", "?page=x", "?tier=Z", "?tier=%27", "?page=%C2%B2"])
def test_odd_addresses_show_the_nearest_page(api, query):
    """Nobody gets an error from a typing mistake."""
    assert api.get(f"/{query}").status_code == 200


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567.0, "1,234,567"),
        (0.5, "0.50"),
        (True, "Yes"),
        ("2031-01-05", "5 Jan 2031"),
        ("2031-01-05T14:03:59.000+0000", "5 Jan 2031, 14:03"),
        ("A 82 · closes 17 Jan +32 · quiet -1", "A 82 · closes 17 Jan\u00a0+32 · quiet\u00a0-1"),
        ("2031-01-05 or so", "2031-01-05 or so"),
    ],
)
def test_values_are_written_as_people_write_them(value, text):
    """Numbers, days and moments; what a point of a reason adds does not part from it."""
    assert shown(value) == text


@pytest.mark.needs_chromium
@pytest.mark.xdist_group("chromium")  # whoever comes first may have to install it
@pytest.mark.parametrize("width", [1400, 480])
def test_a_browser_draws_both_pages(sandbox, api, our_fields, tmp_path, width):
    """In a wide and in a narrow window, with nothing complained about: a picture of the size asked for."""
    account = accounts(api, 1)[0]["Id"]
    values = {"Foretag_Tier__c": "A", "Foretag_Score__c": 82, "Foretag_Reason__c": "closes 14 Mar +41"}
    api.patch(f"sobjects/Account/{account}", json=values)

    for path in ("/", f"/account/{account}"):
        drawn = draw(sandbox.http_url + path, tmp_path, width)

        assert "CONSOLE" not in drawn.told
        assert drawn.size == (width, 1000)
        assert '<span class="tier A">A</span>' in drawn.dom
        assert "closes 14 Mar" in drawn.dom
