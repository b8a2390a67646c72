"""Records over HTTP: what clients send in addresses and bodies, and the statuses and links they get."""

from __future__ import annotations

import pytest


class TestLists:
    """GET a type."""

    def test_ten_by_default_with_links_that_can_be_followed(self, sandbox, api):
        """The next page's address is absolute, by the host that was asked, with the same parameters."""
        page = api.objects("companies", properties="name")
        seen = [record["id"] for record in page["results"]]
        assert len(seen) == 10
        while "paging" in page:
            link = page["paging"]["next"]["link"]
            assert link.startswith(f"{sandbox.http_url}/crm/v3/objects/companies?")
            assert f"after={page['paging']['next']['after']}" in link
            page = api.get(link).json()
            assert set(page["results"][0]["properties"]) >= {"name", "hs_object_id"}
            seen += [record["id"] for record in page["results"]]

        assert len(seen) == len(set(seen)) == 40
        assert seen == sorted(seen, key=int)

    def test_links_have_the_clients_scheme_and_host(self, sandbox, api):
        """Over TLS, and by whatever name the client calls us."""
        path = f"{sandbox.url}/crm/v3/objects/companies?limit=1"
        page = api.get(path, verify=str(sandbox.ca_file), headers={"Host": "api.hubapi.com"}).json()

        assert page["paging"]["next"]["link"].startswith(
            "https://api.hubapi.com/crm/v3/objects/companies?limit=1&after="
        )

    @pytest.mark.parametrize(
        "query",
        [
            "properties=name&properties=industry",
            "properties=name,industry",
            "properties=name%2C%20industry&properties=",
            "properties=name&properties=industry,no_such_property",
        ],
    )
    def test_properties_however_they_are_joined(self, api, query):
        """Repeated, by commas, both; unknown ones are ignored."""
        record = api.get(f"/crm/v3/objects/companies?limit=1&{query}").json()["results"][0]

        assert set(record["properties"]) == {
            "name",
            "industry",
            "createdate",
            "hs_lastmodifieddate",
            "hs_object_id",
        }

    @pytest.mark.parametrize("word", ["true", "True", "TRUE"])
    def test_booleans_of_all_languages(self, api, word):
        """`archived` as JavaScript and as Python write it."""
        record_id = api.objects("companies")["results"][0]["id"]
        api.delete(f"/crm/v3/objects/companies/{record_id}")

        archived = api.objects("companies", archived=word)["results"]
        living = api.objects("companies", archived="False", limit=100)["results"]

        assert [record["id"] for record in archived] == [record_id]
        assert archived[0]["archived"] is True
        assert len(living) == 39

    def test_parameters_that_mean_nothing_are_ignored(self, api):
        """As some clients send them with every list."""
        page = api.objects("deals", sort="asc", order_by="createdate")

        assert page["results"] == api.objects("deals")["results"]

    @pytest.mark.parametrize("after", ["0", ""])
    def test_a_first_page_may_be_asked_for_as_after_0(self, api, after):
        """As some clients do."""
        page = api.objects("deals", after=after)["results"]

        assert page == api.objects("deals")["results"]

    def test_a_limit_must_be_a_number(self, api):
        """400."""
        reply = api.get("/crm/v3/objects/deals?limit=many")

        assert (reply.status_code, reply.json()["category"]) == (400, "VALIDATION_ERROR")

    def test_a_record_has_the_address_of_its_page(self, sandbox, api):
        """With the portal's id and the type's."""
        record = api.objects("deals", limit=1)["results"][0]

        assert record["url"].endswith(f"/contacts/{sandbox.portal.id}/record/0-3/{record['id']}")

    def test_records_come_as_under_v4_too(self, api):
        """One well-known client lists so."""
        assert api.get("/crm/v4/objects/deals").json()["results"] == api.objects("deals")["results"]


