"""Bulk ingest jobs over HTTP: uploads, outcomes row by row, states, allowances and faults."""

from __future__ import annotations

import csv
import io

import pytest

from connectors.sandbox.salesforce.custom_fields import field_of
from tests.connectors.sandbox.callers import Caller, error


@pytest.fixture
def org(sandbox):
    """The org, with an external id on accounts that both users may write."""
    declared = {"label": "Ext", "type": "Text", "length": 20, "externalId": "true", "unique": "true"}
    sandbox.org.add_field("Account", field_of("Ext__c", declared))
    grants = sandbox.org.create_permission_set("Ext", "Ext")
    sandbox.org.grant_fields(grants, {"Account.Ext__c": True})
    sandbox.org.assign(grants, sandbox.org.admin.id)
    sandbox.org.assign(grants, sandbox.org.worker.id)
    return sandbox.org


@pytest.fixture
def admin(sandbox, org):
    """The administrator."""
    return Caller(sandbox, sandbox.credentials.admin)


@pytest.fixture
def worker(sandbox, org):
    """The integration user."""
    return Caller(sandbox, sandbox.credentials.worker)


def make(caller, object_name="Account", operation="update", **body):
    """An open job's JSON."""
    reply = caller.call("POST", "jobs/ingest", json={"object": object_name, "operation": operation, **body})
    assert reply.status_code == 200, reply.text
    return reply.json()


def put(caller, job, content):
    """Upload to the address that the job told."""
    headers = {"Content-Type": "text/csv"}
    return caller.call("PUT", "/" + job["contentUrl"], data=content.encode(), headers=headers)


def run(caller, content, object_name="Account", operation="update", **body):
    """Make, upload, close and await a job; returns its JSON."""
    job = make(caller, object_name, operation, **body)
    assert put(caller, job, content).status_code == 201
    caller.call("PATCH", f"jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    return finished(caller, job["id"])


def finished(caller, job_id):
    """Poll a job to its end."""
    for _ in range(40):
        job = caller.call("GET", f"jobs/ingest/{job_id}").json()
        if job["state"] in ("JobComplete", "Failed", "Aborted"):
            return job
    raise AssertionError(f"still {job['state']}")


def results(caller, job, part):
    """One of the result files, as rows."""
    reply = caller.call("GET", f"jobs/ingest/{job['id']}/{part}")
    assert reply.status_code == 200, reply.text
    return list(csv.DictReader(io.StringIO(reply.text, newline="")))


def account_ids(org, count):
    """The ids of some accounts."""
    found = org.query(f"SELECT Id FROM Account ORDER BY Id LIMIT {count}", org.admin)
    return [row["Id"] for row in found.records(0, count, "62.0")]


def values(org, record_id, *names):
    """Fields of one account."""
    record = org.retrieve(org.admin, "Account", record_id, names)
    return tuple(record[name] for name in names)


def test_a_job_is_open_then_closed_then_counted(worker, org):
    """The keys that clients read, at creation, on closing and at the end."""
    job = make(worker, lineEnding="CRLF", columnDelimiter="TAB")
    assert (job["state"], job["lineEnding"], job["columnDelimiter"]) == ("Open", "CRLF", "TAB")
    assert job["contentUrl"] == f"services/data/v62.0/jobs/ingest/{job['id']}/batches"
    first = account_ids(org, 1)[0]
    uploaded = put(worker, job, f"Id\tName\r\n{first}\tTabbed\r\n")
    assert (uploaded.status_code, uploaded.content) == (201, b"")
    closed = worker.call("PATCH", f"jobs/ingest/{job['id']}", json={"state": "UploadComplete"}).json()
    assert closed["state"] == "UploadComplete"
    done = finished(worker, job["id"])
    counts = ("numberRecordsProcessed", "numberRecordsFailed", "retries", "apexProcessingTime")
    assert (done["state"], done["jobType"], *(done[key] for key in counts)) == (
        "JobComplete",
        "V2Ingest",
        1,
        0,
        0,
        0,
    )
    assert done["apiActiveProcessingTime"] == done["totalProcessingTime"] > 0
    assert values(org, first, "Name") == ("Tabbed",)


def test_every_row_has_one_outcome(worker, org):
    """Good rows, refused rows and unreadable rows are told apart, with the id, the reason and the row itself."""
    one, two, three = account_ids(org, 3)
    content = f'Id,Name,NumberOfEmployees\n{one},Fine,5\n{two},Bad,many\n001000000000000AAA,Gone,1\n{three},"Odd" ,2\n'
    job = run(worker, content)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 4, 3)
    assert results(worker, job, "successfulResults") == [
        {"sf__Id": one, "sf__Created": "false", "Id": one, "Name": "Fine", "NumberOfEmployees": "5"}
    ]
    failed = {row["Name"]: row for row in results(worker, job, "failedResults")}
    assert failed["Bad"]["sf__Error"].startswith("INVALID_TYPE_ON_FIELD_IN_RECORD:")
    assert failed["Bad"]["sf__Error"].endswith(":NumberOfEmployees--")
    assert failed["Gone"]["sf__Error"] == "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"
    assert "unescaped quote" in failed["Odd"]["sf__Error"]
    assert results(worker, job, "unprocessedrecords") == results(worker, job, "unprocessedRecords") == []
    assert values(org, three, "Name") != ("Odd",)


