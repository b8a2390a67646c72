"""Signing in: each grant, against the sandbox's token endpoint or a scripted one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from config.settings import SalesforceConnection
from connectors.contract import AuthProblem
from connectors.salesforce import MemoryTokens, connect
from connectors.salesforce.auth import FIXES, TOKEN_PATH

URL = "https://acme.my.salesforce.com"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def secret(tmp_path: Any) -> Any:
    """Write a secret to a file, and say where it is."""

    def write(name: str, value: str) -> dict[str, str]:
        (tmp_path / name).write_text(value)
        return {"file": str(tmp_path / name)}

    return write


def connector(
    auth: dict[str, Any],
    *,
    url: str = URL,
    tokens: Any = None,
    clock: Any = None,
    sleep: Any = lambda _: None,
    **more: Any,
) -> Any:
    """A connector with these credentials."""
    connection = SalesforceConnection(crm="salesforce", url=url, auth=auth, **more)
    return connect(
        "acme", connection, {}, tokens=tokens or MemoryTokens(), clock=clock or (lambda: NOW),
        sleep=sleep, rng=random.Random(1),
    )  # fmt: skip


def granted(**more: str) -> dict[str, str]:
    """A good reply of the token endpoint."""
    return {"access_token": "00D!token", "instance_url": URL, "id": f"{URL}/id/00D/005", **more}


def form(call: Any) -> dict[str, str]:
    """The form that a request carried."""
    return {key: values[0] for key, values in parse_qs(call.request.body).items()}


@pytest.fixture
def key() -> Any:
    """A private key in PEM form, and its public half."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def test_a_jwt_signs_in_to_the_sandbox(sandbox, secret, key) -> None:
    """Signature, audience and time are checked on the other side."""
    private, public = key
    worker = sandbox.credentials.worker
    sandbox.trust(worker.client_id, public)
    auth = {
        "grant": "jwt_bearer", "client_id": secret("id", worker.client_id), "username": worker.username,
        "private_key": secret("key", private),
    }  # fmt: skip
    made = connector(auth, url=sandbox.url, ca_file=sandbox.ca_file, clock=sandbox.clock)
    assert made.username == worker.username


@responses.activate
def test_a_jwt_is_signed_again_by_the_crms_clock_if_ours_is_wrong(secret, key) -> None:
    """Ten minutes of skew must not stop the worker."""
    private, public = key
    auth = {
        "grant": "jwt_bearer", "client_id": secret("id", "app"), "username": "w@acme.example",
        "private_key": secret("key", private),
    }  # fmt: skip
    refused = {"error": "invalid_grant", "error_description": "assertion expired"}
    date = "Sun, 22 Nov 2026 10:10:00 GMT"
    responses.post(URL + TOKEN_PATH, status=400, json=refused, headers={"Date": date})
    responses.post(URL + TOKEN_PATH, json=granted())
    responses.get(f"{URL}/services/oauth2/userinfo", json={"preferred_username": "w@acme.example"})
    assert connector(auth).username == "w@acme.example"
    first, second = (
        jwt.decode(
            form(call)["assertion"], public, algorithms=["RS256"], audience=URL, options={"verify_exp": False}
        )
        for call in list(responses.calls)[:2]
    )
    assert second["exp"] - first["exp"] == timedelta(minutes=10).total_seconds()


@responses.activate
def test_a_rotated_refresh_token_is_saved_before_the_session_is_used(secret) -> None:
    """The old one is dead by then: a crash in between must not lock us out."""
    events: list[str] = []

    class Tokens(MemoryTokens):
        def save(self, connection: str, refresh_token: str, configured: str) -> None:
            events.append(f"saved {connection} {refresh_token}, of {configured}")
            super().save(connection, refresh_token, configured)

    def userinfo(_: Any) -> tuple[int, dict[str, str], str]:
        events.append("used")
        return 200, {}, "{}"

    responses.post(URL + TOKEN_PATH, json=granted(refresh_token="second"))
    responses.add_callback("GET", f"{URL}/services/oauth2/userinfo", userinfo)
    auth = {"grant": "refresh_token", "client_id": secret("id", "app"), "refresh_token": secret("r", "first")}
    tokens = Tokens()
    assert connector(auth, tokens=tokens).username == ""
    assert events == ["saved acme second, of first", "used"]
    assert connector(auth, tokens=tokens).username == ""
    assert [form(call)["refresh_token"] for call in responses.calls if call.request.body] == [
        "first",
        "second",
    ]


