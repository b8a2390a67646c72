"""HubSpot's refusals: each leads to its action, says what to do, and repeats nobody's data."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
import responses

from connectors.contract import ConfigProblem, RecordRefused, RetryLater
from connectors.hubspot.failures import read_body
from connectors.hubspot.statuses import HUBSPOT
from connectors.transport import Transport

if TYPE_CHECKING:
    from connectors.statuses import Rule

ORIGIN = "https://api.hubapi.com"
URL = f"{ORIGIN}/crm/v3/objects/companies/batch/update"
CODES = {"WRONG_REGION": {"correctHublet": "eu1"}, "HTML": None}


class Token:
    """A token that cannot be renewed."""

    def token(self) -> str:
        """The token."""
        return "pat-na1-x"

    def refresh(self, stale: str) -> str:
        """The same one."""
        return stale


@pytest.fixture
def waits() -> list[float]:
    """The waits that the transport would have slept."""
    return []


@pytest.fixture
def transport(waits: list[float]) -> Transport:
    """A transport to a HubSpot that `responses` plays."""
    made = Transport("hs", ORIGIN, HUBSPOT, timeouts=(3, 7), sleep=waits.append, rng=random.Random(7))
    made.authoriser = Token()
    return made


def limited(policy: str, message: str) -> dict[str, Any]:
    """The body of a used-up limit."""
    return {"status": "error", "message": message, "errorType": "RATE_LIMIT", "policyName": policy}


def reply_to(rule: Rule) -> dict[str, Any]:
    """A reply that only this row, of all the rows of the table, speaks of."""
    status = rule.status[1] if isinstance(rule.status, range) else rule.status or 400
    if rule.code == "HTML":
        return {"status": 200, "body": "<html>Sign in</html>", "content_type": "text/html"}
    if rule.code == "WRONG_REGION":
        return {"status": status, "json": {"message": "Hub 7 is unknown", "correctHublet": "eu1"}}
    if status == 429:
        return {"status": 429, "json": limited(rule.code, f"reached your {rule.text or 'other limit'}")}
    return {"status": status, "json": {"status": "error", "category": rule.code or "OTHER", "message": "no"}}


@pytest.mark.parametrize(
    ("status", "body", "least"),
    [
        (423, {"status": "error", "category": "LOCKED"}, 2.0),
        (429, limited("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."), 10.0),
        (429, limited("SECONDLY", "You have reached your secondly limit."), 1.0),
    ],
)
@responses.activate
def test_a_lock_and_a_rate_are_waited_out(
    status: int, body: dict[str, Any], least: float, transport: Transport, waits: list[float]
) -> None:
    """Locks last two seconds, windows ten or one; HubSpot does not always say so, and less is not believed."""
    responses.post(URL, status=status, json=body)
    responses.post(URL, status=status, json=body, headers={"Retry-After": "0"})
    responses.post(URL, json={})
    transport.request("POST", URL)
    assert len(waits) == 2
    assert min(waits) >= least


@pytest.mark.parametrize("policy", ["DAILY", ""], ids=["named", "in words alone"])
@responses.activate
def test_a_used_up_day_parks_the_run(policy: str, transport: Transport, waits: list[float]) -> None:
    """Nothing is asked again before the portal's midnight."""
    responses.get(URL, status=429, json=limited(policy, "You have reached your daily limit."))
    with pytest.raises(RetryLater, match="midnight in the portal's time zone") as caught:
        transport.request("GET", URL)
    assert caught.value.quota
    assert waits == []


@responses.activate
def test_a_portal_on_the_move_says_when_to_come_back(transport: Transport, waits: list[float]) -> None:
    """A data-centre migration takes up to a day; that is the scheduler's business."""
    responses.get(URL, status=477, headers={"Retry-After": "86400"})
    with pytest.raises(RetryLater, match="moved to another data centre") as caught:
        transport.request("GET", URL)
    assert caught.value.after == 86400
    assert waits == []


@responses.activate
def test_missing_scopes_are_named(transport: Transport) -> None:
    """The reader sees which scopes would do, not only that one lacks."""
    scopes = ["crm.schemas.deals.read", "crm.objects.deals.read"]
    errors = [{"message": "One or more of the following", "context": {"requiredGranularScopes": scopes}}]
    body = {"status": "error", "category": "MISSING_SCOPES", "message": "This app", "errors": errors}
    responses.get(URL, status=403, json=body)
    with pytest.raises(ConfigProblem, match=r"crm\.schemas\.deals\.read, crm\.objects\.deals\.read"):
        transport.request("GET", URL)


@responses.activate
def test_a_page_of_the_web_server_in_front_is_known_by_its_status(transport: Transport) -> None:
    """A too long address is answered as a web page, which says nothing else."""
    responses.get(URL, status=414, body="<html>414 Request-URI Too Large</html>", content_type="text/html")
    with pytest.raises(RecordRefused) as caught:
        transport.request("GET", URL)
    assert caught.value.code == "URI_TOO_LONG"


def test_values_of_a_refused_record_stay_out_of_the_text() -> None:
    """HubSpot repeats what was sent; the property's name and what is wrong with it is enough."""
    parts = [
        {
            "isValid": False,
            "message": '"anna@acme.com" is not an email',
            "error": "INVALID_EMAIL",
            "name": "email",
        }
    ]
    failure = read_body(400, {"message": "Property values were not valid: " + json.dumps(parts)})
    assert failure.message == "Property values were not valid: email: INVALID_EMAIL"
    assert failure.fields == ("email",)


def test_addresses_stay_out_of_every_text() -> None:
    """Whatever else HubSpot says, it names nobody."""
    failure = read_body(409, {"category": "CONFLICT", "message": "Contact anna@acme.com already exists."})
    assert failure.message == "Contact (address) already exists."


def test_a_refused_refresh_says_oauths_own_word() -> None:
    """Its body has the shape of two worlds; the more exact code counts."""
    failure = read_body(
        400, {"error": "invalid_grant", "error_description": "revoked", "status": "BAD_REFRESH_TOKEN"}
    )
    assert failure.code == "BAD_REFRESH_TOKEN"


@pytest.mark.parametrize(
    "body", [None, [], "text", {}, {"errors": [None]}, {"message": "Property values were not valid: {"}]
)
def test_a_body_of_no_known_shape_is_no_failure_of_ours(body: Any) -> None:
    """Whatever comes, the status is there to go by."""
    assert read_body(400, body).status == 400
