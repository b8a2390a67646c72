"""Values as people read them: the labels of options, stages and pipelines, and the names of owners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.sandbox.hubspot.portal import Portal

SEPARATOR = ";"


def labels_of(portal: Portal, definition: Mapping[str, Any]) -> dict[str, str]:
    """Label by value: owners by name, options by label; empty for values that speak for themselves."""
    if definition.get("referencedObjectType") == "OWNER":
        return {one["id"]: owner_name(one) for one in all_owners(portal)}
    return {option["value"]: option["label"] for option in definition.get("options") or ()}


def told(value: str | None, labels: Mapping[str, str]) -> str | None:
    """The label of a value, or of each of several."""
    if value is None:
        return None
    return SEPARATOR.join(labels.get(one, one) for one in value.split(SEPARATOR))


def all_owners(portal: Portal) -> Iterator[dict[str, Any]]:
    """Every owner, the archived ones too: records keep pointing to them."""
    for archived in (False, True):
        after: str | None = None
        while True:
            page = portal.owners(archived=archived, after=after, limit=500)
            yield from page.results
            after = page.after
            if after is None:
                break


def owner_name(owner: Mapping[str, Any]) -> str:
    """First and last name; the e-mail of one who has none."""
    return f"{owner['firstName']} {owner['lastName']}".strip() or str(owner["email"])
