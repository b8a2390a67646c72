"""Writes stamp records, keep their past, tell the journal, and answer for each input."""

from __future__ import annotations

import pytest

from connectors.sandbox.hubspot.errors import HubSpotError


def _change(record_id: str, **properties: str) -> dict:
    return {"id": record_id, "properties": properties}


def test_an_update_tells_what_was_written_and_what_was_worked_out(portal, app, hands, ids):
    """With the new stamp, and old and new values in the history."""
    deal = ids("deals", 1)[0]
    now = hands.later(minutes=5)
    told = portal.update_one(app, "deals", deal, {"amount": "12000", "dealstage": "184920131"})
    assert (told["id"], told["updatedAt"]) == (deal, now)
    assert (
        told["properties"]
        | {
            "amount": "12000",
            "amount_in_home_currency": "12000",
            "hs_is_closed": "false",
            "hs_lastmodifieddate": now,
            "hs_projected_amount": "1200",
        }
        == told["properties"]
    )
    past = portal.get("deals", deal, history=["amount"])["propertiesWithHistory"]["amount"]
    assert past[0] == {
        "value": "12000",
        "timestamp": now,
        "sourceType": "INTEGRATION",
        "sourceId": "9000001",
        "sourceLabel": "worker@portal.example",
        "updatedByUserId": None,
    }
    assert past[1]["sourceType"] == "CRM_UI"
    assert past[-1]["timestamp"] == told["createdAt"]


def test_imports_and_people_are_told_apart_in_the_history(portal, app, ids):
    """By where the value came from."""
    company = ids("companies", 1)[0]
    portal.update(app, "companies", [_change(company, phone="1")], source="IMPORT")
    portal.update(portal.person, "companies", [_change(company, phone="2")], source="CRM_UI")
    past = portal.get("companies", company, history=["phone"])["propertiesWithHistory"]["phone"]
    assert [(one["value"], one["sourceType"]) for one in past] == [("2", "CRM_UI"), ("1", "IMPORT")]


def test_a_write_of_what_is_there_moves_the_stamp_but_changes_nothing(portal, app, hands, ids):
    """No version is added, and the journal counts no change."""
    company = ids("companies", 1)[0]
    portal.update(app, "companies", [_change(company, phone="1")])
    now = hands.later(minutes=1)
    portal.update(app, "companies", [_change(company, phone="1")])
    told = portal.get("companies", company, history=["phone"])
    assert told["updatedAt"] == now
    assert len(told["propertiesWithHistory"]["phone"]) == 1
    assert [entry[4] for entry in hands.written] == [1, 0]


def test_an_update_answers_for_each_id(portal, app, hands, ids):
    """Missing ones share one error, the others are written."""
    one, two = ids("companies", 2)
    batch = portal.update(
        app, "companies", [_change(two, phone="2"), _change("77", phone="1"), _change(one, phone="1")]
    )
    assert [each["id"] for each in batch.results] == [two, one]
    assert batch.errors[0]["context"] == {"ids": ["77"]}
    assert batch.errors[0]["category"] == "OBJECT_NOT_FOUND"
    assert hands.written == [("update", "companies", [two, one], ("phone",), 2)]


def test_one_bad_value_refuses_the_whole_update(portal, app, hands, ids):
    """Nothing is written."""
    one, two = ids("companies", 2)
    with pytest.raises(HubSpotError, match="INVALID_INTEGER"):
        portal.update(app, "companies", [_change(one, phone="1"), _change(two, numberofemployees="x")])
    assert portal.get("companies", one, properties=["phone"])["properties"]["phone"] is None
    assert hands.written == []


def test_twins_in_a_batch_are_refused(portal, app, ids):
    """As nobody could tell which one wins."""
    one = ids("companies", 1)[0]
    with pytest.raises(
        HubSpotError, match=r"Duplicate IDs found in batch input: \[\d+\]. IDs must be unique"
    ) as caught:
        portal.update(app, "companies", [_change(one, phone="1"), _change(one, phone="2")])
    assert caught.value.context == {"ids": [one]}


@pytest.mark.parametrize("act", ["create", "update", "upsert"])
def test_batches_take_a_hundred(portal, app, act):
    """In HubSpot's words."""
    inputs = [_change(str(one), name="x") for one in range(101)]
    with pytest.raises(
        HubSpotError, match=r"The maximum number of inputs supported in a batch is 100\. Please reduce"
    ):
        getattr(portal, act)(app, "companies", inputs)


def test_a_locked_record_refuses_the_call(portal, app, hands, ids):
    """423; the call may be repeated."""
    one, two = ids("companies", 2)
    hands.locked = {two}
    with pytest.raises(HubSpotError) as caught:
        portal.update(app, "companies", [_change(one, phone="1"), _change(two, phone="1")])
    assert caught.value.status == 423
    assert hands.written == []


