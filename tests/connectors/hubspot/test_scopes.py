"""Which scopes a token lacks: told by HubSpot where it tells, else found out by calls that change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connectors.contract import AuthProblem, ConfigProblem
from connectors.hubspot.scopes import Scopes
from tests.connectors.hubspot.callers import Played

if TYPE_CHECKING:
    import responses

INFO = "POST access-token-info"
NEEDED = ["crm.objects.companies.read", "crm.objects.deals.write", "crm.schemas.contacts.write"]


class Token:
    """A token that never changes."""

    def token(self) -> str:
        """The token."""
        return "pat-na1-secret"

    def refresh(self, _: str) -> str:
        """No other can be had."""
        raise AuthProblem("rotated")


def missing_scope(_: Any) -> tuple[int, Any]:
    """HubSpot's refusal; of the scopes it names one is needed."""
    context = {"requiredGranularScopes": ["crm.objects.deals.write"]}
    errors = [{"message": "One or more of the following scopes are required.", "context": context}]
    return 403, {"status": "error", "category": "MISSING_SCOPES", "message": "no", "errors": errors}


def invalid(_: Any) -> tuple[int, Any]:
    """A call without inputs is wrong, and allowed."""
    return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": "inputs must not be empty"}


def unknown(_: Any) -> tuple[int, Any]:
    """HubSpot says this of tokens that it gives no information about."""
    return 404, {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "no such token"}


def missing(mock: responses.RequestsMock, **answers: Any) -> tuple[list[str], Played]:
    """What the token lacks for reading companies, writing deals and making properties of tasks."""
    calls = {
        "info": INFO, "read": "GET objects/companies", "write": "POST deals/batch/update",
        "setup": "POST properties/tasks/batch/create",
    }  # fmt: skip
    played = Played({calls[name]: answer for name, answer in answers.items()})
    played.register(mock)
    api = played.api()
    api.transport.authoriser = Token()
    return Scopes(api).missing(["account"], ["opportunity"], ["task"]), played


def test_a_token_that_hubspot_knows_is_judged_by_its_list(mock) -> None:
    """In one call, which sends the token to HubSpot only."""
    told = {"hubId": 1, "scopes": ["crm.objects.companies.read"]}
    lacking, played = missing(mock, info=lambda _: (200, told))
    assert lacking == NEEDED[1:]
    assert played.asked == [(INFO, {"tokenKey": "pat-na1-secret"})]


def test_any_other_token_is_tried_by_calls_that_change_nothing(mock) -> None:
    """An update of no records, a creation of no properties, a list of one."""
    lacking, played = missing(
        mock, info=unknown, read=lambda _: (200, {"results": []}), write=missing_scope, setup=invalid
    )
    assert lacking == ["crm.objects.deals.write"]
    assert [body for call, body in played.asked if call.startswith("POST") and call != INFO] == [
        {"inputs": []}
    ] * 2


def test_a_token_that_is_not_accepted_is_no_list_of_scopes(mock) -> None:
    """It is the one problem then."""
    with pytest.raises(AuthProblem):
        missing(
            mock,
            info=lambda _: (401, {"status": "error", "category": "INVALID_AUTHENTICATION", "message": "no"}),
        )


def test_another_refusal_is_not_taken_for_a_missing_scope(mock) -> None:
    """A wrong region, for one, is fixed otherwise."""
    with pytest.raises(ConfigProblem, match="region"):
        missing(
            mock, info=unknown, read=lambda _: (400, {"message": "Hub 1 is unknown", "correctHublet": "eu1"})
        )
