"""What the portal tells of itself: properties and groups, pipelines, owners, teams, details, limits."""

from __future__ import annotations

import pytest

GROUP = {"name": "foretag", "label": "Foretag", "displayOrder": -1}
SCORE = {
    "name": "foretag_score",
    "label": "Score",
    "groupName": "foretag",
    "type": "number",
    "fieldType": "number",
}


class TestProperties:
    """Properties and their groups."""

    @pytest.mark.parametrize("base", ["/crm/v3/properties/deals", "/crm/properties/2026-03/0-3"])
    def test_the_life_of_a_property(self, api, base):
        """201, 200, 204; among the archived then, and a second of the same name is 409."""
        assert api.post(f"{base}/groups", json=GROUP).status_code == 201
        assert api.post(base, json=SCORE).status_code == 201
        assert api.post(base, json=SCORE).status_code == 409
        assert api.post(f"{base}/groups", json=GROUP).status_code == 409
        assert api.patch(f"{base}/foretag_score", json={"label": "Points"}).json()["label"] == "Points"
        assert api.get(f"{base}/foretag_score").json()["groupName"] == "foretag"
        assert api.delete(f"{base}/foretag_score").status_code == 204

        assert api.get(f"{base}/foretag_score").status_code == 404
        living = {one["name"] for one in api.get(base).json()["results"]}
        archived = {one["name"] for one in api.get(base, params={"archived": "True"}).json()["results"]}
        assert "foretag_score" in archived - living

    def test_batches(self, api):
        """201, 200 or 207, 204."""
        base = "/crm/v3/properties/companies"
        api.post(f"{base}/groups", json=GROUP)
        inputs = [SCORE, {**SCORE, "name": "foretag_growth_score"}]

        made = api.post(f"{base}/batch/create", json={"inputs": inputs})
        names = {"inputs": [{"name": one["name"]} for one in inputs], "archived": False}
        read = api.post(f"{base}/batch/read", json=names)
        missing = api.post(f"{base}/batch/read", json={"inputs": [{"name": "no_such"}], "archived": False})
        gone = api.post(f"{base}/batch/archive", json=names)

        assert [reply.status_code for reply in (made, read, missing, gone)] == [201, 200, 207, 204]
        assert [one["name"] for one in read.json()["results"]] == ["foretag_score", "foretag_growth_score"]
        assert missing.json()["numErrors"] == 1

    def test_sensitive_ones_are_apart(self, api):
        """There are none, and asking for them gives none."""
        path = "/crm/v3/properties/companies"

        assert api.get(path, params={"dataSensitivity": "sensitive"}).json() == {"results": []}
        assert api.get(path, params={"dataSensitivity": "non_sensitive"}).json()["results"]

    def test_groups(self, api):
        """Listed, changed and archived."""
        base = "/crm/v3/properties/companies/groups"
        api.post(base, json=GROUP)

        assert "foretag" in {one["name"] for one in api.get(base).json()["results"]}
        assert api.patch(f"{base}/foretag", json={"label": "Priorities"}).json()["label"] == "Priorities"
        assert api.get(f"{base}/foretag").json()["label"] == "Priorities"
        assert api.delete(f"{base}/foretag").status_code == 204
        assert api.get(f"{base}/foretag").status_code == 404

    def test_no_property_has_rules(self, api):
        """An empty list; 404 for a property that does not exist."""
        assert api.get("/crm/v3/property-validations/0-2").json() == {"results": []}
        assert api.get("/crm/v3/property-validations/0-2/name").json() == {"results": []}
        assert api.get("/crm/v3/property-validations/0-2/no_such").status_code == 404


class TestPipelines:
    """Pipelines and stages."""

    def test_metadata_are_texts(self, api):
        """Won by probability 1.0, lost by 0.0 and closed."""
        (first, *_) = api.get("/crm/v3/pipelines/deals").json()["results"]
        stages = {stage["id"]: stage["metadata"] for stage in first["stages"]}

        assert api.get(f"/crm/v3/pipelines/deals/{first['id']}").json() == first
        assert {"isClosed": "true", "probability": "1.0"} in stages.values()
        listed = api.get(f"/crm/v3/pipelines/deals/{first['id']}/stages").json()["results"]
        assert {stage["id"] for stage in listed} == set(stages)

    def test_one_can_be_made_and_changed(self, api):
        """201, 200, 204, with its stages."""
        stage = {"label": "New", "displayOrder": 0, "metadata": {"probability": "0.2"}}
        body = {"label": "Partners", "displayOrder": 1, "stages": [stage]}

        made = api.post("/crm/v3/pipelines/deals", json=body)
        path = f"/crm/v3/pipelines/deals/{made.json()['id']}"
        changed = api.patch(path, json={"label": "Resellers"})
        more = api.post(f"{path}/stages", json={**stage, "label": "Later", "displayOrder": 1})
        one = api.patch(f"{path}/stages/{more.json()['id']}", json={"label": "Much later"})

        assert [reply.status_code for reply in (made, changed, more, one)] == [201, 200, 201, 200]
        assert api.get(f"{path}/stages/{more.json()['id']}").json()["label"] == "Much later"
        assert api.delete(f"{path}/stages/{more.json()['id']}").status_code == 204
        assert api.get(f"{path}/stages/{more.json()['id']}").status_code == 404
        assert api.delete(path).status_code == 204


