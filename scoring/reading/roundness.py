"""How round an amount is: a round guess is no quote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def roundness(cents: Floats) -> Floats:
    """The largest of 1, 5, 10, 50, 100 … that an amount is a multiple of ÷ the amount; NaN without an amount.

    50,000 gives 1, 95,000 gives 0.05, 95,431 gives 0.00001: the same in every currency.
    """
    money = np.where(np.isnan(cents), 0, cents).astype(np.int64)
    step = np.ones(len(money), dtype=np.int64)
    for wider in (5 * 10**zeros if half else 10**zeros for zeros in range(1, 14) for half in (False, True)):
        step = np.where(money % wider == 0, wider, step)
    shares: Floats = np.divide(step, money, out=np.full(len(money), np.nan), where=money > 0)
    return shares
