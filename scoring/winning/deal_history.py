"""What the book's own deals teach about its open ones: how deals alike ended, how soon they close, what is usual."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scoring.arithmetic.columns import flags, numbers, whole
from scoring.reading.features import day_number
from scoring.winning.lasting import Lasting, lasting
from scoring.winning.like_deals import like_effects
from scoring.winning.pace import Pace, pace_table
from scoring.winning.win_lessons import learned_points

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.arithmetic.counts import Summary
    from scoring.book import Book
    from scoring.reading.features import Features
    from scoring.reading.past_deals import PastDeals

_LIST_PRICE = 0.01  # share of the book's deals from which an amount is a list price
_PRIOR_DATES = 10
_USUAL_RECORD, _NO_RECORD = 10, 1000
_FEWEST_RECORDS = 30  # accounts with more than one closed deal, to tell how much accounts differ
_MANY = 1000  # closed deals: more of one account count as so many
_FEWEST = 50  # deals with an amount, to tell
YOUNG = 30  # days: a younger deal's times are compared as if it were that old


@dataclass(frozen=True, slots=True)
class DealHistory:
    """Small, and the same for every order of rows.

    `like` are the effects of `winning.like_deals`; `list_prices` the cells (`reading.past_deals`) of amounts that
    many deals share; `touches_each_day` the contacts that open deals usually had for each day of their age, 0 if
    none were counted; `overdue` the share of open deals whose close date has passed; `level` points that bring the
    chances of all open deals to what such deals came to; `record` how many closed deals' worth of the book's win rate
    an account's own is drawn towards: many, where accounts do not differ by more than chance;
    `points` the learned ones of `scoring.winning.win_lessons`.
    """

    like: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    list_prices: tuple[int, ...] = ()
    touches_each_day: float = 0.0
    lasting: Lasting = field(default_factory=Lasting)
    overdue: float = 0.0
    level: int = 0
    record: int = _USUAL_RECORD
    points: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """As it was kept in JSON."""
        return cls(**{
            **kept, "pace": Pace.of(kept["pace"]), "lasting": Lasting.of(kept["lasting"]),
            "list_prices": tuple(kept["list_prices"]),
            "points": {item: tuple(points) for item, points in kept["points"].items()},
        })  # fmt: skip


def deal_history(sums: PastDeals, usual: Summary, book: Book, rules: Rules) -> DealHistory:
    """The history of a book that has its measures, from the counts of all buckets: `merged`, and `usual_counts`."""
    deals = usual["deals"]
    return DealHistory(
        like=like_effects(sums.like, rules.win.like_deals.by), pace=pace_table(sums.ages),
        list_prices=_list_prices(sums.amounts),
        touches_each_day=deals["touches"] / deals["days"] if deals["days"] else 0.0,
        overdue=deals["passed"] / (deals["dated"] + _PRIOR_DATES),
        lasting=lasting(sums.outcomes, rules.win.like_deals.half_life),
        record=_record(usual["accounts"]), points=learned_points(sums.taught, book.spend_fifths, rules),
    )  # fmt: skip


def _list_prices(amounts: NDArray[np.int64]) -> tuple[int, ...]:
    priced = int(amounts.sum())
    if priced < _FEWEST:
        return ()
    return tuple(np.flatnonzero(amounts >= max(_LIST_PRICE * priced, 2)).tolist())


def usual_counts(part: Features, today: date) -> Summary:
    """What a bucket says of how its accounts' deals ended, and of its open ones: all whole numbers."""
    return {"accounts": _records(part), "deals": _overdue(part, today) + _touches(part, today)}


def _records(part: Features) -> Counter[str]:
    """Won and closed deals of accounts: their sums, sums of squares and of products, and who has several."""
    won, closed = (np.minimum(whole(part.accounts, name), _MANY) for name in ("purchases", "closed"))
    sums = {
        "won": won, "closed": closed, "several": closed > 1,
        "won_won": won**2, "won_closed": won * closed, "closed_closed": closed**2,
    }  # fmt: skip
    return Counter({name: int(found.sum()) for name, found in sums.items()})


def _record(sums: Mapping[str, int]) -> int:
    """How far accounts' own win rates are to be trusted, by moments as in `winning.like_deals`, in whole numbers."""
    won, closed = sums["won"], sums["closed"]
    if sums["several"] < _FEWEST_RECORDS or not 0 < won < closed:
        return _USUAL_RECORD
    percent = min(max(round(100 * won / closed), 1), 99)
    unit = percent * (100 - percent)
    information = sums["closed_closed"]
    # Of 100 won - percent closed, the square.
    surplus = 100**2 * sums["won_won"] - 200 * percent * sums["won_closed"] + percent**2 * information
    spread = surplus - unit * closed - unit * math.sqrt(2 * information)
    return min(max(round(unit * information / spread), 3), _NO_RECORD) if spread > 0 else _NO_RECORD


def _overdue(part: Features, today: date) -> Counter[str]:
    """Of how many open deals the close date is known, and has passed."""
    closes = numbers(part.deals, "close_day")[~flags(part.deals, "closed")]
    return Counter(
        {"passed": int((closes < day_number(today)).sum()), "dated": int((~np.isnan(closes)).sum())}
    )


def _touches(part: Features, today: date) -> Counter[str]:
    """Contacts, and days of age, of all open deals of which contacts are known."""
    count, age = numbers(part.deals, "touches"), age_of(part.deals, day_number(today))
    known = ~flags(part.deals, "closed") & ~np.isnan(count) & ~np.isnan(age)
    return Counter({"touches": int(count[known].sum()), "days": int(age[known].sum())})


def age_of(deals: Any, now: int) -> NDArray[np.float64]:
    """Days since a deal was made, at least `YOUNG`; NaN where that is not known."""
    return np.maximum(now - numbers(deals, "created_day"), YOUNG)
