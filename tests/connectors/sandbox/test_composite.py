"""Many records or calls in one: collections, upserts, composite, batch, graph and tree."""

from __future__ import annotations

import pytest

from connectors.sandbox.salesforce.schema import Field
from tests.connectors.sandbox.conftest import add_field

CLOSE = {"StageName": "Prospecting", "CloseDate": "2031-01-31"}
PREFIX = "/services/data/v62.0"


def accounts(*rows):
    """Rows as collections want them."""
    return [{"attributes": {"type": "Account"}, **row} for row in rows]


def count(api, name):
    """How many accounts have this name."""
    return api.get("query", params={"q": f"SELECT COUNT() FROM Account WHERE Name = '{name}'"}).json()[
        "totalSize"
    ]


def ids(api, object_name="Account", limit=3):
    """Some ids."""
    records = api.get("query", params={"q": f"SELECT Id FROM {object_name} LIMIT {limit}"}).json()["records"]
    return [record["Id"] for record in records]


@pytest.fixture
def key_field(sandbox):
    """An external id on accounts."""
    field = Field("Key__c", "Key", "string", length=80, custom=True, external_id=True, id_lookup=True)
    add_field(sandbox, "Account", field)


class TestCollections:
    """Up to 200 records, each with its own outcome."""

    def test_outcomes_come_in_order_and_one_bad_record_hurts_no_other(self, api):
        """HTTP 200; success, then statusCode where it failed."""
        rows = accounts({"Name": "Good"}, {"Industry": "Retail"}, {"Name": "Good too"})

        outcomes = api.post("composite/sobjects", json={"allOrNone": False, "records": rows}).json()

        assert [one["success"] for one in outcomes] == [True, False, True]
        assert outcomes[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
        assert "id" not in outcomes[1]

    def test_all_or_none_keeps_none_across_objects(self, sandbox, api):
        """A bad opportunity takes the accounts of the same call with it, and the journal shows no write."""
        rows = [
            *accounts({"Name": "Undone"}),
            {"attributes": {"type": "Opportunity"}, "Name": "No stage"},
        ]
        since = sandbox.journal.position

        outcomes = api.post("composite/sobjects", json={"allOrNone": True, "records": rows}).json()

        assert outcomes[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
        assert outcomes[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
        assert count(api, "Undone") == 0
        assert sandbox.journal.writes(since) == []

    def test_200_records_are_one_call_and_201_are_refused(self, sandbox, api):
        """The allowance is charged once for a full collection."""
        rows = accounts(*({"Name": f"Bulk {place}"} for place in range(201)))
        used = sandbox.limits.used

        full = api.post("composite/sobjects", json={"records": rows[:200]})

        assert sandbox.limits.used == used + 1
        assert all(one["success"] for one in full.json())
        assert (
            api.post("composite/sobjects", json={"records": rows}).json()[0]["errorCode"]
            == "EXCEEDED_ID_LIMIT"
        )

    def test_too_many_runs_of_types_are_refused(self, api):
        """Eleven changes of type are one too many, ten are not."""
        mixed = [
            {
                "attributes": {"type": "Account" if place % 2 else "Opportunity"},
                "Name": "x",
                **({} if place % 2 else CLOSE),
            }
            for place in range(11)
        ]

        assert api.post("composite/sobjects", json={"records": mixed}).status_code == 400
        assert api.post("composite/sobjects", json={"records": mixed[:10]}).status_code == 200

    def test_records_are_changed_read_and_deleted_by_id(self, api):
        """PATCH with id, GET and POST retrieve with null for unknown ids, DELETE by a list."""
        found = ids(api)
        changed = api.patch(
            "composite/sobjects", json={"records": accounts(*({"id": one, "Name": "New"} for one in found))}
        )
        assert [one["id"] for one in changed.json()] == found

        body = {"ids": [*found, "001000000000000AAA"], "fields": ["Name"]}
        by_post = api.post("composite/sobjects/Account", json=body).json()
        by_get = api.get(
            "composite/sobjects/Account", params={"ids": ",".join(body["ids"]), "fields": "Name"}
        ).json()
        assert by_post == by_get
        assert [one and one["Name"] for one in by_post] == ["New", "New", "New", None]

        gone = api.delete("composite/sobjects", params={"ids": ",".join(found), "allOrNone": "true"}).json()
        assert all(one["success"] for one in gone)
        assert count(api, "New") == 0

    def test_upserts_say_what_was_created(self, api, key_field):
        """By an external id, with `created` on each outcome."""
        rows = accounts({"Key__c": "k1", "Name": "One"})
        first = api.patch("composite/sobjects/Account/Key__c", json={"records": rows}).json()
        second = api.patch("composite/sobjects/Account/Key__c", json={"records": rows}).json()

        assert (first[0]["created"], second[0]["created"]) == (True, False)
        assert first[0]["id"] == second[0]["id"]


class TestUpsert:
    """A single record by its external id."""

    def test_created_changed_and_ambiguous(self, api, key_field):
        """201, then 200 with a body, 204 in old versions, and 300 with the addresses of two."""
        path = "sobjects/Account/Key__c/a%2Fb%20c"
        replies = [api.patch(path, json={"Name": name}) for name in ("One", "Two")]
        assert [(one.status_code, one.json()["created"]) for one in replies] == [(201, True), (200, False)]
        assert api.get(path).json()["Key__c"] == "a/b c"
        assert api.patch(f"/services/data/v45.0/{path}", json={"Name": "Three"}).status_code == 204
        api.post("sobjects/Account", json={"Name": "Twin", "Key__c": "a/b c"})

        twice = api.patch(path, json={"Name": "Four"})

        assert twice.status_code == 300
        assert [one.startswith(f"{PREFIX}/sobjects/Account/001") for one in twice.json()] == [True, True]

    def test_the_key_may_not_stand_in_the_body(self, api, key_field):
        """It is in the address already."""
        reply = api.patch("sobjects/Account/Key__c/k", json={"Name": "x", "Key__c": "other"})

        assert reply.json()[0]["errorCode"] == "INVALID_FIELD"

    def test_records_are_read_and_deleted_by_key(self, api, key_field):
        """And 404 once they are gone."""
        api.patch("sobjects/Account/Key__c/k'1", json={"Name": "Quoted"})
        assert api.get("sobjects/Account/Key__c/k'1").json()["Name"] == "Quoted"
        assert api.delete("sobjects/Account/Key__c/k'1").status_code == 204
        assert api.get("sobjects/Account/Key__c/k'1").status_code == 404
        assert api.get("sobjects/Account/Nothing__c/k").status_code == 404


def composite(api, *requests, **options):
    """POST /composite."""
    body = {
        "compositeRequest": [
            dict(zip(("method", "url", "referenceId", "body"), one, strict=False)) for one in requests
        ]
    }
    return api.post("composite", json={**body, **options}).json()["compositeResponse"]


class TestComposite:
    """Calls in one call."""

    def test_later_calls_use_what_earlier_ones_returned(self, sandbox, api):
        """In addresses and in bodies; the whole costs one call."""
        used = sandbox.limits.used

        replies = composite(
            api,
            ("POST", f"{PREFIX}/sobjects/Account", "made", {"Name": "Referred"}),
            (
                "POST",
                f"{PREFIX}/sobjects/Opportunity",
                "deal",
                {"Name": "Deal", "AccountId": "@{made.id}", **CLOSE},
            ),
            (
                "GET",
                f"{PREFIX}/query?q=SELECT+Name,Account.Name+FROM+Opportunity+WHERE+Id='@{{deal.id}}'",
                "read",
            ),
            ("GET", f"{PREFIX}/sobjects/Account/@{{read.records[0].Account.attributes.nothing}}", "wrong"),
        )

        assert [one["httpStatusCode"] for one in replies] == [201, 201, 200, 400]
        assert replies[2]["body"]["records"][0]["Account"]["Name"] == "Referred"
        assert replies[3]["body"][0]["errorCode"] == "PROCESSING_HALTED"
        assert replies[0]["httpHeaders"]["Location"].endswith(replies[0]["body"]["id"])
        assert sandbox.limits.used == used + 1

    @pytest.mark.parametrize(("all_or_none", "left"), [(True, 0), (False, 1)])
    def test_all_or_none_undoes_what_went_before(self, api, all_or_none, left):
        """With it nothing stays, and the others say that they were rolled back."""
        replies = composite(
            api,
            ("POST", f"{PREFIX}/sobjects/Account", "good", {"Name": "Perhaps"}),
            ("POST", f"{PREFIX}/sobjects/Account", "bad", {}),
            allOrNone=all_or_none,
        )

        assert count(api, "Perhaps") == left
        assert replies[1]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
        assert (replies[0]["httpStatusCode"] == 400) == all_or_none

    def test_a_record_that_may_fail_alone_does_not_undo_the_whole(self, api):
        """A collection without allOrNone answers 200 although one record fails, so the composite stands."""
        rows = {"records": accounts({"Name": "Stands"}, {"Industry": "Retail"})}

        replies = composite(api, ("POST", f"{PREFIX}/composite/sobjects", "rows", rows), allOrNone=True)

        assert [one["success"] for one in replies[0]["body"]] == [True, False]
        assert count(api, "Stands") == 1

    def test_graphs_stand_or_fall_one_by_one(self, api):
        """A good graph stays although another fails."""

        def graph(name, body):
            call = {"method": "POST", "url": f"{PREFIX}/sobjects/Account", "referenceId": "one", "body": body}
            return {"graphId": name, "compositeRequest": [call]}

        graphs = [graph("good", {"Name": "Graphed"}), graph("bad", {})]
        answers = api.post("composite/graph", json={"graphs": graphs}).json()["graphs"]

        assert {one["graphId"]: one["isSuccessful"] for one in answers} == {"good": True, "bad": False}
        assert count(api, "Graphed") == 1

    def test_batches_run_all_unless_halted(self, api):
        """With or without the leading path; each with its own status."""
        calls = [
            {"method": "GET", "url": "v62.0/sobjects/Nothing/describe"},
            {"method": "GET", "url": "/services/data/v62.0/sobjects/Account/describe"},
            {
                "method": "PATCH",
                "url": f"v62.0/sobjects/Account/{ids(api)[0]}",
                "richInput": {"Name": "Batched"},
            },
        ]

        whole = api.post("composite/batch", json={"batchRequests": calls}).json()
        halted = api.post("composite/batch", json={"batchRequests": calls, "haltOnError": True}).json()

        assert whole["hasErrors"] is True
        assert [one["statusCode"] for one in whole["results"]] == [404, 200, 204]
        assert [one["statusCode"] for one in halted["results"]] == [404, 412, 412]
        assert count(api, "Batched") == 1

    @pytest.mark.parametrize("path", ["composite", "composite/batch"])
    def test_more_than_25_calls_are_refused(self, api, path):
        """The limit is the CRM's."""
        calls = [
            {"method": "GET", "url": f"{PREFIX}/limits", "referenceId": f"r{place}"} for place in range(26)
        ]

        reply = api.post(path, json={"compositeRequest": calls, "batchRequests": calls})

        assert reply.json()[0]["errorCode"] == "LIMIT_EXCEEDED"


class TestTree:
    """New records with their children."""

    def tree(self, **deal):
        """An account with an opportunity."""
        child = {"attributes": {"type": "Opportunity", "referenceId": "deal"}, "Name": "Child", **deal}
        root = {"attributes": {"type": "Account", "referenceId": "root"}, "Name": "Planted"}
        return {"records": [{**root, "Opportunities": {"records": [child]}}]}

    def test_children_point_to_their_parents(self, api):
        """201, with an id for each reference."""
        reply = api.post("composite/tree/Account", json=self.tree(**CLOSE))

        made = {one["referenceId"]: one["id"] for one in reply.json()["results"]}
        assert reply.status_code == 201
        assert api.get(f"sobjects/Opportunity/{made['deal']}").json()["AccountId"] == made["root"]

    def test_a_bad_child_leaves_nothing(self, api):
        """400 with the reference that failed."""
        reply = api.post("composite/tree/Account", json=self.tree())

        assert reply.status_code == 400
        assert reply.json()["results"][0]["referenceId"] == "deal"
        assert count(api, "Planted") == 0
