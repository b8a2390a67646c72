"""Values are taken in many forms, kept in one, and refused in HubSpot's own words."""

from __future__ import annotations

import json

import pytest

from connectors.sandbox.hubspot.errors import HubSpotError

TAKEN = [
    ("amount", 1500, "1500"),
    ("amount", "1500.00", "1500.00"),
    ("amount", 12.5, "12.5"),
    ("amount", "-0.25", "-0.25"),
    ("closedate", "2018-03-01", "2018-03-01T00:00:00Z"),
    ("closedate", "2018-03-01T10:30:00.250Z", "2018-03-01T10:30:00.250Z"),
    ("closedate", "2018-03-01T10:30:00+02:00", "2018-03-01T08:30:00Z"),
    ("closedate", 1519900200000, "2018-03-01T10:30:00Z"),
    ("dealtype", "newbusiness", "newbusiness"),
    ("dealname", " spaces stay ", " spaces stay "),
    ("description", "x" * 65_536, "x" * 65_536),
]


@pytest.mark.parametrize(
    ("name", "sent", "kept"), TAKEN, ids=[f"{row[0]}-{str(row[1])[:24]}" for row in TAKEN]
)
def test_values_are_kept_as_texts(portal, app, ids, value, name, sent, kept):
    """Whatever JSON they came as."""
    deal = ids("deals", 1)[0]
    told = portal.update_one(app, "deals", deal, {name: sent})
    assert told["properties"][name] == kept == value("deals", deal, name)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("2018-03-01", "2018-03-01"), ("1519862400000", "2018-03-01"), (1519862400000, "2018-03-01")],
)
def test_dates_are_days(portal, app, make, value, sent, kept):
    """As text, or as the milliseconds of a midnight in UTC."""
    portal.create_property(app, "companies", _property("until", "date", "date"))
    company = make("companies", name="Acme", until=sent)
    assert value("companies", company, "until") == kept


@pytest.mark.parametrize(("sent", "kept"), [(True, "true"), ("TRUE", "true"), ("false", "false")])
def test_truths_are_words(make, value, sent, kept):
    """In lower case."""
    company = make("companies", name="Acme", hs_is_target_account=sent)
    assert value("companies", company, "hs_is_target_account") == kept


REFUSED = [
    ("companies", "prio_x", "1", "PROPERTY_DOESNT_EXIST", 'Property "prio_x" does not exist'),
    ("companies", "numberofemployees", "ten", "INVALID_INTEGER", "ten was not a valid number."),
    ("companies", "numberofemployees", "1,5", "INVALID_INTEGER", "1,5 was not a valid number."),
    ("companies", "numberofemployees", "nan", "INVALID_INTEGER", "nan was not a valid number."),
    (
        "companies", "hs_is_target_account", "yes", "INVALID_OPTION",
        "yes was not one of the allowed options: [true, false]",
    ),
    ("companies", "type", "Prospect", "INVALID_OPTION", "Prospect was not one of the allowed options: [PROSPECT, "),
    ("companies", "type", "PROSPECT ", "LEADING_TRAILING_WHITESPACE", '"PROSPECT " includes leading or trailing'),
    ("companies", "hubspot_owner_id", "7", "INVALID_OPTION", "7 was not one of the allowed options: ["),
    ("companies", "hs_object_id", "7", "READ_ONLY_VALUE", '"hs_object_id" is a read only property'),
    ("companies", "hs_parent_company_id", "7", "READ_ONLY_VALUE", '"hs_parent_company_id" is a read only'),
    ("companies", "days_to_close", "7", "READ_ONLY_VALUE", '"days_to_close" is a calculated property'),
    ("companies", "description", "x" * 65_537, "STRING_TOO_LONG", "65536"),
    ("deals", "closedate", "soon", "INVALID_LONG", "soon was not a valid long."),
    ("deals", "closedate", "99999999999999999", "INVALID_LONG", "was not a valid long."),
    ("deals", "dealstage", "Closed Won", "INVALID_OPTION", "Closed Won was not one of the allowed options: [184920131"),
    ("contacts", "email", "nobody", "INVALID_EMAIL", "Email address nobody is invalid"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "sent", "code", "words"), REFUSED, ids=[f"{row[1]}-{row[3]}" for row in REFUSED]
)
def test_bad_values_are_refused_with_a_list(portal, app, kind, name, sent, code, words):
    """The list is JSON inside the message; the codes are outside too."""
    with pytest.raises(HubSpotError) as caught:
        portal.create_one(
            app, kind, {"properties": {"name": "Acme", name: sent} if kind == "companies" else {name: sent}}
        )
    error = caught.value
    assert (error.status, error.category) == (400, "VALIDATION_ERROR")
    head, _, tail = error.message.partition(": ")
    assert head == "Property values were not valid"
    problem = json.loads(tail)[0]
    assert (problem["isValid"], problem["error"], problem["name"]) == (False, code, name)
    assert problem["portalId"] == portal.id
    assert words in problem["message"]
    assert [(one["code"], one["context"]) for one in error.errors] == [(code, {"propertyName": [name]})]


