"""Where each secret of the settings comes from, and whether it is there: for `foretag check`."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.files.documents import load_document, problem_at
from config.problems import Fault, Problem
from config.secrets_used import secrets_used
from config.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from config.settings import Settings


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A secret as it was found, without its value: the keys that lead to it, its place, and what is wrong with it."""

    key: str
    place: str
    missing: str
    doubt: str
    problem: Problem | None

    @property
    def state(self) -> str:
        """In a word or two."""
        return "missing" if self.missing else "there, for all to read" if self.doubt else "there"

    def as_dict(self) -> dict[str, str | bool]:
        """For machines."""
        return {"key": self.key, "from": self.place, "there": not self.missing, "doubt": self.doubt}


def found_secrets(path: Path, connections: Collection[str]) -> list[FoundSecret]:
    """Every secret that these connections need, and those that all share."""
    settings, document = load_settings(path), load_document(path)
    found = []
    for steps, secret in secrets_used(settings):
        if steps[0] == "connections" and steps[1] not in connections:
            continue
        missing = ""
        try:
            secret.read()
        except ValueError as error:
            missing = str(error)
        doubt = "" if missing else secret.doubt()
        fault, severity = Fault(missing, "" if secret.keyring else "set it, or name another place"), "error"
        if doubt:
            fault, severity = Fault(doubt, "take that right away: chmod o= on it"), "warning"
        problem = problem_at(document, steps, fault, severity) if missing or doubt else None
        found.append(FoundSecret(".".join(map(str, steps)), str(secret), missing, doubt, problem))
    return found


def open_state(settings: Settings) -> Iterator[Problem]:
    """Whether others on this machine can look into the state folder: it holds records of the CRM."""
    try:
        mode = settings.state.stat().st_mode
    except OSError:
        return
    if mode & stat.S_IRWXO:
        yield Problem(
            f"others on this machine can look into it (rights {stat.S_IMODE(mode):o})",
            where=str(settings.state),
            fix=f"chmod 700 {settings.state}",
            severity="warning",
        )
