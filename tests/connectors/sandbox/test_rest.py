"""REST as Salesforce speaks it: versions, records, queries and pages, limits, error shapes."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

import pytest

NEXT_YEAR = {"StageName": "Prospecting", "CloseDate": "2031-01-31"}


def first(api, object_name="Account"):
    """Id of a record."""
    return api.get("query", params={"q": f"SELECT Id FROM {object_name} LIMIT 1"}).json()["records"][0]["Id"]


def test_versions_need_no_session(sandbox, connect):
    """All versions that are served are listed, with the names of their releases."""
    versions = connect(sandbox).get("/services/data").json()

    assert [one["version"] for one in versions] == [f"{number}.0" for number in range(31, 68)]
    assert [versions[place]["label"] for place in (0, -6, -1)] == ["Summer '14", "Winter '25", "Summer '26"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/services/data/v30.0/limits", 410, "GONE"),
        ("/services/data/v68.0/limits", 404, "NOT_FOUND"),
        ("/services/data/v62.0/nothing", 404, "NOT_FOUND"),
        ("/services/data/v62.0/sobjects/Nothing/describe", 404, "NOT_FOUND"),
        ("/services/data/v62.0/query?q=SELECT+Id+FROM+Nothing", 400, "INVALID_TYPE"),
        ("/services/data/v62.0/query", 400, "MALFORMED_QUERY"),
        ("/services/data/v62.0/query/0r8000000000999AAA-2000", 400, "INVALID_QUERY_LOCATOR"),
        ("/services/data/v62.0/search?q=FIND+x", 400, "MALFORMED_SEARCH"),
        ("/services/data/v62.0/query?q=" + "x" * 16_400, 414, "URI_TOO_LONG"),
    ],
)
def test_refusals_are_lists_of_errors(api, path, status, code):
    """Each body is a list with message and errorCode."""
    reply = api.get(path)

    assert (reply.status_code, reply.json()[0]["errorCode"]) == (status, code)
    assert reply.json()[0]["message"]


def test_long_headers_are_refused(api):
    """Address and headers together have a limit."""
    assert api.get("limits", headers={"X-Long": "x" * 16_300}).status_code == 431


def test_a_wrong_method_says_which_are_right(api):
    """405 with Salesforce's words."""
    reply = api.put("query")

    assert reply.status_code == 405
    assert reply.json()[0]["message"] == "HTTP Method 'PUT' not allowed. Allowed are GET,HEAD"


