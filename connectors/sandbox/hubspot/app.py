"""The HubSpot side as one ASGI application: every endpoint, and what holds for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Router

from connectors.sandbox.hubspot.fault_replies import fault_reply, too_long
from connectors.sandbox.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Scope

    from connectors.sandbox.fault_kinds import Fault
    from connectors.sandbox.hubspot.context import HubSpotContext

# Every module with endpoints; earlier ones win where paths overlap.
MODULES = (
    "auth",
    "account_routes",
    "limit_routes",
    "object_routes",
    "association_routes",
    "property_routes",
    "pipeline_routes",
    "owner_routes",
    "exports",
    "imports",
    "legacy",
)

MAX_ADDRESS = 16_000
_CRM_PATHS = (
    "/crm",
    "/oauth/",
    "/account-info/",
    "/settings/",
    "/integrations/",
    "/properties/",
    "/companies/",
    "/contacts/",
    "/deals/",
    "/engagements/",
    "/owners/",
    "/exported-files/",
)


def hubspot_app(context: HubSpotContext, others: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The application; `others` are the sandbox's own pages and switches."""
    for name in MODULES:
        context.add(*import_module(f"{__package__}.{name}").endpoints())
    router = Router(list(others), redirect_slashes=False, default=context)
    # Lists are many and large, so speed counts more than the last percent of size.
    compressed = GZipMiddleware(router, compresslevel=1)
    return Wire(compressed, HubSpotSide(context), context.clock, context.faults, context.journal)


@dataclass(slots=True)
class HubSpotSide:
    """What the wire asks of the HubSpot side."""

    context: HubSpotContext

    def concerns(self, path: str) -> bool:
        """Whether this is a path of HubSpot's API."""
        return path.startswith(_CRM_PATHS)

    def refuse(self, scope: Scope) -> Response | None:
        """Refuse addresses that are too long."""
        address = len(scope["path"]) + len(scope["query_string"]) + 1
        return too_long() if address > MAX_ADDRESS else None

    def fault_reply(self, fault: Fault, scope: Scope) -> Response | None:
        """What a fault answers."""
        return fault_reply(self.context, fault, scope)

    def reply_headers(self) -> list[tuple[bytes, bytes]]:
        """None that every reply has."""
        return []
