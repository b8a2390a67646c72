"""In which form the local copy lies: one that a newer version wrote is left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from sync.store.place import Place

# To be raised by a change that an older version would misread, with what brings older copies up to it.
FORM = 1
_NAME = "form.json"


def require_known(place: Place) -> None:
    """Raises `ConfigProblem` if a newer version wrote the copy; one that says nothing is of the first form."""
    form = _form(place)
    if form is not None and form > FORM:
        raise ConfigProblem(
            Problem(
                "the local copy was written by a newer version of Foretag",
                where=str(place),
                fix="use that version, or move the folder away: the next run reads everything anew",
            )
        )


def mark(place: Place) -> None:
    """Say in which form it lies, from the first run on."""
    if _form(place) != FORM:
        (place / _NAME).write(json.dumps({"form": FORM}).encode())


def _form(place: Place) -> int | None:
    try:
        return int(json.loads((place / _NAME).read())["form"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