def test_a_new_record_has_an_id_above_all_others(portal, app, hands, make, ids):
    """Its defaults, and who made it."""
    company = make("companies", name="Acme")
    told = portal.get("companies", company, properties=["lifecyclestage", "hs_object_source", "name"])
    assert told["properties"] == {
        "createdate": "2018-01-01T12:00:00Z",
        "hs_lastmodifieddate": "2018-01-01T12:00:00Z",
        "hs_object_id": company,
        "hs_object_source": "INTEGRATION",
        "lifecyclestage": "lead",
        "name": "Acme",
    }
    assert int(company) > max(int(one) for one in ids("companies", 85))
    assert hands.written[0][:2] == ("create", "companies")


@pytest.mark.parametrize(
    ("kind", "properties", "missing"),
    [
        ("deals", {"dealname": "x"}, ["dealstage"]),
        ("deals", {"dealstage": "closedwon"}, ["dealname"]),
        ("companies", {"phone": "1"}, ["name"]),
        ("tasks", {"hs_task_subject": "x"}, ["hs_timestamp"]),
        ("tickets", {"subject": "x"}, ["hs_pipeline_stage"]),
    ],
)
def test_required_properties(portal, app, kind, properties, missing):
    """A company needs a name or a domain; the error names what is missing."""
    with pytest.raises(
        HubSpotError, match=r"Error creating [A-Z]+\. Some required properties were not set\."
    ) as caught:
        portal.create_one(app, kind, {"properties": properties})
    assert caught.value.context == {"properties": missing}


def test_a_deal_names_its_pipeline_where_there_are_several(portal, app):
    """With one pipeline there is no doubt."""
    body = {"properties": {"dealname": "x", "dealstage": "closedwon"}}
    assert portal.create_one(app, "deals", body)["properties"]["pipeline"] == "default"
    portal.create_pipeline(app, "deals", {"label": "Renewals", "displayOrder": 1})
    with pytest.raises(HubSpotError) as caught:
        portal.create_one(app, "deals", body)
    assert caught.value.context == {"properties": ["pipeline"]}


def test_a_bad_input_refuses_the_whole_create(portal, app, hands):
    """Unless every input has a trace id of its own."""
    inputs = [{"properties": {"name": "good"}}, {"properties": {"name": "bad", "nonsense": "1"}}]
    before = portal.search("companies", {}).total
    for traces in ((None, None), ("a", None), ("a", "a")):
        traced = [one | {"objectWriteTraceId": trace} for one, trace in zip(inputs, traces, strict=True)]
        with pytest.raises(HubSpotError, match="PROPERTY_DOESNT_EXIST"):
            portal.create(app, "companies", traced)
    assert portal.search("companies", {}).total == before
    assert hands.written == []


def test_with_trace_ids_the_bad_input_alone_is_refused(portal, app):
    """The error carries its trace id."""
    inputs = [
        {"properties": {"name": "good"}, "objectWriteTraceId": "a"},
        {"properties": {"name": "bad", "nonsense": "1"}, "objectWriteTraceId": "b"},
        {
            "properties": {"name": "worse"},
            "objectWriteTraceId": "c",
            "associations": [{"to": {"id": "7"}, "types": []}],
        },
    ]
    batch = portal.create(app, "companies", inputs)
    assert [one["properties"]["name"] for one in batch.results] == ["good"]
    assert [one["context"]["objectWriteTraceId"] for one in batch.errors] == [["b"], ["c"]]
    assert "PROPERTY_DOESNT_EXIST" in batch.errors[0]["message"]


def test_a_task_is_made_with_its_associations(portal, app, ids, hands):
    """In one call; the records it is about are stamped anew, as their sums change."""
    company, deal = ids("companies", 1)[0], ids("deals", 1)[0]
    now = hands.later(minutes=1)
    body = {
        "properties": {"hs_timestamp": "2018-01-05", "hs_task_subject": "Call"},
        "associations": [
            {
                "to": {"id": company},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 192}],
            },
            {
                "to": {"id": deal},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 216}],
            },
        ],
    }
    task = portal.create(app, "tasks", [body]).results[0]
    assert task["properties"]["hs_task_status"] == "NOT_STARTED"
    read = portal.read_associations("companies", "tasks", [{"id": company}]).results
    assert read[0]["to"][0]["toObjectId"] == int(task["id"])
    assert portal.record_associations("tasks", task["id"], "deals").results[0]["toObjectId"] == int(deal)
    for kind, record_id in (("companies", company), ("deals", deal)):
        told = portal.get(kind, record_id, properties=["notes_next_activity_date", "num_notes"])
        assert told["updatedAt"] == now
        assert told["properties"]["notes_next_activity_date"] == "2018-01-05T00:00:00Z"
        assert told["properties"]["num_notes"] == "0"


