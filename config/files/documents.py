"""YAML files with positions: every problem of a file at once, as `file:line:column: message`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from config.files.literal_secrets import with_literal_secrets
from config.files.places import characters, key_end
from config.language.units import written_as
from config.problems import ConfigProblem, Fault, Faulty, Problem, raise_if_any

if TYPE_CHECKING:
    from pathlib import Path

Steps = tuple[int | str, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file; lines and columns count from 1, `end_column` is the first after it."""

    path: Path
    line: int | None = None
    column: int | None = None
    end_column: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML file that still knows where each value stands.

    `base` is the file that this one extends: then `data` are both files', and `own` this file's alone.
    """

    path: Path
    data: Any
    lines: tuple[str, ...] = ()
    base: Document | None = None
    own: Any = None

    def named(self, location: Steps) -> Steps:
        """The steps of a location that are keys or items of the file; pydantic puts names of union members between."""
        node, steps = self.data, []
        for step in location:
            if isinstance(node, dict | list) and (
                step in node if isinstance(node, dict) else isinstance(step, int)
            ):
                node = node[step]  # type: ignore[index]  # either a key of the mapping or a number
                steps.append(step)
        return tuple(steps)

    def position(self, location: Steps) -> tuple[int | None, int | None]:
        """Line and column (from 1) of the key or item at a path of keys, or of the nearest parent that has one."""
        place = self.place(location)
        return place.line, place.column

    def place(self, location: Steps) -> Place:
        """Where the key or item at a path of keys stands, in this file or the one it extends; or its nearest parent."""
        location = self.named(location)
        found = self._within(location)
        if len(found.steps) < len(location) and self.base is not None and not found.in_list:
            below = self.base.place(location)
            return below if below.line is not None else self._place(found)
        return self._place(found)

    def inside(self, location: Steps, start: int, end: int) -> Place:
        """Where the characters from `start` to before `end` of the text at a path of keys stand."""
        location = self.named(location)
        found = self._within(location)
        if len(found.steps) < len(location):
            within = self.base is not None and not found.in_list
            return self.base.inside(location, start, end) if within and self.base else self._place(found)
        if not isinstance(found.value, str) or found.value_at is None:
            return self._place(found)
        places = characters(self.lines, *found.value_at, found.value)
        if not places or start >= len(places):
            return self._place(found)
        (line, column), (last_line, last) = places[start], places[max(min(end, len(places)) - 1, start)]
        return Place(self.path, line + 1, column + 1, last + 2 if last_line == line else None)

    def _place(self, found: _Found) -> Place:
        if found.at is None:
            return Place(self.path)
        line, column = found.at
        is_key = line < len(self.lines) and found.is_key
        end = key_end(self.lines[line], column) if is_key else None
        return Place(self.path, line + 1, column + 1, None if end is None else end + 1)

    def _within(self, location: Steps) -> _Found:
        """How far this file alone goes along a path of keys."""
        found = _Found(self.data if self.own is None else self.own)
        for step in location:
            deeper = found.deeper(step)
            if deeper is None:
                break
            found = deeper
        return found


@dataclass(frozen=True, slots=True)
class _Found:
    """A value of a file and where it, and its key or item, stand; lines and columns count from 0."""

    value: Any
    steps: Steps = ()
    at: tuple[int, int] | None = None
    value_at: tuple[int, int] | None = None
    is_key: bool = True
    in_list: bool = False

    def deeper(self, step: int | str) -> _Found | None:
        node, steps = self.value, (*self.steps, step)
        if isinstance(node, CommentedMap) and step in node:
            holder = _holder(node, step)
            if holder is None:
                return _Found(node[step], steps, self.at, None, self.is_key, self.in_list)
            return _Found(node[step], steps, holder.lc.key(step), holder.lc.value(step), in_list=self.in_list)
        if isinstance(node, CommentedSeq) and isinstance(step, int) and -1 < step < len(node):
            item = node.lc.item(step)
            return _Found(node[step], steps, item, item, is_key=False, in_list=True)
        return None


def _holder(node: CommentedMap, key: int | str) -> CommentedMap | None:
    """The mapping that says the key itself: this one, or one that it merges in by `<<`."""
    merged = [pair[1] if isinstance(pair, tuple) else pair for pair in getattr(node, "merge", ())]
    holders = [holder for holder in (node, *merged) if key in (getattr(holder.lc, "data", None) or ())]
    return holders[0] if holders else None


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
    except RecursionError:
        raise ConfigProblem(Problem("is nested too deeply to be read", where=str(path))) from None
    except ValueError:  # Python reads no number of thousands of digits, and no 30th of February
        raise ConfigProblem(
            Problem("holds a number that is too long, or a day that is in no calendar", where=str(path))
        ) from None
    if data is None:
        data = CommentedMap()
    if not isinstance(data, CommentedMap):
        raise ConfigProblem(
            Problem(
                _PLAIN_WORDS["dict_type"],
                where=str(path),
                line=1,
                column=1,
                fix="is this the file you meant?",
            )
        )
    return Document(path, data, tuple(text.splitlines()))


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
    if str(error.problem).startswith("expected <block end>"):
        return "is not valid YAML: this does not go on from the line before it"
    if str(error.problem).startswith("found undefined alias"):
        # A password may begin with a star.
        return "is not valid YAML: a * names something that stands nowhere in this file"
    return f"is not valid YAML: {error.problem}"


def _syntax_fix(error: MarkedYAMLError) -> str:
    if isinstance(error, DuplicateKeyError):
        return "keep one of the two"
    if str(error.problem).startswith("found undefined alias"):
        return "a text that begins with * stands in quotes"
    if "\\t" in str(error.problem):
        return "indent with spaces, not tabs"
    if "expected ',' or '}'" in str(error.problem):
        return "within { } a text that holds a comma, a colon, brackets or braces stands in quotes"
    if str(error.problem).startswith("expected <block end>"):
        return "is it indented as the lines that it belongs to?"
    return "look at this line and the one before it: indentation, colons, brackets, quotes"


def validate(document: Document, model: type[Model]) -> Model:
    """The document as a model. Raises one `ConfigProblem` holding every problem, with positions and suggestions."""
    raise_if_any(problems_of_document(document, model))
    return _modelled(document, model)


def problems_of_document(document: Document, model: type[BaseModel]) -> list[Problem]:
    """Every problem that a model finds in a document, and every secret that stands in it; none if all is well."""
    try:
        _modelled(document, model)
    except ValidationError as error:
        problems = problems_of(error, document, model)
    else:
        problems = []
    return with_literal_secrets(document, problems)


def _modelled(document: Document, model: type[Model]) -> Model:
    """The document as a model that knows where its file lies: paths in it are relative to it."""
    return model.model_validate(document.data, context={"folder": document.path.parent})


def problems_of(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """Every problem that a model finds in a document."""
    found: dict[Steps, dict[str, Any]] = {}
    details = [dict(detail) for detail in error.errors(include_input=False, include_url=False)]
    for detail in details:
        if not _follows(detail, details):
            _collect(found, document, detail)
    return [problem for detail in found.values() for problem in _problems(document, model, detail)]


def _follows(detail: dict[str, Any], details: list[dict[str, Any]]) -> bool:
    """Whether a list is too short only because items of it are wrong."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in details
    )


