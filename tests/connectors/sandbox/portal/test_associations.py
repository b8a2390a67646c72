"""Associations have a direction, a kind and, towards companies, one that is primary."""

from __future__ import annotations

import pytest

from connectors.sandbox.hubspot.errors import HubSpotError

PRIMARY = {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"}
PLAIN = {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None}


@pytest.fixture
def deal(make):
    """A deal without a company."""
    return make("deals", dealname="New", dealstage="184920131")


@pytest.fixture
def kinds(portal):
    """What a record is associated with: `kinds("deals", id, "companies")`, kinds by id."""

    def read(start: str, record_id: str, end: str) -> dict[str, list[int]]:
        found = portal.record_associations(start, record_id, end).results
        return {str(one["toObjectId"]): [kind["typeId"] for kind in one["associationTypes"]] for one in found}

    return read


def _pair(one: str, other: str, *numbers: int) -> dict:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number} for number in numbers]
    return {"from": {"id": one}, "to": {"id": other}, **({"types": types} if numbers else {})}


def test_a_batch_reads_many(portal, dataset, deal):
    """Ids on the wire are numbers; records without associations are left out and told as errors."""
    link = dataset.links[0]
    ids = [str(one) for one in link.from_ids[:1000]]
    batch = portal.read_associations("deals", "companies", [{"id": one} for one in [*ids[:-1], deal]])
    assert [one["from"]["id"] for one in batch.results] == ids[:-1]
    assert batch.results[0]["to"] == [{"toObjectId": link.to_ids[0], "associationTypes": [PRIMARY, PLAIN]}]
    (error,) = batch.errors
    assert (error["category"], error["subCategory"]) == (
        "OBJECT_NOT_FOUND",
        "crm.associations.NO_ASSOCIATIONS_FOUND",
    )
    assert error["message"] == f"No company is associated with deal {deal}."
    assert error["context"] == {
        "fromObjectId": [deal],
        "fromObjectType": ["deal"],
        "toObjectType": ["company"],
    }


def test_a_batch_may_pass_over_what_is_missing(portal, deal):
    """The documentation does not say which; a test can have both."""
    portal.tell_missing_associations(tells=False)
    batch = portal.read_associations("deals", "companies", [{"id": deal}])
    assert (batch.results, batch.errors) == ([], [])


def test_a_batch_takes_a_thousand(portal):
    """In HubSpot's words."""
    with pytest.raises(HubSpotError, match="in a batch is 1000"):
        portal.read_associations("deals", "companies", [{"id": str(one)} for one in range(1001)])


def test_many_associations_come_in_pages(portal, dataset):
    """`after` goes back in as the input's."""
    link = dataset.links[0]
    company = max(set(link.to_ids), key=link.to_ids.count)
    total = link.to_ids.count(company)
    first = portal.record_associations("companies", str(company), "deals", limit=70)
    rest = portal.record_associations("companies", str(company), "deals", after=first.after)
    ids = [one["toObjectId"] for one in first.results + rest.results]
    assert (len(first.results), len(ids), rest.after) == (70, total, None)
    assert ids == sorted(set(ids))
    again = portal.read_associations("companies", "deals", [{"id": str(company), "after": first.after}])
    assert again.results[0]["to"] == rest.results


def test_a_page_of_a_batch_has_500(portal, app, make, ids):
    """Then it says where the next begins."""
    company = make("companies", name="Acme")
    portal.associate_default(app, "deals", "companies", [_pair(one, company) for one in _first(portal, 501)])
    told = portal.read_associations("companies", "deals", [{"id": company}]).results[0]
    assert len(told["to"]) == 500
    after = told["paging"]["next"]["after"]
    rest = portal.read_associations("companies", "deals", [{"id": company, "after": after}]).results[0]
    assert [one["toObjectId"] for one in rest["to"]] == [int(after)]
    assert "paging" not in rest


def _first(portal, count: int) -> list[str]:
    found = portal.search("deals", {"limit": 200, "sorts": ["hs_object_id"]})
    ids = [one["id"] for one in found.results]
    while len(ids) < count:
        found = portal.search("deals", {"limit": 200, "sorts": ["hs_object_id"], "after": found.after})
        ids += [one["id"] for one in found.results]
    return ids[:count]


def test_the_first_company_is_primary(portal, app, deal, ids, kinds):
    """The second one is not, and both ways say so."""
    one, two = ids("companies", 2)
    portal.associate_default(app, "deals", "companies", [_pair(deal, one)])
    portal.associate(app, "companies", "deals", [_pair(two, deal, 342)])
    assert kinds("deals", deal, "companies") == {one: [5, 341], two: [341]}
    assert kinds("companies", one, "deals")[deal] == [6, 342]
    assert kinds("companies", two, "deals")[deal] == [342]


