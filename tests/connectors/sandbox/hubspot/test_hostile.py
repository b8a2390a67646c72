"""Requests that no good client sends: each is refused or ignored, never a fault of ours, and harms nobody else."""

from __future__ import annotations

import json

import pytest

HUGE, SQUARE = "9" * 5_000, "²"


@pytest.mark.parametrize("after", [HUGE, SQUARE, "-1", "1.5", "abc"])
@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/objects/companies",
        "/crm/v3/owners",
        "/crm/v4/objects/deals/{deal}/associations/companies",
        "/companies/v2/companies/paged",
    ],
)
def test_a_cursor_that_is_none(api, path, after):
    """400, however long it is and whatever digits it is made of."""
    deal = api.objects("deals", limit=1)["results"][0]["id"]
    reply = api.get(path.format(deal=deal), params={"after": after, "offset": after})

    assert (reply.status_code, reply.json()["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("record_id", [HUGE, SQUARE, "none"])
def test_ids_that_are_no_numbers_are_associated_with_nothing(api, record_id):
    """Nothing to take away; nothing to find; and nobody's mistake but the caller's."""
    company = api.objects("companies", limit=1)["results"][0]["id"]
    path = f"/crm/v4/objects/companies/{company}/associations/deals/{record_id}"
    filters = [{"propertyName": "associations.deal", "operator": "EQ", "value": record_id}]

    assert api.delete(path).status_code == 204
    assert api.put(path.replace("associations/", "associations/default/")).status_code in {400, 404, 207}
    assert api.search("companies", filters=filters).status_code == 400
    assert api.get(f"/crm/v3/objects/deals/{record_id}").status_code == 404


def test_half_a_character_becomes_a_question_mark(api):
    """JSON can name half of a pair, which no reply could carry."""
    body = json.dumps({"properties": {"name": "A\ud800B \U0001f600"}})

    made = api.post("/crm/v3/objects/companies", data=body, headers={"Content-Type": "application/json"})

    assert made.status_code == 201
    read = api.get(f"/crm/v3/objects/companies/{made.json()['id']}", params={"properties": "name"})
    assert read.json()["properties"]["name"] == "A?B \U0001f600"


def test_half_a_character_in_a_refusal(api):
    """The message that repeats it can be read."""
    body = json.dumps({"exportType": "\udfff", "exportName": "x", "format": "CSV", "language": "EN"})

    reply = api.post("/crm/v3/exports/export/async", data=body, headers={"Content-Type": "application/json"})

    assert (reply.status_code, reply.json()["status"]) == (400, "error")


@pytest.mark.parametrize(
    "search", [[], {"filterGroups": [3]}, {"filters": ["a"]}, {"sorts": [3]}, {"sorts": 3}]
)
def test_exports_of_views_of_another_shape(api, search):
    """400."""
    body = {
        "exportType": "VIEW", "exportName": "x", "format": "CSV", "language": "EN", "objectType": "COMPANY",
        "objectProperties": ["name"], "publicCrmSearchRequest": search,
    }  # fmt: skip

    assert api.post("/crm/v3/exports/export/async", json=body).status_code == 400


def test_older_lists_with_properties_that_do_not_exist(api):
    """The records without them."""
    reply = api.get("/deals/v1/deal/paged", params={"properties": "no_such", "limit": 2})

    assert reply.status_code == 200
    assert [one["properties"] for one in reply.json()["deals"]] == [{}, {}]


@pytest.mark.parametrize("kind", ["number", "date", "datetime"])
def test_digits_of_other_scripts_are_no_numbers(api, kind):
    """400: values are compared and summed by everybody else."""
    shown = "number" if kind == "number" else "date"
    definition = {
        "name": "p",
        "label": "p",
        "groupName": "companyinformation",
        "type": kind,
        "fieldType": shown,
    }
    assert api.post("/crm/v3/properties/companies", json=definition).status_code == 201
    company = api.objects("companies", limit=1)["results"][0]["id"]

    reply = api.patch(f"/crm/v3/objects/companies/{company}", json={"properties": {"p": "١٢"}})

    assert reply.status_code == 400


def test_bodies_nested_without_end(api):
    """400, at any depth."""
    for depth in (500, 900, 990, 5_000, 200_000):
        body = '{"inputs":' + "[" * depth + "]" * depth + "}"
        reply = api.post(
            "/crm/v3/objects/companies/batch/read", data=body, headers={"Content-Type": "application/json"}
        )
        assert reply.status_code == 400, depth
    deep = '{"inputs":[],"more":' + "[" * 900 + "]" * 900 + "}"
    reply = api.post(
        "/crm/v3/objects/companies/batch/read", data=deep, headers={"Content-Type": "application/json"}
    )
    assert reply.status_code in {200, 400}
