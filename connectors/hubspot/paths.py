"""Where HubSpot's interfaces live: the old numbered paths, and the dated ones that replace them.

This is the only place that spells a path's beginning. HubSpot ends its numbered paths in 2027, associations
first; then the connection's `api_version` moves every call at once.
"""

from __future__ import annotations

NUMBERED = "v3"

# Kind of interface -> where it is numbered, and where it is dated. Longer beginnings stand before shorter ones.
_PATHS = {
    "objects": ("/crm/v3/objects", "/crm/objects/{version}"),
    "associations": ("/crm/v4/associations", "/crm/associations/{version}"),
    "properties": ("/crm/v3/properties", "/crm/properties/{version}"),
    "owners": ("/crm/v3/owners", "/crm/owners/{version}"),
    "pipelines": ("/crm/v3/pipelines", "/crm/pipelines/{version}"),
    "exports": ("/crm/v3/exports/export", "/crm/exports/{version}/export"),
    "imports": ("/crm/v3/imports", "/crm/imports/{version}"),
    "limits": ("/crm/v3/limits", "/crm/limits/{version}"),
    "account": ("/account-info/v3", "/account-info/{version}"),
    "token": ("/oauth/v1/token", "/oauth/{version}/token"),
}


def path(kind: str, version: str) -> str:
    """The beginning of every path of one kind of interface, in the numbered or in a dated version."""
    numbered, dated = _PATHS[kind]
    return numbered if version == NUMBERED else dated.format(version=version)


def moved(address: str, version: str) -> str:
    """A path that somebody else spelled with numbers (the SDK does), in the version that is wanted."""
    for kind, (numbered, _) in _PATHS.items():
        if address == numbered or address.startswith((f"{numbered}/", f"{numbered}?")):
            return path(kind, version) + address.removeprefix(numbered)
    return address


def kind_of(address: str) -> str:
    """Which kind of interface a path belongs to, whichever family spells it; empty if none."""
    steps = address.partition("?")[0].split("/")
    for kind, forms in _PATHS.items():
        for form in forms:
            begin = form.split("/")
            if len(steps) >= len(begin) and all(
                want in (step, "{version}") for want, step in zip(begin, steps, strict=False)
            ):
                return kind
    return ""