def test_there_is_one_primary_company(portal, app, deal, ids, kinds):
    """A new one takes the old one's place; primary implies associated."""
    one, two = ids("companies", 2)
    portal.associate(app, "deals", "companies", [_pair(deal, one, 341)])
    portal.associate(app, "deals", "companies", [_pair(deal, two, 5)])
    assert kinds("deals", deal, "companies") == {one: [341], two: [5, 341]}
    assert (
        portal.get("deals", deal, properties=["hs_primary_associated_company"])["properties"][
            "hs_primary_associated_company"
        ]
        == two
    )


def test_without_its_primary_label_a_company_stays(portal, app, deal, ids, kinds):
    """And no other becomes primary by itself."""
    one, two = ids("companies", 2)
    portal.associate_default(app, "deals", "companies", [_pair(deal, one), _pair(deal, two)])
    portal.remove_labels(app, "deals", "companies", [_pair(deal, one, 5)])
    assert kinds("deals", deal, "companies") == {one: [341], two: [341]}
    portal.remove_labels(app, "deals", "companies", [_pair(deal, one, 341)])
    assert kinds("deals", deal, "companies") == {two: [341]}


def test_taking_an_association_away_takes_it_both_ways(portal, app, deal, ids, kinds, hands):
    """No stamp moves, for that as for making one."""
    one = ids("companies", 1)[0]
    before = [portal.get("deals", deal)["updatedAt"], portal.get("companies", one)["updatedAt"]]
    hands.later(minutes=1)
    portal.associate_default(app, "deals", "companies", [_pair(deal, one)])
    portal.disassociate(app, "deals", "companies", [{"from": {"id": deal}, "to": [{"id": one}]}])
    assert kinds("deals", deal, "companies") == {}
    assert deal not in kinds("companies", one, "deals")
    assert [portal.get("deals", deal)["updatedAt"], portal.get("companies", one)["updatedAt"]] == before
    assert [entry[:2] for entry in hands.written[-2:]] == [("associate", "deals"), ("disassociate", "deals")]


def test_a_company_has_one_parent(portal, app, make, value):
    """Made from either side; the property and the number of children follow."""
    parent, other, child = (make("companies", name=name) for name in ("Parent", "Other", "Child"))
    portal.associate(app, "companies", "companies", [_pair(child, parent, 14)])
    assert value("companies", child, "hs_parent_company_id") == parent
    assert value("companies", parent, "hs_num_child_companies") == "1"
    portal.associate(app, "companies", "companies", [_pair(other, child, 13)])
    assert value("companies", child, "hs_parent_company_id") == other
    assert value("companies", parent, "hs_num_child_companies") == "0"


def test_each_pair_stands_for_itself(portal, app, deal, ids):
    """What cannot be associated is told; the others are."""
    one = ids("companies", 1)[0]
    batch = portal.associate(
        app, "deals", "companies", [_pair(deal, one, 341), _pair(deal, "7", 341), _pair(deal, one, 342)]
    )
    assert len(batch.results) == 1
    assert batch.results[0]["toObjectId"] == int(one)
    assert [list(each["context"]) for each in batch.errors] == [
        ["INVALID_OBJECT_IDS", "objectId", "objectType", "ids"],
        ["associationSpec", "INVALID_ASSOCIATION_TYPE_ID", "ids"],
    ]
    assert batch.errors[1]["context"]["associationSpec"] == ["HUBSPOT_DEFINED=342"]


def test_archived_records_are_not_told_as_associated(portal, app, deal, ids, kinds):
    """And are again when restored."""
    one = ids("companies", 1)[0]
    portal.associate_default(app, "deals", "companies", [_pair(deal, one)])
    portal.archive(app, "companies", [one])
    assert kinds("deals", deal, "companies") == {}
    portal.restore("companies", one)
    assert kinds("deals", deal, "companies") == {one: [5, 341]}


def test_labels_tell_what_there_may_be(portal, app, deal, ids, kinds):
    """By direction; a portal's own labels come beside HubSpot's."""
    assert portal.association_labels("deals", "companies") == [PLAIN, PRIMARY]
    assert {one["typeId"] for one in portal.association_labels("company", "deal")} == {342, 6}
    assert portal.association_labels("tasks", "companies")[0]["typeId"] == 192
    assert portal.association_labels("tasks", "deals")[0]["typeId"] == 216
    made = portal.create_association_label(
        app, "deals", "companies", {"label": "Reseller", "name": "reseller"}
    )[0]
    assert made["category"] == "USER_DEFINED"
    one = ids("companies", 1)[0]
    types = [{"associationCategory": "USER_DEFINED", "associationTypeId": made["typeId"]}]
    portal.associate(app, "deals", "companies", [{**_pair(deal, one), "types": types}])
    assert kinds("deals", deal, "companies")[one] == [5, made["typeId"], 341]


def test_types_that_are_never_associated(portal, app, ids):
    """There is no default kind."""
    with pytest.raises(HubSpotError, match="No default association type"):
        portal.associate_default(
            app, "products", "companies", [_pair(ids("products", 1)[0], ids("companies", 1)[0])]
        )
