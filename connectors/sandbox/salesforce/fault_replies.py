"""How the Salesforce side looks while a fault acts: errors, pages and empty replies as the CRM has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response

from connectors.sandbox import fault_kinds as kinds
from connectors.sandbox.salesforce.context import error_response
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.limits import concurrent_limit_exceeded, daily_limit_exceeded

if TYPE_CHECKING:
    from starlette.types import Scope

    from connectors.sandbox.salesforce.context import SandboxContext

_ERROR_ID = (
    "An unexpected error occurred. Please include this ErrorId if you contact support: "
    "1234567-89 (1234567890)"
)
# What the CRM's edge sends for a status, unless the fault says otherwise: (body, error code, message).
_STATUS_REPLIES = {
    406: ("empty", "", ""),
    420: ("html", "", ""),
    429: ("error", "REQUEST_LIMIT_EXCEEDED", "Too many requests"),
    500: ("error", "UNKNOWN_EXCEPTION", _ERROR_ID),
    502: ("html", "", ""),
    503: ("error", "SERVER_UNAVAILABLE", "The server is currently unavailable"),
}
# Faults that answer with one error.
_ERRORS: dict[type[kinds.Fault], tuple[str, str]] = {
    kinds.QueryTimeout: ("QUERY_TIMEOUT", "Your query request was running for too long."),
    kinds.LoseLocators: ("INVALID_QUERY_LOCATOR", "invalid query locator"),
}
_PAGE = (
    "<!DOCTYPE html><html><head><title>Salesforce</title></head><body><h1>We are setting things up</h1>"
    "<p>Stay tuned. This page will be back in a moment.</p></body></html>"
)


def fault_reply(context: SandboxContext, fault: kinds.Fault, scope: Scope) -> Response | None:
    """The reply of a fault, or None where the call goes on (with its session gone, perhaps)."""
    if isinstance(fault, kinds.ExpireSession):
        _expire(context, fault, scope)
    if isinstance(fault, kinds.Status):
        return _status(fault)
    if isinstance(fault, kinds.Html200):
        return HTMLResponse(_PAGE)
    if isinstance(fault, kinds.RequestLimit):
        return _limit(context, fault)
    error = _ERRORS.get(type(fault))
    return None if error is None else error_response(SalesforceError(*error))


def _expire(context: SandboxContext, fault: kinds.ExpireSession, scope: Scope) -> None:
    if fault.everyone:
        context.sessions.end_all()
    else:
        headers = Headers(scope=scope)
        token = headers.get("x-sfdc-session") or headers.get("authorization", "").partition(" ")[2]
        context.sessions.end(token.strip())


def _status(fault: kinds.Status) -> Response:
    body, code, message = _STATUS_REPLIES.get(
        fault.status, ("error", "UNKNOWN_EXCEPTION", "An unexpected error occurred")
    )
    body = fault.body or body
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if body == "empty":
        return Response(status_code=fault.status, headers=headers)
    if body == "html":
        return HTMLResponse(_PAGE, fault.status, headers)
    error = SalesforceError(
        fault.code or code or "UNKNOWN_EXCEPTION", fault.message or message, status=fault.status
    )
    response = error_response(error)
    response.headers.update(headers)
    return response


def _limit(context: SandboxContext, fault: kinds.RequestLimit) -> Response:
    if fault.scope == "concurrent":
        return error_response(concurrent_limit_exceeded())
    response = error_response(daily_limit_exceeded())
    response.headers["Sforce-Limit-Info"] = f"api-usage={context.limits.maximum}/{context.limits.maximum}"
    return response
