"""What an account tells of itself: details, daily use, users and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.batches import stamp
from connectors.sandbox.hubspot.context import Call, Endpoint, found
from connectors.sandbox.hubspot.errors import resource_not_found
from connectors.sandbox.hubspot.scopes import nothing, one_of

if TYPE_CHECKING:
    from starlette.responses import Response

_USERS = one_of("settings.users.read", "crm.objects.users.read")
_TEAMS = one_of("settings.users.teams.read")


def endpoints() -> list[Endpoint]:
    """The endpoints of this module."""
    return [
        Endpoint("account", "/details", {"GET": (details, nothing)}),
        Endpoint("account", "/api-usage/daily/private-apps", {"GET": (daily_usage, nothing)}),
        Endpoint("account", "/api-usage/daily", {"GET": (daily_usage, nothing)}),
        Endpoint("users", "/teams", {"GET": (teams, _TEAMS)}),
        Endpoint("users", "/roles", {"GET": (roles, _USERS)}),
        Endpoint("users", "", {"GET": (users, _USERS)}),
        Endpoint("users", "/{id}", {"GET": (user, _USERS)}),
    ]


def details(call: Call) -> Response:
    """GET /account-info/details: any token may."""
    return found(call.portal.account_details())


def daily_usage(call: Call) -> Response:
    """GET /account-info/api-usage/daily: of all private apps together, as the allowance is."""
    rates = call.context.rates
    use: dict[str, Any] = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": rates.maxima.daily,
        "currentUsage": rates.used,
        "collectedAt": stamp(call.context.clock()),
        "fetchStatus": "SUCCESS",
        "resetsAt": stamp(rates.next_day()),
    }
    return found({"results": [use]})


def teams(call: Call) -> Response:
    """GET /settings/users/teams."""
    return found({"results": call.portal.teams()})


def roles(_call: Call) -> Response:
    """GET /settings/users/roles: the portal made no roles of its own."""
    return found({"results": []})


def users(call: Call) -> Response:
    """GET /settings/users."""
    return found({"results": _users(call)})


def user(call: Call) -> Response:
    """GET /settings/users/{id}."""
    for one in _users(call):
        if one["id"] == call.params["id"]:
            return found(one)
    raise resource_not_found()


def _users(call: Call) -> list[dict[str, Any]]:
    """Everybody who works in the portal: its living owners."""
    people: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = call.portal.owners(after=after, limit=500)
        people += page.results
        after = page.after
        if after is None:
            break
    return [
        {
            "id": str(owner["userId"]),
            "email": owner["email"],
            "firstName": owner["firstName"],
            "lastName": owner["lastName"],
            "roleIds": [],
            "primaryTeamId": next((team["id"] for team in owner.get("teams", []) if team["primary"]), None),
            "superAdmin": False,
        }
        for owner in people
    ]