def test_an_empty_cell_leaves_and_a_hash_empties(worker, org):
    """An empty cell leaves the field as it is; #N/A sets it to null."""
    one, two = account_ids(org, 2)
    run(worker, f"Id,Ext__c,Description\n{one},a,kept\n{two},b,gone\n")
    run(worker, f"Id,Ext__c,Description\n{one},,\n{two},,#N/A\n")
    assert values(org, one, "Ext__c", "Description") == ("a", "kept")
    assert values(org, two, "Ext__c", "Description") == ("b", None)


def test_upserts_by_external_id_and_finds_parents_by_theirs(admin, org):
    """Rows are created or changed by the key; a dotted column finds the parent by its key."""
    first = run(admin, "Ext__c,Name\np,Parent\nq,Other\n", operation="upsert", externalIdFieldName="Ext__c")
    assert [row["sf__Created"] for row in results(admin, first, "successfulResults")] == ["true", "true"]
    content = "Ext__c,Name,Parent.Ext__c\np,Renamed,\nc,Child,p\nx,Orphan,nobody\n"
    second = run(admin, content, operation="upsert", externalIdFieldName="Ext__c")
    created = {row["Name"]: row["sf__Created"] for row in results(admin, second, "successfulResults")}
    assert created == {"Renamed": "false", "Child": "true"}
    assert [row["Name"] for row in results(admin, second, "failedResults")] == ["Orphan"]
    child = org.query("SELECT Parent.Name FROM Account WHERE Ext__c = 'c'", org.admin).records(0, 1, "62.0")[
        0
    ]
    assert child["Parent"]["Name"] == "Renamed"


def test_an_empty_id_column_does_not_hinder_new_records(admin):
    """Some clients send the Id column along with records that have none yet."""
    for operation, key in (("upsert", {"externalIdFieldName": "Ext__c"}), ("insert", {})):
        job = run(admin, f"Id,Ext__c,Name\n,{operation},New\n", operation=operation, **key)
        assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 0)


def test_deletes_softly_and_for_good(admin, worker, org):
    """Delete fills the recycle bin, hardDelete passes it by and needs a right of its own."""
    one, two = account_ids(org, 2)
    assert run(admin, f"Id\n{one}\n", operation="delete")["numberRecordsFailed"] == 0
    assert run(admin, f"Id\n{two}\n", operation="hardDelete")["numberRecordsFailed"] == 0
    soql = f"SELECT Id, IsDeleted FROM Account WHERE Id IN ('{one}', '{two}')"
    found = org.query(soql, org.admin, include_deleted=True).records(0, 2, "62.0")
    assert [(row["Id"], row["IsDeleted"]) for row in found] == [(one, True)]
    refused = worker.call("POST", "jobs/ingest", json={"object": "Account", "operation": "hardDelete"})
    assert error(refused) == (400, "FEATURENOTENABLED")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Id,Nothing__c\n001,1\n", "InvalidBatch : Field name not found : Nothing__c"),
        ("Id,Owner.Name\n001,1\n", "InvalidBatch : Field name not found : Owner.Name"),
        ("Name\nNo id\n", "InvalidBatch : Field name not found : Id"),
        ("Id;Name\n001;x\n", "InvalidBatch : Field name not found : Id;Name"),
        ("Id,Name\r\n001,x\r\n", "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ("", "no header row"),
    ],
)
def test_a_bad_header_fails_the_job_and_writes_nothing(sandbox, worker, content, message):
    """Unknown columns, a missing Id, the wrong delimiter or line ending: Failed, with the reason."""
    before = sandbox.journal.totals()["records_written"]
    job = run(worker, content)
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 0)
    assert message in job["errorMessage"]
    assert sandbox.journal.totals()["records_written"] == before


