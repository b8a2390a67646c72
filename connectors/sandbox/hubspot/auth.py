"""OAuth as HubSpot does it: access tokens for refresh tokens, and what a token is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from connectors.sandbox.hubspot.addresses import DATED
from connectors.sandbox.hubspot.context import Call, Endpoint, found, no_content, withheld_scopes
from connectors.sandbox.hubspot.errors import HubSpotError, resource_not_found
from connectors.sandbox.hubspot.scopes import nothing
from connectors.sandbox.replies import json_response
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from connectors.sandbox.hubspot.tokens import App, Token

_FORM = "application/x-www-form-urlencoded"


class OAuthError(Exception):
    """A refusal of the token endpoint: both OAuth's words and HubSpot's own."""

    def __init__(self, error: str, status: str, message: str) -> None:
        super().__init__(message)
        self.body = {"error": error, "error_description": message, "status": status, "message": message}


def endpoints() -> list[Endpoint]:
    """The endpoints of this module; none needs a token, as they give them."""
    return [
        _open("/token", {"POST": (token, nothing)}, "v1", "v3", DATED),
        _open("/token/introspect", {"POST": (introspect, nothing)}, "v3", DATED),
        _open("/access-tokens/{token}", {"GET": (about_access_token, nothing)}, "v1"),
        _open(
            "/refresh-tokens/{token}",
            {"GET": (about_refresh_token, nothing), "DELETE": (revoke, nothing)},
            "v1",
        ),
        _open("/private-apps/get/access-token-info", {"POST": (about_static_token, nothing)}, "v2"),
    ]


def _open(path: str, handlers: Any, *versions: str) -> Endpoint:
    return Endpoint("oauth", path, handlers, versions=versions, authenticated=False)


def token(call: Call) -> Response:
    """POST /oauth/{version}/token."""
    try:
        app, refresh_token = _grant(call, _form(call))
    except OAuthError as error:
        return json_response(error.body, 400)
    opened = call.context.tokens.open(app)
    notes().user = app.username
    reply: dict[str, Any] = {
        "token_type": "bearer",
        "refresh_token": refresh_token,
        "access_token": opened.text,
        "expires_in": _seconds_left(call, opened),
    }
    if call.version != "v1":
        reply |= {"hub_id": call.portal.id, "scopes": sorted(app.scopes - withheld_scopes())}
    return json_response(reply, headers={"Cache-Control": "no-store"})


def _grant(call: Call, form: Mapping[str, str]) -> tuple[App, str]:
    """The app that asks, and its refresh token."""
    grant = form.get("grant_type", "")
    if grant == "authorization_code":
        # Nobody can have a code: they come from a page on which a person allows an app, and the sandbox has none.
        message = (
            "the sandbox has no page to allow an app on: use the refresh token or the token that it tells"
        )
        raise OAuthError("invalid_grant", "BAD_AUTH_CODE", message)
    if grant != "refresh_token":
        raise OAuthError("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type")
    app = call.context.tokens.apps.get(form.get("client_id", ""))
    if app is None:
        raise OAuthError("invalid_client", "BAD_CLIENT_ID", "missing or invalid client id")
    if not app.knows(form.get("client_secret", "")):
        raise OAuthError("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret")
    refresh_token = form.get("refresh_token", "")
    if call.context.tokens.refresh(refresh_token) != app:
        message = "refresh token is invalid, expired or revoked"
        raise OAuthError("invalid_grant", "BAD_REFRESH_TOKEN", message)
    return app, refresh_token


def introspect(call: Call) -> Response:
    """POST /oauth/v3/token/introspect, by an app about its own tokens."""
    form, tokens = _form(call), call.context.tokens
    app = tokens.apps.get(form.get("client_id", ""))
    if app is None or not app.knows(form.get("client_secret", "")):
        refused = OAuthError("invalid_client", "BAD_CLIENT_ID", "missing or invalid client id")
        return json_response(refused.body, 400)
    text = form.get("token", "")
    opened = tokens.find(text)
    if opened is not None and opened.app == app:
        reply = {**_about(call, opened), "token_use": "access_token", "client_id": app.client_id}
        return found({"active": True, **reply})
    if tokens.refresh(text) == app:
        reply = {**_about_app(call, app), "token_use": "refresh_token", "client_id": app.client_id}
        return found({"active": True, **reply})
    return found({"active": False})


def about_access_token(call: Call) -> Response:
    """GET /oauth/v1/access-tokens/{token}."""
    opened = call.context.tokens.find(call.params["token"])
    if opened is None:
        raise resource_not_found()
    return found({"token": opened.text, **_about(call, opened), "token_type": "access"})


def about_refresh_token(call: Call) -> Response:
    """GET /oauth/v1/refresh-tokens/{token}."""
    text = call.params["token"]
    app = call.context.tokens.refresh(text)
    if app is None:
        raise resource_not_found()
    about = {**_about_app(call, app), "client_id": app.client_id, "token_type": "refresh"}
    return found({"token": text, **about})


def revoke(call: Call) -> Response:
    """DELETE /oauth/v1/refresh-tokens/{token}."""
    if not call.context.tokens.revoke(call.params["token"]):
        raise resource_not_found()
    return no_content()


def about_static_token(call: Call) -> Response:
    """POST /oauth/v2/private-apps/get/access-token-info."""
    opened = call.context.tokens.find(str(call.json_object().get("tokenKey", "")))
    if opened is None or opened.is_oauth:
        raise resource_not_found()
    app = opened.app
    return found(
        {
            "userId": app.user_id,
            "hubId": call.portal.id,
            "appId": int(app.app_id),
            "scopes": sorted(app.scopes - withheld_scopes()),
        }
    )


def _about(call: Call, opened: Token) -> dict[str, Any]:
    return {**_about_app(call, opened.app), "expires_in": _seconds_left(call, opened)}


def _about_app(call: Call, app: App) -> dict[str, Any]:
    return {
        "user": app.username,
        "user_id": app.user_id,
        "hub_domain": f"{call.portal.id}.hubspot-sandbox.example",
        "hub_id": call.portal.id,
        "app_id": int(app.app_id),
        "scopes": sorted(app.scopes - withheld_scopes()),
    }


def _seconds_left(call: Call, opened: Token) -> int | None:
    if opened.expires is None:
        return None
    return round((opened.expires - call.context.clock()).total_seconds())


def _form(call: Call) -> dict[str, str]:
    if call.body and not call.headers.get("content-type", "").lower().startswith(_FORM):
        raise HubSpotError("", "HTTP 415 Unsupported Media Type", status=415)
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    # The newer versions take secrets from the body only, as addresses end up in logs.
    return {**dict(call.query), **form} if call.version == "v1" else form
