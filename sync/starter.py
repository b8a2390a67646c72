"""Starter files for a new installation."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from config.crms import crm_named
from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from sync.talk import Talk

SETTINGS, RULES = "foretag.yaml", "rules.yaml"
# Stands in the settings where a connection to one of the CRMs goes.
_CONNECTION = "{connection}\n"


def write_starter(talk: Talk, folder: Path, crm: str) -> None:
    """Write the starter files for a CRM into a folder.

    Raises `ConfigProblem`, and writes nothing, if there is no such CRM, or if one of the files is there already.
    """
    chosen = crm_named(crm)
    texts = {
        SETTINGS: _shipped("starter", SETTINGS).replace(_CONNECTION, _shipped("starter", f"{crm}.yaml")),
        RULES: _shipped(RULES),
    }
    there = [folder / name for name in texts if (folder / name).exists()]
    if there:
        raise ConfigProblem(
            *(
                Problem("is there already, and is not overwritten", where=str(path), fix="move it away first")
                for path in there
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    talk.result({"files": [str(folder / name) for name in texts]})
    talk.say(f"Wrote {folder / SETTINGS} and {folder / RULES}.", "green")
    talk.say(
        f"Next: complete {SETTINGS} for your {chosen.label}, put {' and '.join(chosen.variables().values())}"
        " into the environment, then `foretag check`."
    )


def _shipped(*names: str) -> str:
    return files("config").joinpath(*names).read_text(encoding="utf-8")
