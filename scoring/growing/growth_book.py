"""What the whole book says of growth: like customers' products, who became a top customer, how beginnings go on."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scoring.arithmetic.columns import coded, flags, whole
from scoring.arithmetic.counts import Summary, as_integers, count, money_bin, ranks
from scoring.arithmetic.points import DOUBLE
from scoring.growing.headroom import bought, product_counts, usual_products

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

ATTRIBUTES = ("industry", "size_class", "country")
_PRIOR_WEIGHT = 10  # accounts' worth of the book's rate that an attribute's is drawn towards
_FEW_BEGINNINGS = 10  # customers' worth of the middle that a rank among few is drawn towards
_THOUSAND = 1000  # a ratio's bins are those of money


@dataclass(frozen=True)
class GrowthBook:
    """Small, and the same for every order of rows.

    `products` are the book's best known; `usual` tells by group of peers which of them are usual (`growing.headroom`);
    `fits` are points by `attribute|value`; `outlooks` a histogram of the bins of `scoring.growing.outlook`.
    """

    products: tuple[str, ...] = ()
    usual: Mapping[str, int] = field(default_factory=dict)
    fits: Mapping[str, int] = field(default_factory=dict)
    outlooks: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """As it was kept in JSON."""
        return cls(tuple(kept["products"]), kept["usual"], kept["fits"], as_integers(kept["outlooks"]))

    @cached_property
    def outlook_ranks(self) -> tuple[Ints, Ints]:
        """Bins of outlooks, and their rank, drawn towards the middle while there are few."""
        keys, places = ranks(self.outlooks)
        size = sum(self.outlooks.values())
        return keys, (places * size + 50 * _FEW_BEGINNINGS) // (size + _FEW_BEGINNINGS)


def outlook_bin(found: Floats) -> Ints:
    """The bin of a ratio, some 4 % wide; 0 where it is NaN."""
    return money_bin(np.nan_to_num(found) * _THOUSAND)


def growth_book(found: Summary, products: tuple[str, ...], percent: float) -> GrowthBook:
    """From the counts of all buckets (`growth_counts`); `percent` of a group's customers make a product usual there."""
    if not found:
        return GrowthBook()
    return GrowthBook(
        products, usual_products(found, products, percent), _fits(found), as_integers(found["outlooks"])
    )


def growth_counts(accounts: pa.Table, ahead: Floats, products: tuple[str, ...], top: int) -> Summary:
    """What one bucket says: its outlooks are `ahead`, `top` is the lowest bin of spend of a top customer."""
    # Who came only now could not yet become a top customer.
    known = flags(accounts, "cut_known") | (whole(accounts, "cut_purchases") > 0)
    best = known & (money_bin(whole(accounts, "spend")) >= top)
    found = product_counts(accounts, bought(accounts, products), products) if products else _NO_PRODUCTS
    kinds: Counter[str] = Counter({"": int(known.sum())})
    tops: Counter[str] = Counter({"": int(best.sum())})
    for attribute in ATTRIBUTES:
        values, codes = coded(accounts[attribute])
        for counter, which in ((kinds, known), (tops, best)):
            sizes = np.bincount(codes[which & (codes >= 0)], minlength=len(values)).tolist()
            counter.update({_key(attribute, value): size for value, size in zip(values, sizes, strict=True)})
    bins = outlook_bin(ahead)
    return found | {"kinds": kinds, "tops": tops, "outlooks": count(bins[bins > 0])}


_NO_PRODUCTS: Summary = {"product_customers": Counter()}


def _key(attribute: str, value: str) -> str:
    return f"{attribute}|{value.strip().lower()}"


def _fits(found: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    kinds, tops = found["kinds"], found["tops"]
    lifts = {kind: lift(tops[kind], kinds[kind], tops[""], kinds[""]) for kind in sorted(kinds) if kind}
    return {kind: points for kind, points in lifts.items() if points}


def lift(hits: int, size: int, all_hits: int, all_size: int) -> int:
    """Points for a group's odds against the book's, drawn towards them as if by ten accounts; 0 if all are alike."""
    if not 0 < all_hits < all_size:
        return 0
    rate = all_hits / all_size
    share = (hits + _PRIOR_WEIGHT * rate) / (size + _PRIOR_WEIGHT)
    return round(DOUBLE * math.log2((share / (1 - share)) / (rate / (1 - rate))))


def fit_points(accounts: pa.Table, fits: Mapping[str, int]) -> Ints:
    """Per account, the points of its attributes, added up."""
    total = np.zeros(accounts.num_rows, dtype=np.int64)
    for attribute in ATTRIBUTES:
        values, codes = coded(accounts[attribute])
        total += np.array([*(fits.get(_key(attribute, value), 0) for value in values), 0])[codes]
    return total
