"""The first Bulk API: jobs and batches in XML with CSV, and in JSON, as its clients speak it."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest

NAMESPACE = "{http://www.force.com/2009/06/asyncapi/dataload}"
JOB = (
    '<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
    "<operation>{operation}</operation><object>{object}</object><contentType>CSV</contentType></jobInfo>"
)
XML = {"Content-Type": "application/xml; charset=UTF-8"}
JSON = {"Content-Type": "application/json"}
QUERY = "SELECT Id, Name, Owner.Name, CreatedDate FROM Account ORDER BY Id LIMIT 2"


@pytest.fixture
def bulk(sandbox, connect):
    """`bulk(method, path, ...)` with a session in this API's own header."""
    client = connect(sandbox)
    client.headers["X-SFDC-Session"] = client.log_in(sandbox.credentials.admin)
    del client.headers["Authorization"]
    return lambda method, path="", **arguments: client.request(
        method, f"/services/async/62.0/job{path}", **arguments
    )


def values(reply):
    """The texts of an XML reply's elements, by name; the last one where a name repeats."""
    root = ET.fromstring(reply.content)
    return {"": root.tag.removeprefix(NAMESPACE)} | {
        one.tag.removeprefix(NAMESPACE): one.text for one in root.iter() if one is not root
    }


def xml_job(bulk, operation, object_name="Account", **headers):
    """The id of a new CSV job."""
    body = JOB.format(operation=operation, object=object_name)
    reply = bulk("POST", data=body, headers=XML | headers)
    assert reply.status_code == 201, reply.text
    told = values(reply)
    assert (told[""], told["state"], told["contentType"]) == ("jobInfo", "Open", "CSV")
    return told["id"]


def xml_batch(bulk, job, content):
    """What is told of a new batch of a CSV job once it is done."""
    made = values(bulk("POST", f"/{job}/batch", data=content.encode(), headers={"Content-Type": "text/csv"}))
    assert (made[""], made["state"], made["jobId"]) == ("batchInfo", "Queued", job)
    return values(bulk("GET", f"/{job}/batch/{made['id']}"))


def rows(reply):
    """The rows of a CSV reply."""
    return list(csv.DictReader(io.StringIO(reply.text, newline="")))


def test_a_csv_query_goes_job_batch_result_list_result(bulk):
    """All told in XML, the rows in CSV; the job counts its batches."""
    job = xml_job(bulk, "query")
    batch = xml_batch(bulk, job, QUERY)
    result = values(bulk("GET", f"/{job}/batch/{batch['id']}/result"))

    found = rows(bulk("GET", f"/{job}/batch/{batch['id']}/result/{result['result']}"))
    closed = values(bulk("POST", f"/{job}", data=JOB_CLOSED, headers=XML))

    assert (batch["state"], batch["numberRecordsProcessed"], result[""]) == ("Completed", "2", "result-list")
    assert [list(row) for row in found] == [["Id", "Name", "Owner.Name", "CreatedDate"]] * 2
    assert found[0]["CreatedDate"].endswith("Z")
    assert (closed["state"], closed["numberBatchesCompleted"]) == ("Closed", "1")


JOB_CLOSED = '<jobInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload"><state>Closed</state></jobInfo>'


def test_a_json_query_counts_milliseconds(bulk, api):
    """All told in JSON; moments are numbers here, as in no other API."""
    job = bulk("POST", json={"operation": "query", "object": "Account", "contentType": "JSON"}).json()["id"]
    batch = bulk("POST", f"/{job}/batch", data=QUERY, headers=JSON).json()["id"]
    place = f"/{job}/batch/{batch}/result"

    found = bulk("GET", f"{place}/{bulk('GET', place).json()[0]}").json()

    expected = api.get("query", params={"q": QUERY}).json()["records"]
    assert [row["Owner"]["Name"] for row in found] == [row["Owner"]["Name"] for row in expected]
    moment = datetime.fromisoformat(expected[0]["CreatedDate"])
    assert found[0]["CreatedDate"] == round(moment.timestamp() * 1000)