class TestSingle:
    """One record."""

    def test_its_life(self, api):
        """201, 200, 200, 204, then 404; still there among the archived."""
        made = api.post("/crm/v3/objects/companies", json={"properties": {"name": "Acme"}})
        path = f"/crm/v3/objects/companies/{made.json()['id']}"
        changed = api.patch(path, json={"properties": {"name": "Acme Ltd"}})
        read = api.get(path, params={"properties": "name"})
        gone = api.delete(path)

        assert [reply.status_code for reply in (made, changed, read, gone)] == [201, 200, 200, 204]
        assert read.json()["properties"]["name"] == "Acme Ltd"
        assert gone.content == b""
        missing = api.get(path)
        assert (missing.status_code, missing.json()["category"]) == (404, "OBJECT_NOT_FOUND")
        assert api.get(path, params={"archived": "true"}).json()["archivedAt"]

    def test_a_change_without_properties(self, api):
        """400."""
        record_id = api.objects("deals", limit=1)["results"][0]["id"]

        assert api.patch(f"/crm/v3/objects/deals/{record_id}", json={"dealname": "x"}).status_code == 400

    def test_a_bad_value_says_which(self, api):
        """400 with the property and its code."""
        reply = api.post("/crm/v3/objects/companies", json={"properties": {"nmae": "Acme"}})

        assert reply.status_code == 400
        assert reply.json()["message"].startswith('Property values were not valid: [{"isValid":false')
        assert reply.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"

    def test_a_merge_leaves_one(self, api):
        """200 with the winner; the loser's id leads to it."""
        first, second = (record["id"] for record in api.objects("companies", limit=2)["results"])

        merged = api.post(
            "/crm/v3/objects/companies/merge", json={"primaryObjectId": first, "objectIdToMerge": second}
        )

        assert merged.status_code == 200
        winner = merged.json()["id"]
        assert api.get(f"/crm/v3/objects/companies/{second}").json()["id"] == winner


class TestBatches:
    """Up to a hundred records."""

    def test_their_statuses(self, api):
        """201 for making, 200 for reading and changing, 204 for archiving."""
        made = api.batch("companies", "create", [{"properties": {"name": f"n{n}"}} for n in range(3)])
        ids = [{"id": record["id"]} for record in made.json()["results"]]
        read = api.batch("companies", "read", ids, properties=["name"])
        changed = api.batch("companies", "update", [{**one, "properties": {"city": "Ulm"}} for one in ids])
        gone = api.batch("companies", "archive", ids)

        assert [reply.status_code for reply in (made, read, changed, gone)] == [201, 200, 200, 204]
        body = read.json()
        assert {record["properties"]["name"] for record in body["results"]} == {"n0", "n1", "n2"}
        assert (body["status"], "numErrors" in body) == ("COMPLETE", False)
        assert body["startedAt"] <= body["completedAt"]
        assert api.batch("companies", "read", ids).status_code == 207

    def test_what_is_missing_makes_it_207(self, api):
        """With the ids, whether reading or changing."""
        known = api.objects("companies", limit=1)["results"][0]["id"]
        inputs = [{"id": known}, {"id": "999999999999"}]

        for reply in (
            api.batch("companies", "read", inputs),
            api.batch("companies", "update", [{**one, "properties": {"city": "Ulm"}} for one in inputs]),
        ):
            body = reply.json()
            assert reply.status_code == 207
            assert (len(body["results"]), body["numErrors"]) == (1, 1)
            assert body["errors"][0]["category"] == "OBJECT_NOT_FOUND"
            assert body["errors"][0]["context"]["ids"] == ["999999999999"]

    def test_creates_are_told_apart_by_their_trace(self, api):
        """With a trace id each, one bad row is one error (207); without, it fails them all (400)."""
        rows = [{"name": "good"}, {"no_such": "bad"}]
        traced = [{"properties": row, "objectWriteTraceId": f"t-{n}"} for n, row in enumerate(rows)]

        partial = api.batch("companies", "create", traced)
        whole = api.batch("companies", "create", [{"properties": row} for row in rows])

        assert (partial.status_code, len(partial.json()["results"])) == (207, 1)
        assert partial.json()["errors"][0]["context"]["objectWriteTraceId"] == ["t-1"]
        assert whole.status_code == 400

    def test_a_hundred_are_enough(self, api):
        """400 in the CRM's words."""
        reply = api.batch("companies", "read", [{"id": str(n)} for n in range(101)])

        assert reply.json()["message"] == (
            "The maximum number of inputs supported in a batch is 100. "
            "Please reduce the number of items and try again"
        )

    def test_a_task_with_its_associations_in_one_call(self, api):
        """The due date is needed; company and deal are linked at once."""
        company = api.objects("companies", limit=1)["results"][0]["id"]
        deal = api.objects("deals", limit=1)["results"][0]["id"]
        links = [
            {
                "to": {"id": record},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}],
            }
            for record, kind in ((company, 192), (deal, 216))
        ]
        task = {"hs_timestamp": "2026-03-02T00:00:00Z", "hs_task_subject": "Call"}

        made = api.batch("tasks", "create", [{"properties": task, "associations": links}])

        assert made.status_code == 201
        record_id = made.json()["results"][0]["id"]
        for kind, other in (("companies", company), ("deals", deal)):
            found = api.get(f"/crm/v4/objects/tasks/{record_id}/associations/{kind}").json()["results"]
            assert [one["toObjectId"] for one in found] == [int(other)]


