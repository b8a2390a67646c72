"""What the book's own deals teach about its open ones: how deals alike ended, how soon they close, what is usual."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scoring.columns import flags, numbers
from scoring.features import day_number
from scoring.like_deals import like_effects
from scoring.pace import Pace, pace_table
from scoring.past_deals import merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.features import Features
    from scoring.past_deals import PastDeals

_LIST_PRICE = 0.01  # share of the book's deals from which an amount is a list price
_FEWEST = 50  # deals with an amount, to tell
YOUNG = 30  # days: a younger deal's times are compared as if it were that old


@dataclass(frozen=True, slots=True)
class DealHistory:
    """Small, and the same for every order of rows.

    `like` are the effects of `scoring.like_deals`; `list_prices` the cells (`scoring.past_deals`) of amounts that
    many deals share; `touches_each_day` the contacts that open deals usually had for each day of their age, 0 if
    none were counted.
    """

    like: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    list_prices: tuple[int, ...] = ()
    touches_each_day: float = 0.0

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """As it was kept in JSON."""
        return cls(kept["like"], Pace.of(kept["pace"]), tuple(kept["list_prices"]), kept["touches_each_day"])


def deal_history(
    past: Sequence[PastDeals], parts: Sequence[Features], rules: Rules, today: date
) -> DealHistory:
    """The history of a book from the counts and features of its buckets, in any order."""
    if not past:
        return DealHistory()
    by = rules.win.like_deals.by
    whole = merged(past, by)
    return DealHistory(
        like_effects(whole.like, by),
        pace_table(whole.ages),
        _list_prices(whole.amounts),
        _touches(parts, today),
    )


def _list_prices(amounts: NDArray[np.int64]) -> tuple[int, ...]:
    priced = int(amounts.sum())
    if priced < _FEWEST:
        return ()
    return tuple(np.flatnonzero(amounts >= max(_LIST_PRICE * priced, 2)).tolist())


def _touches(parts: Sequence[Features], today: date) -> float:
    """Contacts ÷ days of age of all open deals of which contacts are known."""
    touches = days = 0
    for part in parts:
        count, age = numbers(part.deals, "touches"), age_of(part.deals, day_number(today))
        known = ~flags(part.deals, "closed") & ~np.isnan(count) & ~np.isnan(age)
        touches += int(count[known].sum())
        days += int(age[known].sum())
    return touches / days if days else 0.0


def age_of(deals: Any, now: int) -> NDArray[np.float64]:
    """Days since a deal was made, at least `YOUNG`; NaN where that is not known."""
    return np.maximum(now - numbers(deals, "created_day"), YOUNG)
