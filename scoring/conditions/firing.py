"""How many records each rule holds for, and how many have no value for an input: what tells a rule that is dead."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from scoring.arithmetic.columns import flags
from scoring.conditions.expressions import holds
from scoring.conditions.variants import account_variants, deal_variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.tags import Tagged

    Flags = NDArray[np.bool_]

SECTIONS = ("boosts", "exclude", "playbook", "tasks")
# A rule: its section, the object it is on, and its condition.
Rule = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Firing:
    """Counts that add up over buckets.

    `records` by object: scored accounts and open deals; exclusions count among all. `hits` and `of` by rule: how many
    records it holds for (a step of the playbook: is the first that does), and how many have it among their rules.
    `empty` by object and input: how many records have no value.
    """

    records: Counter[str]
    hits: Counter[Rule]
    of: Counter[Rule]
    empty: Counter[tuple[str, str]]

    def __add__(self, other: Firing) -> Firing:
        return Firing(
            self.records + other.records,
            self.hits + other.hits,
            self.of + other.of,
            self.empty + other.empty,
        )


def nothing() -> Firing:
    """The counts of no records."""
    return Firing(Counter(), Counter(), Counter(), Counter())


def firing(tagged: Tagged, names: Mapping[str, Iterable[str]]) -> Firing:
    """The counts of one bucket; `names` are the inputs to look at, by object."""
    features = tagged.scored.features
    found = nothing()
    open_deals = ~flags(features.deals, "closed")
    for object_name, variants, inputs, present, scored in (
        (
            "account", account_variants(features.accounts, tagged.rules), tagged.account_inputs,
            np.ones(features.accounts.num_rows, dtype=np.bool_), tagged.scored.scored,
        ),
        (
            "opportunity", deal_variants(features.deals, tagged.rules), tagged.deal_inputs,
            open_deals, tagged.scored.deals.scored & open_deals,
        ),
    ):  # fmt: skip
        found.records[object_name] = int(scored.sum())
        for rules, mask in variants.masks(len(present)):
            _count(found, rules, object_name, inputs, mask & present, mask & scored)
        for name in names.get(object_name, ()):
            values = np.asarray(pc.is_null(inputs[name]).to_numpy(zero_copy_only=False), dtype=np.bool_)
            found.empty[object_name, name] += int((values & scored).sum())
    return found


def _count(
    found: Firing,
    rules: Rules,
    object_name: str,
    inputs: Mapping[str, pa.Array],
    present: Flags,
    scored: Flags,
) -> None:
    for section in SECTIONS:
        rows = present if section == "exclude" else scored
        left = rows
        for rule in getattr(rules, section):
            if rule.on == object_name:
                key = (section, object_name, rule.when)
                hit = left & holds(rule.when, object_name, inputs, len(rows))
                found.hits[key] += int(hit.sum())
                found.of[key] += int(rows.sum())
                left = left & ~hit if section == "playbook" else left
