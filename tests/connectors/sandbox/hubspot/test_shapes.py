"""Bodies: strict in shape, lenient between texts and numbers, and told where they are wrong."""

from __future__ import annotations

import pytest

from connectors.sandbox.hubspot import shapes

COMPANIES = "/crm/v3/objects/companies"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"inputs": [{"id": "1", "properties": {"name": ["a"]}}]}, "inputs[0].properties.name"),
        ({"inputs": [{"id": {"id": 1}, "properties": {}}]}, "inputs[0].id"),
        ({"inputs": [{"id": "1", "properties": "name"}]}, "inputs[0].properties"),
        ({"inputs": 7}, "inputs"),
    ],
)
def test_a_body_of_another_shape_is_told_its_place(api, body, where):
    """400 without a category, as the CRM's own reader says it."""
    reply = api.post(f"{COMPANIES}/batch/update", json=body)

    assert reply.status_code == 400
    assert reply.json()["message"].startswith(
        f"Invalid input JSON on line 1, column 1: Cannot deserialize value at {where}: "
    )
    assert "category" not in reply.json()


def test_what_is_required_is_named(api):
    """All that is missing, by the wire's names."""
    reply = api.post(f"{COMPANIES}/merge", json={})

    assert reply.status_code == 400
    assert "Some required fields were not set: [primaryObjectId, objectIdToMerge]" in reply.json()["message"]


def test_numbers_are_taken_as_texts(api):
    """Ids and values, as clients of all languages send them."""
    record_id = int(api.objects("companies", limit=1)["results"][0]["id"])
    change = [{"id": record_id, "properties": {"numberofemployees": 12, "name": 7}}]

    (record,) = api.batch("companies", "update", change).json()["results"]

    assert (record["properties"]["numberofemployees"], record["properties"]["name"]) == ("12", "7")


def test_nothing_is_added_and_null_means_absent_but_for_values():
    """Unknown keys are let through; a property's null is one."""
    sent = {"id": True, "idProperty": None, "properties": {"name": None, "city": 1.5}, "more": {"a": 1}}

    assert shapes.shaped(sent, shapes.RECORD) == {
        "id": "true",
        "properties": {"name": None, "city": "1.5"},
        "more": {"a": 1},
    }


def test_a_number_that_no_machine_holds(api):
    """400."""
    assert api.search("companies", limit=10**30).status_code == 400


def test_how_a_property_is_shown_is_kept(api):
    """Also at the very first place, which is 0."""
    made = api.post(
        "/crm/v3/properties/companies",
        json={
            "name": "why", "label": "Why", "groupName": "companyinformation", "type": "string",
            "fieldType": "textarea", "displayOrder": 0, "textDisplayHint": "multi_line",
        },
    ).json()  # fmt: skip
    group = api.post(
        "/crm/v3/properties/companies/groups", json={"name": "g", "label": "G", "displayOrder": 0}
    )

    assert (made["displayOrder"], made["textDisplayHint"]) == (0, "multi_line")
    assert group.json()["displayOrder"] == 0


def test_amounts_name_the_property_with_their_currency(api):
    """Where their type has one."""
    amount = api.get("/crm/v3/properties/deals/amount").json()
    revenue = api.get("/crm/v3/properties/companies/annualrevenue").json()

    assert (amount["showCurrencySymbol"], amount["currencyPropertyName"]) == (True, "deal_currency_code")
    assert "currencyPropertyName" not in revenue
