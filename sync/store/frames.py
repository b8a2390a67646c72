"""Frames as people and machines read them: numbers without NaN, rows without what JSON cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable


def whole(value: Any, missing: str = "") -> str:
    """A number to the unit, with separators; `missing` where there is none."""
    return missing if pd.isna(value) else f"{value:,.0f}"


def plain(frame: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """One mapping for each row; what is missing is None."""
    return frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
