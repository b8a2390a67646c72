"""Every fault that HubSpot is reported to have, switched on and seen from outside; each is in the journal."""

from __future__ import annotations

import pytest
import requests

from config.problems import ConfigProblem
from connectors.sandbox.faults import Faults

COMPANIES = "/crm/v3/objects/companies"


@pytest.fixture
def switch(sandbox):
    """Switch faults on."""

    def on(kind, **options):
        return sandbox.faults.add([{"kind": kind, **options}])

    return on


def journalled(sandbox):
    """The faults of the last call."""
    return sandbox.journal.requests()[-1].faults


class TestStatuses:
    """Whole calls."""

    @pytest.mark.parametrize(
        ("policy", "message", "name"),
        [
            (
                "ten_secondly_rolling",
                "You have reached your ten_secondly_rolling limit.",
                "TEN_SECONDLY_ROLLING",
            ),
            ("secondly", "You have reached your secondly limit.", "SECONDLY"),
            ("daily", "You have reached your daily limit.", "DAILY"),
        ],
    )
    @pytest.mark.parametrize("retry_after", [None, 7])
    def test_429_of_each_policy(self, sandbox, worker, switch, policy, message, name, retry_after):
        """With `Retry-After` or without; searches tell no rates."""
        switch("rate_limit", policy=policy, retry_after=retry_after)

        reply = worker.get(COMPANIES)

        assert reply.status_code == 429
        assert (reply.json()["message"], reply.json()["policyName"]) == (message, name)
        assert reply.headers.get("Retry-After") == (None if retry_after is None else "7")
        assert ("X-HubSpot-RateLimit-Max" in reply.headers) is (policy != "secondly")
        assert journalled(sandbox) == ("rate_limit",)
        assert worker.get(COMPANIES).status_code == 200

    @pytest.mark.parametrize("status", [502, 503, 504, 521, 523, 524, 530])
    def test_pages_of_the_edge(self, worker, switch, status):
        """HTML where JSON should be."""
        switch("status", status=status)

        reply = worker.get(COMPANIES)

        assert (reply.status_code, reply.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert str(status) in reply.text

    def test_a_lock(self, worker, switch):
        """423 with a category."""
        switch("status", status=423)

        assert worker.get(COMPANIES).json()["category"] == "LOCKED"

    def test_a_migration(self, worker, switch):
        """477 says when to come back."""
        switch("status", status=477, retry_after=3600)

        reply = worker.get(COMPANIES)

        assert (reply.status_code, reply.headers["Retry-After"]) == (477, "3600")

    def test_another_region(self, sandbox, worker, switch):
        """The body names the right one, and has no category."""
        switch("wrong_region")

        reply = worker.get(COMPANIES)

        assert reply.status_code == 488
        assert reply.json()["correctHublet"] == "eu1"
        assert reply.json()["message"] == (
            f"Hub {sandbox.portal.id} is unknown to this Hublet, but it appears to exist in Hublet eu1"
        )
        assert "category" not in reply.json()

    def test_a_page_with_status_200(self, worker, switch):
        """As from a proxy."""
        switch("html_200")

        assert worker.get(COMPANIES).text.startswith("<html>")

    def test_a_token_that_expires_in_mid_run(self, sandbox, oauth, switch):
        """The call finds it expired; a fresh one is good."""
        api = oauth()
        switch("expire_session", match=COMPANIES)

        reply = api.get(COMPANIES)

        assert (reply.status_code, reply.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")
        assert journalled(sandbox) == ("expire_session",)
        assert oauth().get(COMPANIES).status_code == 200

    def test_a_static_token_that_is_taken_back(self, worker, api, switch):
        """It never is good again; another app's is."""
        switch("expire_session")

        assert [worker.get(COMPANIES).status_code for _ in range(2)] == [401, 401]
        assert api.get(COMPANIES).status_code == 200

    def test_getting_a_token_is_spared_unless_meant(self, sandbox, oauth, connect, switch):
        """Faults act on calls of the API; those of the token endpoint are named by `match`."""
        switch("status", status=503)
        oauth()
        switch("rate_limit", match="/oauth/")

        assert connect().post("/oauth/v1/token", data={}).status_code == 429

    def test_long_addresses(self, sandbox, worker, switch):
        """414 above so many characters; only such calls count as met."""
        switch("long_address", characters=100)

        assert worker.get(COMPANIES).status_code == 200
        assert journalled(sandbox) == ()
        assert worker.get(COMPANIES, params={"properties": "x" * 100}).status_code == 414
        assert journalled(sandbox) == ("long_address",)


class TestCuts:
    """Replies that do not arrive, or not whole."""

    def test_a_lost_reply(self, sandbox, worker, switch):
        """The write was done."""
        switch("lost_reply")

        with pytest.raises(requests.ConnectionError):
            worker.post(COMPANIES, json={"properties": {"name": "Acme"}})

        assert sandbox.journal.totals()["written"] == {"companies.create": 1}

    def test_a_truncated_reply(self, worker, switch):
        """Half a body, announced as whole."""
        switch("truncate", bytes=50, framing="close")

        assert len(worker.get(COMPANIES, headers={"Accept-Encoding": "identity"}).content) == 50

    def test_a_slow_reply(self, worker, switch):
        """No sooner than the delay."""
        switch("latency", seconds=0.15, times=1)

        assert worker.get(COMPANIES).elapsed.total_seconds() >= 0.15


class TestRows:
    """Batches in which not all goes well."""

    def ids(self, worker, count=20):
        """So many companies' ids."""
        return [record["id"] for record in worker.objects("companies", limit=count)["results"]]

    def updates(self, worker):
        """A change of each."""
        return [{"id": one, "properties": {"city": "Ulm"}} for one in self.ids(worker)]

    def test_some_are_refused(self, sandbox, worker, switch):
        """207: by share, always the same ones; the others are done."""
        switch("refuse_rows", percent=30, message="no")
        inputs = self.updates(worker)

        first, second = (
            worker.batch("companies", "update", inputs),
            worker.batch("companies", "update", inputs),
        )

        body = first.json()
        refused = {one for error in body["errors"] for one in error["context"]["ids"]}
        assert first.status_code == 207
        assert 0 < len(refused) < 20
        assert {record["id"] for record in body["results"]} == {one["id"] for one in inputs} - refused
        assert [error["message"] for error in body["errors"]] == ["no"] * body["numErrors"]
        assert body["errors"] == second.json()["errors"]
        assert journalled(sandbox) == ("refuse_rows",)

    def test_one_spoils_the_batch(self, sandbox, worker, switch):
        """400 for all of them, without saying which."""
        inputs = self.updates(worker)
        switch("refuse_rows", ids=[inputs[7]["id"]], whole_batch=True)

        reply = worker.batch("companies", "update", inputs)

        assert (reply.status_code, reply.json()["category"]) == (400, "VALIDATION_ERROR")
        assert inputs[7]["id"] not in reply.text
        assert sandbox.journal.writes() == []
        assert worker.batch("companies", "update", inputs[:7]).status_code == 200

    def test_traced_creates_are_refused_alone_and_others_together(self, worker, switch):
        """As HubSpot can tell them apart only so."""
        switch("refuse_rows", ids=["t-1"])
        rows = [{"properties": {"name": "n"}, "objectWriteTraceId": f"t-{number}"} for number in range(3)]

        reply = worker.batch("companies", "create", rows)
        untraced = worker.batch("companies", "create", [*rows, {"properties": {"name": "n"}}])

        assert reply.status_code == 207
        assert reply.json()["errors"][0]["context"] == {"objectWriteTraceId": ["t-1"]}
        assert untraced.status_code == 400

    def test_archiving_too(self, worker, switch):
        """207 in place of 204."""
        ids = self.ids(worker, 2)
        switch("refuse_rows", ids=ids[:1])

        reply = worker.batch("companies", "archive", [{"id": one} for one in ids])

        assert (reply.status_code, reply.json()["results"]) == (207, [])
        assert worker.batch("companies", "archive", [{"id": ids[1]}]).status_code == 204

    def test_a_locked_record(self, worker, switch):
        """423 for the whole call, once; then it is free."""
        switch("lock_rows", percent=100)
        inputs = self.updates(worker)[:1]

        statuses = [worker.batch("companies", "update", inputs).status_code for _ in range(2)]

        assert statuses == [423, 200]


class TestChanges:
    """What others do while a client works."""

    def test_everything_is_touched_at_once(self, worker, switch):
        """One and the same modification date for all."""
        switch("bulk_touch", object="companies")

        records = worker.objects("companies", limit=100, properties="name")["results"]

        stamps = {record["properties"]["hs_lastmodifieddate"] for record in records}
        assert (len(records), len(stamps)) == (40, 1)

    def test_an_owner_leaves(self, sandbox, worker, switch):
        """Records keep pointing to it."""
        deal = worker.objects("deals", limit=1, properties="hubspot_owner_id")["results"][0]
        owner = deal["properties"]["hubspot_owner_id"]
        switch("archive_owner", owner=owner)

        worker.get(COMPANIES)

        assert owner not in {one["id"] for one in worker.get("/crm/v3/owners").json()["results"]}
        assert worker.objects("deals", limit=1, properties="hubspot_owner_id")["results"][0] == deal

    def test_a_property_goes(self, worker, api, switch):
        """Between two calls: writing it is refused then."""
        api.post("/crm/v3/properties/companies/groups", json={"name": "g", "label": "G"})
        body = {"name": "tier", "label": "T", "groupName": "g", "type": "string", "fieldType": "text"}
        assert api.post("/crm/v3/properties/companies", json=body).status_code == 201
        record_id = worker.objects("companies", limit=1)["results"][0]["id"]
        change = [{"id": record_id, "properties": {"tier": "A"}}]
        assert worker.batch("companies", "update", change).status_code == 200
        switch("archive_property", object="companies", property="tier")

        assert worker.batch("companies", "update", change).status_code == 400

    def test_search_lags(self, sandbox, worker, switch):
        """A change is found only later; reading it is up to date."""
        switch("late_commit", object="companies", seconds=60)
        record_id = worker.objects("companies", limit=1)["results"][0]["id"]
        worker.patch(f"{COMPANIES}/{record_id}", json={"properties": {"city": "Lagville"}})
        wanted = {"filters": [{"propertyName": "city", "operator": "EQ", "value": "Lagville"}]}

        assert worker.search("companies", **wanted).json()["total"] == 0
        read = worker.get(f"{COMPANIES}/{record_id}", params={"properties": "city"})
        assert read.json()["properties"]["city"] == "Lagville"
        worker.post("/sandbox/clock", json={"seconds": 60})
        assert worker.search("companies", **wanted).json()["total"] == 1


class TestValues:
    """What no client expects."""

    def test_associated_ids_as_text(self, worker, switch):
        """As the vendor's documents say."""
        deal = worker.objects("deals", limit=1)["results"][0]["id"]
        switch("text_object_ids")

        reply = worker.post(
            "/crm/v4/associations/deals/companies/batch/read", json={"inputs": [{"id": deal}]}
        )
        single = worker.get(f"/crm/v4/objects/deals/{deal}/associations/companies")

        assert type(reply.json()["results"][0]["to"][0]["toObjectId"]) is str
        assert type(single.json()["results"][0]["toObjectId"]) is str

    def test_all_digits_of_a_binary_fraction(self, worker, switch):
        """The number is the same."""
        worker.batch("deals", "create", [])
        made = worker.post(
            "/crm/v3/objects/deals",
            json={
                "properties": {
                    "dealname": "d",
                    "dealstage": "closedwon",
                    "pipeline": "default",
                    "amount": "0.9",
                }
            },
        )
        switch("float_expansions", object="deals")

        reply = worker.get(f"/crm/v3/objects/deals/{made.json()['id']}", params={"properties": "amount"})

        amount = reply.json()["properties"]["amount"]
        assert (float(amount), len(amount) > 50) == (0.9, True)

    @pytest.mark.parametrize("what", ["not_a_number", "huge_text", "html", "ancient_date"])
    def test_poisoned_cells(self, worker, switch, what):
        """In one property of one record of a list, a search and a batch."""
        switch("poison", object="companies", what=what, field="numberofemployees", rows=[1], size=100_000)
        ids = [{"id": one["id"]} for one in worker.objects("companies", limit=3)["results"]]
        replies = [
            worker.get(COMPANIES, params={"properties": "numberofemployees", "limit": 3}),
            worker.search("companies", properties=["numberofemployees"], limit=3),
            worker.batch("companies", "read", ids, properties=["numberofemployees"]),
        ]

        for reply in replies:
            values = [record["properties"]["numberofemployees"] for record in reply.json()["results"]]
            assert values[1] not in (None, values[0])
            assert not str(values[1]).isdecimal()

    @pytest.mark.parametrize("what", ["nan", "lone_surrogate", "bad_utf8"])
    def test_what_is_not_even_good_json(self, worker, switch, what):
        """Sent as it is."""
        switch("poison", what=what, field="name", rows=[0])

        for reply in (worker.get(COMPANIES), worker.search("companies")):
            assert reply.status_code == 200
            assert any(bad in reply.content for bad in (b"NaN", b"\\ud800", b"\xff"))

    def test_a_record_without_its_id(self, worker, switch):
        """By place in the page."""
        switch("poison", what="missing_id", rows=[2])

        records = worker.objects("companies")["results"]

        assert [place for place, record in enumerate(records) if "id" not in record] == [2]

    def test_short_pages(self, worker, switch):
        """Fewer than asked for, and still all of them."""
        switch("short_pages", rows=7)

        page = worker.objects("companies", limit=100)
        assert len(page["results"]) == 7
        assert len(worker.search("companies", limit=100).json()["results"]) == 7


class TestKinds:
    """Each kind knows which CRMs have it."""

    def test_a_kind_of_the_other_crm_is_a_problem(self, sandbox, worker):
        """Over HTTP 400; nothing is switched on."""
        reply = worker.post(
            "/sandbox/faults",
            json=[{"kind": "latency", "seconds": 1}, {"kind": "fls_off", "object": "a", "field": "b"}],
        )

        assert reply.status_code == 400
        assert "fls_off: hubspot has no such fault" in reply.json()["problems"][0]
        assert "rate_limit" in reply.json()["problems"][0]
        assert sandbox.faults.listing() == []

    @pytest.mark.parametrize(
        ("crm", "fault"), [("salesforce", {"kind": "rate_limit"}), ("hubspot", {"kind": "query_timeout"})]
    )
    def test_from_the_start_too(self, make_sandbox, crm, fault):
        """Whether given as a list or as faults that were made before."""
        for faults in ([fault], Faults([fault])):
            with pytest.raises(ConfigProblem, match=f"{crm} has no such fault"):
                make_sandbox(crm=crm, faults=faults)
