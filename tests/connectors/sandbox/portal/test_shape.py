"""Admins shape a portal: properties, groups, pipelines, stages, owners."""

from __future__ import annotations

import pytest

from connectors.sandbox.hubspot.definitions import FIELD_TYPES
from connectors.sandbox.hubspot.errors import HubSpotError


def _body(name: str = "prio_score", **more: object) -> dict:
    return {
        "name": name,
        "label": "Priority",
        "type": "number",
        "fieldType": "number",
        "groupName": "companyinformation",
        **more,
    }


def test_a_property_is_made_once(portal, app):
    """Then it takes values; again is a conflict."""
    told = portal.create_property(app, "companies", _body(numberDisplayHint="formatted", description="0-100"))
    assert told["hubspotDefined"] is False
    assert told["createdAt"] == "2018-01-01T12:00:00Z"
    assert told == portal.property("companies", "prio_score")
    assert told["modificationMetadata"] == {
        "archivable": True,
        "readOnlyDefinition": False,
        "readOnlyOptions": False,
        "readOnlyValue": False,
    }
    with pytest.raises(HubSpotError, match="A property named 'prio_score' already exists") as caught:
        portal.create_property(app, "companies", _body())
    assert (caught.value.status, caught.value.category) == (409, "CONFLICT")


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": None},
        {"groupName": "nonsense"},
        {"name": "Prio Score"},
        {"name": "hs_score"},
        {"type": "integer"},
        {"fieldType": "text"},
        {"type": "datetime", "fieldType": "datetime"},
        {"options": [{"label": "a", "value": "a"}]},
        {"numberDisplayHint": "stars"},
        {"fieldType": "calculation_equation"},
        {"hasUniqueValue": True, "type": "date", "fieldType": "date"},
        {"type": "enumeration", "fieldType": "select", "options": [{"label": "a", "value": "a"}] * 2},
        {"type": "enumeration", "fieldType": "select", "options": [{"label": "a"}]},
    ],
    ids=str,
)
def test_bad_definitions_are_refused(portal, app, wrong):
    """400, and nothing is made."""
    with pytest.raises(HubSpotError) as caught:
        portal.create_property(app, "companies", _body() | wrong)
    assert caught.value.status == 400
    with pytest.raises(HubSpotError):
        portal.property("companies", "prio_score")


@pytest.mark.parametrize(
    ("kind", "shown"), [(kind, one) for kind, many in FIELD_TYPES.items() for one in many]
)
def test_types_and_how_they_are_shown(portal, app, kind, shown):
    """All pairs of the table are taken."""
    formula = {"calculationFormula": "amount * 2"} if shown == "calculation_equation" else {}
    told = portal.create_property(app, "companies", _body(type=kind, fieldType=shown, **formula))
    assert (told["type"], told["fieldType"], told["calculated"]) == (kind, shown, bool(formula))


def test_a_batch_makes_what_it_can(portal, app):
    """The others are errors."""
    batch = portal.create_properties(app, "companies", [_body("one"), _body("one"), _body("two", type="x")])
    assert [one["name"] for one in batch.results] == ["one"]
    assert [(one["category"], one["context"]["name"]) for one in batch.errors] == [
        ("CONFLICT", ["one"]),
        ("VALIDATION_ERROR", ["two"]),
    ]
    found = portal.read_properties("companies", ["one", "nonsense"])
    assert ([one["name"] for one in found.results], len(found.errors)) == (["one"], 1)


def test_an_archived_property_is_no_longer_told_or_taken(portal, app, make, value):
    """Made again, it has its values back."""
    portal.create_property(app, "companies", _body())
    company = make("companies", name="Acme", prio_score="7")
    portal.archive_property(app, "companies", "prio_score")
    assert "prio_score" not in portal.get("companies", company, properties=["prio_score"])["properties"]
    with pytest.raises(HubSpotError, match="PROPERTY_DOESNT_EXIST"):
        portal.update_one(app, "companies", company, {"prio_score": "8"})
    assert portal.property("companies", "prio_score", archived=True)["archivedAt"] == "2018-01-01T12:00:00Z"
    assert "prio_score" not in {one["name"] for one in portal.properties("companies")}
    assert [one["name"] for one in portal.properties("companies", archived=True)] == ["prio_score"]
    portal.create_property(app, "companies", _body())
    assert value("companies", company, "prio_score") == "7"


def test_a_property_can_be_changed_but_not_renamed(portal, app, make):
    """New options are taken at once."""
    options = [{"label": "A", "value": "a"}]
    portal.create_property(app, "companies", _body(type="enumeration", fieldType="select", options=options))
    fresh = [*options, {"label": "B", "value": "b"}]
    told = portal.update_property(
        app, "companies", "prio_score", {"label": "New", "options": fresh, "name": "x"}
    )
    assert (told["name"], told["label"], [one["value"] for one in told["options"]]) == (
        "prio_score",
        "New",
        ["a", "b"],
    )
    make("companies", name="Acme", prio_score="b")


