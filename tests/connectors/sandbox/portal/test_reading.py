"""Records are listed by id, told with what was asked for and what always comes, and found in the bin."""

from __future__ import annotations

from itertools import pairwise

import pytest

from connectors.sandbox.hubspot.errors import HubSpotError

ALWAYS = {"createdate", "hs_lastmodifieddate", "hs_object_id"}


def test_a_list_is_read_to_its_end_in_the_order_of_the_ids(portal):
    """Pages lead to each other by the next record's id, and each record comes once."""
    found, after = [], None
    while True:
        page = portal.list_records("companies", limit=30, after=after)
        found += [int(one["id"]) for one in page.results]
        after = page.after
        if after is None:
            break
    assert len(found) == 85
    assert found == sorted(set(found))


def test_a_list_may_begin_anywhere(portal, ids):
    """`after` is the id of the next record; one that does not exist means the next higher one."""
    second, third = ids("deals", 3)[1:]
    assert portal.list_records("deals", limit=1, after=second).results[0]["id"] == second
    assert portal.list_records("deals", limit=1, after=str(int(second) + 1)).results[0]["id"] == third
    assert portal.list_records("deals", limit=1, after="99999999999999").results == []


def test_ids_have_gaps(portal, ids):
    """Nobody can count through them."""
    numbers = [int(one) for one in ids("deals", 100)]
    steps = {after - before for before, after in pairwise(numbers)}
    assert len(steps) > 1
    assert 1 not in steps


@pytest.mark.parametrize(("limit", "history"), [(101, []), (51, ["amount"]), (0, [])])
def test_pages_have_limits(portal, limit, history):
    """100 records, 50 with history."""
    with pytest.raises(HubSpotError) as caught:
        portal.list_records("deals", limit=limit, history=history)
    assert (caught.value.status, caught.value.category) == (400, "VALIDATION_ERROR")


def test_defaults_come_when_no_property_is_named(portal, ids):
    """Each type has its own."""
    told = portal.get("companies", ids("companies", 1)[0])["properties"]
    assert set(told) == ALWAYS | {"name", "domain"}
    assert told["domain"] is None
    assert set(portal.list_records("deals", limit=1).results[0]["properties"]) == ALWAYS | {
        "amount",
        "closedate",
        "dealname",
        "dealstage",
        "pipeline",
    }


def test_unknown_names_are_passed_over_and_empty_ones_are_null(portal, ids):
    """The three that always come are there too."""
    told = portal.get("companies", ids("companies", 1)[0], properties=["phone", "nonsense"])["properties"]
    assert set(told) == ALWAYS | {"phone"}
    assert told["phone"] is None


@pytest.mark.parametrize("alias", ["companies", "company", "0-2", "COMPANY", "p_company", "Companies"])
def test_types_have_many_names(portal, alias):
    """In any case."""
    assert portal.object_type(alias).name == "companies"


def test_an_unknown_type_is_refused(portal):
    """As HubSpot words it."""
    with pytest.raises(HubSpotError) as caught:
        portal.list_records("widgets")
    assert (caught.value.status, caught.value.message) == (400, "Unable to infer object type from: widgets")
    with pytest.raises(HubSpotError) as caught:
        portal.list_records("0-9999")
    assert (caught.value.status, caught.value.message) == (400, "Invalid object or event type id: 0-9999")


@pytest.mark.parametrize("record_id", ["1", "x", "", "٣"])
def test_a_record_that_does_not_exist(portal, record_id):
    """404, with the id."""
    with pytest.raises(HubSpotError) as caught:
        portal.get("companies", record_id)
    assert caught.value.status == 404
    assert caught.value.body("c") == {
        "status": "error",
        "message": "Object not found.  objectId are usually numeric.",
        "correlationId": "c",
        "category": "OBJECT_NOT_FOUND",
        "context": {"id": [record_id]},
    }


def test_a_batch_tells_what_there_is_and_what_is_missing(portal, ids):
    """Missing ids share one error; a twin is told once."""
    one, two = ids("companies", 2)
    batch = portal.read_batch("companies", [{"id": two}, {"id": "77"}, {"id": one}, {"id": one}, {"id": "y"}])
    assert [each["id"] for each in batch.results] == [two, one]
    assert [(each["category"], each["context"]) for each in batch.errors] == [
        ("OBJECT_NOT_FOUND", {"ids": ["77", "y"]})
    ]
    assert batch.errors[0]["message"].startswith("Could not get some COMPANY objects")


@pytest.mark.parametrize(
    ("count", "history", "words"),
    [(101, [], "in a batch is 100"), (51, ["amount"], "batch request for property histories is 50")],
)
def test_batches_have_limits(portal, count, history, words):
    """In HubSpot's words."""
    with pytest.raises(HubSpotError, match=words):
        portal.read_batch("deals", [{"id": str(one)} for one in range(count)], history=history)


def test_archived_records_are_only_told_when_asked_for(portal, app, ids, hands):
    """With when they were archived; no stamp moves, and after 90 days they are gone."""
    gone = ids("companies", 1)[0]
    before = portal.get("companies", gone)
    portal.archive(app, "companies", [gone])
    assert ids("companies", 1) != [gone]
    with pytest.raises(HubSpotError):
        portal.get("companies", gone)
    told = portal.list_records("companies", archived=True).results
    assert told == [before | {"archived": True, "archivedAt": "2018-01-01T12:00:00Z"}]
    assert portal.get("companies", gone, archived=True) == told[0]
    assert portal.read_batch("companies", [{"id": gone}], archived=True).results == told
    hands.later(days=90)
    assert portal.list_records("companies", archived=True).results == []


def test_a_restored_record_is_back(portal, app, ids):
    """With a new stamp."""
    gone = ids("companies", 1)[0]
    portal.archive(app, "companies", [gone])
    portal.restore("companies", gone)
    assert portal.get("companies", gone)["updatedAt"] == "2018-01-01T12:00:00Z"
    assert portal.list_records("companies", archived=True).results == []


def test_inline_associations_tell_each_kind(portal, dataset):
    """So a primary company is there twice, by v3's names."""
    link = dataset.links[0]
    deal, company = str(link.from_ids[0]), str(link.to_ids[0])
    told = portal.get("deals", deal, associations=["company"])["associations"]
    assert told == {
        "companies": {
            "results": [
                {"id": company, "type": "deal_to_company"},
                {"id": company, "type": "deal_to_company_unlabeled"},
            ]
        }
    }


def test_a_deal_with_a_way_through_the_stages_has_a_history(portal, dataset):
    """Newest first: what it is, then what it was expected to be, entered by people."""
    deals = dataset.tables["deals"]
    row = next(row for row, stage in enumerate(deals.columns["dealstage"]) if stage == "closedlost")
    told = portal.get("deals", str(deals.ids[row]), history=["dealstage", "amount", "nonsense"])
    stages, amounts = (told["propertiesWithHistory"][name] for name in ("dealstage", "amount"))
    assert set(told["propertiesWithHistory"]) == {"dealstage", "amount"}
    assert [one["value"] for one in stages] == ["closedlost", "184920132"]
    assert amounts[0]["value"] == "0"
    assert float(amounts[1]["value"]) > 0
    assert stages[0]["timestamp"] > stages[1]["timestamp"] == told["createdAt"]
    assert {one["sourceType"] for one in stages + amounts} == {"CRM_UI"}
    assert set(stages[0]) == {
        "value", "timestamp", "sourceType", "sourceId", "sourceLabel", "updatedByUserId",
    }  # fmt: skip
