"""OAuth as Salesforce does it: the token endpoint with four grants, userinfo, identity, revocation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import jwt
from starlette.responses import Response

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.context import session_expired
from connectors.sandbox.salesforce.keys import public_key
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext
    from connectors.sandbox.salesforce.org import User
    from connectors.sandbox.salesforce.sessions import App

    Grant = Callable[[Call, Mapping[str, str]], tuple[User, App, str | None]]

MY_DOMAIN = "foretag-sandbox.my.salesforce.com"
_SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")
# Beyond this (the year 5138) an `exp` claim must be milliseconds, as one well-known client sends it.
_MILLISECONDS = 100_000_000_000
_LEEWAY_SECONDS = 300


class OAuthError(Exception):
    """A refusal of the token endpoint."""

    def __init__(self, error: str, description: str | None) -> None:
        super().__init__(f"{error}: {description}")
        self.body = {"error": error} | ({"error_description": description} if description else {})


def routes(context: SandboxContext) -> list[Route]:
    """The OAuth endpoints."""
    return [
        context.resource("/services/oauth2/token", {"POST": token}, authenticated=False),
        context.resource("/services/oauth2/revoke", {"POST": revoke, "GET": revoke}, authenticated=False),
        context.resource(
            "/services/oauth2/userinfo", {"GET": userinfo, "POST": userinfo}, authenticated=False
        ),
        context.resource(
            "/id/{organization}/{user}", {"GET": userinfo, "POST": userinfo}, authenticated=False
        ),
    ]


def instance_url(base_url: str) -> str:
    """The org's own address as this client can reach it: shared login hosts hand on to the My Domain."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{MY_DOMAIN}" if parts.hostname in _SHARED_HOSTS else base_url


def token(call: Call) -> Response:
    """POST /services/oauth2/token."""
    form = _form(call)
    grant = GRANTS.get(form.get("grant_type", ""), _unsupported)
    try:
        user, app, refresh_token = grant(call, form)
    except OAuthError as error:
        return json_response(error.body, 400)
    notes().user = user.username
    session = call.context.sessions.open(user)
    return json_response(
        _token_reply(call, user, app, session.id, refresh_token), headers={"Cache-Control": "no-store"}
    )


def _token_reply(
    call: Call, user: User, app: App, session_id: str, refresh_token: str | None
) -> dict[str, Any]:
    identity = f"{call.base_url}/id/{call.org.id}/{user.id}"
    issued_at = str(int(call.context.clock().timestamp() * 1000))
    digest = hmac.new(app.client_secret.encode(), (identity + issued_at).encode(), hashlib.sha256).digest()
    return {
        "access_token": session_id,
        **({"refresh_token": refresh_token} if refresh_token else {}),
        "signature": base64.b64encode(digest).decode(),
        "scope": "api id" + (" refresh_token" if refresh_token else ""),
        "instance_url": instance_url(call.base_url),
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def _form(call: Call) -> dict[str, str]:
    """Parameters of the body, and of the address, which the CRM takes too."""
    return {
        **dict(call.query),
        **dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)),
    }


def _app(call: Call, form: Mapping[str, str], *, secret_needed: bool) -> App:
    """The client app, by Basic authorization or by the form."""
    client_id, client_secret = _basic(call) or (form.get("client_id", ""), form.get("client_secret"))
    sessions = call.context.sessions
    if sessions.app(client_id) is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if client_secret is None and secret_needed:
        raise OAuthError("invalid_client", "invalid client credentials")
    app = sessions.app(client_id, client_secret)
    if app is None:
        raise OAuthError("invalid_client", "invalid client credentials")
    return app


def _basic(call: Call) -> tuple[str, str] | None:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise OAuthError("invalid_client", "invalid client credentials") from None
    return unquote_plus(client_id), secret


def _unsupported(_call: Call, _form: Mapping[str, str]) -> tuple[User, App, str | None]:
    raise OAuthError("unsupported_grant_type", "grant type not supported")


def _client_credentials(call: Call, form: Mapping[str, str]) -> tuple[User, App, str | None]:
    if urlsplit(call.base_url).hostname in _SHARED_HOSTS:
        raise OAuthError("invalid_grant", "request not supported on this domain")
    app = _app(call, form, secret_needed=True)
    user = call.org.users.get(app.runs_as.lower())
    if user is None:
        raise OAuthError("invalid_grant", "no client credentials user enabled")
    return user, app, None


def _password(call: Call, form: Mapping[str, str]) -> tuple[User, App, str | None]:
    app = _app(call, form, secret_needed=True)
    user = call.context.sessions.login(form.get("username", ""), form.get("password", ""))
    if user is None:
        raise OAuthError("invalid_grant", "authentication failure")
    return user, app, None


