"""How the HubSpot side looks while a fault acts: errors and pages as HubSpot and the servers before it send them."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import Response

from connectors.sandbox import fault_kinds as kinds
from connectors.sandbox.hubspot.context import (
    error_response,
    page_of_html,
    rate_limited_response,
)
from connectors.sandbox.hubspot.errors import HubSpotError
from connectors.sandbox.replies import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from connectors.sandbox.hubspot.context import HubSpotContext
    from connectors.sandbox.hubspot.rates import Policy

_POLICIES: dict[str, Policy] = {
    "ten_secondly_rolling": "TEN_SECONDLY_ROLLING",
    "secondly": "SECONDLY",
    "daily": "DAILY",
}
# What a status looks like, unless the fault says otherwise: (body, category, message).
_STATUS_REPLIES = {
    423: (
        "error",
        "LOCKED",
        "This record is locked by another operation. Wait at least 2 seconds and try again.",
    ),
    429: ("error", "RATE_LIMITS", "You have reached your ten_secondly_rolling limit."),
    477: (
        "error",
        "MIGRATION_IN_PROGRESS",
        "This account is being migrated to another data hosting location.",
    ),
    500: ("error", "", "internal error"),
}
# These come from HubSpot's edge, which knows no JSON.
_EDGE = {
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
    521: "521 Web server is down",
    522: "522 Connection timed out",
    523: "523 Origin is unreachable",
    524: "524 A timeout occurred",
    525: "525 SSL handshake failed",
    526: "526 Invalid SSL certificate",
    530: "530 Origin DNS error",
}


def fault_reply(context: HubSpotContext, fault: kinds.Fault, scope: Scope) -> Response | None:
    """The reply of a fault, or None where the call goes on (with the portal changed under it, perhaps)."""
    act = _ACTS.get(type(fault))
    return None if act is None else act(context, fault, scope)


def _status(_context: HubSpotContext, fault: kinds.Status, _scope: Scope) -> Response:
    body, category, message = _STATUS_REPLIES.get(fault.status, ("error", "", "internal error"))
    body = fault.body or ("html" if fault.status in _EDGE else body)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if body == "empty":
        return Response(status_code=fault.status, headers=headers)
    if body == "html":
        return page_of_html(fault.status, _EDGE.get(fault.status, _phrase(fault.status)), headers)
    response = error_response(
        HubSpotError(fault.code or category, fault.message or message, status=fault.status)
    )
    response.headers.update(headers)
    return response


def _phrase(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}" if status in HTTPStatus._value2member_map_ else str(status)


def _html(_context: HubSpotContext, _fault: kinds.Html200, _scope: Scope) -> Response:
    return page_of_html(200, "HubSpot is down for maintenance")


def _rate_limit(context: HubSpotContext, fault: kinds.RateLimit, _scope: Scope) -> Response:
    return rate_limited_response(context.rates.refusal(_POLICIES[fault.policy], fault.retry_after))


def _region(context: HubSpotContext, fault: kinds.WrongRegion, _scope: Scope) -> Response:
    hub, hublet = context.portal.id, fault.hublet
    body: dict[str, Any] = {
        "status": "error",
        "message": f"Hub {hub} is unknown to this Hublet, but it appears to exist in Hublet {hublet}",
        "correlationId": str(uuid.uuid4()),
        "correctHublet": fault.hublet,
    }
    return json_response(body, fault.status)


def _long(_context: HubSpotContext, _fault: kinds.LongAddress, _scope: Scope) -> Response:
    return too_long()


def _expire(context: HubSpotContext, fault: kinds.ExpireSession, scope: Scope) -> None:
    if fault.everyone:
        context.tokens.expire_all()
    else:
        context.tokens.expire(Headers(scope=scope).get("authorization", "").partition(" ")[2].strip())


def _touch(context: HubSpotContext, fault: kinds.BulkTouch, _scope: Scope) -> None:
    portal, after, ids = context.portal, None, []
    while True:
        page = portal.list_records(fault.object, limit=100, after=after, properties=("hs_object_id",))
        ids += [record["id"] for record in page.results]
        after = page.after
        if after is None:
            break
    portal.touch(fault.object, ids)


def _archive_owner(context: HubSpotContext, fault: kinds.ArchiveOwner, _scope: Scope) -> None:
    context.portal.archive_owner(fault.owner)


def _archive_property(context: HubSpotContext, fault: kinds.ArchiveProperty, _scope: Scope) -> None:
    context.portal.archive_property(context.portal.person, fault.object, fault.property)


def too_long() -> Response:
    """414, from the server before HubSpot's own."""
    return page_of_html(414, "414 Request-URI Too Large")


_ACTS: dict[type[kinds.Fault], Callable[[HubSpotContext, Any, Scope], Response | None]] = {
    kinds.Status: _status,
    kinds.Html200: _html,
    kinds.RateLimit: _rate_limit,
    kinds.WrongRegion: _region,
    kinds.LongAddress: _long,
    kinds.ExpireSession: _expire,
    kinds.BulkTouch: _touch,
    kinds.ArchiveOwner: _archive_owner,
    kinds.ArchiveProperty: _archive_property,
}
