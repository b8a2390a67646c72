"""Which scopes a call needs, by route and object type, and how a call without them is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.errors import HubSpotError

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.context import Call

SCOPES_PAGE = "https://developers.hubspot.com/scopes"

# Of each group one scope is enough; every group must be met.
Needs = Sequence[tuple[str, ...]]
Need = Callable[["Call"], Needs]

# Types whose records have no scopes of their own: activities go with contacts.
_RECORD_SCOPES: dict[str, tuple[str, ...]] = {
    "tasks": ("crm.objects.contacts",),
    "notes": ("crm.objects.contacts",),
    "meetings": ("crm.objects.contacts",),
    "calls": ("crm.objects.contacts",),
    "emails": ("crm.objects.contacts",),
    "goal_targets": ("crm.objects.goals",),
    "tickets": ("tickets", "crm.objects.tickets"),
    "line_items": ("e-commerce", "crm.objects.line_items"),
    "products": ("e-commerce", "crm.objects.products"),
}
_SCHEMA_SCOPES: dict[str, tuple[str, ...]] = {
    "tasks": ("crm.schemas.contacts",),
    "notes": ("crm.schemas.contacts",),
    "meetings": ("crm.schemas.contacts",),
    "calls": ("crm.schemas.contacts",),
    "emails": ("crm.schemas.contacts",),
    "goal_targets": ("crm.schemas.goals",),
    "tickets": ("tickets", "crm.schemas.tickets"),
    "line_items": ("e-commerce", "crm.schemas.line_items"),
    "products": ("e-commerce", "crm.schemas.products"),
}
# Scopes from before there were reading and writing ones.
_WHOLE = frozenset({"tickets", "e-commerce"})

_WORKER = (
    "oauth",
    *(
        f"crm.objects.{name}.{verb}"
        for name in ("companies", "deals", "contacts")
        for verb in ("read", "write")
    ),
    *(f"crm.schemas.{name}.read" for name in ("companies", "deals", "contacts")),
    "crm.objects.owners.read",
    "crm.objects.goals.read",
    "crm.objects.line_items.read",
    "settings.users.teams.read",
    "tickets",
    "e-commerce",
    "crm.import",
    "crm.export",
)
WORKER_SCOPES = frozenset(_WORKER)
ADMIN_SCOPES = WORKER_SCOPES | {
    "crm.schemas.companies.write",
    "crm.schemas.deals.write",
    "crm.schemas.contacts.write",
    "crm.objects.users.read",
    "crm.objects.leads.read",
    "crm.objects.leads.write",
    "crm.objects.products.read",
    "crm.objects.quotes.read",
    "crm.objects.quotes.write",
    "settings.users.read",
}


def _named(scopes: tuple[str, ...], verb: str) -> tuple[str, ...]:
    return tuple(scope if scope in _WHOLE else f"{scope}.{verb}" for scope in scopes)


def record_scopes(object_name: str, verb: str) -> tuple[str, ...]:
    """The scopes of which one lets a caller read or write records of a type."""
    return _named(_RECORD_SCOPES.get(object_name, (f"crm.objects.{object_name}",)), verb)


def schema_scopes(object_name: str, verb: str) -> tuple[str, ...]:
    """The scopes of which one lets a caller read or write the properties of a type; who reads records may read them."""
    scopes = _named(_SCHEMA_SCOPES.get(object_name, (f"crm.schemas.{object_name}",)), verb)
    return scopes if verb == "write" else tuple(dict.fromkeys(scopes + record_scopes(object_name, "read")))


def nothing(_call: Call) -> Needs:
    """Any token will do."""
    return ()


def one_of(*scopes: str) -> Need:
    """One of these."""
    return lambda _call: (scopes,)


def reads_records(call: Call) -> Needs:
    """Reading records of the type in the path."""
    return (record_scopes(call.object_name, "read"),)


def writes_records(call: Call) -> Needs:
    """Writing records of the type in the path."""
    return (record_scopes(call.object_name, "write"),)


def reads_schema(call: Call) -> Needs:
    """Reading properties and pipelines of the type in the path."""
    return (schema_scopes(call.object_name, "read"),)


def writes_schema(call: Call) -> Needs:
    """Writing properties and pipelines of the type in the path."""
    return (schema_scopes(call.object_name, "write"),)


def reads_links(call: Call) -> Needs:
    """Reading associations between the two types in the path."""
    return tuple(record_scopes(name, "read") for name in (call.object_name, call.other_name))


def writes_links(call: Call) -> Needs:
    """Writing associations between the two types in the path."""
    return tuple(record_scopes(name, "write") for name in (call.object_name, call.other_name))


def check_scopes(needs: Needs, granted: frozenset[str]) -> None:
    """Raise MISSING_SCOPES, with the scopes of which one is needed."""
    for group in needs:
        if granted.isdisjoint(group):
            raise HubSpotError(
                "MISSING_SCOPES",
                "This app hasn't been granted all required scopes to make this call. Read more about required "
                f"scopes here: {SCOPES_PAGE}.",
                status=403,
                errors=[
                    {
                        "message": "One or more of the following scopes are required.",
                        "context": {"requiredGranularScopes": list(group)},
                    }
                ],
                links={"scopes": SCOPES_PAGE},
            )
