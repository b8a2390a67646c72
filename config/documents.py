"""YAML files with positions: every problem of a file at once, as `file:line:column: message`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
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


# Nobody writes this much by hand; parsing more would take minutes.
LONGEST_FILE = 1 << 20


def load_document(path: Path) -> Document:
    """Read a YAML 1.2 file; an empty one is an empty mapping. Raises `ConfigProblem` with line and column."""
    text = _text(path)
    try:
        data = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigProblem(
            Problem(
                _syntax(error),
                where=str(path),
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
                fix=_syntax_fix(error),
            )
        ) from None
    except YAMLError as error:
        raise ConfigProblem(Problem(f"is not valid YAML: {error}", where=str(path))) from None
    if data is None:
        data = CommentedMap()
    if not isinstance(data, CommentedMap):
        raise ConfigProblem(
            Problem(
                _PLAIN_WORDS["dict_type"], where=str(path), line=1, column=1, fix="begin with `key: value`"
            )
        )
    return Document(path, data)


def _text(path: Path) -> str:
    """What the file says, without a byte order mark."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LONGEST_FILE + 1)
    except OSError as error:
        fix = (
            "correct the path; `foretag init` makes starter files"
            if isinstance(error, FileNotFoundError)
            else ""
        )
        raise ConfigProblem(
            Problem(f"cannot be read: {error.strerror}", where=str(path), fix=fix or "name a file")
        ) from None
    if len(content) > LONGEST_FILE:
        raise ConfigProblem(
            Problem(
                f"is longer than {LONGEST_FILE:,} bytes", where=str(path), fix="is this the file you meant?"
            )
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigProblem(
            Problem(
                f"is not UTF-8 text (byte {error.start})",
                where=str(path),
                fix="save it as UTF-8 in your editor",
            )
        ) from None


def _syntax(error: MarkedYAMLError) -> str:
    if isinstance(error, DuplicateKeyError):
        # The parser's own words show both values.
        return "the same key stands twice"
    return f"is not valid YAML: {error.problem}"


def _syntax_fix(error: MarkedYAMLError) -> str:
    if isinstance(error, DuplicateKeyError):
        return "keep one of the two"
    if "\\t" in str(error.problem):
        return "indent with spaces, not tabs"
    return "look at this line and the one before it: indentation, colons, brackets, quotes"


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


# What pydantic says of a type, in the words of somebody who writes YAML.
_PLAIN_WORDS = {
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be text: write it in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be the path of a file",
}


def _problem(document: Document, model: type[BaseModel], detail: dict[str, Any]) -> Problem:
    location = tuple(detail["loc"])
    line, column = document.position(location)
    message, fix = str(detail["msg"]).removeprefix("Value error, ").replace("Input should be", "must be"), ""
    if detail["type"] in ("extra_forbidden", "missing"):
        *parents, key = location
        dotted = ".".join(str(step) for step in document.named(tuple(parents)))
        if detail["type"] == "missing":
            message, fix = f"{key!r} is missing", _meaning(model, location)
        else:
            message, fix = f"unknown key {key!r}", did_you_mean(str(key), _keys(model, tuple(parents)))
    else:
        message = _PLAIN_WORDS.get(detail["type"], message)
        dotted = ".".join(str(step) for step in document.named(location))
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


def _meaning(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """What the model says of the key at a location; empty if nothing."""
    models = [model]
    for step in location[:-1]:
        models = [inner for outer in models for inner in _inner(outer, step)] or models
    fields = [found.model_fields.get(str(location[-1])) for found in models]
    return next((field.description for field in fields if field is not None and field.description), "")


def _inner(model: type[BaseModel], step: int | str) -> list[type[BaseModel]]:
    field = model.model_fields.get(str(step))
    return [] if field is None else _models_in(field.annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models_in(part)]
