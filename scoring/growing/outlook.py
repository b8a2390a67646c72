"""What customers in their first months have ahead: spend to expect in the next year against their pace so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from scoring.buying.purchase_model import PurchaseModel

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_WEEK, _YEAR = 7, 365
_WEEKS = 1000  # more than young customers are old
_LEAST_AGE = 60  # days that a pace is measured over, at least: a first order is no year's pace
_STEADY = 0.25  # usual purchases a year added to both sides, so that next to nothing is no growth


def outlook(accounts: pa.Table, model: PurchaseModel, usual: float, now: int, young: Flags) -> Floats:
    """Spend to expect in the next 365 days ÷ a year at the pace so far.

    A quarter of a `usual` purchase (cents) is added to both; NaN where an account is not `young`. A change from one
    half of these months to the other would point the wrong way: who bought much first buys less afterwards. What the
    book's customers do after such a beginning does not: the purchases to expect (BG/NBD) times the value of each,
    halfway (by ratio) between the account's own mean and what gamma-gamma makes of it: drawn towards the book's all
    the way, every small customer would seem to have more ahead, and undrawn, none whose first order was an exception.
    """
    found = np.full(accounts.num_rows, np.nan)
    rows = np.flatnonzero(young)
    first, last = numbers(accounts, "first_day")[rows], numbers(accounts, "last_day")[rows]
    days, spend = numbers(accounts, "purchase_days")[rows], numbers(accounts, "spend")[rows]
    # Beginnings that are the same to within a week are few, and the closed form is dear: each is one number.
    weeks = ((days - 1) * _WEEKS + (last - first) // _WEEK) * _WEEKS + (now - first) // _WEEK
    kinds, place = np.unique(weeks, return_inverse=True)
    purchases = model.expected_purchases(
        kinds // _WEEKS**2, kinds // _WEEKS % _WEEKS, kinds % _WEEKS, _YEAR / _WEEK
    )
    own = spend / days
    ahead = purchases[place] * np.sqrt(own * model.expected_value(days, own))
    pace = spend / np.maximum(now - first, _LEAST_AGE) * _YEAR
    steady = _STEADY * usual
    found[rows] = (ahead + steady) / (pace + steady)
    return found
