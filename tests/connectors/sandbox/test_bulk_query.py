"""Bulk query jobs over HTTP: snapshots, pages, locators, states, and the refusals that clients rely on."""

from __future__ import annotations

import gzip
import re

import pytest

from connectors.sandbox.salesforce import results
from tests.connectors.sandbox.callers import Caller, error

OPPORTUNITIES = "SELECT Id, Name, Account.Name, Amount, CloseDate, IsWon, SystemModstamp FROM Opportunity"


@pytest.fixture
def worker(sandbox):
    """The integration user."""
    return Caller(sandbox, sandbox.credentials.worker)


@pytest.fixture
def admin(sandbox):
    """The administrator."""
    return Caller(sandbox, sandbox.credentials.admin)


def test_a_job_tells_what_clients_read(worker):
    """The keys, types and states of a job from its creation to its end."""
    body = {"operation": "queryAll", "query": OPPORTUNITIES, "columnDelimiter": "PIPE", "lineEnding": "CRLF"}
    made = worker.call("POST", "jobs/query", json=body).json()
    assert re.fullmatch(r"750\w{15}", made["id"])
    assert (made["operation"], made["object"], made["state"]) == ("queryAll", "Opportunity", "UploadComplete")
    assert (made["apiVersion"], made["concurrencyMode"], made["contentType"]) == (62.0, "Parallel", "CSV")
    assert (made["columnDelimiter"], made["lineEnding"]) == ("PIPE", "CRLF")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", made["createdDate"])
    done = worker.call("GET", f"jobs/query/{made['id']}").json()
    assert (done["state"], done["jobType"], done["numberRecordsProcessed"]) == ("JobComplete", "V2Query", 200)
    assert (done["retries"], done["isPkChunkingSupported"]) == (0, True)
    assert done["totalProcessingTime"] > 0
    assert "errorMessage" not in done


def test_ordering_and_limits_rule_out_chunking(worker):
    """ORDER BY and LIMIT switch PK chunking off, as the job tells."""
    for more in ("ORDER BY Name", "LIMIT 5"):
        job = worker.query_job(f"SELECT Id FROM Account {more}")
        assert worker.call("GET", f"jobs/query/{job}").json()["isPkChunkingSupported"] is False


def test_pages_of_any_size_add_up_to_the_same_rows(worker):
    """Nothing is lost or doubled between pages; each has the header and the number of its rows."""
    job = worker.query_job(OPPORTUNITIES)
    whole = worker.all_rows(job, 1000)
    assert len(whole) == 200
    assert list(whole[0]) == ["Id", "Name", "Account.Name", "Amount", "CloseDate", "IsWon", "SystemModstamp"]
    assert worker.all_rows(job, 7) == whole
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", whole[0]["SystemModstamp"])


def test_locators_can_be_read_again(worker):
    """A locator names the same rows each time, tells nothing of its place, and the last page has none."""
    job = worker.query_job("SELECT Id FROM Opportunity")
    path = f"jobs/query/{job}/results"
    first = worker.call("GET", path, params={"maxRecords": 50})
    locator = first.headers["Sforce-Locator"]
    assert re.fullmatch(r"[A-Za-z]{8,16}", locator)
    again = worker.call("GET", path, params={"maxRecords": 50})
    assert again.headers["Sforce-Locator"] == locator
    second, repeated = (
        worker.call("GET", path, params={"maxRecords": 50, "locator": locator}) for _ in range(2)
    )
    assert second.text == repeated.text != first.text
    assert worker.call("GET", path, params={"maxRecords": 200}).headers["Sforce-Locator"] == "null"
    assert error(worker.call("GET", path, params={"locator": "abc"})) == (400, "INVALID_QUERY_LOCATOR")


def test_an_empty_result_is_a_header(worker):
    """No rows: the header alone, and no locator."""
    job = worker.query_job("SELECT Id, Name FROM Account WHERE Name = 'nobody'")
    page = worker.call("GET", f"jobs/query/{job}/results")
    assert page.text == '"Id","Name"\n'
    assert (page.headers["Sforce-NumberOfRecords"], page.headers["Sforce-Locator"]) == ("0", "null")


def test_parallel_pages_name_five_at_a_time(worker):
    """ResultPages gives up to five addresses, and the address of the next five, until all rows are named."""
    job = worker.query_job("SELECT Id FROM Opportunity")
    path, addresses = f"jobs/query/{job}/resultPages?maxRecords=30", []
    while path:
        reply = worker.call("GET", path).json()
        assert len(reply["resultPages"]) <= 5
        addresses += [page["resultUrl"] for page in reply["resultPages"]]
        path = reply.get("nextRecordsUrl")
        assert reply["done"] is (path is None)
    assert len(addresses) == 7
    ids = [line for one in addresses for line in worker.call("GET", one).text.splitlines()[1:]]
    assert len(set(ids)) == len(ids) == 200
    assert worker.call("GET", f"jobs/query/{job}/resultPages", version="57.0").status_code == 404


def test_results_must_be_read_with_the_version_of_the_job(worker):
    """Another API version is a conflict."""
    job = worker.query_job("SELECT Id FROM Account")
    for part in ("results", "resultPages"):
        assert worker.call("GET", f"jobs/query/{job}/{part}", version="63.0").status_code == 409


