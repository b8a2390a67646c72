"""Numbers as people write them in texts, with units and separators, and how the rules want them: as bare numbers."""

from __future__ import annotations

import re

_NUMBER = r"[+-]?\d{1,3}(?:[,_' ]\d{3})+(?:\.\d+)?|[+-]?\d+(?:[.,]\d+)?"
_WRITTEN = re.compile(
    rf"\s*(?P<money>[$€£¥]|[A-Z]{{3}} )?\s*(?P<number>{_NUMBER})\s*(?P<unit>[%$€£¥]|[a-zA-Z]+)?\s*"
)

# Unit → how many of what the rules count.
_DAYS = {
    **dict.fromkeys(("d", "day", "days"), 1),
    **dict.fromkeys(("w", "week", "weeks"), 7),
    **dict.fromkeys(("mo", "month", "months"), 30),
    **dict.fromkeys(("quarter", "quarters"), 91),
    **dict.fromkeys(("y", "year", "years"), 365),
}
_TIMES = {
    **dict.fromkeys(("k", "thousand"), 1_000),
    **dict.fromkeys(("m", "mio", "million"), 1_000_000),
    **dict.fromkeys(("bn", "billion"), 1_000_000_000),
}


def written_as(text: str) -> str:
    """What to write instead of a text that means a number: `write 30: days are a bare number`; empty if it is none."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return ""
    number, unit = _plain(found["number"]), (found["unit"] or "").lower()
    if unit in _DAYS:
        return f"write {number * _DAYS[unit]:g}: it counts days"
    if unit == "%":
        return f"write {number:g}: percent are a bare number"
    if unit in _TIMES:
        return f"write {number * _TIMES[unit]:.15g}"
    known = not unit or not unit.isalpha() or (len(unit) == 3 and found["unit"].isupper())
    return f"write {number:.15g}, as a bare number" if known else ""


def _plain(text: str) -> float:
    """The number; a comma before other than three digits is a decimal one."""
    bare = re.sub(r"[,_' ](?=\d{3}(?!\d))", "", text)
    return float(bare.replace(",", "."))
