"""Merged records: a new one with an id of its own, to which both old ids lead, but not everywhere."""

from __future__ import annotations

import pytest

from connectors.sandbox.hubspot.errors import HubSpotError


@pytest.fixture
def merged(portal, app, make, hands):
    """What became of two records, and their ids: the primary one's first."""
    primary = make("companies", name="Primary", phone="1")
    hands.later(minutes=1)
    other = make("companies", name="Other", phone="2", city="Lund")
    hands.later(minutes=1)
    return portal.merge(app, "companies", primary, other)["id"], primary, other


def test_both_become_a_new_record(portal, merged):
    """With the primary one's values, the other's where it has none, and the older creation date."""
    heir, primary, other = merged
    assert heir not in {primary, other}
    told = portal.get("companies", heir, properties=["name", "phone", "city", "hs_merged_object_ids"])
    assert told["properties"] == {
        "name": "Primary",
        "phone": "1",
        "city": "Lund",
        "hs_merged_object_ids": f"{primary};{other}",
        "createdate": "2018-01-01T12:00:00Z",
        "hs_lastmodifieddate": "2018-01-01T12:02:00Z",
        "hs_object_id": heir,
    }


def test_values_keep_their_past(portal, app, merged, hands):
    """And what the other record gave is told as come from a merge."""
    heir, *_ = merged
    hands.later(minutes=1)
    portal.update_one(app, "companies", heir, {"phone": "3"})
    past = portal.get("companies", heir, history=["phone", "city"])["propertiesWithHistory"]
    assert [(one["value"], one["timestamp"]) for one in past["phone"]] == [
        ("3", "2018-01-01T12:03:00Z"),
        ("1", "2018-01-01T12:00:00Z"),
    ]
    assert [(one["value"], one["sourceType"]) for one in past["city"]] == [("Lund", "MERGE_OBJECTS")]


def test_old_ids_lead_to_the_new_record(portal, app, merged):
    """For one record, read or written."""
    heir, *old = merged
    for record_id in old:
        assert portal.get("companies", record_id)["id"] == heir
        assert portal.update_one(app, "companies", record_id, {"phone": "3"})["id"] == heir


def test_a_batch_knows_nothing_of_old_ids(portal, app, merged):
    """An update passes them over without a word; a read tells them as missing."""
    heir, *old = merged
    inputs = [{"id": one, "properties": {"phone": "9"}} for one in (*old, heir)]
    batch = portal.update(app, "companies", inputs)
    assert ([one["id"] for one in batch.results], batch.errors) == ([heir], [])
    read = portal.read_batch("companies", [{"id": one} for one in old])
    assert read.errors[0]["context"] == {"ids": old}


def test_merged_records_are_nowhere(portal, merged):
    """Neither living nor archived."""
    heir, *old = merged
    for archived in (False, True):
        page = portal.list_records("companies", limit=100, archived=archived)
        assert not set(old) & {one["id"] for one in page.results}
    assert portal.search("companies", {"query": "Other"}).total == 0
    assert [one["id"] for one in portal.search("companies", {"query": "Primary"}).results] == [heir]


def test_deals_move_to_the_new_record(portal, app, make):
    """As primary ones, without a new stamp, and those of both."""
    companies = [make("companies", name=name) for name in ("Primary", "Other")]
    deals = [make("deals", dealname="x", dealstage="184920131") for _ in companies]
    for deal, company in zip(deals, companies, strict=True):
        pair = {"from": {"id": deal}, "to": {"id": company}}
        portal.associate_default(app, "deals", "companies", [pair])
    before = [portal.get("deals", deal)["updatedAt"] for deal in deals]
    heir = portal.merge(app, "companies", *companies)["id"]
    for deal in deals:
        found = portal.record_associations("deals", deal, "companies").results
        assert [
            (str(one["toObjectId"]), [kind["typeId"] for kind in one["associationTypes"]]) for one in found
        ] == [(heir, [5, 341])]
    assert [portal.get("deals", deal)["updatedAt"] for deal in deals] == before


def test_the_primary_deal_keeps_its_primary_company(portal, app, make):
    """The other deal's is still associated, but no more than that."""
    companies = [make("companies", name=name) for name in ("A", "B")]
    deals = [make("deals", dealname="x", dealstage="184920131") for _ in companies]
    for deal, company in zip(deals, companies, strict=True):
        pair = {"from": {"id": deal}, "to": {"id": company}}
        portal.associate_default(app, "deals", "companies", [pair])
    heir = portal.merge(app, "deals", *deals)["id"]
    found = portal.record_associations("deals", heir, "companies").results
    assert {
        str(one["toObjectId"]): [kind["typeId"] for kind in one["associationTypes"]] for one in found
    } == {companies[0]: [5, 341], companies[1]: [341]}


def test_a_parent_merged_with_its_child_is_not_its_own(portal, app, make, value):
    """No record is associated with itself."""
    parent, child = make("companies", name="P"), make("companies", name="C")
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 14}]
    portal.associate(
        app, "companies", "companies", [{"from": {"id": child}, "to": {"id": parent}, "types": types}]
    )
    heir = portal.merge(app, "companies", parent, child)["id"]
    assert value("companies", heir, "hs_parent_company_id") is None
    assert portal.record_associations("companies", heir, "companies").results == []


def test_merges_can_follow_each_other(portal, app, merged, make):
    """The last record answers for all, and remembers all."""
    heir, *old = merged
    last = make("companies", name="Last")
    told = portal.merge(app, "companies", last, heir)
    assert told["properties"]["hs_merged_object_ids"].split(";") == [*old, last, heir]
    assert {portal.get("companies", one)["id"] for one in (*old, last, heir)} == {told["id"]}


def test_a_key_moves_along(portal, app, make):
    """It finds the new record, and is free again once that gives it up."""
    first, second = make("contacts", email="a@b.example"), make("contacts", email="c@b.example")
    heir = portal.merge(app, "contacts", first, second)["id"]
    assert portal.get("contacts", "a@b.example", id_property="email")["id"] == heir
    with pytest.raises(HubSpotError, match="already exists"):
        portal.create_one(app, "contacts", {"properties": {"email": "a@b.example"}})
    portal.update_one(app, "contacts", heir, {"email": "d@b.example"})
    portal.create_one(app, "contacts", {"properties": {"email": "a@b.example"}})


def test_what_cannot_be_merged(portal, app, merged, ids):
    """A record with itself, one that is gone, and records of types that HubSpot does not merge."""
    heir, primary, other = merged
    with pytest.raises(HubSpotError, match="with itself"):
        portal.merge(app, "companies", heir, heir)
    for pair in ((heir, other), (primary, heir)):
        with pytest.raises(HubSpotError) as caught:
            portal.merge(app, "companies", *pair)
        assert caught.value.status == 404
    with pytest.raises(HubSpotError, match="Line Items cannot be merged"):
        portal.merge(app, "line_items", *ids("line_items", 2))
