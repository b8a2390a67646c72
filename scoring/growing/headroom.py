"""Room to grow: spend below that of like customers, and products that they buy and this one does not yet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.arithmetic.columns import coded, looked_up, numbers
from scoring.reading.trend import quarters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scoring.arithmetic.counts import Summary

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

EVERYBODY = ""  # the group of those whose industry is not known
_MOST_PRODUCTS = 60  # one bit each
_FEWEST_SALES = 5  # of a product, in the book
_PRIOR_WEIGHT = 10  # customers' worth of the whole book that a group's share is drawn towards
_YEAR = 365


def spend_share(accounts: pa.Table, medians: Mapping[str, float], now: int) -> Floats:
    """A customer's spend a year ÷ its peers' median of the last one; NaN without enough peers, and for prospects.

    `medians` (cents) has no group that is too small. The pace is that of the last two years, for newer customers so
    far, over half a year at least: one weak year alone is no room to grow.
    """
    known = np.clip((now - numbers(accounts, "first_day")) / _YEAR, 0.5, 2.0)
    medians_of = looked_up(accounts["peer"], dict(medians), np.nan)
    share: Floats = quarters(accounts).sum(axis=0) / known / medians_of
    return share


def sales_of(accounts: pa.Table) -> Counter[str]:
    """How often each product was sold to the accounts of a bucket."""
    names, codes, _ = _sales(accounts)
    return Counter(dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True)))


def best_known(sales: Mapping[str, int]) -> tuple[str, ...]:
    """The products that the book sold most often; ties by name."""
    enough = sorted((-number, name) for name, number in sales.items() if number >= _FEWEST_SALES)
    return tuple(name for _, name in enough[:_MOST_PRODUCTS])


def bought(accounts: pa.Table, known: tuple[str, ...]) -> Ints:
    """Per account, which of the book's products it bought: a bit for each, in their order."""
    names, codes, rows = _sales(accounts)
    places = {name: place for place, name in enumerate(known)}
    bits = np.array([1 << places[name] if name in places else 0 for name in names], dtype=np.int64)
    found = np.zeros(accounts.num_rows, dtype=np.int64)
    np.bitwise_or.at(found, rows, bits[codes])
    return found


def _sales(accounts: pa.Table) -> tuple[list[str], Ints, Ints]:
    """The products' names, and for each sale the place of its product's name and its account's row."""
    lists = accounts["products"].combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    names, codes = coded(pa.chunked_array([lists.flatten()]))
    return names, codes, np.repeat(np.arange(len(lengths)), lengths)


def product_counts(accounts: pa.Table, mask: Ints, known: tuple[str, ...]) -> Summary:
    """Per group of peers: how many customers have products on record, and how many bought each."""
    peers, codes = coded(accounts["peer"])
    groups, size = [*peers, EVERYBODY], len(peers) + 1
    codes, buys = np.where(codes < 0, size - 1, codes), mask > 0

    def per_group(which: NDArray[np.bool_]) -> list[int]:
        return list(np.bincount(codes[which], minlength=size).tolist())

    found: dict[str, Counter[str]] = {
        "product_customers": Counter(dict(zip(groups, per_group(buys), strict=True)))
    }
    for place in range(len(known)):
        each = per_group((mask >> place) & 1 == 1)
        found[f"product_{place}"] = Counter(dict(zip(groups, each, strict=True)))
    return found


def usual_products(
    found: Mapping[str, Mapping[str, int]], known: tuple[str, ...], percent: float
) -> dict[str, int]:
    """Per group of peers, the products that at least `percent` of its customers buy: a bit for each.

    A group's share is drawn towards the whole book's as if by ten customers of the book; the whole book is
    the group `EVERYBODY`.
    """
    sizes = found["product_customers"]
    everyone = sum(sizes.values())
    usual = dict.fromkeys(sorted({*sizes, EVERYBODY}), 0)
    for place in range(len(known)):
        buyers = found[f"product_{place}"]
        overall = sum(buyers.values())
        for group in usual:
            own, size = (overall, everyone) if group == EVERYBODY else (buyers[group], sizes[group])
            # (own + weight * overall / everyone) / (size + weight), times everyone, so that all numbers are whole.
            bought_by = 100 * (own * everyone + _PRIOR_WEIGHT * overall)
            if everyone and bought_by >= percent * (size + _PRIOR_WEIGHT) * everyone:
                usual[group] |= 1 << place
    return usual


def missing(accounts: pa.Table, mask: Ints, usual: Mapping[str, int]) -> Ints:
    """Per account, the products that its peers usually buy and it does not yet: a bit for each."""
    peers, codes = coded(accounts["peer"])
    everybody = usual.get(EVERYBODY, 0)
    table = np.array([*(usual.get(peer, everybody) for peer in peers), everybody], dtype=np.int64)
    return table[codes] & ~mask


def names_of(mask: int, known: tuple[str, ...]) -> tuple[str, ...]:
    """The products of one mask, the best known first."""
    return tuple(name for place, name in enumerate(known) if mask >> place & 1)