def _collect(found: dict[Steps, dict[str, Any]], document: Document, detail: dict[str, Any]) -> None:
    """Keep a finding by its place; what a value might be instead, each way told alone, becomes one finding."""
    place = document.named(tuple(detail["loc"])), detail["type"] in ("missing", "extra_forbidden")
    key: Steps = (*place[0], detail["loc"][-1]) if place[1] else place[0]
    earlier = found.setdefault(key, detail)
    if earlier is not detail and _PLAIN_WORDS.get(detail["type"]):
        earlier["or"] = " or " + _PLAIN_WORDS[detail["type"]].removeprefix("must be ")
        earlier["number"] = detail


# What pydantic says of a type, in the words of somebody who writes YAML.
_PLAIN_WORDS = {
    "dict_type": "must be lines of `key: value`",
    "model_type": "must be lines of `key: value`",
    "model_attributes_type": "must be lines of `key: value`",
    "list_type": "must be a list: [one, two], or a line with a dash for each",
    "tuple_type": "must be a list: [one, two], or a line with a dash for each",
    "string_type": "must be text: write it in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be the path of a file",
    "invalid_key": "must be text: what holds a comma, a colon or braces stands in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
}


def _problems(document: Document, model: type[BaseModel], detail: dict[str, Any]) -> list[Problem]:
    location, raised = tuple(detail["loc"]), detail.get("ctx", {}).get("error")
    if isinstance(raised, Faulty):
        return [problem_at(document, location, fault) for fault in raised.faults]
    return [problem_at(document, *_plainly(document, model, location, detail))]


def problem_at(document: Document, location: Steps, fault: Fault, severity: str = "error") -> Problem:
    """A fault of the value at a path of keys as a problem, with its place and the name of its rule."""
    below = (*location, *fault.path)
    place = (
        document.place(below)
        if fault.start is None
        else document.inside(below, fault.start, fault.start + 1 if fault.end is None else fault.end)
    )
    in_list = any(isinstance(step, int) for step in fault.path)
    rule, steps = _rule(document, document.named(below if in_list else location))
    said = f"{'.'.join(map(str, steps))}: {fault.message}" if steps else fault.message
    return Problem(
        said, str(place.path), place.line, place.column, rule, fault.fix, severity, place.end_column
    )


