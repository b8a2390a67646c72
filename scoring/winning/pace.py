"""How soon open deals close, by their age: what the book's own deals of that age did within 30 days."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scoring.arithmetic.columns import coded, numbers
from scoring.reading.past_deals import OLDEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

WITHIN = 30  # days
_FEWEST = 20  # deals that closed, for a table at all
_FINER = 4  # times as many bands as for outcomes
_PRIOR = 10 * WITHIN / _FINER  # days of looking at a deal, worth of the prior that a share is drawn towards
_FIRST, _LAST, _HIT, _HIT_LAST = range(4)


@dataclass(frozen=True, slots=True)
class Pace:
    """The table: `ages` are the days at which each band but the first begins; shares in percent close within 30 days.

    `kinds` are pipeline and type, as `pipeline|type`; a kind that is not there has the shares of `whole`.
    """

    ages: tuple[int, ...] = ()
    whole: tuple[float, ...] = ()
    kinds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """As it was kept in JSON."""
        kinds = {name: tuple(row) for name, row in kept["kinds"].items()}
        return cls(tuple(kept["ages"]), tuple(kept["whole"]), kinds)


def pace_table(counts: pa.Table) -> Pace:
    """The table from `PastDeals.ages` (of the whole book, sorted); empty if hardly any deal has closed.

    Bands hold about as many of the days within 30 days of an end: 20 bands at 200 closed deals, 160 at 50,000. They are
    finer than those of outcomes, as a deal is looked at on each of its days.
    """
    kinds, places = coded(counts["kind"])
    ends = np.zeros((len(kinds), 4, OLDEST + 1), dtype=np.int64)
    ends[places, np.asarray(counts["what"]), np.asarray(counts["age"])] = np.asarray(counts["deals"])
    began = ends[:, _HIT_LAST].sum(axis=0)
    if began.sum() < _FEWEST:
        return Pace()
    running = ends.cumsum(axis=2)
    open_days, hit_days = running[:, _FIRST] - running[:, _LAST], running[:, _HIT] - running[:, _HIT_LAST]
    ages = bands_of(hit_days.sum(axis=0), int(began.sum()), finer=_FINER)
    starts = np.array([0, *ages])
    open_in, hit_in = (
        np.add.reduceat(days, starts, axis=1).astype(np.float64) for days in (open_days, hit_days)
    )
    all_share = hit_in.sum() / open_in.sum()
    whole = (hit_in.sum(axis=0) + _PRIOR * all_share) / (open_in.sum(axis=0) + _PRIOR)
    by_kind = (hit_in + _PRIOR * whole) / (open_in + _PRIOR)
    return Pace(
        tuple(ages),
        tuple(np.round(100 * whole, 1).tolist()),
        {kind: tuple(np.round(100 * row, 1).tolist()) for kind, row in zip(kinds, by_kind, strict=True)}
        if len(kinds) > 1
        else {},
    )


def bands_of(weights: Ints, deals: int, finer: int = 1) -> list[int]:
    """Ages at which bands begin, so that each holds about as much of the weights; the last begins where they end.

    5 bands at 200 deals, 40 at 50,000, or so many times as many.
    """
    bands = int(np.clip(finer * 0.68 * deals**0.377, 3, finer * 40))
    running = weights.cumsum()
    cuts = [int(np.searchsorted(running, running[-1] * share / bands)) for share in range(1, bands)]
    end = int(np.flatnonzero(weights)[-1]) + 1
    return sorted({cut for cut in (int(np.flatnonzero(weights)[0]), *cuts, end) if 0 < cut <= OLDEST})


def pace(deals: pa.Table, table: Pace, today: int) -> Floats:
    """Percent of deals of each one's age and kind that closed within 30 days; NaN where that is not known."""
    if not table.whole:
        return np.full(deals.num_rows, np.nan)
    age = np.clip(today - numbers(deals, "created_day"), 0, OLDEST)
    band = np.searchsorted(np.array(table.ages), np.nan_to_num(age), side="right")
    pipelines, pipeline = coded(deals["pipeline"])
    types, type_ = coded(deals["type"])
    shares = np.array(
        [[table.kinds.get(f"{one}|{two}", table.whole) for two in (*types, "")] for one in (*pipelines, "")]
    )
    return np.where(np.isnan(age), np.nan, shares[pipeline, type_, band])
