"""Where the records of one object stand: their tier, what limits or holds it, and what to remember of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import TIERS
from scoring.arithmetic.columns import taken, whole
from scoring.conditions.variants import Variants, account_variants, deal_variants
from scoring.placing.cutoffs import begins
from scoring.placing.overrides import Overrides, overrides
from scoring.placing.state import CAUSES, STATE_SCHEMA, WORDS, Kept, day_array, lined_up
from scoring.placing.tiers import by_cutoff, calm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.reading.features import Features

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_NEW, _DATA, _TIME, _RULES = range(len(CAUSES))


@dataclass(frozen=True, slots=True)
class Placed:
    """Records with their tiers, as places in TIERS; -1 where `valid` is false and no person gave one.

    `by_score` is the tier by cut-off alone, `limited` that within `best` and `worst`, `tier` what is written: a
    person's word, else the calm one. `cause` is that of the last change, as a place in CAUSES.
    """

    object: str
    table: pa.Table
    variants: Variants
    score: Ints
    valid: Flags
    kept: Kept
    pins: Overrides
    best: Ints
    worst: Ints
    by_score: Ints
    limited: Ints
    tier: Ints
    changed: Flags
    cause: Ints

    @property
    def tier_of_score(self) -> pa.Array:
        """The tier that the score alone gives today, whatever a person said and whatever was before."""
        return taken(TIERS, np.where(self.valid, self.limited, -1))

    @property
    def free(self) -> Flags:
        """No person gave the tier."""
        return ~self.pins.pinned


def place(  # noqa: PLR0913, PLR0917  # what a tier depends on, no more
    object_name: str,
    features: Features,
    score: Ints,
    valid: Flags,
    limits: tuple[Ints, Ints],
    book: Book,
    kept_table: pa.Table | None,
    rules: Rules,
    today: int,
) -> Placed:
    """Give each record its tier. `limits` are the best and the worst that it may have."""
    of_accounts = object_name == "account"
    table = features.accounts if of_accounts else features.deals
    variants = account_variants(table, rules) if of_accounts else deal_variants(table, rules)
    kept = lined_up(kept_table, object_name, table["id"])
    pins = overrides(table, kept, rules, today)
    enter, leave = begins(object_name, features, rules, book.cutoffs.get(object_name, {}))
    by_score = by_cutoff(score, enter)
    relaxed = np.clip(by_cutoff(score, leave), *limits)
    limited = np.clip(by_score, *limits)
    free = np.where(valid, calm(limited, relaxed, kept, variants, today), -1)
    tier = np.where(pins.pinned, pins.word, free)
    changed, cause = _causes(tier, kept, whole(table, "fingerprint"), variants)
    return Placed(
        object_name,
        table,
        variants,
        score,
        valid,
        kept,
        pins,
        *limits,
        by_score,
        limited,
        tier,
        changed,
        cause,
    )


def _causes(tier: Ints, kept: Kept, fingerprint: Ints, variants: Variants) -> tuple[Flags, Ints]:
    """Where the tier changed, and why it last did.

    A record whose own rules are other ones than before, though none was changed, came under them by its data, which
    the fingerprint tells: it is in another pipeline now, or its owner in another team.
    """
    changed = ~kept.known | (tier != kept.tier)
    texts, codes = kept.rules
    all_then, own_then = np.array([(*text.split("/", 1), "")[:2] for text in (*texts, "")]).T[:, codes]
    own_now = np.array([own.scores_digest for own in variants.rules])[_codes(variants, len(tier))]
    other_rules = (own_then != own_now) & (all_then != variants.rules[0].all_scores_digest)
    by_time = np.where(fingerprint != kept.fingerprint, _DATA, _TIME)
    why = np.where(~kept.known, _NEW, np.where(other_rules, _RULES, by_time))
    return changed, np.where(changed, why, kept.cause)


def remembered(placed: Placed, parent_since: Ints, today: int) -> pa.Table:
    """What the next run must know of these records, in STATE_SCHEMA."""
    rows, table = placed.table.num_rows, placed.table
    parents = pa.nulls(rows, pa.string())
    if placed.object == "account":
        # The last one that there was: it may come back.
        last = placed.kept.parent_id
        merged = pc.fill_null(pc.equal(last, table["id"].combine_chunks()), fill_value=False)
        parents = pc.coalesce(table["parent_id"], pc.if_else(merged, None, last))
    columns = {
        "object": taken([placed.object], np.zeros(rows, dtype=np.int64)),
        "id": table["id"],
        "tier": taken(TIERS, placed.tier),
        "since": day_array(np.where(placed.changed, today, placed.kept.since)),
        "cause": taken(CAUSES, placed.cause),
        "score": pa.array(placed.score, mask=~placed.valid),
        "rules": taken(
            [
                f"{placed.variants.rules[0].all_scores_digest}/{own.scores_digest}"
                for own in placed.variants.rules
            ],
            _codes(placed.variants, rows),
        ),
        "fingerprint": table["fingerprint"],
        "parent_id": parents,
        "parent_since": day_array(parent_since),
        "override": taken(WORDS, placed.pins.word),
        "override_seen": day_array(placed.pins.seen),
    }
    return pa.table(columns, schema=STATE_SCHEMA)


def _codes(variants: Variants, rows: int) -> Ints:
    return np.zeros(rows, dtype=np.int64) if variants.codes is None else variants.codes
