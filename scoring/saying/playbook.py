"""The suggested next step: the first sentence of the playbook whose condition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import taken
from scoring.arithmetic.texts import plain
from scoring.conditions.expressions import holds

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from scoring.conditions.facts import Inputs
    from scoring.conditions.variants import Variants


def next_steps(variants: Variants, object_name: str, inputs: Inputs, valid: NDArray[np.bool_]) -> pa.Array:
    """One sentence per record; null where it is not scored, or where none holds."""
    said: list[str] = []
    chosen = np.full(len(valid), -1)
    for rules, mask in variants.masks(len(valid)):
        for step in rules.playbook:
            if step.on == object_name:
                chosen[mask & (chosen < 0) & holds(step.when, object_name, inputs, len(valid))] = len(said)
                said.append(plain(step.say, 255))
    return taken(said, np.where(valid, chosen, -1))
