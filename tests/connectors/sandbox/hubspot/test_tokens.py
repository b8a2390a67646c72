"""Tokens: how they are got, what they tell, and how each kind of bad one is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

COMPANIES = "/crm/v3/objects/companies?limit=1"


@pytest.fixture
def form(sandbox) -> dict[str, str]:
    """What the worker's app sends for an access token."""
    account = sandbox.credentials.worker
    return {
        "grant_type": "refresh_token",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
        "refresh_token": account.refresh_token,
    }


def test_a_static_token_needs_no_sign_in(worker):
    """As those of private apps and service keys."""
    assert worker.get(COMPANIES).status_code == 200


@pytest.mark.parametrize("version", ["v1", "v3", "2026-03", "2026-09"])
def test_every_version_of_the_token_endpoint_gives_half_an_hour(sandbox, connect, form, version):
    """The newer ones also tell portal and scopes."""
    api = connect()
    reply = api.post(f"/oauth/{version}/token", data=form)

    body = reply.json()
    assert reply.status_code == 200
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)
    assert body["refresh_token"] == form["refresh_token"]
    assert ("hub_id" in body) is (version != "v1")
    api.headers["Authorization"] = f"Bearer {body['access_token']}"
    assert api.get(COMPANIES).status_code == 200
    assert sandbox.journal.requests()[-2].user == sandbox.credentials.worker.username


def test_only_the_oldest_version_takes_secrets_from_the_address(connect, form):
    """As addresses end up in logs."""
    api = connect()

    assert api.post("/oauth/v1/token", params=form).status_code == 200
    assert api.post("/oauth/v3/token", params=form).json()["status"] == "BAD_GRANT_TYPE"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"refresh_token": "unknown"}, "BAD_REFRESH_TOKEN"),
        ({"client_id": "unknown"}, "BAD_CLIENT_ID"),
        ({"client_secret": "wrong"}, "BAD_CLIENT_SECRET"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
        ({"grant_type": "authorization_code", "code": "x"}, "BAD_AUTH_CODE"),
    ],
)
def test_what_is_wrong_with_a_refresh_is_told_by_its_status(connect, form, changed, status):
    """400 with OAuth's words and HubSpot's own."""
    reply = connect().post("/oauth/v1/token", data=form | changed)

    assert reply.status_code == 400
    assert reply.json()["status"] == status
    assert reply.json()["error_description"] == reply.json()["message"]


def test_a_refresh_token_of_another_app_is_refused(sandbox, connect, form):
    """It belongs to the app that it was given to."""
    other = {"refresh_token": sandbox.credentials.admin.refresh_token}

    assert connect().post("/oauth/v3/token", data=form | other).json()["error"] == "invalid_grant"


def test_a_call_without_a_token_is_told_how_to_get_one(connect):
    """401 INVALID_AUTHENTICATION, for an unknown static token and an API key as well."""
    anonymous = connect()
    replies = [
        anonymous.get(COMPANIES),
        anonymous.get(COMPANIES, headers={"Authorization": "Bearer pat-na1-unknown"}),
        anonymous.get(COMPANIES + "&hapikey=1234"),
    ]

    for reply in replies:
        body = reply.json()
        assert reply.status_code == 401
        assert body["category"] == "INVALID_AUTHENTICATION"
        assert body["message"].startswith("Authentication credentials not found.")
        assert body["correlationId"] == reply.headers["X-HubSpot-Correlation-Id"]


def test_an_access_token_expires_by_the_portals_clock(sandbox, oauth):
    """401 EXPIRED_AUTHENTICATION tells since when; use does not prolong it."""
    api = oauth()
    sandbox.clock.advance(timedelta(minutes=20))
    assert api.get(COMPANIES).status_code == 200
    sandbox.clock.advance(timedelta(minutes=10, seconds=75))

    reply = api.get(COMPANIES)

    assert reply.status_code == 401
    assert reply.json()["category"] == "EXPIRED_AUTHENTICATION"
    assert reply.json()["message"] == "The OAuth token used to make this call expired 75 second(s) ago."
    assert reply.json()["context"]["expire time"][0].endswith("Z")


def test_what_is_no_token_at_all_expired_in_1970(connect):
    """So the CRM reads what it cannot decode."""
    reply = connect("garbage").get(COMPANIES)

    assert reply.json()["context"] == {"expire time": ["1970-01-01T00:00:00.000Z"]}
    assert "day(s) ago" in reply.json()["message"]


def test_tokens_tell_what_they_are(sandbox, connect, oauth, form):
    """By access token, refresh token, static token and introspection."""
    text = oauth().headers["Authorization"].removeprefix("Bearer ")
    api, portal = connect(), sandbox.portal.id
    secrets = {name: form[name] for name in ("client_id", "client_secret")}

    access = api.get(f"/oauth/v1/access-tokens/{text}").json()
    refresh = api.get(f"/oauth/v1/refresh-tokens/{form['refresh_token']}").json()
    static = api.post(
        "/oauth/v2/private-apps/get/access-token-info", json={"tokenKey": sandbox.credentials.worker.token}
    ).json()
    active = api.post("/oauth/v3/token/introspect", data={"token": text, **secrets}).json()
    gone = api.post("/oauth/v3/token/introspect", data={"token": "gone", **secrets}).json()

    assert (access["hub_id"], access["token_type"]) == (portal, "access")
    assert "crm.objects.deals.write" in access["scopes"]
    assert (refresh["hub_id"], refresh["token_type"]) == (portal, "refresh")
    assert static["hubId"] == portal
    assert (active["active"], active["hub_id"], gone) == (True, portal, {"active": False})
    assert api.get("/oauth/v1/access-tokens/gone").status_code == 404


def test_a_revoked_refresh_token_gives_nothing_more(connect, form):
    """204 for the revocation, then BAD_REFRESH_TOKEN."""
    api = connect()

    assert api.delete(f"/oauth/v1/refresh-tokens/{form['refresh_token']}").status_code == 204
    assert api.post("/oauth/v1/token", data=form).json()["status"] == "BAD_REFRESH_TOKEN"
