"""Exports: asked for, queued, downloaded from an address that expires, told by label or by internal value."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, timedelta

import pyarrow as pa
import pytest
import requests

from connectors.sandbox.fault_kinds import JobFailed, MissingScopes, SlowJobs
from connectors.sandbox.hubspot.export_files import make_file
from connectors.sandbox.hubspot.exports import MOST_PER_DAY

DEALS = {
    "exportType": "VIEW",
    "exportName": "All deals",
    "format": "CSV",
    "language": "EN",
    "objectType": "DEAL",
    "objectProperties": ["dealname", "amount", "dealstage", "hubspot_owner_id", "createdate", "hs_object_id"],
}
INTERNAL = {"exportInternalValuesOptions": ["NAMES", "VALUES"]}


def start(api, **changes):
    """Ask for an export of deals; returns the reply."""
    return api.post("/crm/v3/exports/export/async", json=DEALS | changes)


def status(api, job):
    """One look at an export."""
    return api.get(f"/crm/v3/exports/export/async/tasks/{job}/status").json()


def download(address):
    """The rows behind a signed address, fetched without any token."""
    reply = requests.get(address, timeout=30)
    assert reply.status_code == 200, reply.text
    content = reply.content
    if reply.headers["Content-Type"].startswith("application/zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"".join(archive.read(name) for name in archive.namelist())
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def exported(api, **changes):
    """The rows of an export, asked for and fetched."""
    reply = start(api, **changes)
    assert reply.status_code == 202, reply.text
    told = status(api, reply.json()["id"])
    assert told["status"] == "COMPLETE", told
    return download(told["result"])


def listed(api, kind, *properties):
    """All records by list, as (id, properties)."""
    found, after = [], None
    while True:
        page = api.objects(
            kind, limit=100, properties=",".join(properties), **({"after": after} if after else {})
        )
        found += page["results"]
        after = page.get("paging", {}).get("next", {}).get("after")
        if after is None:
            return found


def test_an_export_holds_what_lists_tell(api):
    """Every deal once, with its internal values under internal names."""
    names = DEALS["objectProperties"]

    rows = {row["Record ID"]: row for row in exported(api, **INTERNAL)}

    deals = listed(api, "deals", *names)
    assert len(rows) == len(deals) == 200
    for deal in deals:
        assert {name: rows[deal["id"]][name] for name in names} == {
            name: deal["properties"][name] or "" for name in names
        }


def test_labels_are_told_without_the_options(api):
    """Headers, stages and owners as people call them, moments in the portal's own zone."""
    stages = {
        stage["id"]: stage["label"]
        for pipeline in api.get("/crm/v3/pipelines/deals").json()["results"]
        for stage in pipeline["stages"]
    }
    owners = {
        one["id"]: f"{one['firstName']} {one['lastName']}"
        for one in api.get("/crm/v3/owners?limit=500").json()["results"]
    }
    deals = {one["id"]: one["properties"] for one in listed(api, "deals", *DEALS["objectProperties"])}

    properties = api.get("/crm/v3/properties/deals").json()["results"]
    label = {one["name"]: one["label"] for one in properties}

    rows = exported(api)

    assert list(rows[0]) == ["Record ID", *(label[name] for name in DEALS["objectProperties"][:-1])]
    for row in rows:
        deal = deals[row["Record ID"]]
        assert row[label["dealstage"]] == stages[deal["dealstage"]]
        assert row[label["hubspot_owner_id"]] == owners[deal["hubspot_owner_id"]]
        assert row[label["createdate"]] == deal["createdate"][:16].replace("T", " ")


@pytest.mark.parametrize(
    "search",
    [
        {
            "filterGroups": [
                {"filters": [{"propertyName": "hs_is_closed", "operator": "EQ", "value": "true"}]}
            ],
            "sorts": [{"propertyName": "amount", "order": "DES"}],
        },
        {
            "filters": [{"property": "hs_is_closed", "operator": "EQ", "value": "true"}],
            "sorts": ["-amount"],
        },
    ],
    ids=["groups", "older spelling"],
)
def test_a_view_is_filtered_and_sorted(api, search):
    """In both spellings of the documentation."""
    rows = exported(api, publicCrmSearchRequest=search, **INTERNAL)

    found = api.search(
        "deals", filters=[{"propertyName": "hs_is_closed", "operator": "EQ", "value": "true"}], limit=200
    ).json()
    amounts = [float(row["amount"]) for row in rows if row["amount"]]
    assert {row["Record ID"] for row in rows} == {one["id"] for one in found["results"]}
    assert amounts == sorted(amounts, reverse=True)


def test_associated_ids_stand_beside_the_record(api):
    """All ids of a type, those by label apart, and names where asked for; a plain text is taken for a list too."""
    names = {one["id"]: one["properties"]["name"] for one in listed(api, "companies", "name")}
    deal = listed(api, "deals")[0]["id"]
    links = f"/crm/v4/objects/deals/{deal}/associations/companies"
    primary = str(api.get(links).json()["results"][0]["toObjectId"])
    other = next(one for one in names if one != primary)
    assert api.put(f"/crm/v4/objects/deals/{deal}/associations/default/companies/{other}").status_code == 200

    rows = exported(
        api,
        associatedObjectType="COMPANY",
        includeLabeledAssociations=True,
        includePrimaryDisplayPropertyForAssociatedObjects=True,
    )

    row = next(row for row in rows if row["Record ID"] == deal)
    both = sorted([primary, other], key=int)
    assert row["Associated Company IDs"] == ";".join(both)
    assert row["Associated Company IDs (Primary)"] == primary
    assert row["Associated Company"] == ";".join(names[one] for one in both)
    assert sum(bool(row["Associated Company IDs"]) for row in rows) == len(rows)


