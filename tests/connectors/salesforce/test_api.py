"""The REST interface's small print: the allowance in its header, addresses in their spellings, literals."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
import responses

from connectors.contract import ConfigProblem
from connectors.cursors import SETTLE, Cursor
from connectors.salesforce.api import Api
from connectors.salesforce.pulls import OVERLAP
from connectors.salesforce.soql import Query, literal, one_of
from connectors.salesforce.statuses import SALESFORCE
from connectors.transport import Transport

ORIGIN = "https://acme.my.salesforce.com"


@pytest.fixture
def api() -> Api:
    """REST calls of an org that `responses` plays; nobody signs in."""
    transport = Transport(
        "acme", ORIGIN, SALESFORCE, timeouts=(1, 1), sleep=lambda _: None, rng=random.Random(1)
    )
    return Api(transport, "62.0")


@pytest.mark.parametrize(
    ("header", "used", "limit"),
    [
        ("api-usage=18/5000", 18, 5000),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=x)", 25, 5000),
        ("per-app-api-usage=17/250(appName=x); api-usage=25/5000", 25, 5000),
        ("per-app-api-usage=17/250(appName=x)", None, None),
        ("nonsense", None, None),
        (None, None, None),
    ],
)
@responses.activate
def test_the_allowance_is_read_from_every_form_of_its_header(header, used, limit, api) -> None:
    """The org's, never the app's; a reply without it is fine."""
    headers = {"Sforce-Limit-Info": header} if header else {}
    responses.get(f"{ORIGIN}/services/data/v62.0/limits", json={}, headers=headers)
    api.limits()
    budget = api.budget()
    assert (budget.used, budget.limit, budget.calls) == (used, limit, 1)


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("limits", "/services/data/v62.0/limits"),
        ("/services/data/v62.0/query/0r8-2000", "/services/data/v62.0/query/0r8-2000"),
        ("services/data/v62.0/jobs/ingest/750/batches", "/services/data/v62.0/jobs/ingest/750/batches"),
        (f"{ORIGIN}/services/data/v62.0/x?locator=A", "/services/data/v62.0/x?locator=A"),
        ("/jobs/query/750/results", "/services/data/v62.0/jobs/query/750/results"),
    ],
)
def test_addresses_in_every_spelling_have_exactly_one_slash(path, url, api) -> None:
    """Salesforce hands them out with and without host and leading slash."""
    assert api.url(path) == url


def test_literals_are_in_utc_with_milliseconds_rounded_down() -> None:
    """A stamp rounded up would skip the record that carries it."""
    stamp = datetime(2026, 11, 22, 12, 0, 0, 123999, tzinfo=timezone(timedelta(hours=2)))
    assert literal(stamp) == "2026-11-22T10:00:00.123Z"


def test_text_in_a_query_is_quoted() -> None:
    """Whatever a key holds, it stays a text."""
    assert one_of("Key__c", ["a'b", "c\\d"]) == r"Key__c IN ('a\'b', 'c\\d')"


def test_the_count_has_the_condition_of_the_query() -> None:
    """Or it would verify something else."""
    stamp = datetime(2026, 11, 22, tzinfo=UTC)
    query = Query("Account", ("Id",), ("A = 1",), stamp, stamp)
    condition = (
        " WHERE A = 1 AND SystemModstamp >= 2026-11-22T00:00:00.000Z"
        " AND SystemModstamp < 2026-11-22T00:00:00.000Z"
    )
    assert query.select() == "SELECT Id FROM Account" + condition
    assert query.count() == "SELECT COUNT() FROM Account" + condition


def test_a_cursor_comes_back_as_it_went() -> None:
    """Text to the caller, a stamp and the fields to us; the next window begins well before it."""
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    cursor = Cursor.parse(str(Cursor.after(now, ["name", "id"])))
    assert cursor.stamp == now - SETTLE
    assert cursor.fields == {"id", "name"}
    assert cursor.back(OVERLAP) == now - SETTLE - OVERLAP


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"stamp": "soon", "fields": []}', "null"])
def test_a_cursor_that_is_not_ours_is_a_clear_problem(text) -> None:
    """With the way out."""
    with pytest.raises(ConfigProblem, match="remove the local copy"):
        Cursor.parse(text)
