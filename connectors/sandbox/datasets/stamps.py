"""Plausible times of day for events whose source knows only the day; the same ones at every load."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]


def at_work(days: Days, salt: int) -> Days:
    """A millisecond between 8:00 and 17:00 UTC on each day, spread by row number."""
    rows = np.arange(len(days), dtype=np.int64)
    millisecond = (rows * 7_919_993 + salt * 104_729) % (9 * 3600 * 1000)
    stamps: Days = (
        days.astype("datetime64[ms]") + np.timedelta64(8, "h") + millisecond.astype("timedelta64[ms]")
    )
    return stamps
