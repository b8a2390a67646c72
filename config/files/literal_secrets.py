"""Secrets that stand in a YAML file, by their form or by the key they stand under: each an error without its value."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from config.problems import Problem
from config.redaction import redacted, remember
from config.secret_shapes import SHAPES
from config.sections.secret import INSTEAD, NOT_HERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.files.documents import Document, Steps

_FIX = f"{INSTEAD} where a secret belongs; make a new one if others could read this file"
# Keys that hold a secret in anybody's settings, known to our model or not.
_NAMED = re.compile(
    r"(?i)(?:passw(?:or)?d|pwd|passphrase|secret|token|credentials?|authorization|cookie"
    r"|(?:api|access|secret|private|encryption|signing|master|account)[_-]?key)s?$"
)
# `token:abc` without a blank is one word to YAML.
_JOINED = re.compile(r"^(?P<key>[\w-]+)[:=]\s*(?P<secret>\S.*)$", re.DOTALL)


def with_literal_secrets(document: Document, problems: Iterable[Problem]) -> list[Problem]:
    """These problems of a document and every secret that stands in it, in order, and none with a secret's value."""
    told = list(problems)
    lines = {problem.line for problem in told if NOT_HERE in problem.message}
    for problem in _literals(document):
        if problem.line not in lines:
            lines.add(problem.line)
            told.append(problem)
    told = [replace(one, message=redacted(one.message), fix=redacted(one.fix)) for one in told]
    return sorted(told, key=lambda problem: problem.line or 0) if lines else told


def _literals(document: Document) -> Iterator[Problem]:
    """Every secret of this file, and of the file that it extends; each is hidden in every text from now on."""
    if document.base is not None:
        yield from _literals(document.base)
    if isinstance(document.data, dict) and "connections" in document.data:
        yield from _by_name(document, document.data, ())
    text = "\n".join(document.lines)
    for shape in SHAPES:
        for found in shape.form.finditer(text):
            remember(found["secret"] if "secret" in found.re.groupindex else found[0])
            line = text.count("\n", 0, found.start())
            column = found.start() - text.rfind("\n", 0, found.start())
            yield Problem(f"{shape.name} {NOT_HERE}", str(document.path), line + 1, column, fix=_FIX)


def _by_name(document: Document, node: Any, steps: Steps) -> Iterator[Problem]:
    """What stands, as a plain value, under a key that holds secrets."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from _by_name(document, value, (*steps, key))
        joined = _JOINED.match(key) if isinstance(key, str) and value is None else None
        name = joined["key"] if joined else key if isinstance(key, str) else steps[-1] if steps else ""
        secret = joined["secret"] if joined else value
        if not _NAMED.search(str(name)) or secret is None or isinstance(secret, bool | dict | list):
            continue
        remember(str(secret))
        place = document.place((*steps, key))
        said = ".".join(map(str, (*steps, joined["key"] if joined else key)))
        yield Problem(f"{said}: a secret {NOT_HERE}", str(place.path), place.line, place.column, fix=_FIX)
