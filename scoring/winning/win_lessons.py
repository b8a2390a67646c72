"""Points for past revenue learned from the book's own closed deals, drawn towards those of the rules.

Only what is known of a closed deal as it was while it was open can be learned: what its account had spent before it
was made. Amounts are edited when deals close (what was won becomes exact, what was lost 0), movements and contacts
end with them: learned from closed deals, their points would tell the outcome. They stay those of the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.counts import as_integers, fifth_of
from scoring.arithmetic.fitting import fitted_points
from scoring.arithmetic.points import band_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.rules import Rules

_WEIGHT = 50  # closed deals' worth of the rules' points that each range starts with


def learned_points(
    taught: Mapping[str, int], spend_fifths: tuple[int, ...], rules: Rules
) -> dict[str, tuple[int, ...]]:
    """Points per band by item, `none` last, from `PastDeals.taught`; nothing if nothing was taught."""
    cells = as_integers(taught)
    if not cells:
        return {}
    keys, deals = np.array(list(cells)), np.array(list(cells.values()))
    spent, won = np.divmod(keys, 2)
    card = rules.win.past_revenue
    prior = np.array([*card.points, card.none], dtype=np.int64)
    band = band_of(np.where(spent > 0, fifth_of(spent, spend_fifths), np.nan), card)
    hits, misses = (
        np.bincount(band, deals * mine, minlength=len(prior)).astype(np.int64) for mine in (won, 1 - won)
    )
    return {"past_revenue": tuple(fitted_points(hits, misses, prior, weight=_WEIGHT).tolist())}
