"""Explain one record from what the last run kept: its tags, and where every point came from."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.problems import ConfigProblem, Problem
from scoring import explain, extract, tag
from sync.mirror import bucket_of
from sync.score import Buckets

if TYPE_CHECKING:
    from config.crms import Crm
    from config.rules import Rules
    from sync.mirror import Mirror
    from sync.tags import TagStore
    from sync.talk import Talk

# Some CRMs show ids in a short form of so many characters, too; the long one starts with it.
_SHORT_ID = 15
MOST_COMPARED = 20_000

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
    """A record's tags, and its contributions by dimension: (item, points, what it saw), adding up to the score."""

    object: str
    id: str
    name: str
    tags: dict[str, Any]
    points: dict[str, list[tuple[str, int, str]]]

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
                f"{dimension.capitalize()}: {sum(points for _, points, _ in items)} of 100",
                ("", "points", "", "what it saw"),
                [
                    (item, f"{points:+d}", ("+" if points > 0 else "-") * round(abs(points) / 4), seen)
                    for item, points, seen in items
                ],
                right=("points",),
            )


def explain_record(mirror: Mirror, tags: TagStore, rules: Rules, crm: Crm, record: str) -> Explained:
    """The record with this id, or the account with this name, as of the last `plan` or `run`.

    Raises `ConfigProblem` if there is none, or if it was not scored under these rules.
    """
    object_name, row = _found(mirror, crm, record)
    home = row["id"] if object_name == "account" else row["account_id"] or row["id"]
    bucket = bucket_of(pa.array([home]), mirror.buckets())[0].as_py()
    tagged = _row(tags.read(f"tags_{object_name}", bucket), row["id"])
    kept = tags.book(rules)
    if tagged is None or kept is None:
        why = "has no score; closed deals have none" if kept else "was not scored under these rules"
        raise ConfigProblem(
            Problem(f"{row['name']} ({row['id']}) {why}", fix="run `foretag plan` to score the book")
        )
    book, today = kept
    features = extract(Buckets(mirror, rules).tables(bucket), book.horizon, rules, today)
    points: dict[str, list[tuple[str, int, str]]] = {}
    for found in explain(tag(features, book, tags.state(bucket), rules, today), row["id"]).to_pylist():
        points.setdefault(found["dimension"], []).append((found["item"], found["points"], found["detail"]))
    return Explained(object_name, row["id"], row["name"], tagged, points)


def _found(mirror: Mirror, crm: Crm, record: str) -> tuple[str, dict[str, Any]]:
    accounts, noun = mirror.read("account", ("id", "name")), crm.nouns["account"]
    row = _with_id(accounts, record)
    if row is not None:
        return "account", row
    named = accounts.filter(pc.equal(pc.utf8_lower(accounts["name"]), record.lower())).to_pylist()
    if len(named) == 1:
        return "account", named[0]
    if named:
        raise ConfigProblem(
            Problem(
                f'{len(named)} {noun.many} are called "{record}"',
                fix=f"give an id: {', '.join(row['id'] for row in named[:5])}",
            )
        )
    row = _with_id(mirror.read("opportunity", ("id", "name", "account_id")), record)
    if row is not None:
        return "opportunity", row
    close = difflib.get_close_matches(record, _alike(accounts["name"], record), n=1)
    fix = f'did you mean "{close[0]}"?' if close else "run `foretag plan` first if it is new"
    raise ConfigProblem(Problem(f'no {noun} is called "{record}" and no record has this id', fix=fix))


def _with_id(rows: pa.Table, record: str) -> dict[str, Any] | None:
    matching = rows.filter(pc.equal(rows["id"], record))
    if not matching.num_rows and len(record) == _SHORT_ID:
        matching = rows.filter(pc.starts_with(rows["id"], record))
    return matching.to_pylist()[0] if matching.num_rows else None


def _alike(names: pa.ChunkedArray, record: str) -> list[str]:
    """Names worth comparing letter by letter, which takes seconds for some ten thousand."""
    lengths = pc.utf8_length(names)
    near = names.filter(
        pc.and_(
            pc.less_equal(pc.abs(pc.subtract(lengths, len(record))), 3),
            pc.equal(pc.utf8_lower(pc.utf8_slice_codeunits(names, 0, 1)), record[:1].lower()),
        )
    )
    found: list[str] = near.slice(0, MOST_COMPARED).to_pylist()
    return found


def _row(table: pa.Table | None, record_id: str) -> dict[str, Any] | None:
    if table is None:
        return None
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["id"], record_id)).to_pylist()
    return rows[0] if rows else None