@pytest.mark.parametrize(
    ("number", "category", "kind"),
    [
        (341, "HUBSPOT_DEFINED", "companies"),
        (191, "HUBSPOT_DEFINED", "companies"),
        (192, "USER_DEFINED", "companies"),
    ],
)
def test_associations_of_the_wrong_direction_are_refused(portal, app, ids, number, category, kind):
    """And the task is not made."""
    body = {
        "properties": {"hs_timestamp": "2018-01-05"},
        "associations": [
            {
                "to": {"id": ids(kind, 1)[0]},
                "types": [{"associationCategory": category, "associationTypeId": number}],
            }
        ],
    }
    with pytest.raises(HubSpotError, match="One or more associations are invalid"):
        portal.create(app, "tasks", [body])
    assert portal.list_records("tasks").results == []


def test_associations_with_records_that_do_not_exist_are_refused(portal, app):
    """With the id."""
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 192}]
    body = {
        "properties": {"hs_timestamp": "2018-01-05"},
        "associations": [{"to": {"id": "7"}, "types": types}],
    }
    with pytest.raises(HubSpotError) as caught:
        portal.create(app, "tasks", [body])
    assert caught.value.context == {
        "INVALID_OBJECT_IDS": ["COMPANY=7 is not valid"],
        "objectId": ["7"],
        "objectType": ["COMPANY"],
    }


def _key(portal, app, kind: str = "tasks", group: str = "task") -> None:
    body = {"name": "foretag_key", "label": "Key", "type": "string", "fieldType": "text", "groupName": group}
    portal.create_property(app, kind, body | {"hasUniqueValue": True})


def test_records_are_found_by_a_unique_property(portal, app, make):
    """Living and archived, whatever the letters' case."""
    _key(portal, app)
    task = make("tasks", hs_timestamp="2018-01-05", foretag_key="K-1")
    found = portal.read_batch("tasks", [{"id": "k-1"}, {"id": "K-2"}], id_property="foretag_key")
    assert [one["id"] for one in found.results] == [task]
    assert found.errors[0]["context"] == {"ids": ["K-2"]}
    assert portal.get("tasks", "K-1", id_property="foretag_key")["id"] == task
    portal.archive(app, "tasks", [task])
    assert portal.read_batch("tasks", [{"id": "K-1"}], id_property="foretag_key").results == []
    archived = portal.read_batch("tasks", [{"id": "K-1"}], id_property="foretag_key", archived=True)
    assert [one["id"] for one in archived.results] == [task]


def test_a_property_that_is_not_unique_is_no_key(portal):
    """For reads and writes."""
    with pytest.raises(HubSpotError, match="is not unique"):
        portal.get("companies", "Acme", id_property="name")


def test_a_key_is_given_once(portal, app, make):
    """Not to another record, and not twice in a batch; a record may keep its own."""
    _key(portal, app)
    first = make("tasks", hs_timestamp="2018-01-05", foretag_key="K-1")
    second = make("tasks", hs_timestamp="2018-01-05", foretag_key="K-2")
    with pytest.raises(HubSpotError, match="already has that value") as caught:
        portal.update_one(app, "tasks", second, {"foretag_key": "k-1"})
    assert caught.value.message == (
        f"Cannot set PropertyValueCoordinates{{portalId={portal.id}, "
        "objectTypeId=ObjectTypeId{legacyObjectType=TASK}, propertyName=foretag_key, value=k-1} "
        f"on {second}. {first} already has that value."
    )
    portal.update_one(app, "tasks", first, {"foretag_key": "K-1"})
    twins = [
        {"properties": {"hs_timestamp": "2018-01-05", "foretag_key": "K-3"}, "objectWriteTraceId": trace}
        for trace in "ab"
    ]
    batch = portal.create(app, "tasks", twins)
    assert (len(batch.results), batch.errors[0]["context"]["objectWriteTraceId"]) == (1, ["b"])
    portal.archive(app, "tasks", [first])
    portal.update_one(app, "tasks", second, {"foretag_key": "K-1"})


def test_contacts_are_told_apart_by_their_address(portal, app, make):
    """409, with the id of the one that is there."""
    contact = make("contacts", email="a@b.example")
    with pytest.raises(HubSpotError) as caught:
        portal.create_one(app, "contacts", {"properties": {"email": "A@b.example"}})
    assert (caught.value.status, caught.value.message) == (
        409,
        f"Contact already exists. Existing ID: {contact}",
    )