def test_an_address_expires_and_is_renewed(sandbox, api):
    """Five minutes, then 403; another look gives a new one. A signature that was tampered with is refused."""
    job = start(api).json()["id"]
    address = status(api, job)["result"]
    sandbox.clock.advance(timedelta(minutes=4))
    assert download(address)
    sandbox.clock.advance(timedelta(minutes=2))

    assert "Request has expired" in requests.get(address, timeout=30).text
    assert requests.get(address, timeout=30).status_code == 403
    renewed = status(api, job)["result"]
    assert download(renewed)
    later = renewed.replace("expires=1", "expires=2")
    assert requests.get(later, timeout=30).status_code == 403
    assert requests.get(renewed.partition("?")[0], timeout=30).status_code == 403


def test_one_export_runs_at_a_time(sandbox, api):
    """The second waits until the first may be seen to have ended."""
    sandbox.faults.add([SlowJobs(kind="slow_jobs", polls=1, seconds=60)])
    first, second = start(api).json()["id"], start(api, exportName="Second").json()["id"]

    assert [status(api, job)["status"] for job in (first, second)] == ["PROCESSING", "PENDING"]
    sandbox.clock.advance(timedelta(seconds=61))
    assert [status(api, job)["status"] for job in (first, second)] == ["COMPLETE", "PROCESSING"]
    sandbox.clock.advance(timedelta(seconds=61))
    assert status(api, second)["status"] == "COMPLETE"


def test_thirty_exports_a_day(sandbox, api):
    """The thirty-first within 24 hours is refused; a day later there is room again."""
    assert {start(api).status_code for _ in range(MOST_PER_DAY)} == {202}
    assert start(api).status_code == 429

    sandbox.clock.advance(timedelta(hours=24, seconds=1))

    assert start(api).status_code == 202


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objectProperties": []}, "objectProperties"),
        ({"exportName": None}, "exportName"),
        ({"exportType": "ALL"}, "exportType"),
        ({"format": "ODS"}, "format"),
        ({"format": "xlsx"}, "CSV only"),
        ({"exportType": "LIST", "listId": "7"}, "no list"),
        ({"language": "KLINGON"}, "language"),
        ({"exportInternalValuesOptions": ["LABELS"]}, "exportInternalValuesOptions"),
        ({"associatedObjectType": ["COMPANY"] * 5}, "At most 4"),
        ({"objectType": "PLANET"}, "PLANET"),
        ({"publicCrmSearchRequest": {"filters": [{"propertyName": "no", "operator": "EQ"}]}}, "problem"),
    ],
)
def test_what_cannot_be_exported_is_refused(api, changes, words):
    """At once, with what is wrong."""
    reply = start(api, **changes)

    assert (reply.status_code, reply.json()["status"]) == (400, "error")
    assert words in reply.json()["message"]


def test_both_path_families_lead_to_one_export(api):
    """Started by the dated path, looked at by both; details tell the count."""
    made = api.post("/crm/exports/2026-03/export/async", json=DEALS)
    job = made.json()["id"]

    assert made.json()["links"]["status"].endswith(f"/crm/exports/2026-03/export/async/tasks/{job}/status")
    assert status(api, job)["status"] == "COMPLETE"
    details = api.get(f"/crm/exports/2026-03/export/{job}").json()
    assert (details["exportState"], details["recordCount"]) == ("DONE", 200)


def test_exports_need_a_token_and_their_scope(sandbox, api, connect):
    """401 and 403; unknown ids are not found."""
    assert start(connect()).status_code == 401
    assert api.get("/crm/v3/exports/export/async/tasks/1/status").status_code == 404
    sandbox.faults.add([MissingScopes(kind="missing_scopes", scopes=("crm.export",))])
    reply = start(api)
    assert (reply.status_code, reply.json()["category"]) == (403, "MISSING_SCOPES")


def test_an_export_that_fails_says_so(sandbox, api):
    """Canceled, with an error; the next one is not held up."""
    sandbox.faults.add([JobFailed(kind="job_failed", message="No space left")])
    first, second = start(api).json()["id"], start(api, exportName="Second").json()["id"]

    told = status(api, first)

    assert (told["status"], told["numErrors"], told["errors"][0]["message"]) == (
        "CANCELED",
        1,
        "No space left",
    )
    assert "result" not in told
    assert status(api, second)["status"] == "COMPLETE"


def test_large_files_are_zipped_and_cut():
    """Plain up to 2 MB, then a zip; more rows than a file may have become several files."""
    rows = pa.table({"Record ID": [str(number) for number in range(10)], "Name": ["x" * 300_000] * 10})

    small = make_file(rows.slice(0, 2), "My view!", date(2026, 1, 31))
    large = make_file(rows, "My view!", date(2026, 1, 31), rows_per_file=4)

    assert small.name == "hubspot-crm-exports-my-view-2026-01-31.csv"
    with zipfile.ZipFile(io.BytesIO(large.content)) as archive:
        counts = [archive.read(name).count(b"\n") - 1 for name in archive.namelist()]
    assert (large.name, counts) == ("hubspot-crm-exports-my-view-2026-01-31.zip", [4, 4, 2])
