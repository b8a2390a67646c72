"""What people write in conditions that other tools allow and ours does not, and how to write it here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.language.units import written_as
from config.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

_LITERAL = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")
_AMOUNT = r"(?<![\w.\"'])\d[\d,_.]*"

# What is found → what to say of it, and what to do. The first that is found counts.
_HABITS: tuple[tuple[str, str, str | Callable[[str], str]], ...] = (
    (
        r"[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]",
        "has typographic quotes",
        "write straight ones, \" or '",
    ),
    (r"&&|\|\|", 'has "{}"', lambda found: f"write {'and' if found == '&&' else 'or'}"),
    (r"\b(?:AND|OR|NOT|IN)\b", 'has "{}" in capitals', lambda found: f"write {found.lower()}"),
    (r"<>", 'has "<>"', "write !="),
    (r"=>|=<", 'has "{}"', lambda found: "write >=" if found == "=>" else "write <="),
    (r"===", 'has "==="', "write =="),
    (r"(?<![=<>!])=(?!=)", 'has a single "="', "compare with =="),
    (r"!(?!=)", 'has "!"', "write not"),
    (
        r"(?<![\w.])(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})(?!\w)",
        '"{}" is a day',
        "compare days: days_to_close <= 30, days_since_purchase > 365, days_known < 90",
    ),
    (r"[$€£¥]\s*\d[\d,_.]*", '"{}" is no bare number', written_as),
    (rf"{_AMOUNT}\s*%(?!\s*[\w(])", '"{}" is no bare number', written_as),
    (
        rf"{_AMOUNT}\s*(?:days?|weeks?|months?|quarters?|years?|[dwykKmM]|mio|bn)\b",
        '"{}" is no bare number',
        written_as,
    ),
    (r"(?<![\w.,\[(])\d{1,3}(?:,\d{3})+(?!\d)", '"{}" has separators', written_as),
    (r"\bbetween\b", 'has "between"', "write 10 <= score <= 20"),
    (r"\b(?:contains|like|matches|startswith)\b", 'has "{}"', 'write "…" in type'),
    (r"\bis\s+(?:not\s+)?\w+|\bis\b", 'has "is"', "write is known or is unknown, else == or !="),
)


def habit(text: str) -> Fault | None:
    """The first habit of another tool in a condition that cannot be read, with its place; None if there is none."""
    bare = _LITERAL.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', text)
    for pattern, message, fix in _HABITS:
        found = re.search(pattern, bare)
        if found:
            words = found[0].strip()
            return Fault(
                message.format(words),
                fix if isinstance(fix, str) else fix(words),
                start=found.start(),
                end=found.end(),
            )
    return None
