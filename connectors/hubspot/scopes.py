"""Which scopes our work needs, and which of them a token lacks: told by HubSpot, or found by harmless calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.contract import AuthProblem, ConfigProblem, RecordRefused
from connectors.hubspot.fields import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connectors.hubspot.api import Api

# Of each entry one scope is enough; the first is what we ask an admin to give.
READ: dict[str, tuple[str, ...]] = {
    "account": ("crm.objects.companies.read",),
    "opportunity": ("crm.objects.deals.read",),
    "owner": ("crm.objects.owners.read",),
    "stage": ("crm.objects.deals.read", "crm.schemas.deals.read"),
    # Tasks have no scopes of their own.
    "task": ("crm.objects.contacts.read",),
    "quota": ("crm.objects.goals.read",),
    "case": ("tickets", "crm.objects.tickets.read"),
    "line_item": ("crm.objects.line_items.read", "e-commerce"),
    # Nor have the other activities.
    "call": ("crm.objects.contacts.read",),
    "email": ("crm.objects.contacts.read",),
    "meeting": ("crm.objects.contacts.read",),
}
WRITE: dict[str, tuple[str, ...]] = {
    "account": ("crm.objects.companies.write",),
    "opportunity": ("crm.objects.deals.write",),
    "task": ("crm.objects.contacts.write",),
}
SETUP: dict[str, tuple[str, ...]] = {
    "account": ("crm.schemas.companies.write",),
    "opportunity": ("crm.schemas.deals.write",),
    "task": ("crm.schemas.contacts.write",),
}
# HubSpot shows properties to whoever may read the records; some portals want these besides.
SCHEMAS = ("crm.schemas.companies.read", "crm.schemas.deals.read", "crm.schemas.contacts.read")
# What every run reads; the others only if the rules name them.
ALWAYS = ("account", "opportunity", "owner", "stage", "task")
# Useful, and not needed: exports and imports of very large books, and the names of teams.
OPTIONAL = ("crm.export", "crm.import", "settings.users.teams.read")

_INFO = "/oauth/v2/private-apps/get/access-token-info"


class Scopes:
    """What the token of one connection may do."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def missing(self, reads: Iterable[str], writes: Iterable[str], sets_up: Iterable[str] = ()) -> list[str]:
        """The scopes that are lacking, each once, for reading, writing and setting up canonical objects."""
        granted = self.granted()
        lacking = [
            right.scopes[name][0]
            for right, names in ((_READING, reads), (_WRITING, writes), (_SETTING_UP, sets_up))
            for name in names
            if name in right.scopes and not self._has(right, name, granted)
        ]
        return list(dict.fromkeys(lacking))

    def surplus(self) -> list[str]:
        """Scopes that no work of ours needs, whatever rules name, as far as HubSpot tells."""
        useful = {scope for table in (READ, WRITE) for scopes in table.values() for scope in scopes}
        return sorted((self.granted() or frozenset()) - useful - {*SCHEMAS, *OPTIONAL, "oauth"})

    def granted(self) -> frozenset[str] | None:
        """The token's scopes, where HubSpot tells: of private apps and the like, not of OAuth's tokens."""
        authoriser = self._api.transport.authoriser
        if authoriser is None:
            return None
        body = {"tokenKey": authoriser.token()}
        try:
            reply = self._api.transport.request("POST", _INFO, json=body, idempotent=True, kind="scopes")
            scopes = reply.json().get("scopes")
        except AuthProblem:
            raise
        except (RecordRefused, ConfigProblem, ValueError, AttributeError):
            return None
        return frozenset(scopes) if isinstance(scopes, list) and scopes else None

    def _has(self, right: _Right, name: str, granted: frozenset[str] | None) -> bool:
        if granted is not None:
            return not granted.isdisjoint(right.scopes[name])
        return self._allowed(*right.probe(OBJECTS[name]))

    def _allowed(self, method: str, kind: str, tail: str, request: Mapping[str, Any]) -> bool:
        """Whether a harmless call is let through: a scope is asked for before anything else is looked at."""
        try:
            self._api.call(method, kind, tail, counted="scopes", **request)
        except AuthProblem:
            raise
        except ConfigProblem as error:
            if "MISSING_SCOPES" not in str(error):
                raise
            return False
        except RecordRefused:
            return True
        return True


def _reading(hs_object: str) -> tuple[str, str, str, dict[str, Any]]:
    """One record; of owners and pipelines, the first ones."""
    if hs_object == "owners":
        return "GET", "owners", "", {"params": {"limit": 1}}
    if hs_object == "pipelines":
        return "GET", "pipelines", "deals", {}
    return "GET", "objects", hs_object, {"params": {"limit": 1}}


def _writing(hs_object: str) -> tuple[str, str, str, dict[str, Any]]:
    """An update of no records at all."""
    return "POST", "objects", f"{hs_object}/batch/update", {"json": {"inputs": []}, "idempotent": True}


def _setting_up(hs_object: str) -> tuple[str, str, str, dict[str, Any]]:
    """A creation of no properties at all."""
    return "POST", "properties", f"{hs_object}/batch/create", {"json": {"inputs": []}, "idempotent": True}


@dataclass(frozen=True, slots=True)
class _Right:
    """Something that scopes allow: which ones, by object, and a call that shows whether it is allowed."""

    scopes: Mapping[str, tuple[str, ...]]
    probe: Callable[[str], tuple[str, str, str, dict[str, Any]]]


_READING = _Right(READ, _reading)
_WRITING = _Right(WRITE, _writing)
_SETTING_UP = _Right(SETUP, _setting_up)
