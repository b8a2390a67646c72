"""How an account's spend has moved over the last eight quarters, so that one large order does not decide."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import numbers, whole

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

QUARTER = 91  # days
QUARTERS = 8
_FEWEST = 3  # quarters: two have no middle slope
_DRAWN = 2  # quarters' worth of "no trend" that the quarters with a purchase must outweigh


def quarters(accounts: pa.Table) -> Floats:
    """Cents won in each of the last eight quarters, the latest first; quarters x accounts."""
    return np.stack([whole(accounts, f"q{place}") for place in range(QUARTERS)]).astype(np.float64)


def spend_trend(accounts: pa.Table, today: int) -> Floats:
    """Percent of the mean quarter by which spend moves per quarter; NaN for a customer of less than three quarters.

    The slope is the median of the slopes between all pairs of quarters (H. Theil 1950; P. K. Sen, *Journal of the
    American Statistical Association* 63, 1968), over the whole quarters since the first purchase, which itself
    is left out: it would make every new customer look like one that shrinks. It is drawn towards 0 by m / (m + 2),
    m being the quarters with a purchase.
    """
    spent, first_day = quarters(accounts), numbers(accounts, "first_day")
    known = np.minimum(np.nan_to_num((today - first_day) // QUARTER), QUARTERS).astype(np.int64)
    trend = np.full(len(known), np.nan)
    for seen in range(_FEWEST, QUARTERS + 1):
        rows = np.flatnonzero(known == seen)
        if len(rows):
            trend[rows] = _relative_slope(spent[:seen, rows])
    return trend


def _relative_slope(spent: Floats) -> Floats:
    """The median slope in percent of the mean, drawn towards 0; quarters x accounts, the latest first."""
    slopes = np.stack([
        (spent[later] - spent[earlier]) / (earlier - later)
        for later, earlier in combinations(range(len(spent)), 2)
    ])  # fmt: skip
    mean, bought = spent.mean(axis=0), (spent > 0).sum(axis=0)
    relative = 100 * np.divide(np.median(slopes, axis=0), mean, out=np.zeros(len(mean)), where=mean > 0)
    drawn: Floats = relative * bought / (bought + _DRAWN)
    return drawn
