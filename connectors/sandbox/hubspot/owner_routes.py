"""Owners over HTTP: living ones by default, archived ones only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.context import Call, Endpoint, found
from connectors.sandbox.hubspot.paging import paged
from connectors.sandbox.hubspot.scopes import one_of

if TYPE_CHECKING:
    from starlette.responses import Response

_READS = one_of("crm.objects.owners.read")


def endpoints() -> list[Endpoint]:
    """The endpoints of this module."""
    return [
        Endpoint("owners", "", {"GET": (owners, _READS)}),
        Endpoint("owners", "/{id}", {"GET": (owner, _READS)}),
    ]


def owners(call: Call) -> Response:
    """GET /owners: one page by id."""
    page = call.portal.owners(
        archived=call.flag("archived"),
        email=call.query.get("email"),
        after=call.after(),
        limit=call.whole("limit", 100),
    )
    return found(paged(call, page.results, page.after))


def owner(call: Call) -> Response:
    """GET /owners/{id}, by owner id or user id."""
    return found(
        call.portal.owner(
            call.params["id"],
            id_property=call.query.get("idProperty", "id"),
            archived=call.flag("archived"),
        )
    )