def test_hubspots_own_properties_stay(portal, app):
    """They get options, but are neither renamed nor archived."""
    with pytest.raises(HubSpotError, match="read only"):
        portal.update_property(app, "companies", "name", {"label": "x"})
    with pytest.raises(HubSpotError, match="cannot be archived"):
        portal.archive_property(app, "companies", "name")


def test_ten_properties_may_be_unique(portal, app):
    """Chosen when they are made."""
    for number in range(10):
        portal.create_property(app, "companies", _body(f"key_{number}", hasUniqueValue=True))
    with pytest.raises(HubSpotError, match="at most 10"):
        portal.create_property(app, "companies", _body("key_10", hasUniqueValue=True))


def test_limits_count_what_is_there(portal, app):
    """By object type and in all."""
    portal.create_property(app, "companies", _body())
    told = portal.property_limits()
    usage = {one["objectTypeId"]: one["usage"] for one in told["byObjectType"]}
    assert (usage["0-2"], usage["0-3"], told["overallUsage"]) == (1, 1, 2)


def test_groups(portal, app):
    """Made once, found, changed, and archived when they are empty."""
    portal.create_group(app, "companies", {"name": "foretag", "label": "Foretag", "displayOrder": -1})
    with pytest.raises(HubSpotError) as caught:
        portal.create_group(app, "companies", {"name": "foretag", "label": "Foretag"})
    assert caught.value.status == 409
    assert portal.group("companies", "foretag")["label"] == "Foretag"
    portal.update_group(app, "companies", "foretag", {"label": "Priorities"})
    portal.create_property(app, "companies", _body(groupName="foretag"))
    with pytest.raises(HubSpotError, match="still has properties"):
        portal.archive_group(app, "companies", "foretag")
    portal.archive_property(app, "companies", "prio_score")
    portal.archive_group(app, "companies", "foretag")
    assert "foretag" not in {one["name"] for one in portal.groups("companies")}
    with pytest.raises(HubSpotError) as caught:
        portal.group("companies", "foretag")
    assert caught.value.status == 404


def test_the_journal_hears_of_the_shape(portal, app, hands):
    """So that a set-up that changes nothing can be told from one that does."""
    portal.create_group(app, "companies", {"name": "foretag", "label": "Foretag"})
    portal.create_property(app, "companies", _body(groupName="foretag"))
    assert [entry[:3] for entry in hands.written] == [
        ("create", "property_groups", ["companies.foretag"]),
        ("create", "properties", ["companies.prio_score"]),
    ]


def test_pipelines_tell_their_stages(portal):
    """With metadata in texts, in order."""
    found = portal.pipelines("deals")
    assert [(one["id"], one["label"]) for one in found] == [("default", "Sales Pipeline")]
    assert [(one["label"], one["metadata"]) for one in found[0]["stages"]] == [
        ("Prospecting", {"isClosed": "false", "probability": "0.1"}),
        ("Engaging", {"isClosed": "false", "probability": "0.5"}),
        ("Closed Won", {"isClosed": "true", "probability": "1.0"}),
        ("Closed Lost", {"isClosed": "true", "probability": "0.0"}),
    ]
    assert portal.pipelines("companies") == []
    assert portal.pipeline("deals", "default") == found[0]


def test_a_new_pipeline_brings_stages_and_their_properties(portal, app, make, value):
    """A stage goes with its pipeline."""
    stages = [{"label": "Due", "displayOrder": 0, "metadata": {"probability": 0.7}}]
    told = portal.create_pipeline(app, "deals", {"label": "Renewals", "displayOrder": 1, "stages": stages})
    stage = told["stages"][0]["id"]
    assert told["stages"][0]["metadata"] == {"probability": "0.7", "isClosed": "false"}
    deal = make("deals", dealname="x", pipeline=told["id"], dealstage=stage)
    assert value("deals", deal, f"hs_v2_date_entered_{stage}") == "2018-01-01T12:00:00Z"
    assert stage in {one["value"] for one in portal.property("deals", "dealstage")["options"]}
    with pytest.raises(HubSpotError, match="INVALID_OPTION"):
        portal.update_one(app, "deals", deal, {"dealstage": "closedwon"})
    portal.update_one(app, "deals", deal, {"pipeline": "default", "dealstage": "closedwon"})
    with pytest.raises(HubSpotError) as caught:
        portal.create_pipeline(app, "deals", {"label": "Renewals"})
    assert caught.value.status == 409


