"""What each owner has to look after: accounts, open deals, and their weighted worth, summed over the book."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import coded, flags, numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from scoring.arithmetic.counts import Summary
    from scoring.reading.features import Features

    Ints = NDArray[np.int64]


def owners_of(records: pa.Table) -> tuple[list[str], Ints]:
    """The owners of rows and each row's place among them; rows without an owner share one, the last."""
    texts, codes = coded(records["owner_id"])
    return [*texts, ""], np.where(codes < 0, len(texts), codes)


def sums(names: list[str], codes: Ints, values: Ints) -> Counter[str]:
    """The sum of values for each name, which may occur twice: an empty owner is none; `codes` index `names`."""
    found = np.zeros(len(names), dtype=np.int64)
    np.add.at(found, codes, values)
    total: Counter[str] = Counter()
    for name, number in zip(names, found.tolist(), strict=True):
        if number:
            total[name] += number
    return total


def measure_owners(part: Features) -> Summary:
    """Accounts, open deals and weighted cents of one bucket, by owner; worth without a chance is counted apart."""
    names, codes = owners_of(part.accounts)
    deal_names, deal_codes = owners_of(part.deals)
    open_deals = ~flags(part.deals, "closed")
    cents = np.nan_to_num(numbers(part.deals, "cents")).astype(np.int64) * open_deals
    probability = numbers(part.deals, "probability")
    weighted = cents * np.nan_to_num(probability).astype(np.int64) // 100
    return {
        "owner_accounts": sums(names, codes, np.ones(len(codes), dtype=np.int64)),
        "owner_deals": sums(deal_names, deal_codes, open_deals.astype(np.int64)),
        "owner_pipeline": sums(deal_names, deal_codes, weighted),
        "owner_unweighted": sums(deal_names, deal_codes, cents * np.isnan(probability)),
    }


def weighted_pipeline(found: Summary, win_percent: int) -> dict[str, int]:
    """Cents for each owner; a deal without a chance of its own has the book's."""
    known, unknown = found["owner_pipeline"], found["owner_unweighted"]
    return {owner: known[owner] + unknown[owner] * win_percent // 100 for owner in sorted({*known, *unknown})}
