"""Draw an explained record on a terminal: each score as a waterfall of what made it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoring.moves import Outlook
    from sync.explaining.explain import Contribution, Explained, Read
    from sync.talk import Talk

_SHOWN = (
    ("foretag_tier", "Tier"),
    ("foretag_score", "Score"),
    ("foretag_segment", "Segment"),
    ("foretag_growth_potential", "Growth potential"),
    ("foretag_likelihood", "Likelihood to buy"),
    ("foretag_growth_score", "Growth score"),
    ("foretag_reason", "Why"),
    ("foretag_next_step", "Next step"),
    ("foretag_alert", "Alert"),
    ("cause", "Last change of tier by"),
)
_WIDTH = 50  # characters for 100 points
_FULL, _EMPTY = "█", "░"  # what a part adds, and what it takes away


def draw(explained: Explained, talk: Talk) -> None:
    """The tags, then each score from its first part to its sum, what was read, and what would move it."""
    talk.table(
        f"{explained.name} ({explained.id})",
        ("", ""),
        [
            (label, explained.tags[name])
            for name, label in _SHOWN
            if explained.tags.get(name) not in (None, "")
        ],
    )
    if explained.apart:
        talk.table("\nWhat the CRM shows instead", ("",), [(line,) for line in explained.apart])
    for dimension, parts in explained.points.items():
        talk.table(
            f"\n{dimension.capitalize()}: {sum(part.points for part in parts)} of 100",
            ("", "points", "", "what it saw", "rule"),
            _steps(parts),
            right=("points",),
        )
    talk.table(
        "\nRead from the CRM",
        ("of", "input", "field", "value"),
        [(read.of, read.column, read.field or "-", _value(read)) for read in explained.inputs],
    )
    _next(explained, talk)


def _steps(parts: list[Contribution]) -> list[tuple[str, ...]]:
    """One line for each part, drawn from where the one before it ended."""
    rows: list[tuple[str, ...]] = []
    reached = 0
    for part in parts:
        rows.append(
            (part.item, f"{part.points:+d}", bar(reached, reached + part.points), part.saw, part.rule)
        )
        reached += part.points
    return rows


def bar(start: int, end: int) -> str:
    """A bar between two sums of points: full where it adds, hollow where it takes away."""
    left, right = (_place(point) for point in sorted((start, end)))
    if start == end:
        return " " * left
    return " " * left + (_FULL if end > start else _EMPTY) * max(right - left, 1)


def _place(points: int) -> int:
    return max(round(points * _WIDTH / 100), 0)


def _value(read: Read) -> str:
    if read.value is None:
        return "not filled in" if read.field else "no such field: name one under `fields:` if there is"
    return f"{read.value:%Y-%m-%d %H:%M} UTC" if isinstance(read.value, datetime) else str(read.value)


def _next(explained: Explained, talk: Talk) -> None:
    found = explained.outlook
    if found is None:
        return
    talk.table(
        f"\n{to_go(found, explained.tags.get('foretag_tier'))}",
        ("", "points", ""),
        [(move.text, f"+{move.points}", f"→ {move.tier}") for move in found.moves],
        right=("points",),
    )


def to_go(found: Outlook, tier: str | None) -> str:
    """How far it is to the next tier; a record may hold one that its score does not reach any more."""
    if found.tier is None:
        return "What would move it"
    if tier is not None and tier <= found.tier:
        return f"In tier {tier} for now; by its score it is {found.missing} short of {found.tier}; what would move it"
    return f"{found.missing} more for tier {found.tier}; what would move it"