def test_a_job_takes_one_upload_while_it_is_open(worker, org):
    """A second PUT, a PUT after closing and a PUT of something else are refused."""
    job = make(worker)
    wrong = worker.call(
        "PUT", "/" + job["contentUrl"], data=b"{}", headers={"Content-Type": "application/json"}
    )
    assert wrong.status_code == 415
    content = f"Id,Name\n{account_ids(org, 1)[0]},One\n"
    assert put(worker, job, content).status_code == 201
    again = put(worker, job, content)
    assert again.status_code == 400
    assert "Found multiple contents for job" in again.text
    worker.call("PATCH", f"jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert error(put(worker, job, content)) == (400, "INVALIDJOBSTATE")
    finished(worker, job["id"])
    closed = worker.call("PATCH", f"jobs/ingest/{job['id']}", json={"state": "Aborted"})
    assert error(closed) == (400, "INVALIDJOBSTATE")


def test_a_job_can_be_aborted_and_deleted(worker, org):
    """An aborted job wrote nothing; an open job cannot be deleted, an ended one can."""
    job = make(worker)
    put(worker, job, f"Id,Name\n{account_ids(org, 1)[0]},Never\n")
    path = f"jobs/ingest/{job['id']}"
    assert error(worker.call("DELETE", path)) == (400, "INVALIDJOBSTATE")
    assert worker.call("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert worker.call("GET", path).json()["numberRecordsProcessed"] == 0
    assert worker.call("DELETE", path).status_code == 204
    assert worker.call("GET", path).status_code == 404


def test_job_and_rows_may_come_in_one_request(worker, org):
    """A multipart body makes, uploads and closes at once."""
    first = account_ids(org, 1)[0]
    parts = {
        "job": (None, '{"object": "Account", "operation": "update"}', "application/json"),
        "content": ("content", f"Id,Name\n{first},At once\n", "text/csv"),
    }
    job = worker.call("POST", "jobs/ingest", files=parts).json()
    assert job["state"] == "UploadComplete"
    assert finished(worker, job["id"])["state"] == "JobComplete"
    assert values(org, first, "Name") == ("At once",)


def test_results_wait_for_the_end(sandbox, worker):
    """Result files of an open job are not complete."""
    job = make(worker)
    assert error(worker.call("GET", f"jobs/ingest/{job['id']}/successfulResults")) == (
        412,
        "JOB_NOT_COMPLETE",
    )


def test_internal_batches_use_up_the_allowance(sandbox, worker, org):
    """Each 10,000 rows count against DailyBulkApiBatches; without allowance the job fails and writes nothing."""
    first = account_ids(org, 1)[0]
    before = worker.call("GET", "limits").json()["DailyBulkApiBatches"]["Remaining"]
    run(worker, "Id,Name\n" + f"{first},Same\n" * 10_001)
    assert worker.call("GET", "limits").json()["DailyBulkApiBatches"]["Remaining"] == before - 2
    sandbox.limits.take("DailyBulkApiBatches", before - 2)
    job = run(worker, f"Id,Name\n{first},Late\n")
    assert (job["state"], values(org, first, "Name")) == ("Failed", ("Same",))
    assert "EXCEEDEDQUOTA" in job["errorMessage"]


@pytest.mark.parametrize(("kind", "state"), [("job_failed", "Failed"), ("job_aborted", "Aborted")])
def test_a_job_that_ends_midway_says_what_it_did(sandbox, worker, org, kind, state):
    """Part of the rows is saved, the rest is unprocessed, and none is lost."""
    ids = account_ids(org, 10)
    sandbox.faults.add([{"kind": kind, "share": 0.4}])
    job = run(worker, "Id,Name\n" + "".join(f"{one},Partly\n" for one in ids))
    assert (job["state"], job["numberRecordsProcessed"]) == (state, 4)
    assert [row["Id"] for row in results(worker, job, "successfulResults")] == ids[:4]
    assert [row["Id"] for row in results(worker, job, "unprocessedrecords")] == ids[4:]


def test_locked_rows_and_shuffled_results(sandbox, worker, org):
    """Locks are told per record; result files need not come in the order of the upload."""
    ids = account_ids(org, 20)
    content = "Id,Name\n" + "".join(f"{one},Locked\n" for one in ids)
    sandbox.faults.add([{"kind": "lock_rows", "percent": 100}, {"kind": "shuffle_results"}])
    failed = results(worker, run(worker, content), "failedResults")
    assert {row["sf__Error"].partition(":")[0] for row in failed} == {"UNABLE_TO_LOCK_ROW"}
    saved = [row["Id"] for row in results(worker, run(worker, content), "successfulResults")]
    assert sorted(saved) == sorted(ids)
    assert saved != ids


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"object": "Nothing__c", "operation": "update"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "merge"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "upsert"}, "INVALIDJOB"),
        ({"operation": "update"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "update", "contentType": "XML"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "update", "lineEnding": "CR"}, "INVALIDJOB"),
    ],
)
def test_impossible_jobs_are_refused(worker, body, code):
    """What cannot be done is told at creation."""
    assert error(worker.call("POST", "jobs/ingest", json=body)) == (400, code)


@pytest.mark.parametrize(
    ("column", "state", "failed"),
    [
        ("Account:What.Ext__c", "JobComplete", 1),
        ("What.Ext__c", "JobComplete", 1),
        ("Contact:What.Ext__c", "Failed", 0),
    ],
)
def test_a_reference_of_many_objects_names_its_object(admin, org, column, state, failed):
    """`Account:What.Key` finds the account by its key; a key that object does not have fails the job."""
    account = account_ids(org, 1)[0]
    assert org.update(org.admin, "Account", [{"Id": account, "Ext__c": "a-1"}])[0].success

    job = run(admin, f"Subject,{column}\nfound,a-1\nlost,a-2\n", "Task", "insert")

    assert (job["state"], job["numberRecordsFailed"]) == (state, failed)
    soql = f"SELECT Subject FROM Task WHERE WhatId = '{account}'"
    found = [row["Subject"] for row in org.query(soql, org.admin).records(0, 9, "62.0")]
    assert found == (["found"] if state == "JobComplete" else [])