def test_all_bad_values_are_told_at_once(portal, app, ids):
    """And nothing is changed."""
    deal = ids("deals", 1)[0]
    before = portal.get("deals", deal)
    with pytest.raises(HubSpotError) as caught:
        portal.update_one(app, "deals", deal, {"dealname": "new", "amount": "x", "nonsense": "1"})
    assert [one["code"] for one in caught.value.errors] == ["INVALID_INTEGER", "PROPERTY_DOESNT_EXIST"]
    assert portal.get("deals", deal) == before


def test_dates_must_be_midnights(portal, app):
    """In UTC."""
    portal.create_property(app, "companies", _property("until", "date", "date"))
    with pytest.raises(HubSpotError, match=r"1519900200000 is at 10:30:0\.0 UTC, not midnight!"):
        portal.create_one(app, "companies", {"properties": {"name": "Acme", "until": 1519900200000}})


def test_an_empty_text_clears(portal, app, make, value):
    """And null leaves alone."""
    company = make("companies", name="Acme", phone="1", city="Lund")
    portal.update_one(app, "companies", company, {"phone": "", "city": None})
    assert (value("companies", company, "phone"), value("companies", company, "city")) == (None, "Lund")


def test_choices_are_added_with_a_semicolon_before_them(portal, app, make, value):
    """Without one they replace what is there."""
    options = [{"label": word, "value": word} for word in "abc"]
    body = _property("kinds", "enumeration", "checkbox") | {"options": options}
    portal.create_property(app, "companies", body)
    company = make("companies", name="Acme", kinds="a;b")
    portal.update_one(app, "companies", company, {"kinds": ";c"})
    assert value("companies", company, "kinds") == "a;b;c"
    portal.update_one(app, "companies", company, {"kinds": ";a"})
    assert value("companies", company, "kinds") == "a;b;c"
    portal.update_one(app, "companies", company, {"kinds": "b"})
    assert value("companies", company, "kinds") == "b"
    with pytest.raises(HubSpotError, match="d was not one of the allowed options"):
        portal.update_one(app, "companies", company, {"kinds": ";d"})


def test_lifecycle_stages_only_go_forward(portal, app, make, value):
    """A step back is passed over in silence; cleared first, it is taken."""
    company = make("companies", name="Acme", lifecyclestage="customer")
    portal.update_one(app, "companies", company, {"lifecyclestage": "lead"})
    assert value("companies", company, "lifecyclestage") == "customer"
    portal.update_one(app, "companies", company, {"lifecyclestage": ""})
    portal.update_one(app, "companies", company, {"lifecyclestage": "lead"})
    assert value("companies", company, "lifecyclestage") == "lead"


def test_tasks_pass_over_what_they_do_not_know(portal, app, make, value):
    """Unknown and read-only properties; bad values are still refused."""
    task = make("tasks", hs_timestamp="2018-01-02", nonsense="1", hs_createdate="2000-01-01")
    assert value("tasks", task, "hs_createdate") == "2018-01-01T12:00:00Z"
    portal.update_one(app, "tasks", task, {"nonsense": "1", "hs_task_status": "COMPLETED"})
    assert value("tasks", task, "hs_task_status") == "COMPLETED"
    with pytest.raises(HubSpotError, match="INVALID_OPTION"):
        portal.update_one(app, "tasks", task, {"hs_task_status": "DONE"})


def test_a_property_may_suddenly_be_read_only(portal, app, hands, ids):
    """It says so in its definition too."""
    hands.read_only = frozenset({"phone"})
    with pytest.raises(HubSpotError, match="READ_ONLY_VALUE"):
        portal.update_one(app, "companies", ids("companies", 1)[0], {"phone": "1"})
    assert portal.property("companies", "phone")["modificationMetadata"]["readOnlyValue"] is True


def _property(name: str, kind: str, shown: str) -> dict:
    return {"name": name, "label": name, "type": kind, "fieldType": shown, "groupName": "companyinformation"}
