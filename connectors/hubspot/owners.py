"""The owners: those who work, and those who left, to whom records keep pointing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.hubspot.api import Api

Owner = dict[str, Any]


def read_owners(api: Api) -> list[Owner]:
    """Both lists; an owner in both is one who works."""
    found: dict[str, Owner] = {}
    for archived in (True, False):
        for page in api.sdk.owners(archived=archived):
            found.update({str(owner["id"]): {**owner, "archived": archived} for owner in page})
    return list(found.values())


def owner_cells(owners: Sequence[Owner]) -> dict[str, list[str | None]]:
    """Cells of the canonical records, by canonical column. HubSpot tells neither managers nor time zones."""
    return {
        "id": [str(owner["id"]) for owner in owners],
        "name": [_name(owner) for owner in owners],
        "active": [str(not owner["archived"]).lower() for owner in owners],
        "team": [_team(owner) for owner in owners],
        "modified_at": [owner.get("updatedAt") or owner.get("createdAt") for owner in owners],
    }


def team_names(owners: Iterable[Owner]) -> dict[str, str]:
    """The names of all teams that have a member, by id."""
    return {str(team["id"]): str(team["name"]) for owner in owners for team in owner.get("teams") or ()}


def _name(owner: Mapping[str, Any]) -> str | None:
    names = [str(owner[key]).strip() for key in ("firstName", "lastName") if owner.get(key)]
    return " ".join(filter(None, names)) or owner.get("email")


def _team(owner: Mapping[str, Any]) -> str | None:
    """The primary team, else the first."""
    teams = sorted(owner.get("teams") or (), key=lambda team: not team.get("primary"))
    return str(teams[0]["name"]) if teams else None
