"""How many rows a page of a REST query holds, and how far back one may ask for changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.sandbox.salesforce import org_reads
from connectors.sandbox.salesforce.schema import Field
from tests.connectors.sandbox.callers import error
from tests.connectors.sandbox.conftest import add_field

PERIOD = timedelta(hours=1)


def pages(api, soql):
    """The rows of each page."""
    reply = api.get("query", params={"q": soql}).json()
    found = [reply["records"]]
    while not reply["done"]:
        reply = api.get(reply["nextRecordsUrl"]).json()
        found.append(reply["records"])
    return found


@pytest.mark.parametrize(("texts", "rows"), [(1, 450), (2, 200)])
def test_two_long_texts_make_pages_small(make_sandbox, connect, texts, rows):
    """With two custom long text fields a page holds 200 rows, whatever the client asks for."""
    sandbox = make_sandbox(data="synthetic:40:450")
    api = connect(sandbox)
    api.log_in(sandbox.credentials.admin)
    for number in (1, 2):
        one = Field(f"Long_{number}__c", "Long", "textarea", 32_000, custom=True, filterable=False)
        add_field(sandbox, "Opportunity", one)
    api.headers["Sforce-Query-Options"] = "batchSize=2000"
    names = ", ".join(["Id", "Long_1__c", "Long_2__c"][: texts + 1])

    found = pages(api, f"SELECT {names} FROM Opportunity")

    assert len(found[0]) == rows
    assert sum(len(page) for page in found) == 450


def test_rows_of_child_queries_fill_a_page_too(api):
    """Parents and their children together stay within the page size; nothing is lost or told twice."""
    api.headers["Sforce-Query-Options"] = "batchSize=200"
    everybody = pages(api, "SELECT Id FROM Account")

    found = pages(api, "SELECT Id, (SELECT Id FROM Opportunities) FROM Account")

    sizes = [
        sum(1 + (row["Opportunities"] or {"totalSize": 0})["totalSize"] for row in page) for page in found
    ]
    assert len(found) > 1
    assert max(sizes) <= 200
    assert [row["Id"] for page in found for row in page] == [row["Id"] for row in everybody[0]]


def period(sandbox, before, length):
    """The parameters of a period that ends `before` now."""
    end = sandbox.clock() - before
    return {"start": (end - length).isoformat(), "end": end.isoformat()}


@pytest.mark.parametrize("kind", ["updated", "deleted"])
@pytest.mark.parametrize(("before", "length"), [(30, PERIOD), (0, timedelta(seconds=30)), (0, -PERIOD)])
def test_a_period_that_cannot_be_told_is_refused(sandbox, api, kind, before, length):
    """More than 30 days ago, shorter than a minute, the wrong way round."""
    reply = api.get(f"sobjects/Account/{kind}", params=period(sandbox, timedelta(days=before), length))

    assert error(reply) == (400, "INVALID_REPLICATION_DATE")


@pytest.mark.parametrize("kind", ["updated", "deleted"])
def test_too_many_ids_are_refused_rather_than_cut(sandbox, api, kind, monkeypatch):
    """Above the CRM's maximum there is no answer, so that nobody takes a part for the whole."""
    # 600,000 records would take the test minutes to make.
    monkeypatch.setattr(org_reads, "MAX_IDS", 1)
    ids = [api.post("sobjects/Account", json={"Name": f"New {n}"}).json()["id"] for n in range(2)]
    if kind == "deleted":
        api.delete("composite/sobjects", params={"ids": ",".join(ids)})
    sandbox.clock.advance(timedelta(minutes=1))

    reply = api.get(f"sobjects/Account/{kind}", params=period(sandbox, timedelta(0), PERIOD))

    assert error(reply) == (400, "EXCEEDED_ID_LIMIT")


def test_deletes_older_than_the_recycle_bin_are_not_told(sandbox, api):
    """After 15 days a deleted record is gone from the log, though the period may begin before that."""
    made = api.post("sobjects/Account", json={"Name": "Short-lived"}).json()["id"]
    api.delete(f"sobjects/Account/{made}")
    told = []
    for days in (14, 2):
        sandbox.clock.advance(timedelta(days=days))
        api.log_in(sandbox.credentials.admin)
        asked = period(sandbox, timedelta(0), timedelta(days=20))
        reply = api.get("sobjects/Account/deleted", params=asked).json()
        told.append([row["id"] for row in reply["deletedRecords"]])

    assert told == [[made], []]
