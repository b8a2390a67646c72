"""How well a score puts first what comes true: AUC, share of the money in the top tenth, rank correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def auc(scores: Floats, hits: Flags) -> float:
    """The chance that one who did scores above one who did not, ties counted half; a score that is unknown is last."""
    places = _ranks(np.where(np.isnan(scores), -np.inf, scores))
    did, others = int(hits.sum()), int((~hits).sum())
    if not did or not others:
        return float("nan")
    return float((places[hits].sum() - did * (did + 1) / 2) / (did * others))


def top_share(scores: Floats, amounts: Floats, share: float = 0.1) -> float:
    """The part of all amounts that the best `share` of the scores holds; ties at its border count in proportion."""
    size = max(int(len(scores) * share), 1)
    border = np.sort(scores)[-size]
    above, tied = scores > border, scores == border
    held = amounts[above].sum() + amounts[tied].mean() * (size - above.sum())
    return float(held / max(amounts.sum(), 1))


def rank_correlation(scores: Floats, amounts: Floats) -> float:
    """Spearman's."""
    return float(np.corrcoef(_ranks(scores), _ranks(amounts))[0, 1])


def quintiles(values: Floats) -> Floats:
    """1 to 5 by rank, ties at their mean place."""
    return np.ceil(5 * _ranks(values) / len(values))


def _ranks(values: Floats) -> Floats:
    """From 1 on, ties at their mean place; by pandas, as SciPy's statistics take a second to load."""
    return pd.Series(values).rank().to_numpy(np.float64)
