"""What other rules would do to the whole book: every record scored by both, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from config.outputs import SEGMENTS, TIERS
from sync.score import tagged_book
from sync.store.frames import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from config.rules import Rules
    from sync.store.mirror import Mirror
    from sync.store.tags import TagStore

    Due = Callable[[pa.Table, Rules], pa.Table]

NOT_SCORED = "none"
_KEPT = {
    "account": (
        "id", "owner_id", "foretag_tier", "foretag_score", "foretag_segment", "foretag_growth_score", "foretag_reason",
        "expected_spend",
    ),
    "opportunity": ("id", "owner_id", "foretag_tier", "foretag_score", "foretag_reason", "amount"),
}  # fmt: skip
_MONEY = {"account": "expected_spend", "opportunity": "amount"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The book under two sets of rules. Frames have one row for each record that either scores.

    `records` by object: id, name, owner, money (expected spend, or amount), and tier, score and reason as `…_old` and
    `…_new`; accounts also segment and growth. `tasks`: owner, due, and how many tasks would be made, old and new.
    `rank` of expected spend in the book, 0-100, is as the new rules see it.
    """

    today: date
    records: Mapping[str, pd.DataFrame]
    tasks: pd.DataFrame

    def matrix(self, object_name: str, tag_name: str = "tier") -> pd.DataFrame:
        """How many records go from which tag (rows) to which (columns)."""
        frame = self.records[object_name]
        order = [*(TIERS if tag_name == "tier" else SEGMENTS), NOT_SCORED]
        counts = pd.crosstab(frame[f"{tag_name}_old"], frame[f"{tag_name}_new"])
        counts = counts.reindex(index=order, columns=order, fill_value=0)
        seen = [name for name in order if counts.loc[name].any() or counts[name].any()]
        return counts.loc[seen, seen]

    def moved(self, object_name: str) -> pd.DataFrame:
        """The records that change tier, score or segment, the farthest movers first, then the largest."""
        frame = self.records[object_name]
        steps = _step(frame["tier_old"]) - _step(frame["tier_new"])
        points = (frame["score_new"].fillna(0) - frame["score_old"].fillna(0)).astype("int64")
        changed = (steps != 0) | (points != 0)
        if "segment_old" in frame:
            changed |= frame["segment_old"] != frame["segment_new"]
        frame = frame.assign(steps=steps, points=points, far=steps.abs(), much=points.abs())[changed]
        frame = frame.sort_values(
            ["far", "much", "money", "id"], ascending=[False, False, False, True], kind="stable"
        )
        return frame.drop(columns=["far", "much"])

    def owners(self, object_name: str) -> pd.DataFrame:
        """For each owner: records and money in tier A before and after, and how many change tier."""
        frame = self.records[object_name]
        old, new = (frame[f"tier_{when}"] == "A" for when in ("old", "new"))
        money = frame["money"].fillna(0.0)
        counted = pd.DataFrame(
            {
                "owner": frame["owner"],
                "A_old": old.astype("int64"),
                "A_new": new.astype("int64"),
                "money_A_old": money.where(old, 0.0),
                "money_A_new": money.where(new, 0.0),
                "moved": (frame["tier_old"] != frame["tier_new"]).astype("int64"),
            }
        )
        return counted.groupby("owner", sort=True).sum().reset_index()

    def as_dict(self) -> dict[str, Any]:
        """For machines: matrices, counts by owner, tasks by owner and day, and the twenty biggest movers."""
        return {
            "today": str(self.today),
            **{
                name: {
                    "tiers": self.matrix(name).to_dict(orient="index"),
                    "moved": len(self.moved(name)),
                    "biggest": plain(self.moved(name).head(20)),
                    "owners": plain(self.owners(name)),
                }
                for name in self.records
            },
            "segments": self.matrix("account", "segment").to_dict(orient="index"),
            "tasks": plain(self.tasks),
        }


@dataclass(frozen=True, slots=True)
class Side:
    """One set of rules, and the local copy that it reads."""

    rules: Rules
    mirror: Mirror


