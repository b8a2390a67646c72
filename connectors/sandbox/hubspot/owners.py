"""Who may own records, and their teams."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.errors import invalid, resource_not_found
from connectors.sandbox.hubspot.paging import first_id
from connectors.sandbox.hubspot.parties import Listing
from connectors.sandbox.hubspot.stamps import wire_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class Team:
    """A team: a region or a division, for instance."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A user as an owner of records. Stamps are milliseconds; `teams` begins with the main one."""

    id: str
    email: str
    first_name: str
    last_name: str
    user_id: int
    teams: tuple[Team, ...]
    created: int
    updated: int
    archived: bool = False

    def wire(self) -> dict[str, Any]:
        """As the owners API tells it; somebody who is no user any more has no user id."""
        return {
            "id": self.id,
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first_name,
            "lastName": self.last_name,
            "userId": None if self.archived else self.user_id,
            "userIdIncludingInactive": self.user_id,
            "createdAt": wire_stamp(self.created),
            "updatedAt": wire_stamp(self.updated),
            "archived": self.archived,
            "teams": [
                {"id": team.id, "name": team.name, "primary": place == 0}
                for place, team in enumerate(self.teams)
            ],
        }


class Owners:
    """All owners, living and archived, by id."""

    def __init__(self, owners: Iterable[Owner]) -> None:
        self.by_id = {one.id: one for one in sorted(owners, key=lambda one: int(one.id))}

    def page(self, *, archived: bool, email: str | None, after: str | None, limit: int) -> Listing:
        """One page by id."""
        if not 1 <= limit <= MAX_PAGE:
            raise invalid(f"limit must be between 1 and {MAX_PAGE}")
        first = first_id(after)
        found = [
            one
            for one in self.by_id.values()
            if one.archived == archived
            and (email is None or one.email.lower() == email.lower())
            and int(one.id) >= first
        ]
        following = found[limit].id if len(found) > limit else None
        return Listing([one.wire() for one in found[:limit]], following)

    def get(self, owner_id: str, *, id_property: str, archived: bool) -> dict[str, Any]:
        """One owner by `id` or `userId`."""
        if id_property not in {"id", "userId"}:
            raise invalid(f"idProperty must be id or userId, not {id_property}")
        for one in self.by_id.values():
            key = one.id if id_property == "id" else str(one.user_id)
            if key == owner_id and one.archived == archived:
                return one.wire()
        raise resource_not_found()

    def archive(self, owner_id: str) -> None:
        """Deactivate an owner. `updatedAt` does not move for changes of the user."""
        if owner_id not in self.by_id:
            raise resource_not_found()
        self.by_id[owner_id] = replace(self.by_id[owner_id], archived=True)

    def teams(self) -> list[dict[str, Any]]:
        """The teams with their living members."""
        members: dict[Team, list[str]] = {}
        for one in self.by_id.values():
            for team in one.teams:
                members.setdefault(team, []).extend([] if one.archived else [str(one.user_id)])
        return [
            {"id": team.id, "name": team.name, "userIds": ids, "secondaryUserIds": []}
            for team, ids in sorted(members.items(), key=lambda item: int(item[0].id))
        ]

    def team_of(self, owner_id: str | None) -> str | None:
        """The id of an owner's main team."""
        one = self.by_id.get(owner_id or "")
        return one.teams[0].id if one is not None and one.teams else None

    def active_ids(self) -> list[str]:
        """Ids of those who may be given records."""
        return [one.id for one in self.by_id.values() if not one.archived]
