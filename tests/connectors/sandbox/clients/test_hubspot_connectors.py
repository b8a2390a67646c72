"""How common connectors read HubSpot, as plain calls: by the link to the next page, and by the older interfaces."""

from __future__ import annotations

import pytest
import requests


@pytest.fixture
def sandbox(make_sandbox):
    """One portal with a small book."""
    return make_sandbox(crm="hubspot")


@pytest.fixture
def get(sandbox):
    """GET a path, or a whole address, as JSON."""
    headers = {"Authorization": f"Bearer {sandbox.credentials.worker.token}"}

    def fetch(address, **parameters):
        address = address if "://" in address else sandbox.http_url + address
        reply = requests.get(address, params=parameters, headers=headers, timeout=30)
        assert reply.status_code == 200, reply.text
        return reply.json()

    return fetch


def walk(get, address, **parameters):
    """All results, led on by nothing but the link."""
    found, page = [], get(address, **parameters)
    while True:
        found += page["results"]
        link = page.get("paging", {}).get("next", {}).get("link")
        if link is None:
            return found
        page = get(link)


@pytest.mark.parametrize(("kind", "count"), [("companies", 40), ("deals", 200)])
def test_the_link_leads_through_everything(get, kind, count):
    """As dlt reads: properties joined by commas and associations survive from page to page."""
    address = f"/crm/v3/objects/{kind}?associations=companies"

    rows = walk(get, address, properties="hs_object_id,createdate,foretag_tier", limit=30, archived="False")

    assert len({row["id"] for row in rows}) == len(rows) == count
    assert all(row["properties"]["createdate"] for row in rows)


@pytest.mark.parametrize(
    "path", ["/properties/v2/{}/properties", "/properties/v1/{}/properties", "/companies/v2/properties"]
)
def test_older_schema_reads_find_the_same_properties(get, path):
    """As Airbyte and Singer discover: bare arrays with types and options."""
    kind = "companies" if "companies" in path else "deal"

    told = get(path.format(kind))

    now = get(f"/crm/v3/properties/{kind}")["results"]
    assert {(one["name"], one["type"], one["groupName"]) for one in told} == {
        (one["name"], one["type"], one["groupName"]) for one in now
    }
    assert all({"fieldType", "options", "deleted", "calculated"} <= one.keys() for one in told)


def paged(get, address, rows, more, **parameters):
    """All rows of an older list, led on by its offset."""
    found, offset = [], None
    while True:
        page = get(address, **parameters, **({"offset": offset} if offset else {}))
        found += page[rows]
        offset = page["offset"]
        if not page[more]:
            return found


def test_older_lists_hold_the_same_records(get):
    """As Singer reads: values with their own stamps, company ids of deals, 250 companies to a page."""
    companies = paged(
        get, "/companies/v2/companies/paged", "companies", "has-more", limit=25, properties=["name", "phone"]
    )
    deals = paged(
        get, "/deals/v1/deal/paged", "deals", "hasMore", limit=60, includeAssociations="true",
        includeAllProperties="true",
    )  # fmt: skip

    assert len(get("/deals/v1/deal/paged", limit=120)["deals"]) == 120
    now = {row["id"]: row["properties"] for row in walk(get, "/crm/v3/objects/companies", limit=100)}
    assert {str(one["companyId"]): one["properties"]["name"]["value"] for one in companies} == {
        key: one["name"] for key, one in now.items()
    }
    assert isinstance(companies[0]["properties"]["name"]["timestamp"], int)
    assert len({one["dealId"] for one in deals}) == 200
    assert str(deals[0]["associations"]["associatedCompanyIds"][0]) in now
    assert deals[0]["properties"]["dealstage"]["value"]
    one = get(f"/companies/v2/companies/{companies[0]['companyId']}")
    assert one["properties"]["hs_lastmodifieddate"]["value"]


def test_older_pipelines_say_the_same(get):
    """A bare array with probabilities, and results with stamps in milliseconds."""
    now = get("/crm/v3/pipelines/deals")["results"]
    stages = {stage["id"]: float(stage["metadata"]["probability"]) for one in now for stage in one["stages"]}

    old, newer = get("/deals/v1/pipelines"), get("/crm-pipelines/v1/pipelines/deals")["results"]

    assert {stage["stageId"]: stage["probability"] for one in old for stage in one["stages"]} == stages
    assert sum(stage["closedWon"] for one in old for stage in one["stages"]) == len(now)
    assert {stage["stageId"] for one in newer for stage in one["stages"]} == set(stages)
    assert isinstance(newer[0]["createdAt"], int)


def test_engagements_are_tasks_of_old(sandbox, get):
    """With their associations; the last changed first where asked for."""
    company = get("/crm/v3/objects/companies", limit=1)["results"][0]["id"]
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 192}]
    made = [
        requests.post(
            f"{sandbox.http_url}/crm/v3/objects/tasks",
            json={
                "properties": {"hs_timestamp": "2026-01-31T00:00:00Z", "hs_task_subject": subject},
                "associations": [{"to": {"id": company}, "types": types}],
            },
            headers={"Authorization": f"Bearer {sandbox.credentials.worker.token}"},
            timeout=30,
        ).json()["id"]
        for subject in ("first", "second")
    ]

    pages = paged(get, "/engagements/v1/engagements/paged", "results", "hasMore", limit=1)
    recent = get("/engagements/v1/engagements/recent/modified", count=1)

    told = {str(one["engagement"]["id"]): one for one in pages}
    assert set(made) <= set(told)
    assert told[made[0]]["engagement"]["type"] == "TASK"
    assert told[made[0]]["metadata"]["subject"] == "first"
    assert told[made[0]]["associations"]["companyIds"] == [int(company)]
    assert recent["total"] == len(pages)


def test_what_a_portal_has_none_of_is_empty(sandbox, get):
    """No custom objects, no lists; but a place to ask for them."""
    assert get("/crm/v3/schemas") == {"results": []}
    headers = {"Authorization": f"Bearer {sandbox.credentials.worker.token}"}
    lists = requests.post(f"{sandbox.http_url}/crm/v3/lists/search", json={}, headers=headers, timeout=30)
    assert lists.json() == {"lists": [], "hasMore": False, "offset": 0, "total": 0}


def test_singer_reads_associations_by_the_middle_version(sandbox, get):
    """POST to /crm/v3/associations, which answers with plain ids."""
    deal = get("/crm/v3/objects/deals", limit=1, associations="companies")["results"][0]
    headers = {"Authorization": f"Bearer {sandbox.credentials.worker.token}"}

    reply = requests.post(
        f"{sandbox.http_url}/crm/v3/associations/deal/company/batch/read",
        json={"inputs": [{"id": deal["id"]}]}, headers=headers, timeout=30,
    )  # fmt: skip

    assert reply.json()["results"][0]["to"][0]["id"] == deal["associations"]["companies"]["results"][0]["id"]