def _rule(document: Document, steps: Steps) -> tuple[str, Steps]:
    """The name of the outermost list item on a path, and the steps below it; without a name, its section and number."""
    for depth in range(1, len(steps) + 1):
        if isinstance(steps[depth - 1], int):
            item = document.data
            for step in steps[:depth]:
                item = item[step]
            name = item.get("name") if isinstance(item, dict) else None
            if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable():
                return name, steps[depth:]
            if isinstance(item, dict):
                return f"{steps[depth - 2]} {int(steps[depth - 1]) + 1}", steps[depth:]
    return "", steps


_LONGEST_NAME = 80


def _plainly(
    document: Document, model: type[BaseModel], location: Steps, detail: dict[str, Any]
) -> tuple[Steps, Fault]:
    """Where and what a validator's finding is, in the words of somebody who writes YAML."""
    *parents, key = location or ("",)
    if detail["type"] == "missing":
        return tuple(parents), Fault(f"{key!r} is missing", _meaning(model, location))
    if detail["type"] == "extra_forbidden":
        # The very word under another section is nearer than a word like it here.
        home = _home(model, str(key))
        hint = (not parents and home) or did_you_mean(str(key), _keys(model, tuple(parents))) or home
        return tuple(parents), Fault(f"unknown key {key!r}", hint, path=(key,))
    message = _SHOULD.sub("must ", str(detail["msg"]).removeprefix("Value error, "))
    message = message.partition(" after validation")[0]
    message = _PLAIN_WORDS.get(detail["type"], message) + detail.get("or", "")
    if detail["type"] == "string_pattern_mismatch":
        return location, Fault("is not allowed", _meaning(model, location) or message)
    return location, Fault(message, _instead(document, location, detail))


_SHOULD = re.compile(r"^(?:Input|String|Value|List|Tuple|Dictionary) should ")


def _instead(document: Document, location: Steps, detail: dict[str, Any]) -> str:
    """What to write instead: a number without its unit and separators, or the word that was meant."""
    if location and location[-1] == "[key]":
        return written_as(str(location[-2]))
    value: Any = document.data
    for step in document.named(location):
        value = value[step]
    if not isinstance(value, str):
        return ""
    if detail.get("number", detail)["type"].startswith(("int_", "float_")):
        return written_as(value)
    known = re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))
    hint = did_you_mean(value, known)
    return hint if hint.startswith("did you") else ""


# What a CRM's people call our objects.
_SYNONYMS = {
    **dict.fromkeys(("deal", "deals", "opportunities"), "opportunity"),
    **dict.fromkeys(("company", "companies", "accounts", "customer"), "account"),
}


def did_you_mean(word: str, known: list[str]) -> str:
    """`did you mean "x"?` for the closest known word, or the choices if none is close."""
    close = [_SYNONYMS[word]] if _SYNONYMS.get(word) in known else difflib.get_close_matches(word, known, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known here: {', '.join(sorted(known))}" if 0 < len(known) <= 12 else ""


def _keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Field names of the model at a location; unions and dictionaries are looked through."""
    models = [model]
    for step in location:
        models = [inner for outer in models for inner in _inner(outer, step)] or models
    return sorted({name for found in models for name in found.model_fields})


def _home(model: type[BaseModel], key: str) -> str:
    """Under which section a key stands that was written without one; empty if under none, or many."""
    homes = [name for name, field in model.model_fields.items() if key in _fields_of(field.annotation)]
    return f"it stands under `{homes[0]}:`" if len(homes) == 1 else ""


def _fields_of(annotation: Any) -> set[str]:
    is_section = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return set(annotation.model_fields) if is_section else set()


def _meaning(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """What the model says of the key at a location; empty if nothing."""
    models = [model]
    for step in location[:-1]:
        inner = [inner for outer in models for inner in _inner(outer, step)]
        # A step that is no key names one model of a union, by the word that tells it from the others.
        models = inner or [found for found in models if _tells(found, step)] or models
    fields = [found.model_fields.get(str(location[-1])) for found in models]
    said = {field.description or "" for field in fields if field is not None}
    return said.pop() if len(said) == 1 else ""  # models of a union may mean different things by one key


def _tells(model: type[BaseModel], word: int | str) -> bool:
    """Whether one of the model's keys can only be this word."""
    return any(getattr(field.annotation, "__args__", ()) == (word,) for field in model.model_fields.values())


def _inner(model: type[BaseModel], step: int | str) -> list[type[BaseModel]]:
    field = model.model_fields.get(str(step))
    return [] if field is None else _models_in(field.annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models_in(part)]