def _refresh_token(call: Call, form: Mapping[str, str]) -> tuple[User, App, str | None]:
    app = _app(call, form, secret_needed=False)
    redeemed = call.context.sessions.redeem_refresh_token(app, form.get("refresh_token", ""))
    if redeemed is None:
        raise OAuthError("invalid_grant", "expired access/refresh token")
    user, successor = redeemed
    return user, app, successor


def _jwt_bearer(call: Call, form: Mapping[str, str]) -> tuple[User, App, str | None]:
    assertion = form.get("assertion", "")
    try:
        claims = jwt.decode(
            assertion,
            options={
                "verify_signature": False,
                "verify_exp": False,
                "verify_aud": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidTokenError:
        raise OAuthError("invalid_grant", "invalid assertion") from None
    app = call.context.sessions.app(str(claims.get("iss", "")))
    if app is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if not any(_signed_by(assertion, pem) for pem in app.public_keys):
        raise OAuthError("invalid_grant", "invalid assertion")
    _check_expiry(call, claims.get("exp"))
    _check_audience(call, claims.get("aud"))
    user = call.org.users.get(str(claims.get("sub", claims.get("prn", ""))).lower())
    if user is None:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    return user, app, None


def _signed_by(assertion: str, pem: str) -> bool:
    try:
        jwt.decode(
            assertion,
            public_key(pem),
            algorithms=["RS256"],
            options={
                "verify_exp": False,
                "verify_aud": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_sub": False,
            },
        )
    except jwt.InvalidTokenError:
        return False
    return True


def _check_expiry(call: Call, exp: Any) -> None:
    """Seconds, as a number or a string, or milliseconds: clients send all three."""
    try:
        expires = float(exp)
    except (TypeError, ValueError):
        raise OAuthError("invalid_grant", "invalid assertion") from None
    if expires > _MILLISECONDS:
        expires /= 1000
    # The client's clock is the machine's, while the org plays another day: either may vouch for it.
    if expires < min(call.context.clock().timestamp(), time.time()) - _LEEWAY_SECONDS:
        raise OAuthError("invalid_grant", "assertion expired")


def _check_audience(call: Call, audience: Any) -> None:
    hosts = (*_SHARED_HOSTS, MY_DOMAIN, urlsplit(call.base_url).hostname, "localhost", "127.0.0.1", "::1")
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(urlsplit(str(one)).hostname in hosts for one in audiences):
        raise OAuthError("invalid_grant", "audience is invalid")


GRANTS: dict[str, Grant] = {
    "client_credentials": _client_credentials,
    "password": _password,
    "refresh_token": _refresh_token,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _jwt_bearer,
}


def revoke(call: Call) -> Response:
    """POST /services/oauth2/revoke: end a session or a refresh token."""
    if call.context.sessions.revoke(_form(call).get("token", "")):
        return Response(status_code=200)
    return json_response(
        {"error": "unsupported_token_type", "error_description": "this token type is not supported"}, 400
    )


def userinfo(call: Call) -> Response:
    """GET /services/oauth2/userinfo and /id/{org}/{user}: who the session belongs to."""
    session_id = call.headers.get("authorization", "").partition(" ")[2] or _form(call).get(
        "access_token", ""
    )
    user = call.context.sessions.user(session_id)
    if user is None:
        return Response("Bad_OAuth_Token", 403, media_type="text/html;charset=UTF-8")
    wanted = call.path_params.get("user")
    if wanted is not None and wanted[:15] != user.id[:15]:
        raise session_expired()
    notes().user = user.username
    return json_response(_identity(call, user))


def _identity(call: Call, user: User) -> dict[str, Any]:
    identity, instance = f"{call.base_url}/id/{call.org.id}/{user.id}", instance_url(call.base_url)
    services = f"{instance}/services"
    return {
        "sub": identity,
        "id": identity,
        "user_id": user.id,
        "organization_id": call.org.id,
        "preferred_username": user.username,
        "username": user.username,
        "nickname": user.username.partition("@")[0],
        "name": user.name,
        "display_name": user.name,
        "email": user.username,
        "email_verified": True,
        "zoneinfo": call.org.timezone,
        "urls": {
            "enterprise": f"{services}/Soap/c/{{version}}/{call.org.id[:15]}",
            "metadata": f"{services}/Soap/m/{{version}}/{call.org.id[:15]}",
            "partner": f"{services}/Soap/u/{{version}}/{call.org.id[:15]}",
            "rest": f"{services}/data/v{{version}}/",
            "sobjects": f"{services}/data/v{{version}}/sobjects/",
            "search": f"{services}/data/v{{version}}/search/",
            "query": f"{services}/data/v{{version}}/query/",
            "profile": f"{instance}/{user.id}",
            "custom_domain": instance,
        },
        "active": True,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "is_app_installed": True,
    }