def test_a_contact_that_takes_anothers_address_is_refused(portal, app, make):
    """400, unlike a new one; addresses are kept in lower case."""
    first, second = make("contacts", email="A@B.example"), make("contacts", email="c@b.example")
    assert portal.get("contacts", first)["properties"]["email"] == "a@b.example"
    with pytest.raises(HubSpotError, match=f"{first} already has that value") as caught:
        portal.update_one(app, "contacts", second, {"email": "a@b.Example"})
    assert caught.value.status == 400


def test_an_upsert_changes_what_is_there_and_makes_what_is_not(portal, app, make, value):
    """In the order of the inputs, each saying which it was."""
    _key(portal, app)
    task = make("tasks", hs_timestamp="2018-01-05", foretag_key="K-1")
    inputs = [
        {"id": key, "idProperty": "foretag_key", "properties": {"hs_timestamp": "2018-01-06"}}
        for key in ("K-2", "K-1")
    ]
    batch = portal.upsert(app, "tasks", inputs)
    assert [one["new"] for one in batch.results] == [True, False]
    assert batch.results[1]["id"] == task
    assert value("tasks", task, "hs_timestamp") == "2018-01-06T00:00:00Z"
    assert value("tasks", batch.results[0]["id"], "foretag_key") == "K-2"


def test_updates_may_name_records_by_their_key(portal, app, make):
    """A key that nobody has is missing."""
    _key(portal, app)
    task = make("tasks", hs_timestamp="2018-01-05", foretag_key="K-1")
    inputs = [
        {"id": key, "idProperty": "foretag_key", "properties": {"hs_task_subject": "x"}}
        for key in ("K-1", "K-9")
    ]
    batch = portal.update(app, "tasks", inputs)
    assert [one["id"] for one in batch.results] == [task]
    assert batch.errors[0]["context"] == {"ids": ["K-9"]}


def test_archiving_passes_over_what_is_not_there(portal, app, hands, ids):
    """Twice is as once."""
    one = ids("companies", 1)[0]
    portal.archive(app, "companies", [one, "77", one])
    portal.archive(app, "companies", [one])
    assert hands.written == [("archive", "companies", [one], (), 1)]


def test_a_bulk_touch_gives_many_records_one_stamp(portal, ids, hands):
    """As recalculations do."""
    portal.touch("deals", ids("deals", 50), hands.now)
    stamped = {"propertyName": "hs_lastmodifieddate", "operator": "EQ", "value": "2018-01-01T12:00:00Z"}
    found = portal.search("deals", {"filters": [stamped]})
    assert found.total == 50


def test_properties_must_be_an_object(portal, app):
    """Or the body is no body."""
    with pytest.raises(HubSpotError, match="Some required fields were not set"):
        portal.create(app, "companies", [{}])


def test_trace_ids_of_missing_records_are_told(portal, app):
    """Where they were sent, for updates and upserts; an id alone makes no record."""
    inputs = [{"id": "77", "properties": {"phone": "1"}, "objectWriteTraceId": "t-1"}]
    for act in (portal.update, portal.upsert):
        batch = act(app, "companies", inputs)
        assert batch.results == []
        assert batch.errors[0]["context"] == {"ids": ["77"], "objectWriteTraceId": ["t-1"]}


@pytest.mark.parametrize("act", ["create", "update", "upsert"])
def test_inputs_must_be_objects(portal, app, act):
    """400, not a failure of the portal."""
    with pytest.raises(HubSpotError, match="must be an object"):
        getattr(portal, act)(app, "companies", ["77"])


def test_portals_hold_what_older_checks_let_through(portal, ids, value):
    """Numbers that are none; what is worked out of them is left out."""
    deal = ids("deals", 1)[0]
    portal.plant("deals", deal, "amount", "N/A")
    assert (value("deals", deal, "amount"), value("deals", deal, "amount_in_home_currency")) == ("N/A", None)
    assert deal not in {
        one["id"]
        for one in portal.search(
            "deals", {"filters": [{"propertyName": "amount", "operator": "GTE", "value": 0}], "limit": 200}
        ).results
    }


def test_collaborators_own_too(portal, app, ids, value):
    """After the owner."""
    deal, owners = ids("deals", 1)[0], [one["id"] for one in portal.owners(limit=3).results]
    portal.update_one(
        app,
        "deals",
        deal,
        {"hubspot_owner_id": owners[0], "hs_all_collaborator_owner_ids": ";".join(owners[1:])},
    )
    assert value("deals", deal, "hs_all_owner_ids") == ";".join(owners)
