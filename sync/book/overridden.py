"""What people decided against the scores: overrides, for how long, and how far the score would have it otherwise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.outputs import OBJECTS, TIERS
from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pyarrow as pa

    from config.rules import Rules
    from sync.store.mirror import Mirror
    from sync.store.tags import TagStore

_SAID = ("id", "name", "foretag_override", "foretag_override_reason")
_TAGS = ("id", "owner_id", "foretag_score", "score_tier", "override_until")


@dataclass(frozen=True, slots=True)
class Override:
    """One record's override. `word` is a tier or "Leave alone"; `score_tier` and `score` are null if it has none."""

    object: str
    id: str
    name: str
    owner_id: str
    word: str
    score_tier: str | None
    score: int | None
    until: date
    reason: str
    ended: bool
    ends_soon: bool

    @property
    def apart(self) -> int | None:
        """By how many tiers the person puts it higher than the score (negative: lower); None: not to be compared."""
        if self.word not in TIERS or self.score_tier is None:
            return None
        return TIERS.index(self.score_tier) - TIERS.index(self.word)


def overrides(mirror: Mirror, tags: TagStore, rules: Rules, today: date) -> list[Override]:
    """All that stand in the local copy as last scored, those that have ended but were not emptied among them."""
    soon = today + timedelta(days=rules.overrides.notice_days)
    found = []
    for name in OBJECTS:
        said = tags.read(f"tags_{name}")
        # What an older version kept says nothing of it.
        if said is not None and set(_TAGS) <= set(said.column_names):
            found += [
                Override(name, **row, ended=row["until"] < today, ends_soon=today <= row["until"] <= soon)
                for row in _rows(mirror.read(name, _SAID), said.select(_TAGS))
            ]
    return found


def disagreement(standing: list[Override]) -> dict[str, Any]:
    """How often, and how far, the score would have it otherwise; `tiers` counts by (said, score's)."""
    compared = [(one, apart) for one in standing if (apart := one.apart) is not None]
    steps = [apart for _, apart in compared if apart]
    return {
        "compared": len(compared),
        "disagree": len(steps),
        "higher": sum(step > 0 for step in steps),
        "lower": sum(step < 0 for step in steps),
        "tiers_apart": round(sum(map(abs, steps)) / len(steps), 1) if steps else 0.0,
        "tiers": Counter((one.word, one.score_tier) for one, _ in compared),
    }


def by_owner(standing: list[Override], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """In whose books they stand, most first."""
    counted = Counter(one.owner_id for one in standing)
    rows = []
    for owner_id, count in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])):
        said = disagreement([one for one in standing if one.owner_id == owner_id])
        rows.append(
            {
                "owner": names.get(owner_id, owner_id),
                "overrides": count,
                **{key: said[key] for key in ("disagree", "higher", "lower", "tiers_apart")},
            }
        )
    return rows


def _rows(held: pa.Table, said: pa.Table) -> list[dict[str, Any]]:
    with database(held=held, said=said) as db:
        rows: list[dict[str, Any]] = (
            db.sql(
                """
                SELECT id, coalesce(name, id) AS name, coalesce(owner_id, '') AS owner_id, foretag_override AS word,
                    score_tier, foretag_score AS score, override_until AS until,
                    coalesce(foretag_override_reason, '') AS reason
                FROM held JOIN said USING (id)
                WHERE foretag_override IS NOT NULL AND override_until IS NOT NULL ORDER BY until, name, id
                """
            )
            .to_arrow_table()
            .to_pylist()
        )
    return rows
