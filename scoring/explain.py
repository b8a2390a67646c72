"""Tell where each point of a score came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from scoring.tags import Tagged


def explain(tagged: Tagged, record_id: str) -> pd.DataFrame:
    """The contributions of one account or open deal, strongest first within each dimension.

    Columns: object, id, dimension (priority, likelihood, growth), item, points (int), detail (what the item
    saw, in words). The points of a dimension add up exactly to the shown score. Empty for an unknown id.
    """
    raise NotImplementedError