class TestSearch:
    """POST search."""

    def test_pages_have_a_cursor_but_no_link(self, api):
        """And tell how many there are in all."""
        page = api.search("companies", limit=15, sorts=["hs_object_id"]).json()
        rest = api.search("companies", limit=200, after=page["paging"]["next"]["after"]).json()

        assert (page["total"], page["paging"]) == (40, {"next": {"after": "15"}})
        assert (len(rest["results"]), "paging" in rest) == (25, False)
        assert "url" not in page["results"][0]

    @pytest.mark.parametrize("after", [0, "0", None])
    def test_a_first_page_however_it_is_asked_for(self, api, after):
        """As a number, as text, or not at all."""
        body = {} if after is None else {"after": after}

        assert len(api.search("companies", limit=7, **body).json()["results"]) == 7

    def test_filters_with_groups_or_without(self, api):
        """Both ways that clients write them; ids as numbers and as text."""
        wanted = int(api.objects("companies")["results"][3]["id"])
        filters = [{"propertyName": "hs_object_id", "operator": "GTE", "value": str(wanted)}]
        grouped = [{"filters": [{**filters[0], "value": wanted}]}]

        plain = api.search("companies", filters=filters).json()

        assert plain["total"] == api.search("companies", filterGroups=grouped).json()["total"] == 37


def test_the_journal_has_calls_and_writes(sandbox, worker):
    """Who called what with which status, whether it counted, and what really changed."""
    record_id = worker.objects("companies", limit=1)["results"][0]["id"]
    since = sandbox.journal.position
    worker.batch("companies", "update", [{"id": record_id, "properties": {"city": "Ulm"}}])

    (request,) = sandbox.journal.requests(since)
    (write,) = sandbox.journal.writes(since)
    assert (request.method, request.path) == ("POST", "/crm/v3/objects/companies/batch/update")
    assert (request.status, request.counted) == (200, True)
    assert request.user == write.user == sandbox.credentials.worker.username
    assert (write.object, write.operation, write.ids) == ("companies", "update", (record_id,))
    assert (write.fields, write.changed) == (("city",), 1)


def test_what_is_no_type_is_refused_without_a_category(api):
    """400, whatever is asked of it."""
    for path in ("/crm/v3/objects/widgets", "/crm/v3/properties/widgets", "/crm/objects/2026-09/widgets"):
        reply = api.get(path)
        assert reply.status_code == 400
        assert set(reply.json()) == {"status", "message", "correlationId"}


def test_a_new_record_tells_its_address(api):
    """In a header, by the path that was called."""
    made = api.post("/crm/objects/2026-03/companies", json={"properties": {"name": "Acme"}})

    assert api.get(made.headers["Location"]).json()["id"] == made.json()["id"]


def test_a_refused_value_is_repeated(api):
    """So that somebody finds it in a hundred rows."""
    reply = api.post(
        "/crm/v3/objects/companies", json={"properties": {"name": "A", "numberofemployees": "many"}}
    )

    assert '"propertyValue":"many"' in reply.json()["message"]


@pytest.mark.parametrize(
    "names",
    [
        ("quotes", "quote", "0-14"),
        ("leads", "LEAD", "0-136"),
        ("users", "user", "0-115"),
        ("products", "product", "0-7"),
        ("line_items", "line_item", "0-8"),
        ("goal_targets", "goal_target", "0-74"),
        ("meetings", "meeting", "0-47"),
    ],
)
def test_types_of_every_portal_can_be_read(api, names):
    """By all their names, though there may be none of them: connectors read them unasked."""
    pages = [api.objects(name)["results"] for name in names]

    assert pages[0] == pages[1] == pages[2]
    properties = api.get(f"/crm/v3/properties/{names[0]}").json()["results"]
    assert {"hs_object_id", "hs_lastmodifieddate"} <= {one["name"] for one in properties}


def test_a_quote_belongs_to_a_deal(api):
    """By the documented numbers."""
    deal = api.objects("deals", limit=1)["results"][0]["id"]
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 64}]

    quote = api.post(
        "/crm/v3/objects/quotes",
        json={
            "properties": {"hs_title": "Offer", "hs_expiration_date": "2026-12-31"},
            "associations": [{"to": {"id": deal}, "types": types}],
        },
    ).json()["id"]

    linked = api.get(f"/crm/v4/objects/deals/{deal}/associations/quotes").json()["results"]
    assert [(one["toObjectId"], one["associationTypes"][0]["typeId"]) for one in linked] == [(int(quote), 63)]