@responses.activate
def test_a_renewed_refresh_token_replaces_a_kept_one_that_is_dead(secret) -> None:
    """An admin authorised the app again: the file is newer than what we kept."""

    def reply(request: Any) -> tuple[int, dict[str, str], str]:
        if "renewed" in request.body:
            return 200, {}, '{"access_token": "t"}'
        return 400, {}, '{"error": "invalid_grant", "error_description": "expired access/refresh token"}'

    responses.add_callback("POST", URL + TOKEN_PATH, reply)
    responses.get(f"{URL}/services/oauth2/userinfo", json={})
    tokens = MemoryTokens()
    tokens.save("acme", "dead", "an older one")
    auth = {
        "grant": "refresh_token",
        "client_id": secret("id", "app"),
        "refresh_token": secret("r", "renewed"),
    }
    assert connector(auth, tokens=tokens).username == ""


@responses.activate
def test_of_processes_that_sign_in_at_once_all_get_in(secret) -> None:
    """The token of a slower one is dead before a quicker one could keep its successor, and so is that one's."""

    def reply(request: Any) -> tuple[int, dict[str, str], str]:
        if "third" in request.body:
            return 200, {}, '{"access_token": "t", "refresh_token": "fourth"}'
        return 400, {}, '{"error": "invalid_grant", "error_description": "expired access/refresh token"}'

    responses.add_callback("POST", URL + TOKEN_PATH, reply)
    responses.get(f"{URL}/services/oauth2/userinfo", json={})
    tokens, others = MemoryTokens(), iter(("second", "third"))
    auth = {"grant": "refresh_token", "client_id": secret("id", "app"), "refresh_token": secret("r", "first")}
    slowest = connector(auth, tokens=tokens, sleep=lambda _: tokens.save("acme", next(others), "first"))
    assert slowest.username == ""
    assert tokens.load("acme", "first") == "fourth"


@pytest.mark.parametrize(("code", "text", "fix"), FIXES, ids=[f"{code}-{text}" for code, text, _ in FIXES])
@responses.activate
def test_every_refusal_to_sign_in_says_what_to_do(code: str, text: str, fix: str, secret) -> None:
    """Each row of the table is reachable; the secret is not in the message."""
    refused = {"error": code or "something_new"} | ({"error_description": text} if text else {})
    responses.post(URL + TOKEN_PATH, status=400, json=refused)
    auth = {"client_id": secret("id", "app"), "client_secret": secret("secret", "hunter2")}
    with pytest.raises(AuthProblem) as caught:
        connector(auth).org()
    assert fix in str(caught.value)
    assert str(caught.value).startswith("acme: ")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("body", ['"text"', "[]", '{"token_type": "Bearer"}'])
@responses.activate
def test_a_reply_without_a_token_is_an_auth_problem(body: str, secret) -> None:
    """Whatever a proxy or a wrong address answers."""
    responses.post(URL + TOKEN_PATH, body=body, content_type="application/json")
    auth = {"client_id": secret("id", "app"), "client_secret": secret("secret", "hunter2")}
    with pytest.raises(AuthProblem, match="My Domain"):
        connector(auth).org()


@responses.activate
def test_a_session_is_never_moved_to_an_address_in_the_clear(secret) -> None:
    """Not even if the token endpoint says so."""
    responses.post(URL + TOKEN_PATH, json=granted(instance_url="http://acme.my.salesforce.com"))
    auth = {"client_id": secret("id", "app"), "client_secret": secret("secret", "hunter2")}
    with pytest.raises(AuthProblem, match="not encrypted"):
        connector(auth).org()


@responses.activate
def test_a_session_goes_on_at_the_address_that_salesforce_names(secret) -> None:
    """Orgs move between instances."""
    elsewhere = "https://acme2.my.salesforce.com"
    responses.post(URL + TOKEN_PATH, json=granted(instance_url=elsewhere))
    responses.get(f"{elsewhere}/services/oauth2/userinfo", json={"preferred_username": "w"})
    auth = {"client_id": secret("id", "app"), "client_secret": secret("secret", "hunter2")}
    assert connector(auth).username == "w"
