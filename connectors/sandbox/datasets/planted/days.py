"""Days of a planted book are numbers, counted from today: -1 is yesterday, and what is known ends there."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.sandbox.datasets.stamps import at_work

Days = NDArray[np.int32]

TODAY = date(2026, 3, 2)
YEAR = 365
QUARTER = 91
PAST, AHEAD = 16, 4  # quarters of history that a book has, and quarters after today that its truth knows
NEVER = 30_000
_TODAY = np.datetime64(TODAY, "D")


def dates(days: Any, missing: Any = None) -> pa.Array:
    """Day numbers as dates, null where `missing`."""
    return pa.array(_TODAY + days.astype("timedelta64[D]"), mask=missing)


def stamps(days: Any, salt: int) -> Any:
    """Day numbers as moments of a working day, in UTC."""
    return at_work(_TODAY + days.astype("timedelta64[D]"), salt)


def in_year(days: Any) -> Any:
    """The day of the year, 0 to 364, that a day number falls on."""
    return (days + TODAY.timetuple().tm_yday) % YEAR


def to_month_end(days: Days) -> Days:
    """The last day of the month in which each day lies."""
    months = (_TODAY + days.astype("timedelta64[D]")).astype("datetime64[M]")
    following: NDArray[np.datetime64] = (months + np.timedelta64(1, "M")).astype("datetime64[D]")
    ends: NDArray[np.timedelta64] = following - np.timedelta64(1, "D") - _TODAY
    return ends.astype(np.int32)
