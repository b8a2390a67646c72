"""Starter files for a new installation."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from sync.talk import Talk

FILES = ("foretag.yaml", "rules.yaml")


def write_starter(talk: Talk, folder: Path) -> None:
    """Write the starter files into a folder. Raises `ConfigProblem`, and writes nothing, if one is there already."""
    there = [folder / name for name in FILES if (folder / name).exists()]
    if there:
        raise ConfigProblem(
            *(
                Problem("is there already, and is not overwritten", where=str(path), fix="move it away first")
                for path in there
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_text(
            files("config").joinpath(name).read_text(encoding="utf-8"), encoding="utf-8"
        )
    talk.result({"files": [str(folder / name) for name in FILES]})
    talk.say(f"Wrote {folder / 'foretag.yaml'} and {folder / 'rules.yaml'}.", "green")
    talk.say(
        "Next: put your org's address into foretag.yaml, its secrets into the environment, then `foretag check`."
    )
