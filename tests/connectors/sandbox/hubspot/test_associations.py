"""Associations over HTTP: numbers and labels in v4 and dated paths, names in v3, over the same links."""

from __future__ import annotations

import pytest

V4 = "/crm/v4/associations/deals/companies"
DATED = "/crm/associations/2026-03/deals/companies"


@pytest.fixture
def deal(api) -> dict:
    """A deal with its companies inline."""
    return api.objects("deals", limit=1, associations="companies")["results"][0]


@pytest.fixture
def companies(api, deal) -> list[str]:
    """Two companies that the deal has nothing to do with."""
    own = {one["id"] for one in deal["associations"]["companies"]["results"]}
    return [record["id"] for record in api.objects("companies")["results"] if record["id"] not in own][:2]


def linked(api, deal):
    """The deal's companies with their type ids."""
    found = api.get(f"/crm/v4/objects/deals/{deal['id']}/associations/companies").json()["results"]
    return {one["toObjectId"]: sorted(kind["typeId"] for kind in one["associationTypes"]) for one in found}


@pytest.mark.parametrize("base", [V4, DATED])
def test_a_batch_tells_numbers_and_labels(api, deal, base):
    """`toObjectId` is a number on the wire; the primary company has two types."""
    body = api.post(f"{base}/batch/read", json={"inputs": [{"id": deal["id"]}]}).json()

    (result,) = body["results"]
    assert result["from"] == {"id": deal["id"]}
    assert type(result["to"][0]["toObjectId"]) is int
    kinds = {kind["typeId"]: kind["label"] for kind in result["to"][0]["associationTypes"]}
    assert kinds == {5: "Primary", 341: None}
    assert str(result["to"][0]["toObjectId"]) == deal["associations"]["companies"]["results"][0]["id"]


def test_more_than_a_thousand_inputs(api):
    """400."""
    inputs = [{"id": str(number)} for number in range(1_001)]

    assert api.post(f"{V4}/batch/read", json={"inputs": inputs}).status_code == 400


@pytest.mark.parametrize("base", [V4, DATED])
def test_batches_of_links(api, deal, companies, base):
    """201 with types, 200 by default, 204 for taking labels or everything away."""
    first, second = companies
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}]
    pairs = [{"from": {"id": deal["id"]}, "to": {"id": other}} for other in (first, second)]

    made = api.post(f"{base}/batch/create", json={"inputs": [{**pairs[0], "types": types}]})
    default = api.post(f"{base}/batch/associate/default", json={"inputs": [pairs[1]]})
    assert (made.status_code, default.status_code) == (201, 200)
    assert {int(first), int(second)} <= set(linked(api, deal))

    unlabelled = api.post(f"{base}/batch/labels/archive", json={"inputs": [{**pairs[0], "types": types}]})
    gone = api.post(
        f"{base}/batch/archive", json={"inputs": [{"from": pairs[1]["from"], "to": [pairs[1]["to"]]}]}
    )
    assert (unlabelled.status_code, gone.status_code) == (204, 204)
    assert not {int(first), int(second)} & set(linked(api, deal))


@pytest.mark.parametrize("root", ["/crm/v4/objects", "/crm/objects/2026-09"])
def test_single_links(api, deal, companies, root):
    """PUT with types 201, PUT by default 200, DELETE 204."""
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
    path = f"{root}/deals/{deal['id']}/associations"

    made = api.put(f"{path}/companies/{companies[0]}", json=types)
    default = api.put(f"{path}/default/companies/{companies[1]}")

    assert (made.status_code, default.status_code) == (201, 200)
    assert made.json()["labels"] == ["Primary"]
    assert made.json()["toObjectId"] == int(companies[0])
    assert 5 in linked(api, deal)[int(companies[0])]
    assert linked(api, deal)[int(companies[1])] == [341]
    assert api.delete(f"{path}/companies/{companies[1]}").status_code == 204
    assert int(companies[1]) not in linked(api, deal)


def test_a_type_of_another_direction_is_refused(api, deal, companies):
    """400: type 6 leads from companies to deals."""
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 6}]

    reply = api.put(f"/crm/v4/objects/deals/{deal['id']}/associations/companies/{companies[0]}", json=types)

    assert (reply.status_code, reply.json()["category"]) == (400, "VALIDATION_ERROR")


def test_labels_and_configurations(api):
    """The types by direction; no limits were configured, under either prefix."""
    labels = api.get(f"{V4}/labels").json()["results"]

    assert {(one["typeId"], one["label"]) for one in labels} >= {(5, "Primary"), (341, None)}
    for root in ("/crm/v4/associations/definitions", "/crm/associations/v4/definitions"):
        assert api.get(f"{root}/configurations/all").json() == {"results": []}
        assert api.get(f"{root}/configurations/deals/companies").json() == {"results": []}