def test_an_edit_of_a_pipeline_stamps_all_its_deals(portal, app, hands):
    """All at once, with one stamp."""
    now = hands.later(minutes=1)
    portal.update_stage(app, "deals", "default", "184920132", {"label": "Talking"})
    found = portal.search(
        "deals", {"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "EQ", "value": now}]}
    )
    assert found.total == 8_800
    assert portal.pipeline("deals", "default")["stages"][1]["label"] == "Talking"


def test_stages_that_are_used_stay(portal, app):
    """Others can go, and come."""
    with pytest.raises(HubSpotError, match="still used by 1589 deals"):
        portal.archive_stage(app, "deals", "default", "184920132")
    stage = portal.create_stage(
        app, "deals", "default", {"label": "On hold", "metadata": {"probability": "0.2"}}
    )
    assert stage["id"] in {one["id"] for one in portal.stages("deals", "default")}
    portal.archive_stage(app, "deals", "default", stage["id"])
    assert stage["id"] not in {one["id"] for one in portal.stages("deals", "default")}
    with pytest.raises(HubSpotError, match="still used"):
        portal.archive_pipeline(app, "deals", "default")


@pytest.mark.parametrize("metadata", [{}, {"probability": "2"}, {"probability": "high"}])
def test_stages_need_a_probability(portal, app, metadata):
    """Between 0 and 1."""
    with pytest.raises(HubSpotError, match="robability"):
        portal.create_stage(app, "deals", "default", {"label": "x", "metadata": metadata})


def test_pipelines_are_each_portals_own(portal, app, dataset, hands):
    """A data set that is loaded twice is not changed by the first."""
    portal.update_pipeline(app, "deals", "default", {"label": "Changed"})
    assert dataset.pipelines["deals"][0].label == "Sales Pipeline"


def test_owners_come_in_pages(portal):
    """By id, with their teams."""
    first = portal.owners(limit=30)
    rest = portal.owners(after=first.after)
    ids = [int(one["id"]) for one in first.results + rest.results]
    assert (len(ids), ids, rest.after) == (41, sorted(set(ids)), None)
    assert first.results[0]["teams"][0]["primary"] is True
    assert portal.owners(email=first.results[3]["email"].upper()).results == [first.results[3]]


def test_archived_owners_have_no_user_any_more(portal):
    """They are told apart, and keep their records."""
    seller = portal.list_records("deals", limit=1, properties=["hubspot_owner_id"]).results[0]["properties"][
        "hubspot_owner_id"
    ]
    owner = portal.owner(seller)
    mine = {"filters": [{"propertyName": "hubspot_owner_id", "operator": "EQ", "value": seller}]}
    deals = portal.search("deals", mine).total
    assert deals > 0
    portal.archive_owner(owner["id"])
    assert owner["id"] not in {one["id"] for one in portal.owners().results}
    told = portal.owners(archived=True).results
    assert told == [owner | {"archived": True, "userId": None}]
    assert portal.owner(owner["id"], archived=True) == told[0]
    with pytest.raises(HubSpotError) as caught:
        portal.owner(owner["id"])
    assert caught.value.status == 404
    assert portal.search("deals", mine).total == deals


def test_owners_are_found_by_their_user(portal):
    """As some clients look them up."""
    owner = portal.owners(limit=1).results[0]
    assert portal.owner(str(owner["userId"]), id_property="userId") == owner


def test_an_archived_owner_is_given_no_records(portal, app, ids):
    """Only active ones are options."""
    owner = portal.owners(limit=1).results[0]["id"]
    portal.archive_owner(owner)
    with pytest.raises(HubSpotError, match="INVALID_OPTION"):
        portal.update_one(app, "companies", ids("companies", 1)[0], {"hubspot_owner_id": owner})


def test_teams_have_members(portal):
    """By their users."""
    teams = portal.teams()
    assert {one["name"] for one in teams} == {"Central", "East", "West"}
    assert sum(len(one["userIds"]) for one in teams) == 41


@pytest.mark.parametrize(("production", "kind"), [(False, "SANDBOX"), (True, "STANDARD")])
def test_account_facts(dataset, hands, production, kind):
    """Whether it is a sandbox, in which zone and currency."""
    from connectors.sandbox.hubspot.portal import Portal

    portal = Portal(dataset, hands.clock, production=production, timezone="America/New_York")
    told = portal.account_details()
    assert (told["accountType"], told["timeZone"], told["utcOffsetMilliseconds"], told["utcOffset"]) == (
        kind,
        "America/New_York",
        -5 * 3_600_000,
        "-05:00",
    )
    assert (told["portalId"], told["companyCurrency"], told["additionalCurrencies"]) == (portal.id, "USD", [])