class TestPeople:
    """Owners, users, teams."""

    def test_owners_page_by_page(self, api):
        """With links; every one once."""
        page = api.get("/crm/v3/owners/", params={"limit": 2}).json()
        seen = [one["id"] for one in page["results"]]
        while "paging" in page:
            page = api.get(page["paging"]["next"]["link"]).json()
            seen += [one["id"] for one in page["results"]]

        assert seen == [one["id"] for one in api.get("/crm/v3/owners?limit=500").json()["results"]]
        assert len(seen) == len(set(seen)) > 2

    def test_archived_owners_only_when_asked_for(self, sandbox, api):
        """They have no user id any more."""
        owner = api.get("/crm/v3/owners").json()["results"][0]
        sandbox.portal.archive_owner(owner["id"])

        living = api.get("/crm/v3/owners").json()["results"]
        archived = api.get("/crm/v3/owners?archived=true").json()["results"]

        assert owner["id"] not in {one["id"] for one in living}
        assert [one["userId"] for one in archived if one["id"] == owner["id"]] == [None]

    def test_one_owner(self, api):
        """By owner id, by user id, by e-mail."""
        owner = api.get("/crm/v3/owners").json()["results"][0]

        assert api.get(f"/crm/v3/owners/{owner['id']}").json() == owner
        assert api.get(f"/crm/v3/owners/{owner['userId']}?idProperty=userId").json() == owner
        assert api.get("/crm/v3/owners", params={"email": owner["email"]}).json()["results"] == [owner]
        assert api.get("/crm/v3/owners/1").status_code == 404

    def test_teams_and_users(self, api):
        """A team's users are owners' users."""
        users = {one["id"] for one in api.get("/settings/v3/users").json()["results"]}

        for team in api.get("/settings/v3/users/teams").json()["results"]:
            assert {str(one) for one in team["userIds"]} <= users
        assert api.get(f"/settings/v3/users/{min(users)}").json()["id"] == min(users)
        assert api.get("/settings/v3/users/0").status_code == 404


def test_details_tell_what_kind_of_account_it_is(make_sandbox, plain_client):
    """A sandbox, unless it plays production; with zone and currency."""
    for production, kind in ((False, "SANDBOX"), (True, "STANDARD")):
        sandbox = make_sandbox(crm="hubspot", production=production, timezone="Europe/Berlin")
        with plain_client(sandbox, sandbox.credentials.worker.token) as client:
            details = client.get("/account-info/v3/details").json()
        assert (details["portalId"], details["accountType"]) == (sandbox.portal.id, kind)
        assert (details["timeZone"], details["companyCurrency"]) == ("Europe/Berlin", sandbox.portal.currency)


class TestLimits:
    """How much is used of what there may be."""

    def test_of_properties(self, api):
        """By type and in all; a new one counts."""
        before = api.get("/crm/v3/limits/custom-properties").json()
        api.post("/crm/v3/properties/companies/groups", json=GROUP)
        api.post("/crm/v3/properties/companies", json=SCORE)
        after = api.get("/crm/limits/2026-03/custom-properties").json()

        def companies(told):
            return next(one["usage"] for one in told["byObjectType"] if one["objectTypeId"] == "0-2")

        assert companies(after) == companies(before) + 1
        assert after["overallUsage"] == before["overallUsage"] + 1
        assert after["overallLimit"] >= 1_000

    def test_of_records_pipelines_and_labels(self, api):
        """What lists tell."""
        records = api.get("/crm/v3/limits/records").json()["hubspotDefinedObjectTypes"]
        pipelines = api.get("/crm/v3/limits/pipelines").json()["hubspotDefinedObjectTypes"]
        body = {"label": "Reseller", "name": "reseller"}
        made = api.post("/crm/v4/associations/deals/companies/labels", json=body)
        labels = api.get("/crm/v3/limits/associations/labels").json()["results"]

        assert {one["objectTypeId"]: one["usage"] for one in records}["0-2"] == 40
        deals = api.get("/crm/v3/pipelines/deals").json()["results"]
        assert {one["objectTypeId"]: one["usage"] for one in pipelines}["0-3"] == len(deals)
        assert made.json()["results"][0]["category"] == "USER_DEFINED"
        ways = {
            (one["fromObjectType"]["objectTypeId"], one["toObjectType"]["objectTypeId"]) for one in labels
        }
        assert ways == {("0-2", "0-3"), ("0-3", "0-2")}
        assert [(one["usage"], one["allLabels"]) for one in labels] == [(1, ["Reseller"])] * 2

    def test_of_what_nothing_comes_near(self, api):
        """Custom types, calculated properties, associations of one record."""
        assert api.get("/crm/v3/limits/custom-object-types").json()["usage"] == 0
        assert api.get("/crm/v3/limits/calculated-properties").json()["overallUsage"] == 0
        assert api.get("/crm/v3/limits/associations/records/from").json() == {"results": []}
        assert api.get("/crm/v3/limits/associations/records/0-2/to").json() == {"results": []}
        assert api.get("/crm/v3/limits/associations/records/0-2/0-3").json()["totalRecordsAtLimit"] == 0
