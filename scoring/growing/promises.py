"""Growth plans: what is promised now, and how far earlier promises came true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import numbers, whole

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_HOLLOW, _SURE = 40, 90  # percent of plans that come true: words are nothing, are as good as results
_PLANS = 2  # plans' worth of the book's mean that an account's own plans are drawn towards


@dataclass(frozen=True, slots=True)
class Promises:
    """Per account; NaN where there is no plan.

    `rise` is the running plan ÷ spend of the last year. `kept` is the share of the plans that fell due that came
    true, 0 to 1, as it is; `trusted` is the same in whole percent drawn towards the book's mean, the mean itself
    where no plan fell due: one kept plan is not certainty.
    """

    rise: Floats
    kept: Floats
    trusted: Ints

    @property
    def believed(self) -> Ints:
        """How far words count, in percent: where little came true not at all, where nearly all did in full."""
        return np.clip((self.trusted - _HOLLOW) * 100 // (_SURE - _HOLLOW), 0, 100)


def promises(accounts: pa.Table, usual: Floats, kept_percent: int) -> Promises:
    """The plans of the accounts of a bucket; `usual` (cents) is the least that counts as a year's spend."""
    kept, plans = kept_share(accounts), whole(accounts, "plans_due")
    earlier = np.floor(100 * np.nan_to_num(kept) * plans).astype(np.int64)
    return Promises(
        numbers(accounts, "promised") / np.maximum(whole(accounts, "year_spend"), usual + 1.0),
        kept,
        (earlier + _PLANS * kept_percent) // (plans + _PLANS),
    )


def kept_share(accounts: pa.Table) -> Floats:
    """What was won of all that was promised in plans that fell due, 0 to 1; NaN without one."""
    promised = whole(accounts, "plans_promised")
    return np.minimum(whole(accounts, "plans_reached") / np.where(promised > 0, promised, np.nan), 1.0)


def plan_counts(accounts: pa.Table) -> dict[str, int]:
    """How many plans fell due in a bucket, and the percents of them that came true, added up."""
    kept, plans = kept_share(accounts), whole(accounts, "plans_due")
    known = ~np.isnan(kept)
    return {
        "plans": int(plans[known].sum()),
        "kept": int((np.floor(100 * kept[known]).astype(np.int64) * plans[known]).sum()),
    }
