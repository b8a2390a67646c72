"""A record's relationships have addresses of their own, and small picklist objects answer REST but not Bulk."""

from __future__ import annotations

import pytest

from tests.connectors.sandbox.callers import error

ABSENT = (
    "ScratchOrgInfo",
    "ForecastingQuota",
    "Territory2",
    "ObjectTerritory2Association",
    "UserTerritory2Association",
)


@pytest.fixture
def account(api):
    """The id of an account that has opportunities."""
    soql = "SELECT AccountId FROM Opportunity WHERE AccountId != null LIMIT 1"
    return api.get("query", params={"q": soql}).json()["records"][0]["AccountId"]


def test_the_way_to_children_lists_them_like_a_query(api, account):
    """All related records, with the fields asked for, and pages as of any query."""
    soql = f"SELECT COUNT() FROM Opportunity WHERE AccountId = '{account}'"
    count = api.get("query", params={"q": soql}).json()["totalSize"]

    reply = api.get(f"sobjects/Account/{account}/Opportunities", params={"fields": "Id,StageName"}).json()

    assert (reply["totalSize"], reply["done"], len(reply["records"])) == (count, True, count)
    assert set(reply["records"][0]) == {"attributes", "Id", "StageName"}


def test_the_way_to_a_parent_is_the_parent_itself(api, account):
    """GET reads it, PATCH changes it, in any letter case of the relationship's name."""
    owner = api.get(f"sobjects/Account/{account}/owner", params={"fields": "Name"}).json()
    assert owner["attributes"]["type"] == "User"

    assert api.patch(f"sobjects/Account/{account}/Owner", json={"Title": "Chief"}).status_code == 204

    user = owner["attributes"]["url"].rpartition("/")[2]
    assert api.get(f"sobjects/User/{user}").json()["Title"] == "Chief"


@pytest.mark.parametrize("way", ["{account}/Parent", "{account}/Nothing", "001000000000000AAA/Opportunities"])
def test_a_way_to_nothing_is_not_found(api, account, way):
    """No parent, no such relationship, no such record."""
    assert error(api.get("sobjects/Account/" + way.format(account=account))) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "truth", "values"),
    [
        ("TaskStatus", "IsClosed", {"Completed"}),
        ("TaskPriority", "IsHighPriority", {"High"}),
        ("CaseStatus", "IsClosed", {"Closed"}),
    ],
)
def test_the_values_of_a_picklist_are_records_for_rest_only(api, name, truth, values):
    """What each value means can be queried; Bulk API refuses these objects."""
    reply = api.get("query", params={"q": f"SELECT ApiName FROM {name} WHERE {truth} = true"})
    assert {row["ApiName"] for row in reply.json()["records"]} == values

    job = api.post("jobs/query", json={"operation": "query", "query": f"SELECT Id FROM {name}"})

    assert error(job) == (400, "INVALIDENTITY")
    assert job.json()[0]["message"] == f"Entity '{name}' is not supported by the Bulk API."


@pytest.mark.parametrize("name", ABSENT)
def test_objects_of_features_that_are_off_do_not_exist(api, name):
    """Forecasting and territories are not switched on: their objects are unknown to SOQL."""
    assert error(api.get("query", params={"q": f"SELECT Id FROM {name}"})) == (400, "INVALID_TYPE")
