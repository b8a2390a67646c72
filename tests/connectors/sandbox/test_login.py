"""Getting a session as Salesforce gives one: four grants, SOAP, expiry, revocation."""

from __future__ import annotations

import datetime as dt
import json
import time

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ENVELOPE = """<?xml version="1.0"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>
<n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{}</n1:username><n1:password>{}</n1:password></n1:login>
</env:Body></env:Envelope>"""


def ask(client, **form):
    """POST to the token endpoint."""
    return client.post("/services/oauth2/token", data=form)


def app(account):
    """The app's part of a form."""
    return {"client_id": account.client_id, "client_secret": account.client_secret}


def works(client, token):
    """Whether a session opens the API."""
    return client.get("limits", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_client_credentials_run_as_the_apps_user(sandbox, connect):
    """By Basic or by form, the session is the integration user's, and `id` ends with org and user."""
    client, account = connect(sandbox), sandbox.credentials.worker

    reply = ask(client, grant_type="client_credentials", **app(account)).json()

    assert reply["id"].split("/")[-2:] == [sandbox.org.id, sandbox.org.worker.id]
    assert reply["issued_at"].isdigit()
    assert works(client, reply["access_token"])


def test_client_credentials_need_the_orgs_own_domain(sandbox, connect):
    """The shared login hosts refuse them, as Salesforce's do."""
    client = connect(sandbox)
    client.proxies = {"https": sandbox.http_url}
    form = {"grant_type": "client_credentials", **app(sandbox.credentials.worker)}

    reply = client.post("https://login.salesforce.com/services/oauth2/token", data=form)

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client_id"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"password": "wrong"}, "invalid_grant"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_refused_in_oauths_words(sandbox, connect, change, error):
    """400, with error and error_description."""
    account = sandbox.credentials.worker
    right = {
        "grant_type": "password",
        "username": account.username,
        "password": account.password,
        **app(account),
    }

    reply = ask(connect(sandbox), **{**right, **change})

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "error_description"}
    assert reply.json()["error"] == error


@pytest.fixture(scope="module")
def key():
    """A private key of an app."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key):
    """Its public half."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


@pytest.mark.parametrize("exp", ["number", "text", "milliseconds"])
def test_a_jwt_is_believed_by_its_signature(sandbox, connect, key, exp):
    """Clients send `exp` in three forms; all are understood."""
    account, now = sandbox.credentials.worker, int(time.time()) + 180
    sandbox.trust(account.client_id, public_pem(key))
    claims = {
        "iss": account.client_id,
        "sub": account.username,
        "aud": sandbox.url,
        "exp": {"number": now, "text": str(now), "milliseconds": now * 1000}[exp],
    }

    reply = ask(
        connect(sandbox),
        grant_type=JWT_GRANT,
        assertion=jwt.api_jws.encode(json.dumps(claims).encode(), key, "RS256"),
    )

    assert works(connect(sandbox), reply.json()["access_token"])


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ({"sub": "stranger@example.com"}, "user hasn't approved this consumer"),
        ({"exp": 1}, "assertion expired"),
        ({"aud": "https://evil.example.com"}, "audience is invalid"),
    ],
)
def test_a_jwt_with_wrong_claims_is_refused(sandbox, connect, key, change, description):
    """The description says what is wrong."""
    account = sandbox.credentials.worker
    sandbox.trust(account.client_id, public_pem(key))
    claims = {
        "iss": account.client_id,
        "sub": account.username,
        "aud": sandbox.url,
        "exp": int(time.time()) + 60,
    }

    reply = ask(
        connect(sandbox), grant_type=JWT_GRANT, assertion=jwt.encode({**claims, **change}, key, "RS256")
    )

    assert reply.json()["error_description"] == description