def test_with_chunking_the_batch_that_was_sent_is_not_processed(bulk):
    """Its chunks are: a client that waits for the first batch alone waits in vain."""
    job = xml_job(bulk, "query", **{"Sforce-Enable-PKChunking": "chunkSize=100000"})
    sent = xml_batch(bulk, job, "SELECT Id FROM Account")

    listed = ET.fromstring(bulk("GET", f"/{job}/batch").content)

    assert sent["state"] == "NotProcessed"
    assert [one.text for one in listed.iter(NAMESPACE + "state")] == ["NotProcessed", "Completed"]


def test_csv_saves_tell_one_outcome_per_row(bulk, api):
    """In the order of the rows: what was saved, and why the others were not."""
    job = xml_job(bulk, "insert")
    batch = xml_batch(bulk, job, 'Name,NumberOfEmployees\n"One, two",5\n"",6\n')

    good, bad = rows(bulk("GET", f"/{job}/batch/{batch['id']}/result"))

    assert (good["Success"], good["Created"], good["Error"]) == ("true", "true", "")
    assert api.get(f"sobjects/Account/{good['Id']}").json()["NumberOfEmployees"] == 5
    assert (bad["Id"], bad["Success"]) == ("", "false")
    assert bad["Error"].startswith("REQUIRED_FIELD_MISSING:")
    assert (batch["numberRecordsProcessed"], batch["numberRecordsFailed"]) == ("2", "1")


@pytest.mark.parametrize(
    ("operation", "content", "problem"),
    [
        ("query", "SELECT Id FROM Contact", "INVALID_TYPE_FOR_OPERATION: The root entity"),
        ("query", "SELECT Nothing FROM Account", "Failed to process query: INVALID_FIELD"),
        ("insert", "Name,Nothing\na,b\n", "Field name not found : Nothing"),
        ("insert", 'Name\n"a"b\n', "Failed to parse CSV"),
    ],
)
def test_a_batch_that_cannot_be_done_fails_and_has_no_results(bulk, operation, content, problem):
    """The reason stands in the batch; asking for results is an error of this API's own form."""
    job = xml_job(bulk, operation)
    batch = xml_batch(bulk, job, content)

    refused = bulk("GET", f"/{job}/batch/{batch['id']}/result")

    assert batch["state"] == "Failed"
    assert problem in batch["stateMessage"]
    assert refused.status_code == 400
    assert values(refused)["exceptionCode"] == "InvalidBatch"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "query", "object": "TaskStatus", "contentType": "JSON"}, "InvalidEntity"),
        ({"operation": "query", "object": "Nothing", "contentType": "JSON"}, "InvalidJob"),
        ({"operation": "guess", "object": "Account", "contentType": "JSON"}, "InvalidJob"),
        ({"operation": "insert", "object": "Account", "contentType": "ZIP_CSV"}, "InvalidJob"),
        ({"operation": "upsert", "object": "Account", "contentType": "JSON"}, "InvalidJob"),
    ],
)
def test_a_job_that_cannot_be_is_refused(bulk, body, code):
    """With this API's own names for errors."""
    reply = bulk("POST", json=body)

    assert (reply.status_code, reply.json()["exceptionCode"]) == (400, code)


def test_sessions_and_versions_are_checked(bulk):
    """An ended session and a retired version have names of their own here."""
    ended = bulk("POST", json={}, headers={"X-SFDC-Session": "nobody"})
    in_xml = bulk("POST", data=JOB_CLOSED, headers=XML | {"X-SFDC-Session": "nobody"})
    old = bulk("GET", "/../../20.0/job/750", headers=JSON)

    assert ended.json() == {"exceptionCode": "InvalidSessionId", "exceptionMessage": "Invalid session id"}
    assert (ended.status_code, in_xml.status_code) == (400, 400)
    assert values(in_xml)["exceptionCode"] == "InvalidSessionId"
    assert old.json()["exceptionCode"] == "InvalidVersion"
