"""Where in a YAML file each character of a text stands, whichever way the text is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BEFORE = re.compile(r"(?:[&!]\S*\s+)*")  # an anchor or a tag
_KEY = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:,\]}#]+(?: [^\s:,\]}#]+)*)""")
_ESCAPES = {"x": 4, "u": 6, "U": 10}


def characters(lines: Sequence[str], line: int, column: int, value: str) -> list[tuple[int, int]] | None:
    """Line and column (from 0) of each character of `value`, a text that begins at this line and column.

    Plain, quoted (with escapes), folded and literal texts are followed. None if the text does not stand there,
    as behind an alias.
    """
    found: list[tuple[int, int]] = []
    column += len(_BEFORE.match(lines[line], column)[0])  # type: ignore[index]  # matches nothing, too
    style = lines[line][column : column + 1]
    if style in ("|", ">"):
        line, column = line + 1, 0
    elif style in ("'", '"'):
        column += 1
    for character in value:
        line, column, width = _next(lines, line, column, character, style)
        if not width and not character.isspace():
            return None
        found.append((line, column))
        column += width
    return found


def _next(lines: Sequence[str], line: int, column: int, character: str, style: str) -> tuple[int, int, int]:
    """Where the next character stands, and in how many columns; blanks take none, they may be folded line ends."""
    if character.isspace():
        return line, column, _escaped(lines[line], column) if style == '"' and line < len(lines) else 0
    while line < len(lines):
        text = lines[line]
        while column < len(text) and text[column].isspace():
            column += 1
        if column < len(text) and not (style == '"' and text[column:] == "\\"):
            break
        line, column = line + 1, 0
    else:
        return line, column, 0
    if style == '"' and text[column] == "\\":
        return line, column, _escaped(text, column)
    if style == "'" and text[column] == "'":
        return line, column, 2
    return line, column, int(text[column] == character)


def _escaped(text: str, column: int) -> int:
    """How many columns the escape at this column takes; 0 if there is none."""
    if text[column : column + 1] != "\\":
        return 0
    return _ESCAPES.get(text[column + 1 : column + 2], 2)


def key_end(text: str, column: int) -> int | None:
    """The column (from 0) after the key that begins at this column of a line."""
    found = _KEY.match(text, column)
    return found.end() if found else None
