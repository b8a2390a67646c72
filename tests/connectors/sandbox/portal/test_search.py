"""Search: what filters let through, in which order, how far, and how late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.sandbox.hubspot.errors import HubSpotError


def _by(name: str, operator: str, **operand: object) -> dict:
    return {
        "filterGroups": [{"filters": [{"propertyName": name, "operator": operator, **operand}]}],
        "limit": 200,
    }


def _names(portal, body) -> set[str]:
    found = portal.search("companies", {**body, "properties": ["name"]})
    return {one["properties"]["name"] for one in found.results}


@pytest.fixture
def zetas(make):
    """Three companies of which some things are known."""
    make(
        "companies",
        name="Zeta One",
        numberofemployees="9",
        phone="+46 1",
        type="PROSPECT",
        hs_is_target_account="true",
    )
    make("companies", name="Zeta Two", numberofemployees="10", phone="+46 2", type="PARTNER")
    make("companies", name="Zeta Three", type="VENDOR")


FOUND = [
    ("numberofemployees", "EQ", {"value": "9.0"}, {"Zeta One"}),
    ("numberofemployees", "GT", {"value": 9}, {"Zeta Two"}),
    ("numberofemployees", "GTE", {"value": "9"}, {"Zeta One", "Zeta Two"}),
    ("numberofemployees", "LT", {"value": "10"}, {"Zeta One"}),
    ("numberofemployees", "LTE", {"value": "10"}, {"Zeta One", "Zeta Two"}),
    ("numberofemployees", "BETWEEN", {"value": "9.5", "highValue": "10"}, {"Zeta Two"}),
    ("numberofemployees", "NEQ", {"value": "9"}, {"Zeta Two"}),
    ("numberofemployees", "IN", {"values": ["9", 77]}, {"Zeta One"}),
    ("numberofemployees", "NOT_IN", {"values": ["9", "77"]}, {"Zeta Two"}),
    ("numberofemployees", "HAS_PROPERTY", {}, {"Zeta One", "Zeta Two"}),
    ("numberofemployees", "NOT_HAS_PROPERTY", {}, {"Zeta Three"}),
    ("name", "EQ", {"value": "ZETA ONE"}, {"Zeta One"}),
    ("name", "IN", {"values": ["zeta one", "Zeta Two"]}, {"Zeta One"}),
    ("name", "CONTAINS_TOKEN", {"value": "zeta t*"}, {"Zeta Two", "Zeta Three"}),
    ("name", "CONTAINS_TOKEN", {"value": "zet"}, set()),
    ("name", "NOT_CONTAINS_TOKEN", {"value": "one"}, {"Zeta Two", "Zeta Three"}),
    ("type", "EQ", {"value": "PARTNER"}, {"Zeta Two"}),
    ("type", "EQ", {"value": "partner"}, set()),
    ("type", "IN", {"values": ["PARTNER", "VENDOR"]}, {"Zeta Two", "Zeta Three"}),
    ("hs_is_target_account", "EQ", {"value": True}, {"Zeta One"}),
    ("createdate", "GTE", {"value": "2018-01-01T12:00:00.000Z"}, {"Zeta One", "Zeta Two", "Zeta Three"}),
    ("createdate", "GT", {"value": 1514808000000}, set()),
    ("num_associated_deals", "EQ", {"value": "0"}, {"Zeta One", "Zeta Two", "Zeta Three"}),
]


@pytest.mark.parametrize(
    ("name", "operator", "operand", "found"), FOUND, ids=[f"{row[0]}-{row[1]}-{row[2]}" for row in FOUND]
)
@pytest.mark.usefixtures("zetas")
def test_operators(portal, name, operator, operand, found):
    """Cases do not matter, except for enumerations; lists of texts are compared in lower case."""
    only = {"propertyName": "name", "operator": "CONTAINS_TOKEN", "value": "zeta"}
    body = _by(name, operator, **operand)
    body["filterGroups"][0]["filters"].append(only)
    assert _names(portal, body) == found


@pytest.mark.usefixtures("zetas")
def test_groups_are_alternatives(portal):
    """Each record is found once, and filters without a group are a group."""
    one = {"filters": [{"propertyName": "name", "operator": "EQ", "value": "zeta one"}]}
    two = {"filters": [{"propertyName": "numberofemployees", "operator": "BETWEEN", "value": 9, "highValue": 10},
                       {"propertyName": "name", "operator": "CONTAINS_TOKEN", "value": "Zeta"}]}  # fmt: skip
    assert _names(portal, {"filterGroups": [one, two]}) == {"Zeta One", "Zeta Two"}
    assert portal.search("companies", {"filterGroups": [one, two]}).total == 2
    assert _names(portal, {"filters": two["filters"]}) == {"Zeta One", "Zeta Two"}


def test_records_are_found_by_what_they_are_associated_with(portal, dataset):
    """By the pseudo-property of the other type."""
    link = dataset.links[0]
    company = link.to_ids[0]
    wanted = {str(deal) for deal, other in zip(link.from_ids, link.to_ids, strict=True) if other == company}
    found = portal.search("deals", _by("associations.company", "EQ", value=str(company)))
    assert found.total == len(wanted)
    assert {one["id"] for one in found.results} <= wanted


def test_pages_and_their_end(portal):
    """`total` counts all; the last page leads nowhere."""
    first = portal.search("companies", {"limit": 50, "sorts": ["hs_object_id"]})
    last = portal.search("companies", {"limit": 50, "after": first.after, "sorts": ["hs_object_id"]})
    assert (first.total, first.after, len(first.results)) == (85, "50", 50)
    assert (last.total, last.after, len(last.results)) == (85, None, 35)
    assert len({one["id"] for one in first.results + last.results}) == 85
    assert len(portal.search("companies", {}).results) == 10


@pytest.mark.parametrize(
    ("sorts", "ascending"),
    [
        (["hs_object_id"], True),
        (["-hs_object_id"], False),
        ([{"propertyName": "hs_object_id", "direction": "DESCENDING"}], False),
        ([{"propertyName": "hs_object_id", "direction": "ASCENDING"}], True),
    ],
)
def test_sorts_by_id(portal, sorts, ascending):
    """In the ways that clients write it."""
    ids = [int(one["id"]) for one in portal.search("companies", {"sorts": sorts, "limit": 200}).results]
    assert ids == sorted(ids, reverse=not ascending)


def test_sorts_by_value(portal):
    """Numbers as numbers, and records without a value last."""
    body = {"sorts": ["-numberofemployees"], "properties": ["numberofemployees"], "limit": 200}
    values = [one["properties"]["numberofemployees"] for one in portal.search("companies", body).results]
    known = [float(one) for one in values if one is not None]
    assert known == sorted(known, reverse=True)
    assert None not in values[: len(known)]


def test_without_a_sort_the_oldest_come_first(portal):
    """By when they were made."""
    found = portal.search("deals", {"limit": 200}).results
    assert [one["createdAt"] for one in found] == sorted(one["createdAt"] for one in found)


def test_windows_of_stamps_and_ids_find_each_deal_once(portal):
    """Restarted after the last id, as one reads past the limit of results."""
    seen, last = [], 0
    while True:
        window = [
            {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "2017-06-01T00:00:00Z"},
            {"propertyName": "hs_lastmodifieddate", "operator": "LT", "value": "2017-07-01T00:00:00Z"},
            {"propertyName": "hs_object_id", "operator": "GT", "value": str(last)},
        ]
        found = portal.search("deals", {"filters": window, "sorts": ["hs_object_id"], "limit": 150})
        if not found.results:
            break
        seen += [one["id"] for one in found.results]
        last = int(seen[-1])
        assert all("2017-06-01" <= one["updatedAt"] < "2017-07-01" for one in found.results)
    assert len(seen) == len(set(seen)) > 150


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}] * 7}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}] * 5}] * 4},
        {"limit": 201},
        {"limit": 0},
        {"limit": 200, "after": 9_801},
        {"after": "x"},
        {"query": "x" * 3_001},
        {"sorts": ["name", "domain"]},
        {"sorts": ["nonsense"]},
        {"filters": [{"propertyName": "nonsense", "operator": "EQ", "value": 1}]},
        {"filters": [{"propertyName": "name", "operator": "LIKE", "value": 1}]},
        {"filters": [{"propertyName": "name", "operator": "EQ"}]},
        {"filters": [{"propertyName": "name", "operator": "IN", "value": "x"}]},
        {"filters": [{"propertyName": "createdate", "operator": "BETWEEN", "value": 1}]},
        {"filters": [{"propertyName": "createdate", "operator": "GT", "value": "soon"}]},
        {"filters": [{"propertyName": "numberofemployees", "operator": "GT", "value": "ten"}]},
        {"filterGroups": {"filters": []}},
        {"filterGroups": ["x"]},
        {"filters": ["x"]},
        {"properties": "name"},
        {"filters": [{"propertyName": "associations.deal", "operator": "IN", "values": ["1"]}]},
    ],
    ids=lambda body: str(body)[:60],
)
def test_what_search_refuses(portal, body):
    """5 groups, 6 filters in each, 18 in all, 200 a page, 10,000 results, one sort."""
    with pytest.raises(HubSpotError) as caught:
        portal.search("companies", body)
    assert (caught.value.status, caught.value.category) == (400, "VALIDATION_ERROR")


def test_the_last_page_before_the_limit_is_given(portal):
    """And the one after it is not."""
    assert portal.search("deals", {"limit": 200, "after": 9_800}).total == 8_800


def test_words_are_found_where_people_look(portal, make):
    """All of them, at the beginning of words, in one of the searchable properties."""
    make("companies", name="Northern Widgets AB")
    assert _names(portal, {"query": "north wid"}) == {"Northern Widgets AB"}
    assert _names(portal, {"query": "idgets"}) == set()


def test_archived_records_are_never_found(portal, app, ids):
    """They are in lists, if asked for."""
    portal.archive(app, "companies", ids("companies", 1))
    assert portal.search("companies", {}).total == 84


def test_the_index_lags(portal, app, hands, make, ids):
    """Until then a changed record is found as it was, and a new one not at all."""
    one = ids("companies", 1)[0]
    portal.update_one(app, "companies", one, {"phone": "before"})
    hands.delay = timedelta(seconds=30)
    hands.later(minutes=1)
    portal.update_one(app, "companies", one, {"phone": "after"})
    new = make("companies", name="Zeta", phone="after")
    body = {"properties": ["phone"]}
    assert portal.search("companies", _by("phone", "EQ", value="after")).total == 0
    found = portal.search("companies", _by("phone", "EQ", value="before") | body).results
    assert [(each["id"], each["properties"]["phone"], each["updatedAt"]) for each in found] == [
        (one, "before", "2018-01-01T12:00:00Z")
    ]
    recent = _by("hs_lastmodifieddate", "GT", value="2018-01-01T12:00:30Z")
    assert portal.search("companies", recent).total == 0
    assert portal.get("companies", one, properties=["phone"])["properties"]["phone"] == "after"
    hands.later(seconds=31)
    assert {each["id"] for each in portal.search("companies", _by("phone", "EQ", value="after")).results} == {
        one,
        new,
    }
    assert portal.search("companies", recent).total == 2


def test_a_record_changed_twice_is_found_as_it_first_was(portal, app, hands, ids):
    """Until its last change has been taken in."""
    one = ids("companies", 1)[0]
    hands.delay = timedelta(seconds=30)
    portal.update_one(app, "companies", one, {"phone": "1"})
    hands.later(seconds=20)
    portal.update_one(app, "companies", one, {"phone": "2"})
    hands.later(seconds=20)
    assert portal.search("companies", _by("phone", "HAS_PROPERTY")).total == 0
    hands.later(seconds=11)
    assert portal.search("companies", _by("phone", "EQ", value="2")).total == 1
