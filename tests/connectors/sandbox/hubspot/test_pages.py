"""The pages show people what a rep sees in HubSpot, before and after our properties exist."""

from __future__ import annotations

import pytest

from config.outputs import OUTPUT_FIELDS
from tests.chromium import draw

TYPES = {
    "picklist": ("enumeration", "select"),
    "number": ("number", "number"),
    "text": ("string", "text"),
    "date": ("date", "date"),
}
KINDS = {"account": "companies", "opportunity": "deals"}


def make_property(api, kind, field):
    """One of our properties, as setup makes it."""
    type_, field_type = TYPES[field.type]
    options = [
        {"label": value, "value": value, "displayOrder": place, "hidden": False}
        for place, value in enumerate(field.values)
    ]
    body = {
        "name": field.name,
        "label": field.label,
        "type": type_,
        "fieldType": field_type,
        "groupName": "companyinformation" if kind == "companies" else "dealinformation",
        "options": options,
    }
    assert api.post(f"/crm/v3/properties/{kind}", json=body).status_code == 201


@pytest.fixture
def our_properties(api):
    """Our properties on companies and deals."""
    for field in OUTPUT_FIELDS:
        for name in field.objects:
            if field.type in TYPES:
                make_property(api, KINDS[name], field)


def companies(api, limit):
    """Names by id, of some companies."""
    found = api.objects("companies", limit=limit, properties="name")["results"]
    return {one["id"]: one["properties"]["name"] for one in found}


def change(api, kind, record_id, **values):
    """Set properties of a record."""
    reply = api.patch(f"/crm/v3/objects/{kind}/{record_id}", json={"properties": values})
    assert reply.status_code == 200, reply.text


def test_before_setup_the_book_is_listed_by_name(api):
    """All companies, and what will make tiers appear."""
    page = api.get("/").text

    names = sorted(companies(api, 100).values(), key=str.lower)
    places = [page.index(f">{name}<") for name in names]
    assert places == sorted(places)
    assert "foretag setup" in page
    assert "40 companies" in page


def test_the_book_is_sorted_by_tier_then_score(api, our_properties):
    """A before B, the higher score first as a number, unscored last; the filter leaves one tier."""
    (low, low_name), (high, high_name), (best, best_name) = companies(api, 3).items()
    for record_id, tier, score in ((low, "B", 9), (high, "B", 70), (best, "A", 61)):
        change(
            api, "companies", record_id, foretag_tier=tier, foretag_score=score, foretag_reason=f"why {score}"
        )

    page, only_b = api.get("/").text, api.get("/?tier=B").text

    order = [page.index(f">{name}<") for name in (best_name, high_name, low_name)]
    assert order == sorted(order)
    assert "why 61" not in only_b
    assert "why 70" in only_b


def test_a_company_shows_its_verdict_deals_and_tasks(sandbox, api, our_properties):
    """Reason, alert and validity, then open deals before closed ones and tasks, in words and days."""
    company = next(iter(companies(api, 1)))
    today = sandbox.clock().date().isoformat()
    change(
        api, "companies", company, foretag_tier="A", foretag_reason="closes 14 Mar +41", foretag_alert="gone quiet",
        foretag_valid_until="2001-01-01",
    )  # fmt: skip
    link = {
        "to": {"id": company},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}],
    }
    stages = api.get("/crm/v3/pipelines/deals").json()["results"][0]["stages"]
    for name, stage, score in (
        ("Won deal", stages[-2], 99),
        ("Low deal", stages[0], 9),
        ("Top deal", stages[0], 80),
    ):
        deal = {
            "foretag_score": score,
            "dealname": name,
            "dealstage": stage["id"],
            "closedate": f"{today}T00:00:00Z",
            "amount": "1234567",
        }
        made = api.post("/crm/v3/objects/deals", json={"properties": deal, "associations": [link]})
        assert made.status_code == 201, made.text
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 192}]
    task = {
        "hs_timestamp": "2031-01-31T00:00:00Z",
        "hs_task_subject": "Call them",
        "hs_task_body": "<p>R&amp;D</p>",
    }
    api.post(
        "/crm/v3/objects/tasks",
        json={"properties": task, "associations": [{"to": {"id": company}, "types": types}]},
    )

    page = api.get(f"/account/{company}").text

    for text in (
        "closes 14 Mar\u00a0+41",
        "gone quiet",
        "Stale, valid until 1 Jan 2001",
        "1,234,567",
        stages[0]["label"],
        "Call them",
        "Not started",
        "31 Jan 2031",
        "R&amp;D",
    ):
        assert text in page
    assert page.index("Top deal") < page.index("Low deal") < page.index("Won deal")


def test_archived_companies_are_gone(api):
    """Neither in the book nor by their address."""
    company, name = next(iter(companies(api, 1).items()))
    assert api.delete(f"/crm/v3/objects/companies/{company}").status_code == 204

    assert f">{name}<" not in api.get("/").text
    reply = api.get(f"/account/{company}")
    assert (reply.status_code, reply.text) == (404, "There is no such company.")


def test_what_people_wrote_is_never_markup(api):
    """Names with tags stay text; a company without a name can still be opened."""
    made = api.post(
        "/crm/v3/objects/companies", json={"properties": {"name": "<script>alert(1)</script>"}}
    ).json()
    nameless = api.post("/crm/v3/objects/companies", json={"properties": {"domain": "x.example"}}).json()

    for page in (api.get("/").text, api.get(f"/account/{made['id']}").text):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
    assert "(no name)" in api.get(f"/account/{nameless['id']}").text


@pytest.mark.parametrize("address", ["/account/1", "/account/nonsense", "/?page=0", "/?page=999", "/?tier=Z"])
def test_odd_addresses_do_no_harm(api, address):
    """A page or a plain 404, never an error."""
    assert api.get(address).status_code in {200, 404}


@pytest.mark.needs_chromium
@pytest.mark.xdist_group("chromium")  # whoever comes first may have to install it
def test_a_browser_draws_both_pages(sandbox, api, our_properties, tmp_path):
    """With nothing complained about, and the verdict in it."""
    company = next(iter(companies(api, 1)))
    change(api, "companies", company, foretag_tier="A", foretag_score=82, foretag_reason="closes 14 Mar +41")

    for path in ("/", f"/account/{company}"):
        drawn = draw(sandbox.http_url + path, tmp_path, 1400)

        assert "CONSOLE" not in drawn.told
        assert drawn.size == (1400, 1000)
        assert '<span class="tier A">A</span>' in drawn.dom