def test_v3_has_names_instead_of_numbers(api, deal, companies):
    """One entry for each kind, so a primary company is there twice."""
    base = "/crm/v3/associations/deals/companies"
    own = deal["associations"]["companies"]["results"][0]["id"]
    read = api.post(f"{base}/batch/read", json={"inputs": [{"id": deal["id"]}]}).json()["results"][0]
    types = api.get(f"{base}/types").json()["results"]

    assert read["from"] == {"id": deal["id"]}
    assert read["to"] == [
        {"id": own, "type": "deal_to_company"},
        {"id": own, "type": "deal_to_company_unlabeled"},
    ]
    assert {"id": "5", "name": "deal_to_company"} in types

    pair = {"from": {"id": deal["id"]}, "to": {"id": companies[0]}, "type": "deal_to_company_unlabeled"}
    assert api.post(f"{base}/batch/create", json={"inputs": [pair]}).status_code == 201
    assert linked(api, deal)[int(companies[0])] == [341]
    assert api.post(f"{base}/batch/archive", json={"inputs": [pair]}).status_code == 204
    assert int(companies[0]) not in linked(api, deal)


def test_v3_links_one_record_by_name_or_number(api, deal, companies):
    """PUT and DELETE with the type in the path."""
    path = f"/crm/v3/objects/deals/{deal['id']}/associations/companies"

    assert api.put(f"{path}/{companies[0]}/341").status_code == 200
    named = api.get(path).json()["results"]
    assert {"id": companies[0], "type": "deal_to_company_unlabeled"} in named
    assert api.delete(f"{path}/{companies[0]}/deal_to_company_unlabeled").status_code == 204
    assert api.put(f"{path}/{companies[0]}/deal_to_ship").status_code == 400


def test_inline_associations_are_v3s(api, deal):
    """As names, with the primary one twice."""
    kinds = [one["type"] for one in deal["associations"]["companies"]["results"]]

    assert kinds == ["deal_to_company", "deal_to_company_unlabeled"]


def test_what_a_page_has_no_room_for_can_be_followed(api, companies):
    """Long inline lists and batches have the address of their rest."""
    company = api.objects("companies", limit=1)["results"][0]["id"]
    made = api.batch("deals", "create", [deal_named(f"d{number}") for number in range(100)]).json()["results"]
    inputs = [{"from": {"id": one["id"]}, "to": {"id": company}} for one in made]
    api.post(f"{V4}/batch/associate/default", json={"inputs": inputs})
    path = f"/crm/v4/objects/companies/{company}/associations/deals"

    page = api.get(path, params={"limit": 30}).json()
    seen = [one["toObjectId"] for one in page["results"]]
    while "paging" in page:
        page = api.get(page["paging"]["next"]["link"]).json()
        seen += [one["toObjectId"] for one in page["results"]]

    assert {int(one["id"]) for one in made} <= set(seen)
    assert len(seen) == len(set(seen))


def deal_named(name):
    """A deal as batches take it."""
    return {"properties": {"dealname": name, "dealstage": "closedwon", "pipeline": "default"}}


@pytest.mark.parametrize("base", [V4, DATED])
def test_a_label_of_the_portals_own_lives_and_goes(api, deal, base):
    """201 in use, 204 with another text, 204 when it is taken off every pair; HubSpot's own stay."""
    own = deal["associations"]["companies"]["results"][0]["id"]
    body = {"label": "Reseller", "name": "reseller", "inverseLabel": "Resold"}
    number = api.post(f"{base}/labels", json=body).json()["results"][0]["typeId"]
    types = [{"associationCategory": "USER_DEFINED", "associationTypeId": number}]
    pair = {"from": {"id": deal["id"]}, "to": {"id": own}, "types": types}
    assert api.post(f"{base}/batch/create", json={"inputs": [pair]}).status_code == 201

    def labels():
        reply = api.post(f"{base}/batch/read", json={"inputs": [{"id": deal["id"]}]}).json()
        return {kind["typeId"]: kind["label"] for kind in reply["results"][0]["to"][0]["associationTypes"]}

    assert labels() == {5: "Primary", 341: None, number: "Reseller"}
    changed = api.put(f"{base}/labels", json={"associationTypeId": number, "label": "Partner"})
    assert (changed.status_code, labels()[number]) == (204, "Partner")
    assert api.delete(f"{base}/labels/{number}").status_code == 204
    assert labels() == {5: "Primary", 341: None}
    assert api.delete(f"{base}/labels/{number}").status_code == 400
    assert api.delete(f"{base}/labels/5").status_code == 400
