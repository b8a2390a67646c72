"""Explain one record from what the last run kept: its tags, and where every point came from."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from sync.mirror import Mirror
    from sync.tags import TagStore
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


@dataclass(frozen=True, slots=True)
class Explained:
    """A record's tags, and its contributions by dimension: (item, points), strongest first, adding up to the score."""

    object: str
    id: str
    name: str
    tags: dict[str, Any]
    points: dict[str, list[tuple[str, int]]]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "object": self.object,
            "id": self.id,
            "name": self.name,
            "tags": self.tags,
            "points": self.points,
        }

    def show(self, talk: Talk) -> None:
        """For people: the tags, then one bar for each contribution."""
        talk.table(
            f"{self.name} ({self.id})",
            ("", ""),
            [(label, self.tags[name]) for name, label in _SHOWN if self.tags.get(name) not in (None, "")],
        )
        for dimension, items in self.points.items():
            talk.table(
                f"{dimension.capitalize()}: {sum(points for _, points in items)} of 100",
                ("", "points", ""),
                [
                    (item, f"{points:+d}", ("+" if points > 0 else "-") * round(abs(points) / 2))
                    for item, points in items
                ],
                right=("points",),
            )


def explain_record(mirror: Mirror, tags: TagStore, record: str) -> Explained:
    """The record with this id, or the account with this name. Raises `ConfigProblem` if there is none."""
    object_name, row = _found(mirror, record)
    tagged = _row(tags.read(f"tags_{object_name}"), row["id"])
    if tagged is None:
        raise ConfigProblem(
            Problem(
                f"{row['name']} ({row['id']}) has no score",
                fix="closed deals have none; else run `foretag plan` first",
            )
        )
    points = _row(tags.read(f"points_{object_name}"), row["id"]) or {}
    by_dimension: dict[str, list[tuple[str, int]]] = {}
    for column, value in points.items():
        dimension, colon, item = column.partition(":")
        if colon and value:
            by_dimension.setdefault(dimension, []).append((item, int(value)))
    for items in by_dimension.values():
        items.sort(key=lambda item: -abs(item[1]))
    return Explained(object_name, row["id"], row["name"], tagged, by_dimension)


def _found(mirror: Mirror, record: str) -> tuple[str, dict[str, Any]]:
    accounts = mirror.read("account", ("id", "name"))
    for object_name, rows in (
        ("account", accounts),
        ("opportunity", mirror.read("opportunity", ("id", "name"))),
    ):
        # Salesforce shows ids in a short and a long form; the long one starts with the short one.
        matching = rows.filter(pc.starts_with(rows["id"], record)) if len(record) >= 15 else rows.slice(0, 0)
        if matching.num_rows == 0:
            matching = rows.filter(pc.equal(rows["id"], record))
        if matching.num_rows:
            return object_name, matching.to_pylist()[0]
    lowered = record.casefold()
    named = [row for row in accounts.to_pylist() if (row["name"] or "").casefold() == lowered]
    if len(named) == 1:
        return "account", named[0]
    if named:
        raise ConfigProblem(
            Problem(
                f'{len(named)} accounts are called "{record}"',
                fix=f"give an id: {', '.join(row['id'] for row in named[:5])}",
            )
        )
    close = difflib.get_close_matches(record, [row["name"] or "" for row in accounts.to_pylist()], n=1)
    fix = f'did you mean "{close[0]}"?' if close else "run `foretag plan` first if it is new"
    raise ConfigProblem(Problem(f'no account is called "{record}" and no record has this id', fix=fix))


def _row(table: pa.Table | None, record_id: str) -> dict[str, Any] | None:
    if table is None:
        return None
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["id"], record_id)).to_pylist()
    return rows[0] if rows else None
