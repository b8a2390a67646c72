"""The Salesforce side as one ASGI application: every resource, and what holds for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Router

from connectors.sandbox.replies import METHODS
from connectors.sandbox.salesforce.context import SandboxContext, error_response, not_found
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.fault_replies import fault_reply
from connectors.sandbox.salesforce.limits import concurrent_limit_exceeded
from connectors.sandbox.salesforce.long_calls import LongCalls, is_above_limit
from connectors.sandbox.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from connectors.sandbox.fault_kinds import Fault
    from connectors.sandbox.salesforce.context import Call

__all__ = ["SandboxContext", "salesforce_app"]

# Every module with resources; earlier ones win where paths overlap.
MODULES = (
    "auth",
    "soap_login",
    "versions",
    "rest_query",
    "composite",
    "collections",
    "tree",
    "bulk_query",
    "bulk_ingest",
    "bulk_v1",
    "metadata",
    "tooling",
    "records",
)

# The CRM's own limits on what stands before the body.
MAX_ADDRESS = 16_384
_CRM_PATHS = ("/services/", "/id/")


def salesforce_app(context: SandboxContext, others: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The application; `others` are the sandbox's own pages and switches."""
    package = __package__
    routes = [route for name in MODULES for route in import_module(f"{package}.{name}").routes(context)]
    # A resource that does not exist asks for a session first, like all others.
    unknown = context.resource("/services/data/v{version}/{rest:path}", dict.fromkeys(METHODS, _nothing))
    router = Router([*routes, unknown, *others], redirect_slashes=False, default=_no_such_address)
    # Downloads are many and large, so speed counts more than the last percent of size.
    compressed = GZipMiddleware(router, compresslevel=1)
    wire = Wire(compressed, SalesforceSide(context), context.clock, context.faults, context.journal)
    return LongCalls(wire, context.clock)


def _nothing(_call: Call) -> Response:
    raise not_found()


async def _no_such_address(scope: Scope, receive: Receive, send: Send) -> None:
    await error_response(not_found())(scope, receive, send)


@dataclass(slots=True)
class SalesforceSide:
    """What the wire asks of the Salesforce side."""

    context: SandboxContext

    def concerns(self, path: str) -> bool:
        """Whether this is a path of Salesforce's."""
        return path.startswith(_CRM_PATHS)

    def refuse(self, scope: Scope) -> Response | None:
        """Refuse calls above the concurrent limit, and addresses and headers that are too long."""
        if is_above_limit(scope):
            return error_response(concurrent_limit_exceeded())
        address = len(scope["path"]) + len(scope["query_string"]) + 1
        if address > MAX_ADDRESS:
            return error_response(SalesforceError("URI_TOO_LONG", "The URI is too long", status=414))
        if address + sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_ADDRESS:
            message = "The combined length of the URI and headers exceeds the 16,384 byte limit"
            return error_response(SalesforceError("REQUEST_HEADER_FIELDS_TOO_LARGE", message, status=431))
        return None

    def fault_reply(self, fault: Fault, scope: Scope) -> Response | None:
        """What a fault answers."""
        return fault_reply(self.context, fault, scope)

    def reply_headers(self) -> list[tuple[bytes, bytes]]:
        """The API allowance, on every reply."""
        return [(b"Sforce-Limit-Info", self.context.limits.header().encode())]
