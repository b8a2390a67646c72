"""Reading by Bulk API 2.0 where a real sandbox cannot be made to err: pages cut between two rows."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
import responses

from connectors.contract import Page, Truncated
from connectors.reading import Tally
from connectors.salesforce.api import Api
from connectors.salesforce.bulk_read import read_bulk
from connectors.salesforce.soql import Query
from connectors.salesforce.statuses import SALESFORCE
from connectors.transport import Transport

JOBS = "https://acme.my.salesforce.com/services/data/v62.0/jobs/query"
HEADER = '"Id","Name"\n'
ROWS = ['"001A","Acme"\n', '"001B","Beta, ""B"""\n', '"001C","two\nlines"\n']


@pytest.fixture
def api() -> Api:
    """An org that `responses` plays, with a job that is complete with three records."""
    responses.post(JOBS, json={"id": "750x", "state": "UploadComplete"})
    responses.get(f"{JOBS}/750x", json={"id": "750x", "state": "JobComplete", "numberRecordsProcessed": 3})
    responses.delete(f"{JOBS}/750x", status=204)
    transport = Transport(
        "acme", "https://acme.my.salesforce.com", SALESFORCE, timeouts=(1, 1), sleep=lambda _: None,
        rng=random.Random(1),
    )  # fmt: skip
    return Api(transport, "62.0")


def serve(body: str, number: str | None = "3") -> None:
    """The next reply with results."""
    headers = {"Sforce-Locator": "null"} | ({"Sforce-NumberOfRecords": number} if number else {})
    responses.get(f"{JOBS}/750x/results", body=body, headers=headers, content_type="text/csv")


def read(api: Api) -> list[tuple[str, str]]:
    """All rows, as they came."""

    def convert(cells) -> Page:
        return Page(pa.table({name: column.cast(pa.string()) for name, column in cells.items()}))

    pages = list(read_bulk(api, Query("Account", ("Id", "Name")), convert, Tally()))
    return [(row["Id"], row["Name"]) for page in pages for row in page.table.to_pylist()]


ALL = [("001A", "Acme"), ("001B", 'Beta, "B"'), ("001C", "two\nlines")]


@pytest.mark.parametrize("cut", [HEADER + "".join(ROWS[:2]), HEADER, "", HEADER + "".join(ROWS)[:-5]])
@responses.activate
def test_a_page_cut_between_rows_or_within_one_is_fetched_again(cut, api) -> None:
    """Nothing marks the end of such a reply: only the promised number tells."""
    serve(cut)
    serve(HEADER + "".join(ROWS))
    assert read(api) == ALL


@responses.activate
def test_a_page_that_promises_nothing_is_measured_by_the_job(api) -> None:
    """The job's own count is the last word."""
    serve(HEADER + "".join(ROWS[:2]), number=None)
    with pytest.raises(Truncated, match="2 of 3 rows"):
        read(api)


@responses.activate
def test_a_cell_larger_than_a_block_of_the_reader_is_read(api) -> None:
    """The blocks grow with the cells."""
    huge = "x" * (5 << 20)
    serve(HEADER + f'"001A","{huge}"\n' + "".join(ROWS[1:]))
    assert read(api) == [("001A", huge), *ALL[1:]]


@responses.activate
def test_the_job_is_deleted_even_if_reading_fails(api) -> None:
    """Nothing is left behind in the org."""
    serve("", number="3")
    with pytest.raises(Truncated):
        read(api)
    assert responses.calls[-1].request.method == "DELETE"
