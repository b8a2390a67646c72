"""Signing in: a key as it is, or OAuth whose newest refresh token is kept before anything uses it."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import responses

from config.settings import HubSpotConnection
from connectors.contract import AuthProblem
from connectors.hubspot import HubSpotConnector, MemoryTokens, connect

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://api.hubapi.com"
DETAILS = f"{URL}/account-info/v3/details"
TOKEN = f"{URL}/oauth/v1/token"
HEADERS = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
EXPIRED = {"status": "error", "category": "EXPIRED_AUTHENTICATION", "message": "The OAuth token expired"}


def connector(folder: Path, tokens: MemoryTokens, **secrets: str) -> HubSpotConnector:
    """A connector with these secrets; version of the paths beside them."""
    version = secrets.pop("api_version", "v3")
    auth: dict[str, Any] = {}
    slept: list[float] = []
    for name, value in secrets.items():
        (folder / name).write_text(value)
        auth[name] = {"file": str(folder / name)}
    if "refresh_token" in auth:
        auth["grant"] = "refresh_token"
    connection = HubSpotConnection(crm="hubspot", auth=auth, api_version=version)
    return connect(
        "acme",
        connection,
        {},
        tokens=tokens,
        clock=lambda: datetime(2020, 1, 1, tzinfo=UTC),
        sleep=slept.append,
        rng=random.Random(5),
        monotonic=lambda: sum(slept),
    )


def granted(access: str, refresh: str) -> dict[str, Any]:
    """A reply to a refresh."""
    return {"token_type": "bearer", "access_token": access, "refresh_token": refresh, "expires_in": 1800}


@responses.activate
def test_a_key_is_used_as_it_is(tmp_path: Path) -> None:
    """No sign-in; a key that is refused needs a person."""
    responses.get(DETAILS, json={"portalId": 7}, headers=HEADERS)
    responses.get(DETAILS, status=401, json={"status": "error", "category": "INVALID_AUTHENTICATION"})
    connected = connector(tmp_path, MemoryTokens(), token="pat-na1-1")
    connected.server_time()
    assert responses.calls[0].request.headers["Authorization"] == "Bearer pat-na1-1"
    with pytest.raises(AuthProblem, match="make a new one"):
        connected.server_time()
    assert len(responses.calls) == 2


@responses.activate
def test_an_expired_token_is_renewed_and_the_newest_refresh_token_kept(tmp_path: Path) -> None:
    """The kept one is used by the next process, not the one in the settings."""
    tokens = MemoryTokens()
    responses.post(TOKEN, json=granted("a1", "r2"))
    responses.get(DETAILS, status=401, json=EXPIRED)
    responses.post(TOKEN, json=granted("a2", "r3"))
    responses.get(DETAILS, json={"portalId": 7}, headers=HEADERS)
    secrets = {"client_id": "c", "client_secret": "s", "refresh_token": "r1"}
    connector(tmp_path, tokens, **secrets).server_time()
    forms = [parse_qs(str(call.request.body)) for call in responses.calls if call.request.url == TOKEN]
    assert [form["refresh_token"] for form in forms] == [["r1"], ["r2"]]
    assert all(form["grant_type"] == ["refresh_token"] for form in forms)
    assert all(
        "Authorization" not in call.request.headers for call in responses.calls if call.request.url == TOKEN
    )
    assert tokens.load("acme", "r1") == "r3"


@responses.activate
def test_a_dead_refresh_token_says_what_to_do(tmp_path: Path) -> None:
    """Once, and without the token."""
    body = {"error": "invalid_grant", "error_description": "revoked", "status": "BAD_REFRESH_TOKEN"}
    responses.post(TOKEN, status=400, json=body)
    secrets = {"client_id": "c", "client_secret": "s", "refresh_token": "secret-r1"}
    with pytest.raises(AuthProblem, match="install the app in this portal again") as caught:
        connector(tmp_path, MemoryTokens(), **secrets).server_time()
    assert "secret-r1" not in str(caught.value)


@responses.activate
def test_a_token_endpoint_that_is_too_busy_is_asked_again(tmp_path: Path) -> None:
    """It answers 429 as any other."""
    responses.post(TOKEN, status=429, json={"policyName": "SECONDLY", "message": "secondly limit"})
    responses.post(TOKEN, json=granted("a1", "r1"))
    responses.get(DETAILS, json={"portalId": 7}, headers=HEADERS)
    secrets = {"client_id": "c", "client_secret": "s", "refresh_token": "r1"}
    connector(tmp_path, MemoryTokens(), **secrets).server_time()
    assert len(responses.calls) == 3


@responses.activate
def test_the_dated_version_signs_in_at_its_own_path(tmp_path: Path) -> None:
    """The old endpoint stops in 2027."""
    responses.post(f"{URL}/oauth/2026-03/token", json=granted("a1", "r1"))
    responses.get(f"{URL}/account-info/2026-03/details", json={"portalId": 7}, headers=HEADERS)
    secrets = {"client_id": "c", "client_secret": "s", "refresh_token": "r1", "api_version": "2026-03"}
    connector(tmp_path, MemoryTokens(), **secrets).server_time()
    assert len(responses.calls) == 2
