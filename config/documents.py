"""YAML files with positions: every problem of a file at once, as `file:line:column: message`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from pathlib import Path

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML file that still knows where each value stands."""

    path: Path
    data: Any

    def named(self, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
        """The steps of a location that are keys or items of the file; pydantic puts names of union members between."""
        node, steps = self.data, []
        for step in location:
            if isinstance(node, dict | list) and (
                step in node if isinstance(node, dict) else isinstance(step, int)
            ):
                node = node[step]  # type: ignore[index]  # either a key of the mapping or a number
                steps.append(step)
        return tuple(steps)

    def position(self, location: tuple[int | str, ...]) -> tuple[int | None, int | None]:
        """Line and column (from 1) of the key or item at a path of keys, or of the nearest parent that has one."""
        node, line, column = self.data, None, None
        for step in location:
            try:
                if isinstance(node, CommentedMap) and step in node:
                    line, column = node.lc.key(step)
                    node = node[step]
                elif isinstance(node, CommentedSeq) and isinstance(step, int):
                    line, column = node.lc.item(step)
                    node = node[step]
            except (KeyError, IndexError, TypeError, AttributeError):
                # A step that is no key of the file: pydantic puts the names of union members in between.
                continue
        return (None, None) if line is None or column is None else (line + 1, column + 1)


def load_document(path: Path) -> Document:
    """Read a YAML 1.2 file; an empty one is an empty mapping. Raises `ConfigProblem` with line and column."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigProblem(
            Problem(
                f"cannot be read: {error.strerror}",
                where=str(path),
                fix="run `foretag init` to make a starter file",
            )
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigProblem(Problem(f"is not UTF-8 text (byte {error.start})", where=str(path))) from None
    try:
        data = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigProblem(
            Problem(
                f"is not valid YAML: {error.problem}",
                where=str(path),
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
            )
        ) from None
    except YAMLError as error:
        raise ConfigProblem(Problem(f"is not valid YAML: {error}", where=str(path))) from None
    if data is None:
        data = CommentedMap()
    if not isinstance(data, CommentedMap):
        raise ConfigProblem(Problem("must be a mapping of keys to values", where=str(path), line=1, column=1))
    return Document(path, data)


def validate(document: Document, model: type[Model]) -> Model:
    """The document as a model. Raises one `ConfigProblem` holding every problem, with positions and suggestions."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise ConfigProblem(
            *(
                _problem(document, model, dict(detail))
                for detail in error.errors(include_input=False, include_url=False)
            )
        ) from None


def _problem(document: Document, model: type[BaseModel], detail: dict[str, Any]) -> Problem:
    location = tuple(detail["loc"])
    line, column = document.position(location)
    message, fix = str(detail["msg"]).removeprefix("Value error, "), ""
    if detail["type"] == "extra_forbidden":
        message = f"unknown key {location[-1]!r}"
        fix = did_you_mean(str(location[-1]), _keys(model, location[:-1]))
    elif detail["type"] == "missing":
        message = f"{location[-1]!r} is missing"
    dotted = ".".join(str(step) for step in document.named(location[:-1]))
    if dotted:
        message = f"{dotted}: {message}"
    return Problem(message, where=str(document.path), line=line, column=column, fix=fix)


def did_you_mean(word: str, known: list[str]) -> str:
    """`did you mean "x"?` for the closest known word, or the choices if none is close."""
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known here: {', '.join(sorted(known))}" if 0 < len(known) <= 12 else ""


def _keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Field names of the model at a location; unions and dictionaries are looked through."""
    models = [model]
    for step in location:
        models = [inner for outer in models for inner in _inner(outer, step)] or models
    return sorted({name for found in models for name in found.model_fields})


def _inner(model: type[BaseModel], step: int | str) -> list[type[BaseModel]]:
    field = model.model_fields.get(str(step))
    return [] if field is None else _models_in(field.annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models_in(part)]
