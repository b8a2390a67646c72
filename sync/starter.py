"""Starter files for a new installation."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from config.crms import crm_named
from config.files.json_schema import MODELS, schema_name, shipped_schema
from config.problems import ConfigProblem, Problem
from sync.exit_codes import DONE

if TYPE_CHECKING:
    from pathlib import Path

    from sync.talk import Talk

SETTINGS, RULES, TESTS = "foretag.yaml", "rules.yaml", "rules.test.yaml"
# Stands in the settings where a connection to one of the CRMs goes.
_CONNECTION = "{connection}\n"


def write_starter(talk: Talk, folder: Path, crm: str) -> None:
    """Write the starter files for a CRM into a folder.

    Raises `ConfigProblem`, and writes nothing, if there is no such CRM, or if one of the files is there already.
    """
    chosen = crm_named(crm)
    texts = {
        SETTINGS: _shipped("starter", SETTINGS).replace(_CONNECTION, _shipped("starter", f"{crm}.yaml")),
        RULES: _shipped("starter", RULES),
        TESTS: _shipped("starter", TESTS),
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
    schemas = _write_schemas(folder)
    talk.result({"files": [str(folder / name) for name in (*texts, *schemas)]})
    talk.say(
        f"Wrote {folder / SETTINGS}, {folder / RULES} and {folder / TESTS},"
        " and their schemas, by which editors complete and check them.",
        "green",
    )
    talk.say(
        f"Next: complete {SETTINGS} for your {chosen.label}, put {' and '.join(chosen.variables().values())}"
        " into the environment, then `foretag check`."
    )


def write_schemas(talk: Talk, folder: Path) -> int:
    """Write the JSON Schemas of all files into a folder, over those of another version."""
    folder.mkdir(parents=True, exist_ok=True)
    names = _write_schemas(folder)
    talk.result({"files": [str(folder / name) for name in names]})
    talk.say(f"Wrote {', '.join(names)} to {folder}.", "green")
    talk.say("In the first line of a file: # yaml-language-server: $schema=" + schema_name(RULES))
    return DONE


def _write_schemas(folder: Path) -> list[str]:
    names = [schema_name(file) for file in MODELS]
    for file, name in zip(MODELS, names, strict=True):
        (folder / name).write_text(shipped_schema(file), encoding="utf-8")
    return names


def _shipped(*names: str) -> str:
    return files("config").joinpath(*names).read_text(encoding="utf-8")
