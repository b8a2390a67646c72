"""Rules laid over rules: a file over the one that it `extends:`, a team's or pipeline's sections over the company's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ruamel.yaml.comments import CommentedMap

from config.files.documents import Document, load_document
from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VARIANTS = ("teams", "pipelines")  # sections that hold rules for some of the records, by name


def laid_over(below: Any, above: Any) -> Any:
    """Both as one: sections are merged key by key; lists, curves and cards are taken as a whole from above."""
    if not (_is_section(below) and _is_section(above)):
        return above
    merged = {key: laid_over(below[key], value) if key in below else value for key, value in above.items()}
    return {**below, **merged}


def _is_section(value: Any) -> bool:
    """A mapping of names. The keys of curves and cards are numbers and ranges such as `<=5`."""
    return isinstance(value, dict) and all(
        isinstance(key, str) and not key.startswith(("<", ">")) for key in value
    )


def load_layers(path: Path) -> Document:
    """The file with those that it extends under it. Raises `ConfigProblem` with the place of what is wrong."""
    return _load(path, (path.resolve(),))


def _load(path: Path, chain: tuple[Path, ...]) -> Document:
    document = load_document(path)
    name = document.data.get("extends")
    if name is None:
        return document
    place, below = document.place(("extends",)), path.parent / str(name)
    wrong = _wrong(name, below, chain)
    if wrong:
        raise ConfigProblem(Problem(f"extends: {wrong}", str(path), place.line, place.column))
    base = _load(below, (*chain, below.resolve()))
    said = {key: value for key, value in document.data.items() if key != "extends"}
    return replace(document, data=laid_over(base.data, said), own=document.data, base=base)


def _wrong(name: Any, below: Path, chain: tuple[Path, ...]) -> str:
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        return "must be the name of one other rules file"
    if below.resolve() in chain:
        return f"{name} extends this file, or is it: there would be no end"
    with suppress(OSError):  # a name longer than any file's
        if below.is_file():
            return ""
    return f"there is no file {below}"


def sections(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Each team's and each pipeline's rules, whole: the kind and name of the variant, and its document."""
    company = {key: value for key, value in document.data.items() if key not in VARIANTS}
    for kind in VARIANTS:
        given = document.data.get(kind)
        for name, section in given.items() if isinstance(given, dict) else ():
            if isinstance(section, dict):
                yield kind, name, _laid_over_all(document, kind, name, laid_over(company, section))


def _laid_over_all(document: Document, kind: str, name: str, data: Mapping[str, Any]) -> Document:
    """A variant's document: what each file says of it lies over all that the files say of the company."""
    files = [document]
    while files[-1].base is not None:
        files.append(files[-1].base)
    whole = replace(document, data=data, own=document.data if document.own is None else document.own)
    for file in reversed(files):
        said = file.data if file.own is None else file.own
        part = said.get(kind) if isinstance(said.get(kind), dict) else None
        own = part.get(name) if part is not None else None
        own = own if isinstance(own, CommentedMap) else CommentedMap()
        whole = Document(file.path, data, file.lines, whole, own)
    return whole
