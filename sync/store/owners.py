"""Owners as people name them: by name, by id, or "nobody"."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.store.mirror import Mirror

NOBODY = "nobody"


def owner_names(mirror: Mirror) -> dict[str, str]:
    """Name of each owner whom the CRM knows, by id; of one without a name the id."""
    table = mirror.read("owner", ("id", "name"))
    return {
        owner: name or owner
        for owner, name in zip(table["id"].to_pylist(), table["name"].to_pylist(), strict=True)
    }


def owner_called(asked: str, names: Mapping[str, str]) -> str:
    """The id of the owner whom a name or an id means, of names by id.

    Raises `ConfigProblem` if it means nobody, or several.
    """
    wanted = asked.casefold()
    found = [owner for owner, name in names.items() if owner == asked or name.casefold() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigProblem(
            Problem(
                f'{len(found)} owners are called "{asked}"', fix=f"give an id: {', '.join(sorted(found))}"
            )
        )
    within = sorted(name for name in names.values() if wanted in name.casefold())
    close = within or difflib.get_close_matches(asked, names.values(), n=1)
    fix = f'did you mean "{close[0]}"?' if close else "`foretag book` lists all owners"
    raise ConfigProblem(Problem(f'no owner is called "{asked}" and none has this id', fix=fix))