def test_bodies_are_compressed_when_asked(worker):
    """Gzip carries the same bytes."""
    job = worker.query_job(OPPORTUNITIES)
    path = f"jobs/query/{job}/results"
    plain = worker.call("GET", path).content
    packed = worker.call("GET", path, headers={"Accept-Encoding": "gzip"}, stream=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.raw.read(decode_content=False)) == plain


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "query", "query": "SELECT Nothing__c FROM Account"}, "INVALID_FIELD"),
        ({"operation": "query", "query": "SELECT Id FROM Nothing__c"}, "INVALID_TYPE"),
        ({"operation": "query", "query": "SELECT FROM"}, "MALFORMED_QUERY"),
        ({"operation": "delete", "query": "SELECT Id FROM Account"}, "INVALIDJOB"),
        ({"operation": "query"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id FROM Account", "columnDelimiter": "DOT"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id FROM Account", "contentType": "JSON"}, "INVALIDJOB"),
    ],
)
def test_bad_queries_are_refused_when_the_job_is_made(worker, body, code):
    """Salesforce tells most mistakes at once, with status 400."""
    assert error(worker.call("POST", "jobs/query", json=body)) == (400, code)


def test_objects_outside_bulk_are_named(worker):
    """An object that Bulk API does not take is an INVALIDENTITY, which clients answer by falling back."""
    reply = worker.call(
        "POST", "jobs/query", json={"operation": "query", "query": "SELECT Id FROM TaskStatus"}
    )
    assert error(reply) == (400, "INVALIDENTITY")
    assert "is not supported by the Bulk API" in reply.json()[0]["message"]


def test_jobs_belong_to_those_who_made_them(worker, admin):
    """Others do not see a user's jobs; an admin sees the job, but not its rows."""
    mine, theirs = worker.query_job("SELECT Id FROM Account"), admin.query_job("SELECT Id FROM Account")
    assert worker.call("GET", f"jobs/query/{theirs}").status_code == 404
    assert admin.call("GET", f"jobs/query/{mine}").status_code == 200
    assert admin.call("GET", f"jobs/query/{mine}/results").status_code == 403
    listed = worker.call("GET", "jobs/query").json()
    assert (listed["done"], [job["id"] for job in listed["records"]]) == (True, [mine])
    assert {job["id"] for job in admin.call("GET", "jobs/query").json()["records"]} == {mine, theirs}


def test_deleted_jobs_are_gone(worker):
    """DELETE answers 204 without a body; afterwards there is no such job."""
    job = worker.query_job("SELECT Id FROM Account")
    gone = worker.call("DELETE", f"jobs/query/{job}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert worker.call("GET", f"jobs/query/{job}").status_code == 404
    assert worker.call("GET", f"jobs/query/{job}/results").status_code == 404


def test_a_slow_job_shows_its_states_and_can_be_aborted(sandbox, worker):
    """UploadComplete, InProgress, JobComplete by polls; results only at the end; an aborted job has none."""
    sandbox.faults.add([{"kind": "slow_jobs", "polls": 3}])
    job = worker.query_job("SELECT Id FROM Account")
    assert error(worker.call("GET", f"jobs/query/{job}/results")) == (412, "JOB_NOT_COMPLETE")
    assert [worker.call("GET", f"jobs/query/{job}").json()["state"] for _ in range(3)] == [
        "InProgress", "InProgress", "JobComplete",
    ]  # fmt: skip
    assert worker.call("PATCH", f"jobs/query/{job}", json={"state": "Aborted"}).status_code == 400
    other = worker.query_job("SELECT Id FROM Account")
    assert worker.call("PATCH", f"jobs/query/{other}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert worker.call("GET", f"jobs/query/{other}").json()["state"] == "Aborted"
    assert error(worker.call("GET", f"jobs/query/{other}/results")) == (412, "JOB_NOT_COMPLETE")


def test_faults_fail_a_job_and_shorten_its_pages(sandbox, worker):
    """A job told to fail says why; short pages are shorter than asked for, and still complete."""
    sandbox.faults.add(
        [{"kind": "job_failed", "message": "InternalServerError : retried more than fifteen times"}]
    )
    failed = worker.call("GET", f"jobs/query/{worker.query_job('SELECT Id FROM Account')}").json()
    assert (failed["state"], failed["errorMessage"]) == (
        "Failed",
        "InternalServerError : retried more than fifteen times",
    )
    sandbox.faults.add([{"kind": "short_pages", "rows": 9}])
    job = worker.query_job("SELECT Id FROM Opportunity")
    page = worker.call("GET", f"jobs/query/{job}/results", params={"maxRecords": 100})
    assert page.headers["Sforce-NumberOfRecords"] == "9"
    assert len(worker.all_rows(job, 100)) == 200


def test_what_writes_pages_outlives_the_thread_that_used_it(worker):
    """A thread that ends with the process must not free it: DuckDB would end the process with an abort."""
    results._IDLE.clear()
    job = worker.query_job("SELECT Id FROM Opportunity")
    for _ in range(3):
        assert worker.call("GET", f"jobs/query/{job}/results").status_code == 200
    assert len(results._IDLE) == 1
