"""The suggested next step: the first sentence of the playbook whose condition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.columns import taken
from scoring.expressions import holds
from scoring.texts import plain

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.inputs import Inputs


def next_steps(rules: Rules, object_name: str, inputs: Inputs, valid: NDArray[np.bool_]) -> pa.Array:
    """One sentence per record; null where it is not scored, or where none holds."""
    steps = [step for step in rules.playbook if step.on == object_name]
    chosen = np.full(len(valid), -1)
    for place, step in enumerate(steps):
        chosen = np.where((chosen < 0) & holds(step.when, object_name, inputs, len(valid)), place, chosen)
    return taken([plain(step.say, 255) for step in steps], np.where(valid, chosen, -1))