def test_a_jwt_of_an_unknown_key_is_refused(sandbox, connect, key):
    """Whoever signs must be registered with the app; registering goes by HTTP too, and takes certificates."""
    account, client = sandbox.credentials.worker, connect(sandbox)
    claims = {
        "iss": account.client_id,
        "sub": account.username,
        "aud": sandbox.url,
        "exp": int(time.time()) + 60,
    }
    ca = trustme.CA(key_type=trustme.KeyType.RSA)
    signing = serialization.load_pem_private_key(ca.private_key_pem.bytes(), None)
    form = {"grant_type": JWT_GRANT, "assertion": jwt.encode(claims, signing, "RS256")}
    assert ask(client, **form).json()["error_description"] == "invalid assertion"

    registered = client.post(
        "/sandbox/keys", json={"client_id": account.client_id, "public_key": ca.cert_pem.bytes().decode()}
    )

    assert registered.status_code == 201
    assert works(client, ask(client, **form).json()["access_token"])


def test_a_refresh_token_serves_again_unless_it_rotates(sandbox, connect):
    """With rotation each token works once and brings its successor."""
    client, account = connect(sandbox), sandbox.credentials.worker
    form = {"grant_type": "refresh_token", **app(account)}
    for _ in range(2):
        assert "refresh_token" not in ask(client, **form, refresh_token=account.refresh_token).json()
    sandbox.sessions.rotate(account.client_id)

    first = ask(client, **form, refresh_token=account.refresh_token).json()

    assert ask(client, **form, refresh_token=account.refresh_token).json()["error"] == "invalid_grant"
    assert works(client, ask(client, **form, refresh_token=first["refresh_token"]).json()["access_token"])


def test_a_session_ends_by_the_orgs_clock(sandbox, api):
    """Two idle hours later the same token is refused, with Salesforce's body."""
    assert api.get("limits").status_code == 200
    sandbox.clock.advance(dt.timedelta(hours=2, seconds=1))

    reply = api.get("limits")

    assert reply.status_code == 401
    assert reply.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_a_revoked_session_is_over(sandbox, api):
    """Revocation takes sessions."""
    api.post("/services/oauth2/revoke", data={"token": api.headers["Authorization"].split()[1]})

    assert api.get("limits").status_code == 401


def test_userinfo_tells_who_is_logged_in(sandbox, api):
    """It has the keys that the command line client of Salesforce reads."""
    info = api.get("/services/oauth2/userinfo").json()

    assert info["user_id"] == sandbox.org.admin.id
    assert info["organization_id"] == sandbox.org.id
    assert {"sub", "preferred_username", "name", "email"} <= set(info)
    assert (
        api.get(f"/id/{sandbox.org.id}/{sandbox.org.admin.id}").json()["username"]
        == sandbox.org.admin.username
    )


class TestSoap:
    """SOAP login, for clients that still use it."""

    def log_in(self, client, version="64.0", password=None):
        """POST a login."""
        account = client.sandbox.credentials.admin
        body = ENVELOPE.format(account.username, password or account.password + account.security_token)
        return client.post(f"/services/Soap/u/{version}", data=body, headers={"SOAPAction": "login"})

    def test_it_gives_a_session(self, sandbox, connect):
        """Session id and server address stand in plain elements, as clients cut them out of the text."""
        client = connect(sandbox)

        text = self.log_in(client).text

        assert works(client, text.partition("<sessionId>")[2].partition("</sessionId>")[0])
        assert f"<serverUrl>{sandbox.url}/services/Soap/u/64.0/{sandbox.org.id}</serverUrl>" in text

    @pytest.mark.parametrize(
        ("version", "password", "code"),
        [
            ("64.0", "wrong", "INVALID_LOGIN"),
            ("30.0", None, "UNSUPPORTED_API_VERSION"),
            ("65.0", None, "INVALID_OPERATION"),
        ],
    )
    def test_refusals_are_faults(self, sandbox, connect, version, password, code):
        """HTTP 500, with the prefixed elements that clients read."""
        reply = self.log_in(connect(sandbox), version, password)

        assert reply.status_code == 500
        assert f"<sf:exceptionCode>{code}</sf:exceptionCode>" in reply.text