@pytest.mark.parametrize("path", ["query/?q=SELECT+Id+FROM+Account", "sobjects/Account/", "limits/"])
def test_trailing_slashes_are_fine(api, path):
    """As clients send them."""
    assert api.get(path).status_code == 200


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        ("{", "application/json", 400, "JSON_PARSER_ERROR"),
        ("[]", "application/json", 400, "JSON_PARSER_ERROR"),
        ("<Account/>", "application/xml", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_bodies_must_be_json_objects(api, data, kind, status, code):
    """Others are refused with the reason."""
    reply = api.post("sobjects/Account", data=data, headers={"Content-Type": kind})

    assert (reply.status_code, reply.json()[0]["errorCode"]) == (status, code)


def test_a_record_lives_its_life(api):
    """Create, read, change, delete; then it is gone."""
    made = api.post("sobjects/Account", json={"Name": "Björk & Söner"})
    assert (made.status_code, made.json()["success"], made.json()["errors"]) == (201, True, [])
    path = f"sobjects/Account/{made.json()['id']}"

    assert api.patch(path, json={"Industry": "Retail"}).status_code == 204
    record = api.get(path, params={"fields": "Name,Industry"}).json()
    assert (record["Name"], record["Industry"]) == ("Björk & Söner", "Retail")
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_refused_records_name_the_field(api):
    """A required field that is missing comes with errorCode and fields."""
    reply = api.post("sobjects/Account", json={"Industry": "Retail"})

    assert reply.status_code == 400
    assert reply.json()[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert reply.json()[0]["fields"] == ["Name"]


def test_an_id_in_the_body_is_refused(api):
    """The address names the record, not the body."""
    reply = api.patch(f"sobjects/Account/{first(api)}", json={"Id": first(api), "Name": "x"})

    assert reply.json()[0]["message"] == "The Id field should not be specified in the sobject data."


def test_conditional_calls_look_at_the_stamp(sandbox, api):
    """304 for what was not modified since, 412 for what was."""
    path = f"sobjects/Account/{first(api)}"
    now = api.get(path).headers["Date"]
    sandbox.clock.advance(dt.timedelta(minutes=5))
    assert api.get(path, headers={"If-Modified-Since": now}).status_code == 304
    api.patch(path, json={"Name": "Changed since"})

    late = api.patch(path, json={"Name": "Too late"}, headers={"If-Unmodified-Since": now})

    assert late.status_code == 412
    assert api.get(path, headers={"If-Modified-Since": now}).json()["Name"] == "Changed since"


def test_replies_carry_the_orgs_date(sandbox, api):
    """The Date header follows the org's clock, which clients take as server time."""
    sandbox.clock.advance(dt.timedelta(days=100))

    date = parsedate_to_datetime(api.get("/services/data").headers["Date"])

    assert abs(date - sandbox.clock()) < dt.timedelta(seconds=5)


class TestPages:
    """Queries with more rows than a page."""

    def walk(self, api, path, **options):
        """All pages of a query."""
        pages = [api.get(path, **options).json()]
        while not pages[-1]["done"]:
            pages.append(api.get(pages[-1]["nextRecordsUrl"]).json())
        return pages

    def test_all_rows_come_once(self, api):
        """Two hundred opportunities in pages of the smallest size, and none twice."""
        for name in ("A", "B"):
            api.post("sobjects/Opportunity", json={"Name": name, **NEXT_YEAR})
        options = {"headers": {"sforce-query-options": "batchSize=1"}}

        pages = self.walk(api, "query?q=SELECT Id FROM Opportunity", **options)

        ids = [record["Id"] for page in pages for record in page["records"]]
        assert [len(page["records"]) for page in pages] == [200, 2]
        assert len(set(ids)) == pages[0]["totalSize"] == 202
        assert "nextRecordsUrl" not in pages[-1]

    def test_locators_work_under_either_path_and_more_than_once(self, sandbox, api):
        """Clients rebuild the address, re-send the query, and repeat pages."""
        sandbox.faults.add([{"kind": "short_pages", "rows": 7}])
        url = api.get("query?q=SELECT Id FROM Opportunity").json()["nextRecordsUrl"]

        replies = [
            api.get(path).json() for path in (url, url.replace("/query/", "/queryAll/"), url + "?q=SELECT+1")
        ]

        assert replies[0] == replies[1] == replies[2]
        assert len(replies[0]["records"]) == 7

    def test_the_eleventh_cursor_loses_the_first(self, sandbox, api):
        """A user has ten cursors."""
        sandbox.faults.add([{"kind": "short_pages", "rows": 7}])
        urls = [api.get("query?q=SELECT Id FROM Opportunity").json()["nextRecordsUrl"] for _ in range(11)]

        assert api.get(urls[0]).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
        assert api.get(urls[1]).status_code == 200

    def test_cursors_last_two_days(self, sandbox, connect, api):
        """Then their locators are refused."""
        sandbox.faults.add([{"kind": "short_pages", "rows": 7}])
        url = api.get("query?q=SELECT Id FROM Opportunity").json()["nextRecordsUrl"]
        sandbox.clock.advance(dt.timedelta(days=2, minutes=1))
        api.log_in(sandbox.credentials.admin)

        assert api.get(url).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"

    def test_a_cursor_is_its_users_own(self, sandbox, connect, api):
        """Another user cannot read on."""
        sandbox.faults.add([{"kind": "short_pages", "rows": 7}])
        url = api.get("query?q=SELECT Id FROM Opportunity").json()["nextRecordsUrl"]
        other = connect(sandbox)
        other.log_in(sandbox.credentials.worker)

        assert other.get(url).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


class TestLimits:
    """The API allowance."""

    def used(self, reply):
        """Calls used, by the header."""
        return int(reply.headers["Sforce-Limit-Info"].removeprefix("api-usage=").partition("/")[0])

    def test_every_call_counts_one(self, api):
        """The header grows by one with each call, polls and refusals included; the sandbox's own pages are free."""
        before = self.used(api.get("limits"))
        api.get("/sandbox/journal")
        api.get("query?q=nonsense")

        assert self.used(api.get("limits")) == before + 2

    def test_the_per_app_form_can_be_switched_on(self, api):
        """Some orgs send it, and clients must read past it."""
        api.post("/sandbox/limits", json={"per_app": True})

        assert "; per-app-api-usage=" in api.get("limits").headers["Sforce-Limit-Info"]

    def test_a_used_up_allowance_refuses_until_a_day_has_passed(self, sandbox, api):
        """403 REQUEST_LIMIT_EXCEEDED; 24 hours later on the org's clock the calls no longer count."""
        api.post("/sandbox/limits", json={"maximum": 20})
        replies = [api.get("limits") for _ in range(5)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 403, 403]
        assert replies[-1].json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"

        sandbox.clock.advance(dt.timedelta(hours=24, minutes=2))
        api.log_in(sandbox.credentials.admin)

        assert self.used(api.get("limits")) == 1

    def test_limits_are_listed(self, api):
        """With the names that clients look for."""
        limits = api.get("limits").json()

        assert {"DailyApiRequests", "DailyBulkApiBatches", "DailyBulkV2QueryJobs"} <= set(limits)
        assert set(limits["DailyApiRequests"]) == {"Max", "Remaining"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"Name":', "Unexpected end-of-input at [line:1, column:9]"),
        ('{"Name": nobody}', "Unexpected character ('n' (code 110)): Expecting value at [line:1, column:10]"),
    ],
)
def test_a_body_that_cannot_be_read_says_where(api, body, message):
    """Line and column, in the words of the CRM's parser."""
    reply = api.post("sobjects/Account", data=body, headers={"Content-Type": "application/json"})

    assert reply.json() == [{"message": message, "errorCode": "JSON_PARSER_ERROR"}]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_record_that_never_was_is_not_found(api, method):
    """404, where a wrong reference inside a record is a 400."""
    missing = api.request(method, "sobjects/Account/001000000000000AAA", json={"Name": "Nobody"})
    misled = api.post("sobjects/Account", json={"Name": "Somebody", "OwnerId": "005000000000000AAA"})

    assert [(one.status_code, one.json()[0]["errorCode"]) for one in (missing, misled)] == [
        (404, "INVALID_CROSS_REFERENCE_KEY"),
        (400, "INVALID_CROSS_REFERENCE_KEY"),
    ]
