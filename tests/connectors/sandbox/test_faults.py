"""Faults do what their names say, as often as they were told, and the same every time."""

from __future__ import annotations

import json

import pytest

from config.problems import ConfigProblem
from connectors.sandbox.faults import Faults
from connectors.sandbox.salesforce.schema import Field
from tests.connectors.sandbox.conftest import add_field

QUERY = "query?q=SELECT Id,Name FROM Account ORDER BY Id"


@pytest.mark.parametrize(
    ("fault", "status", "kind", "text"),
    [
        ({"kind": "status"}, 503, "application/json", "SERVER_UNAVAILABLE"),
        ({"kind": "status", "status": 500}, 500, "application/json", "UNKNOWN_EXCEPTION"),
        (
            {"kind": "status", "status": 429, "retry_after": 3},
            429,
            "application/json",
            "REQUEST_LIMIT_EXCEEDED",
        ),
        ({"kind": "status", "status": 406}, 406, None, ""),
        ({"kind": "status", "status": 420}, 420, "text/html", "setting things up"),
        ({"kind": "html_200"}, 200, "text/html", "<html>"),
        ({"kind": "query_timeout"}, 400, "application/json", "QUERY_TIMEOUT"),
        ({"kind": "request_limit"}, 403, "application/json", "TotalRequests Limit exceeded"),
        (
            {"kind": "request_limit", "scope": "concurrent"},
            403,
            "application/json",
            "Concurrent API Requests",
        ),
        ({"kind": "expire_session"}, 401, "application/json", "INVALID_SESSION_ID"),
    ],
)
def test_a_call_meets_its_fault(sandbox, api, fault, status, kind, text):
    """Status, content type and body are the CRM's; Sforce-Limit-Info is on every reply."""
    sandbox.faults.add([fault])

    reply = api.get(QUERY)

    assert reply.status_code == status
    assert (reply.headers.get("Content-Type") or "").startswith(kind or "")
    assert text in reply.text
    assert "Sforce-Limit-Info" in reply.headers
    assert reply.headers.get("Retry-After") == (str(fault["retry_after"]) if "retry_after" in fault else None)


def test_a_fault_acts_after_and_as_often_as_told(sandbox, api):
    """The second and third call to queries fail; others are not counted."""
    sandbox.faults.add([{"kind": "status", "match": "GET .*/query", "after": 1, "times": 2}])

    statuses = [api.get(path).status_code for path in (QUERY, "limits", QUERY, QUERY, "limits", QUERY)]

    assert statuses == [200, 200, 503, 503, 200, 200]


def test_logging_in_is_spared_unless_named(sandbox, connect):
    """By default faults meet calls of the API; a match of one's own reaches the token endpoint too."""
    sandbox.faults.add([{"kind": "status", "times": None}])
    client = connect(sandbox)
    client.log_in(sandbox.credentials.worker)
    assert client.get("limits").status_code == 503
    sandbox.faults.add([{"kind": "status", "match": "oauth2/token"}])

    assert client.post("/services/oauth2/token", data={}).status_code == 503


def test_locators_can_be_lost(sandbox, api):
    """The first page comes, the second is gone; bulk locators are met too."""
    sandbox.faults.add([{"kind": "short_pages", "rows": 7}, {"kind": "lose_locators"}])

    page = api.get(QUERY).json()

    assert len(page["records"]) == 7
    assert api.get(page["nextRecordsUrl"]).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert api.get(page["nextRecordsUrl"]).status_code == 200


def test_everybodys_session_can_end(sandbox, api, connect):
    """Another client's call ends ours as well."""
    other = connect(sandbox)
    other.log_in(sandbox.credentials.worker)
    sandbox.faults.add([{"kind": "expire_session", "everyone": True}])

    assert (other.get("limits").status_code, api.get("limits").status_code) == (401, 401)


def test_locked_rows_are_the_same_each_time_and_free_later(sandbox, api):
    """About half of the records are locked once; the retry goes through."""
    found = [record["Id"] for record in api.get(QUERY).json()["records"]]
    rows = [{"attributes": {"type": "Account"}, "id": one, "Name": "x"} for one in found]
    fault = {"kind": "lock_rows", "percent": 50, "prefix": "001"}
    sandbox.faults.add([fault])

    first, second = (api.patch("composite/sobjects", json={"records": rows}).json() for _ in range(2))

    locked = [row["id"] for row, one in zip(rows, first, strict=True) if not one["success"]]
    assert 0.2 * len(found) < len(locked) < 0.8 * len(found)
    assert {one["errors"][0]["statusCode"] for one in first if not one["success"]} == {"UNABLE_TO_LOCK_ROW"}
    assert all(one["success"] for one in second)
    assert locked == [one for one in found if Faults([fault]).lock_row(one)]


def test_another_seed_locks_other_rows():
    """The draw depends on the seed and the record alone."""
    ids = [f"001{number:015d}" for number in range(300)]
    fault = {"kind": "lock_rows", "percent": 20}

    drawn = [[one for one in ids if Faults([fault], seed).lock_row(one)] for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]