def compare(old: Side, new: Side, tags: TagStore, today: date, due: Due) -> Comparison:
    """Score the book by both rules. `due` picks, of wanted tasks, those that would be made.

    Tags are compared as they settle: the days and points for which a tier is held are left out on both sides, so
    that all that the new rules mean is seen at once. Nothing is kept.
    """
    names = _owner_names(old.mirror)
    both = {when: _scored(side, tags, today) for when, side in (("old", old), ("new", new))}
    records = {name: _joined(name, both, old.mirror, names) for name in _KEPT}
    tasks = {"old": due(both["old"].tasks, old.rules), "new": due(both["new"].tasks, new.rules)}
    return Comparison(today, records, _load(tasks, names))


@dataclass(frozen=True, slots=True)
class _Book:
    frames: Mapping[str, pd.DataFrame]
    tasks: pa.Table


def _scored(side: Side, tags: TagStore, today: date) -> _Book:
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in _KEPT}
    tasks = []
    _, parts = tagged_book(side.mirror, tags, side.rules, today, settled=True)
    for tagged in parts:
        found["account"].append(_frame("account", tagged.accounts).assign(rank=tagged.scored.rank))
        found["opportunity"].append(_frame("opportunity", tagged.opportunities))
        tasks.append(tagged.tasks)
    return _Book(
        {name: pd.concat(frames, ignore_index=True) for name, frames in found.items()},
        pa.concat_tables(tasks),
    )


def _frame(object_name: str, table: pa.Table) -> pd.DataFrame:
    """The columns that are compared, under short names; records that hold nothing of ours are left out."""
    chosen = table.select(_KEPT[object_name])
    chosen = chosen.rename_columns([name.removeprefix("foretag_") for name in chosen.column_names])
    money = chosen.column_names.index(_MONEY[object_name])
    chosen = chosen.set_column(money, "money", chosen.column(money).cast(pa.float64()))
    frame: pd.DataFrame = chosen.to_pandas()
    return frame.loc[frame["reason"].notna()]


def _joined(
    object_name: str, both: Mapping[str, _Book], mirror: Mirror, owner_names: Mapping[str, str]
) -> pd.DataFrame:
    """One row for each record, what it was beside what it would be."""
    kept = ["tier", "score", "reason", *(("segment", "growth_score") if object_name == "account" else ())]
    sides = []
    for when, book in both.items():
        frame = book.frames[object_name].set_index("id")
        others = frame.drop(columns=kept) if when == "new" else frame.iloc[:, :0]
        sides.append(others.join(frame[kept].add_suffix(f"_{when}")))
    joined = sides[0].join(sides[1], how="outer").rename_axis("id").reset_index()
    for column in (name for name in joined.columns if name.startswith(("tier_", "segment_"))):
        joined[column] = joined[column].fillna(NOT_SCORED)
    called = mirror.read(object_name, ("id", "name")).to_pandas().set_index("id")["name"]
    joined["name"] = joined["id"].map(called).fillna(joined["id"])
    joined["owner"] = joined.pop("owner_id").map(owner_names).fillna("nobody")
    return pd.DataFrame(joined)


def _owner_names(mirror: Mirror) -> dict[str, str]:
    owners = mirror.read("owner", ("id", "name"))
    return {
        one: name or one
        for one, name in zip(owners["id"].to_pylist(), owners["name"].to_pylist(), strict=True)
    }


def _load(tasks: Mapping[str, pa.Table], owner_names: Mapping[str, str]) -> pd.DataFrame:
    """How many tasks each owner would get for each day."""
    sides = []
    for when, table in tasks.items():
        frame = table.select(["owner_id", "due"]).to_pandas()
        frame["owner"] = frame.pop("owner_id").map(owner_names).fillna("nobody")
        sides.append(frame.groupby(["owner", "due"]).size().rename(when))
    load: pd.DataFrame = pd.concat(sides, axis=1).fillna(0).astype("int64").sort_index().reset_index()
    return load


def _step(tiers: pd.Series) -> pd.Series:
    order = {name: place for place, name in enumerate((*TIERS, NOT_SCORED))}
    steps: pd.Series = tiers.map(order).astype("int64")
    return steps
