"""Paths: numbered and dated families lead to the same handlers, and what is nowhere is refused in HubSpot's way."""

from __future__ import annotations

import gzip
import uuid

import pytest

from connectors.sandbox.hubspot.addresses import Address, address


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/crm/v3/objects/deals/1", Address("objects", "v3", "/deals/1")),
        ("/crm/objects/2026-09/0-3/batch/read", Address("objects", "2026-09", "/0-3/batch/read")),
        ("/crm/v4/associations/a/b/labels", Address("associations", "v4", "/a/b/labels")),
        ("/crm/v4/associations/definitions/configurations/all", Address("definitions", "v4", "/all")),
        ("/crm/associations/v4/definitions/configurations/a/b", Address("definitions", "v4", "/a/b")),
        ("/crm/v3/objectsets", Address("legacy", "old", "/crm/v3/objectsets")),
    ],
)
def test_a_path_is_kind_version_and_rest(path, expected):
    """The longest prefix counts, and only whole segments."""
    assert address(path) == expected


@pytest.mark.parametrize(
    ("numbered", "dated"),
    [
        ("/crm/v3/objects/companies", "/crm/objects/{}/companies"),
        ("/crm/v3/properties/deals", "/crm/properties/{}/deals"),
        ("/crm/v3/properties/deals/groups", "/crm/properties/{}/deals/groups"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/{}/deals"),
        ("/crm/v3/owners", "/crm/owners/{}"),
        ("/crm/v3/property-validations/0-3", "/crm/property-validations/{}/0-3"),
        ("/crm/v3/limits/custom-properties", "/crm/limits/{}/custom-properties"),
        ("/crm/v4/associations/deals/companies/labels", "/crm/associations/{}/deals/companies/labels"),
        ("/account-info/v3/details", "/account-info/{}/details"),
        ("/settings/v3/users/teams", "/settings/users/{}/teams"),
    ],
)
@pytest.mark.parametrize("date", ["2026-03", "2026-09"])
def test_both_families_answer_alike(api, numbered, dated, date):
    """One store, one handler: only links differ, which follow the path that was asked."""
    old, new = api.get(numbered), api.get(dated.format(date))

    assert old.status_code == new.status_code == 200
    bodies = [reply.json() for reply in (old, new)]
    for body in bodies:
        body.pop("paging", None)
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("name", ["companies", "company", "COMPANY", "0-2", "p_company", "Companies"])
def test_a_type_has_many_names(api, name):
    """Plural, singular, type id and old names, in any case."""
    expected = [record["id"] for record in api.objects("companies")["results"]]

    assert [record["id"] for record in api.objects(name)["results"]] == expected


def test_a_trailing_slash_changes_nothing(api):
    """As the Python client writes some addresses."""
    assert api.get("/crm/v3/owners/").json() == api.get("/crm/v3/owners").json()


@pytest.mark.parametrize(
    "path", ["/crm/v3/nothing", "/crm/v9/objects/deals", "/crm/objects/2031-03/deals", "/crm/v3/objects"]
)
def test_an_address_where_nothing_is(api, path):
    """404 in JSON."""
    reply = api.get(path)

    assert (reply.status_code, reply.json()["message"]) == (404, "resource not found")
    uuid.UUID(reply.json()["correlationId"])


def test_a_method_that_is_not_there(api):
    """405 without a body; `Allow` tells those that are."""
    reply = api.put("/crm/v3/objects/deals", json={})

    assert (reply.status_code, reply.content) == (405, b"")
    assert reply.headers["Allow"] == "GET,POST,OPTIONS"


def test_an_address_that_is_too_long(api):
    """414 with the page of the server in front, which knows neither JSON nor tokens."""
    reply = api.get("/crm/v3/objects/companies", params={"properties": "x" * 16_000})

    assert reply.status_code == 414
    assert "414 Request-URI Too Large" in reply.text
    assert reply.headers["Content-Type"].startswith("text/html")
    assert api.get("/crm/v3/objects/companies", params={"properties": "x" * 15_900}).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"inputs": [', "application/json", 400),
        (b"", "application/json", 400),
        (b'{"inputs": NaN}', "application/json", 400),
        (b'{"inputs": ["\xff"]}', "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"inputs": {"id": 1}}', "application/json", 400),
        (b'{"inputs": ["1"]}', "application/json", 400),
        (b'{"input": []}', "application/json", 400),
        (b'{"inputs": []}', "text/plain", 415),
        (b"inputs=1", "application/x-www-form-urlencoded", 415),
        (b'{"inputs": [{"id": "1"}]}', "application/json; charset=utf-8", 207),
    ],
)
def test_bodies_that_cannot_be_read(api, body, kind, status):
    """400 for what is no JSON or of another shape, 415 for another type; a charset does not matter."""
    reply = api.post("/crm/v3/objects/companies/batch/read", data=body, headers={"Content-Type": kind})

    assert reply.status_code == status, reply.text
    if status == 400:
        assert reply.json()["message"].startswith("Invalid input JSON on line ")


def test_a_body_may_be_packed(api):
    """Gzip is read; what only says so is refused."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    path = "/crm/v3/objects/companies/search"

    assert api.post(path, data=gzip.compress(b"{}"), headers=headers).json()["total"] == 40
    assert api.post(path, data=b"{}", headers=headers).status_code == 400