def test_fields_vanish_turn_read_only_and_get_rules(sandbox, api):
    """Field security, writability and validation can be taken away and given back."""
    add_field(sandbox, "Account", Field("Score__c", "Score", "double", precision=3, custom=True))
    path = f"sobjects/Account/{api.get(QUERY).json()['records'][0]['Id']}"
    assert api.patch(path, json={"Score__c": 5}).status_code == 204

    codes = {}
    for fault in (
        {"kind": "fls_off", "object": "Account", "field": "Score__c"},
        {"kind": "read_only", "object": "Account", "field": "Score__c"},
        {
            "kind": "validation_rule",
            "object": "Account",
            "formula": "Score__c > 100",
            "message": "Score must be 0-100",
        },
    ):
        number = sandbox.faults.add([fault])[0]
        codes[fault["kind"]] = api.patch(path, json={"Score__c": 101}).json()[0]["errorCode"]
        sandbox.faults.remove(number)

    assert codes["validation_rule"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert codes["read_only"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert codes["fls_off"] in ("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert api.patch(path, json={"Score__c": 101}).status_code == 204


@pytest.mark.parametrize(
    ("what", "seen"),
    [
        ("nan", b'"Name":NaN'),
        ("lone_surrogate", b'"Name":"\\ud800"'),
        ("bad_utf8", b'"Name":"\xff\xfe"'),
        ("ancient_date", b'"Name":"0001-01-01"'),
        ("html", b'"Name":"<html>'),
        ("huge_text", b'"Name":"xxxxxxxxxx'),
    ],
)
def test_poison_stands_in_one_record(sandbox, api, what, seen):
    """The poisoned record carries it on the wire, byte for byte; all others are untouched."""
    sandbox.faults.add([{"kind": "poison", "what": what, "object": "Account", "rows": [1]}])

    body = api.get(QUERY).content

    assert body.count(seen) == 1
    assert body.count(b'"Id":') == 40
    assert api.get("query?q=SELECT Id,Name FROM Opportunity").content.count(seen) == 0


def test_a_record_can_lack_its_id(sandbox, api):
    """Poison by record, wherever it stands."""
    wanted = api.get(QUERY).json()["records"][5]["Id"]
    sandbox.faults.add([{"kind": "poison", "what": "missing_id", "id": wanted}])

    records = api.get(QUERY).json()["records"]

    assert [place for place, record in enumerate(records) if "Id" not in record] == [5]


def test_latency_delays_the_reply(sandbox, api):
    """The reply comes no sooner than the delay."""
    sandbox.faults.add([{"kind": "latency", "seconds": 0.15, "times": 1}])

    assert api.get("limits").elapsed.total_seconds() >= 0.15


class TestSwitching:
    """Faults by file, by Python and over HTTP."""

    def test_over_http(self, sandbox, api):
        """POST switches on, GET lists what is on and how often it acted, DELETE switches off."""
        numbers = api.post(
            "/sandbox/faults", json=[{"kind": "status"}, {"kind": "latency", "seconds": 0.01}]
        ).json()["numbers"]
        api.get("limits")

        listed = api.get("/sandbox/faults").json()["faults"]
        assert [(one["kind"], one["acted"]) for one in listed] == [("status", 1), ("latency", 1)]
        assert api.delete(f"/sandbox/faults/{numbers[0]}").json() == {"removed": 1}
        assert api.delete("/sandbox/faults").json() == {"removed": 1}
        assert api.get("/sandbox/faults").json()["faults"] == []

    def test_by_file(self, make_sandbox, connect, tmp_path):
        """A file of faults serves from the start."""
        path = tmp_path / "faults.yaml"
        path.write_text("seed: 7\nfaults:\n  - kind: status\n    status: 503\n    match: limits\n")
        sandbox = make_sandbox(faults=path)
        client = connect(sandbox)
        client.log_in(sandbox.credentials.worker)

        assert client.get("limits").status_code == 503
        assert sandbox.faults.seed == 7

    def test_mistakes_in_a_file_are_all_named_with_their_lines(self, tmp_path):
        """Kind, option and regular expression, each with its place."""
        path = tmp_path / "faults.yaml"
        path.write_text(
            "faults:\n  - kind: statsu\n  - kind: truncate\n    byte: 3\n  - kind: status\n    match: '('\n"
        )

        with pytest.raises(ConfigProblem) as problem:
            Faults.load(path)

        lines = str(problem.value).splitlines()
        assert [line.split(":")[1] for line in lines] == ["2", "4", "6"]
        assert 'did you mean "bytes"?' in lines[1]
        assert "regular expression" in lines[2]

    def test_a_mistake_over_http_switches_nothing_on(self, sandbox, api):
        """400 with the problems; the good one beside it is not on either."""
        reply = api.post("/sandbox/faults", json=[{"kind": "status"}, {"kind": "latency"}])

        assert reply.status_code == 400
        assert "'seconds' is missing" in json.dumps(reply.json())
        assert sandbox.faults.listing() == []
