"""Boosts and penalties: points that the rules give where a condition holds, each a named item of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.texts import Texts, chosen
from scoring.conditions.expressions import holds

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.conditions.variants import Variants

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Boosts:
    """What the boosts give: one item, row of points (items x records) and column of texts for each of them."""

    items: tuple[str, ...]
    parts: Floats
    texts: list[Texts]


def boost_items(rules: Rules, object_name: str) -> tuple[str, ...]:
    """The items of all boosts on an object, in the order of the rules file: `boost:NAME`.

    They are the same for every variant of the rules, so that records of all teams share one table.
    """
    return tuple(f"boost:{name}" for name in rules.boost_names(object_name))


def boost_parts(rules: Rules, object_name: str, inputs: Mapping[str, pa.Array], rows: int) -> Boosts:
    """The points of each boost for each of `rows` records: 0, and no text, where its condition does not hold."""
    items = boost_items(rules, object_name)
    parts = np.zeros((len(items), rows))
    texts = [Texts([], np.full(rows, -1)) for _ in items]
    for boost in rules.boosts:
        if boost.on == object_name:
            place = items.index(f"boost:{boost.name}")
            hit = holds(boost.when, object_name, inputs, rows)
            parts[place] = np.where(hit, float(boost.points), 0.0)
            texts[place] = Texts([boost.because], np.where(hit, 0, -1))
    return Boosts(items, parts, texts)


def boosted(variants: Variants, object_name: str, inputs: Mapping[str, pa.Array], rows: int) -> Boosts:
    """The points of the boosts that each record's own rules give it."""
    items = boost_items(variants.rules[0], object_name)
    parts, texts = np.zeros((len(items), rows)), [Texts([], np.full(rows, -1)) for _ in items]
    for rules, mask in variants.masks(rows) if items else ():
        found = boost_parts(rules, object_name, inputs, rows)
        parts = np.where(mask, found.parts, parts)
        texts = [chosen(mask, mine, other) for mine, other in zip(found.texts, texts, strict=True)]
    return Boosts(items, parts, texts)
