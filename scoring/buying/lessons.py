"""What the book teaches about buying: the fitted purchase model, the card's points, the season, the base rates."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.arithmetic.columns import numbers, whole
from scoring.arithmetic.counts import as_integers, count, money_bin, money_of, quantile
from scoring.arithmetic.points import DOUBLE
from scoring.buying.histories import WEEK, earlier, history
from scoring.buying.purchase_model import PurchaseModel, fitted_counts, fitted_values, shape_of
from scoring.reading.features import day_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pyarrow as pa

    from scoring.arithmetic.counts import Summary
    from scoring.book import Book
    from scoring.buying.histories import History
    from scoring.reading.features import Features

MOST_POINTS = 150  # that the model may see, up or down: nobody is sure to buy, or sure not to
_ENOUGH = 50_000  # purchases: of a larger book, a sample of about so many is fitted
LOTS = 1000  # accounts.sql deals accounts out to so many lots by a hash of their id
_SHORTEST = 7  # days
_DAYS = 1 << 17  # more than any number of days between 1900 and 2200
_VALUES = 1 << 11  # more than any bin of money
_USUAL_SPREAD = 0.5  # variance of the logarithm of the values of one account's purchases
_USUAL_DAYS = 10  # purchases' worth of it that the book's own is drawn towards
_MOST_PURCHASES = 100  # that tell apart how sure an account's mean purchase is


@dataclass(frozen=True, slots=True)
class Buying:
    """`window`: the days before today that served to learn; `lots`: the sample that the model was fitted on.

    `cut_gap` is the usual time between purchases, in days, as it stood before the window. `card` holds the learned
    points of each item of `likelihood:`, in the order of its ranges, then `none`; empty where the rules' own hold.
    `centre` is the points of the model's usual chance; `season` and the bases are points, too.
    """

    window: int = 90
    lots: int = LOTS
    cut_gap: float = 180.0
    model: PurchaseModel = field(default_factory=lambda: PurchaseModel(0.5, 26.0, 0.8, 2.5, 2.0, 3.0, 0.0))
    card: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    centre: int = 0
    season: int = 0
    customer_base: int = 0
    prospect_base: int = 0

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Buying:
        """As it was kept in JSON."""
        card = {name: tuple(points) for name, points in kept["card"].items()}
        return cls(**{**kept, "model": PurchaseModel(**kept["model"]), "card": card})


def begun(ages: Mapping[int, int], horizon: int) -> Buying:
    """The window to learn from: one horizon, or half of a history that is shorter than two.

    `ages` counts purchases by how many days ago they were; the oldest tenth does not make a history.
    """
    purchases, length = sum(ages.values()), quantile(ages, 0.9)
    length = 2 * horizon if length is None else length
    window = min(horizon, max(length // 2, _SHORTEST))
    return Buying(window=window, lots=min(LOTS, max(-(-LOTS * _ENOUGH // max(purchases, 1)), 1)))


def histories(part: Features, buying: Buying, today: date) -> Summary:
    """First round: how often each purchase history, and each number and mean value of purchases, occurs."""
    accounts, day = part.accounts, day_number(today)
    found = history(accounts, day)
    customer = found.customer
    sampled = customer & (whole(accounts, "lot") < buying.lots)
    first, last = found.first[sampled].astype(np.int64), found.last[sampled].astype(np.int64)
    repeats = whole(accounts, "purchase_days")[sampled] - 1
    number = np.minimum(whole(accounts, "purchase_days")[customer], _MOST_PURCHASES)
    mean = numbers(accounts, "spend")[customer] / found.purchases[customer]
    return {
        "histories": count((repeats * _DAYS + last - first) * _DAYS + day - first),
        "values": count(number * _VALUES + money_bin(mean)),
        "spread": _spread(accounts),
        "cut": _gaps(earlier(accounts, "cut", day - buying.window)),
    }


def _spread(accounts: pa.Table) -> Counter[str]:
    """How much the values of an account's own purchases differ: sums of squares of thousandths of their logarithm."""
    days, total, squares = (whole(accounts, name) for name in ("priced_days", "log_values", "log_squares"))
    several = days > 1
    apart = squares[several] - total[several].astype(np.float64) ** 2 / days[several]
    return Counter({"free": int((days[several] - 1).sum()), "squares": int(np.rint(apart).sum())})


def _gaps(past: History) -> Counter[str]:
    known = past.customer
    days = (past.last - past.first)[known].sum()
    return Counter({"gaps": int((past.purchases[known] - 1).sum()), "days": int(days)})


def with_model(buying: Buying, found: Summary, book: Book) -> Buying:
    """With the model fitted to the histories, few of them drawn to the book's gap and basket, and its usual chance."""
    sampled = as_integers(found["histories"])
    times = np.array(list(sampled.values()), dtype=np.float64)
    repeats, days = np.divmod(np.array(list(sampled), dtype=np.int64), _DAYS * _DAYS)
    last, today = np.divmod(days, _DAYS)
    x_t = (repeats.astype(np.float64), last / WEEK, today / WEEK)
    usual = (0.5, max(book.gap, 1.0) / WEEK, 0.8, 2.5)
    counts = fitted_counts(*x_t, times, usual, weight=1.0)
    spread = found["spread"]
    shape = shape_of((spread["squares"] / 1e6 + _USUAL_DAYS * _USUAL_SPREAD) / (spread["free"] + _USUAL_DAYS))
    model = PurchaseModel(*counts, *_values(as_integers(found["values"]), shape, book.basket))
    chances = model.chance(*x_t, book.horizon / WEEK)
    mean = (chances * times).sum() / times.sum() if len(times) else 0.5
    centre = DOUBLE * math.log2(mean / (1 - mean)) if 0 < mean < 1 else 0.0
    cut = found["cut"]
    gap = cut["days"] / cut["gaps"] if cut["gaps"] else book.gap
    return replace(
        buying, model=model, cut_gap=gap, centre=round(min(max(centre, -MOST_POINTS), MOST_POINTS))
    )


def _values(counts: Mapping[int, int], shape: float, basket: float) -> tuple[float, ...]:
    """p, q, gamma from how often each number and mean value of purchases occurs.

    p is given: measured from how values of one account differ, it does not hang on how the accounts' own differ.
    """
    priced = {key: number for key, number in counts.items() if key % _VALUES}
    keys, times = np.array(list(priced), dtype=np.int64), np.array(list(priced.values()), dtype=np.float64)
    means = np.array([money_of(key % _VALUES) for key in priced], dtype=np.float64)
    usual = (shape, 2.0, max(basket, 1.0) / shape)
    purchases = (keys // _VALUES).astype(np.float64)
    return fitted_values(purchases, means, times, usual, weight=1.0, fixed_p=True)
