"""What accounts had bought by a day, as the purchase model sees it: today, one window ago, or a year ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from scoring.buying.purchase_model import PurchaseModel

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

WEEK, YEAR = 7, 365


@dataclass(frozen=True, slots=True)
class History:
    """One number per account: days with a purchase, and the first and last of them (NaN without one), by `day`."""

    day: int
    purchases: Floats
    first: Floats
    last: Floats

    @property
    def customer(self) -> Flags:
        """Who had bought by then."""
        return self.purchases > 0

    @property
    def x_t(self) -> tuple[Floats, Floats, Floats]:
        """x, t_x and T of `scoring.buying.purchase_model`, in weeks; zeros where there was no purchase."""
        repeats = np.maximum(self.purchases - 1, 0.0)
        first = np.where(self.customer, self.first, self.day)
        last = np.where(self.customer, self.last, self.day)
        return repeats, (last - first) / WEEK, (self.day - first) / WEEK

    def chance(self, model: PurchaseModel, horizon: int) -> Floats:
        """What the model gives, 0 to 1, for a purchase within `horizon` days after the day; 0 without a history."""
        found = model.chance(*self.x_t, horizon / WEEK)
        return np.where(self.customer, np.clip(found, 1e-9, 1.0), 0.0)

    def usual_gap(self, gap: float) -> Floats:
        """Days between an account's purchases, drawn towards the book's `gap` as if by one; NaN without a purchase."""
        gaps = (self.last - self.first + gap) / np.maximum(self.purchases, 1)
        return np.where(self.customer, np.maximum(gaps, 1.0), np.nan)


def history(accounts: pa.Table, day: int) -> History:
    """As of today."""
    return _history(accounts, "purchase_days", "last_day", day)


def earlier(accounts: pa.Table, when: str, day: int) -> History:
    """As of an earlier `day`: `cut`, one window before today; `season`, a year before; `eve`, a window before that."""
    return _history(accounts, f"{when}_purchase_days", f"{when}_last_day", day)


def _history(accounts: pa.Table, purchases: str, last: str, day: int) -> History:
    return History(day, numbers(accounts, purchases), numbers(accounts, "first_day"), numbers(accounts, last))
